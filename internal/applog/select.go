package applog

import (
	"cmp"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	recordv1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/records"
)

// Which says whose logs are read.
type Which struct {
	// Executor is Spark's number of an executor; empty means the driver.
	Executor string
	// All means the driver and every executor.
	All bool
	// Run is the number of a run; 0 means any.
	Run int64
}

// Covers reports whether a pod's log is meant.
func (w Which) Covers(pod *corev1.Pod) bool {
	if run, err := strconv.ParseInt(pod.Labels[v1beta2.LabelRun], 10, 64); err == nil && w.Run != 0 && run != w.Run {
		return false
	}
	switch pod.Labels[v1beta2.LabelSparkRole] {
	case v1beta2.SparkRoleDriver:
		return w.All || w.Executor == ""
	case v1beta2.SparkRoleExecutor:
		return w.All || w.Executor != "" && pod.Labels[v1beta2.LabelSparkExecutorID] == w.Executor
	}
	return false
}

// SourceOf is the log of Spark's own container of a pod, whatever sidecars run beside it; started says that it has one.
func SourceOf(pod *corev1.Pod) (source Source, started bool) {
	source = Source{Name: "driver", Pod: pod.Name, UID: pod.UID, Container: v1beta2.DriverContainerName}
	if pod.Labels[v1beta2.LabelSparkRole] == v1beta2.SparkRoleExecutor {
		source.Name, source.Container = executorName(pod.Labels[v1beta2.LabelSparkExecutorID], pod.Name), v1beta2.ExecutorContainerName
	}
	status := applications.Container(pod, source.Container)
	if status == nil {
		return source, false
	}
	source.Container = status.Name
	return source, status.State.Running != nil || status.State.Terminated != nil
}

func executorName(number, pod string) string {
	if number == "" {
		return pod
	}
	return "executor " + number
}

// Sort puts the driver first and executors in the order of their numbers.
func Sort(pods []*corev1.Pod) {
	number := func(pod *corev1.Pod) int {
		if pod.Labels[v1beta2.LabelSparkRole] == v1beta2.SparkRoleDriver {
			return -1
		}
		n, _ := strconv.Atoi(pod.Labels[v1beta2.LabelSparkExecutorID]) // One without a number comes first.
		return n
	}
	slices.SortStableFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(number(a), number(b)) })
}

// Kept is what was kept of the logs of a pod that is gone.
type Kept struct {
	// Name is what readers know the log by, and Pod is what was kept of its pod.
	Name string
	Pod  *recordv1.Pod
	// Lines are the lines that were kept of Total.
	Lines []Line
	Total int64
	// Missing says why there are no lines, where that is so.
	Missing string
}

// KeptOf returns what a record has of the logs that are meant, but for those of pods that are there still.
func KeptOf(record *recordv1.RunRecord, which Which, there map[string]bool) []Kept {
	var all []Kept
	for i := range record.Evidence.Pods {
		pod := &record.Evidence.Pods[i]
		wanted := which.All || pod.Role == recordv1.RoleDriver && which.Executor == "" ||
			pod.Role == recordv1.RoleExecutor && which.Executor != "" && pod.Executor == which.Executor
		if !wanted || there[string(pod.UID)] {
			continue
		}
		kept := Kept{Name: "driver", Pod: pod}
		if pod.Role == recordv1.RoleExecutor {
			kept.Name = executorName(pod.Executor, pod.Name)
		}
		for _, log := range records.Logs(record, pod.Name) {
			kept.Total += max(log.Total, int64(len(log.Lines)))
			kept.Missing = cmp.Or(kept.Missing, log.Missing)
			kept.Lines = append(kept.Lines, linesOf(kept.Name, log)...)
		}
		all = append(all, kept)
	}
	return all
}

// linesOf are the lines of a log that was kept; one without a time has that of the line before.
func linesOf(name string, log recordv1.Log) []Line {
	var lines []Line
	for _, line := range log.Lines {
		kept := Line{From: Source{Name: name, Pod: log.Pod, Container: log.Container}, Text: line.Text}
		if line.At != nil {
			kept.At = line.At.Time
		} else if len(lines) > 0 {
			kept.At = lines[len(lines)-1].At
		}
		lines = append(lines, kept)
	}
	return lines
}

// Bound leaves out of lines what was not asked for.
func (b Bounds) Bound(lines []Line) []Line {
	lines = slices.DeleteFunc(slices.Clone(lines), func(line Line) bool { return !b.Since.IsZero() && line.At.Before(b.Since) })
	if b.Tail >= 0 && int64(len(lines)) > b.Tail {
		lines = lines[int64(len(lines))-b.Tail:]
	}
	return lines
}
