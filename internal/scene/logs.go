package scene

import (
	"context"
	"errors"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/evidence"
)

const (
	// maxExecutors is of how many executors that ended badly the log is read.
	maxExecutors = 4
	// executorLines is how many lines of each are read, from the end.
	executorLines = 2000
	// logBound is how long a driver's log is read from its beginning. What is left of Bound is for its end.
	logBound = Bound - 1500*time.Millisecond
)

// readLogs reads the driver's log, and those of some executors that ended badly.
func (g *gathering) readLogs(ctx context.Context) {
	var reads []func()
	executors := 0
	for i := range g.pods {
		pod := &g.pods[i]
		switch {
		case pod.Labels[v1beta2.LabelSparkRole] == v1beta2.SparkRoleDriver:
			reads = append(reads, func() { g.readDriverLog(ctx, pod) })
		case evidence.Bad(pod) && executors < maxExecutors:
			executors++
			reads = append(reads, func() {
				lines := int64(executorLines)
				log, err := g.scan(ctx, pod, v1beta2.ExecutorContainerName, &lines, evidence.ExecutorLog())
				g.keep(log, err)
			})
		}
	}
	all(reads...)
}

// readDriverLog reads the whole log, or of one that is too long to be read in time its beginning and its end.
func (g *gathering) readDriverLog(ctx context.Context, pod *corev1.Pod) {
	whole, cancel := context.WithTimeout(ctx, logBound)
	defer cancel()
	log, err := g.scan(whole, pod, v1beta2.DriverContainerName, nil, evidence.DriverLog())
	if whole.Err() != nil && err == nil && log.Missing != "" {
		lines := int64(executorLines)
		if end, err := g.scan(ctx, pod, v1beta2.DriverContainerName, &lines, evidence.DriverLog()); err == nil {
			log = appended(log, end)
		}
	}
	g.keep(log, err)
}

// appended joins the beginning and the end of a log. The numbers of the lines between are not known.
func appended(log, end v1alpha1.Log) v1alpha1.Log {
	var last time.Time
	if n := len(log.Lines); n > 0 && log.Lines[n-1].At != nil {
		last = log.Lines[n-1].At.Time
	}
	for _, line := range end.Lines {
		if line.At == nil || !line.At.After(last) {
			continue
		}
		line.Number += log.Total
		log.Lines = append(log.Lines, line)
	}
	log.Total += end.Total
	log.Dropped += end.Dropped
	return log
}

// scan reads a container's log, from its beginning or so many lines of its end. A container that has not started has none.
func (g *gathering) scan(ctx context.Context, pod *corev1.Pod, name string, tail *int64, room evidence.Room) (v1alpha1.Log, error) {
	name, started := containerOf(pod, name)
	if !started {
		return v1alpha1.Log{}, nil
	}
	options := &corev1.PodLogOptions{Container: name, Timestamps: true, TailLines: tail}
	of := v1alpha1.Log{Pod: pod.Name, Container: name}
	stream, err := g.source.cluster.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, options).Stream(ctx)
	if err != nil {
		return of, err
	}
	defer stream.Close()
	return evidence.ScanLog(stream, of, room), nil
}

// keep takes a log, or notes why there is none.
func (g *gathering) keep(log v1alpha1.Log, err error) {
	if err != nil && !errors.Is(err, io.EOF) {
		g.miss("log of "+log.Pod, err)
		log.Missing = reason(err)
	}
	if log.Pod == "" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.live.Logs = append(g.live.Logs, log)
}

// containerOf returns the name of the container that Spark runs in, and whether it has ever run.
func containerOf(pod *corev1.Pod, name string) (string, bool) {
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == name || len(pod.Status.ContainerStatuses) == 1 {
			return status.Name, status.State.Running != nil || status.State.Terminated != nil
		}
	}
	return name, false
}
