package logs

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applog"
	"brazier.sh/brazier/internal/kube"
)

// grace is how long the ends of logs are waited for once the application has ended: a kubelet that is gone never sends
// them.
const grace = 10 * time.Second

// following is a reading that goes on.
type following struct {
	*reading
	live *applog.Live

	mu   sync.Mutex
	seen map[string]bool
}

// live shows logs as they are written, through pods that come and go, until the application has ended.
func (r *reading) live(ctx context.Context) error {
	f := &following{reading: r, live: applog.NewLive(r.reader), seen: map[string]bool{}}
	streams, stop := context.WithCancel(ctx)
	defer stop()
	if err := f.catchUp(ctx, streams); err != nil {
		return err
	}
	printed := make(chan struct{})
	go func() {
		defer close(printed)
		f.live.Run(r.printer.Print)
	}()
	err := f.untilOver(ctx, streams)
	if err == nil {
		err = f.last(ctx, streams)
	} else {
		stop()
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		f.live.Close()
	}()
	select {
	case <-closed:
	case <-ctx.Done():
	case <-time.After(grace):
		r.note("the end of a log does not come; its node may be gone")
	}
	stop()
	<-closed
	<-printed
	if err == nil && len(f.seen) == 0 {
		return r.once(ctx, nil)
	}
	return err
}

// catchUp shows what there is already, in order, and follows it from there.
func (f *following) catchUp(ctx, streams context.Context) error {
	pods, err := f.client.Pods(ctx, f.app)
	if err != nil {
		return err
	}
	applog.Sort(pods)
	var sources []applog.Source
	var cursors []*applog.Cursor
	for _, pod := range pods {
		source, started := applog.SourceOf(pod)
		if started && f.which.Covers(pod) {
			f.seen[string(pod.UID)] = true
			sources, cursors = append(sources, source), append(cursors, new(applog.Cursor))
		}
	}
	// One that cannot be read now is read from its beginning then.
	f.reader.Merge(ctx, sources, nil, f.bounds, cursors, f.printer.Print, func(applog.Source, error) {})
	for i, source := range sources {
		f.live.Add(streams, source, f.bounds, cursors[i])
	}
	return nil
}

// untilOver follows the logs of pods that start, until the application has ended.
func (f *following) untilOver(ctx, streams context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 2)
	var watches sync.WaitGroup
	watches.Go(func() {
		ended <- f.client.WatchPods(ctx, f.app, func(change kube.Change[*corev1.Pod]) (bool, error) {
			if !change.None {
				f.add(streams, change.Object)
			}
			return false, nil
		})
	})
	watches.Go(func() {
		ended <- f.client.WatchOne(ctx, f.app.Name, func(app *v1beta2.SparkApplication) (bool, error) {
			if app == nil || app.UID != f.app.UID {
				return true, nil
			}
			state := app.Status.AppState.State
			return state.Ended() || state == v1beta2.ApplicationStateSuspended, nil
		})
	})
	err := <-ended // The watch of pods ends by itself only where it fails.
	stop()
	watches.Wait()
	return err
}

// add follows a pod's log, once it has one.
func (f *following) add(streams context.Context, pod *corev1.Pod) {
	f.mu.Lock()
	defer f.mu.Unlock()
	source, started := applog.SourceOf(pod)
	if !started || !f.which.Covers(pod) || f.seen[string(pod.UID)] || pod.CreationTimestamp.Time.Before(f.app.CreationTimestamp.Time) {
		return
	}
	f.seen[string(pod.UID)] = true
	if pod.Labels[v1beta2.LabelSparkRole] == v1beta2.SparkRoleDriver {
		if run := pod.Labels[v1beta2.LabelRun]; run != "" && run != "1" {
			f.note("attempt %s: pod %s", run, pod.Name)
		}
	}
	// What was written since it came to be is wanted, however long ago following began.
	f.live.Add(streams, source, applog.All(), new(applog.Cursor))
}

// last follows the logs of pods that the watch has not told of before the application ended.
func (f *following) last(ctx, streams context.Context) error {
	pods, err := f.client.Pods(ctx, f.app)
	if err != nil {
		return err
	}
	for _, pod := range pods {
		f.add(streams, pod)
	}
	return nil
}
