package logs

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	recordv1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/applog"
	"brazier.sh/brazier/internal/records"
)

// reading is one reading of an application's logs.
type reading struct {
	*options
	client  *applications.Client
	app     *v1beta2.SparkApplication
	which   applog.Which
	bounds  applog.Bounds
	reader  applog.Reader
	printer applog.Printer
}

func (o *options) run(ctx context.Context) error {
	client, err := applications.Open(&o.cluster)
	if err != nil {
		return err
	}
	r := &reading{
		options: o, client: client, bounds: o.bounds(),
		which:   applog.Which{Executor: o.executor, All: o.all, Run: o.attempt},
		reader:  applog.Reader{Cluster: client.Cluster, Namespace: client.Namespace},
		printer: applog.Printer{Out: o.streams.Out, Names: o.all, Colour: o.streams.ColourOut(), Timestamps: o.timestamps},
	}
	r.app, err = client.Get(ctx, o.app)
	if errors.Is(err, applications.ErrNoSuch) {
		return r.deleted(ctx, err)
	}
	if err != nil {
		return err
	}
	if o.previous {
		if r.app.Status.Run < 2 {
			return fmt.Errorf("--previous: %s has had no attempt before this one", r)
		}
		r.which.Run = r.app.Status.Run - 1
	}
	if o.follow {
		return r.live(ctx)
	}
	if r.which.Run == 0 {
		r.which.Run = r.app.Status.Run
	}
	pods, err := client.Pods(ctx, r.app)
	if err != nil {
		return err
	}
	return r.once(ctx, pods)
}

func (r *reading) String() string { return r.client.Namespace + "/" + r.options.app }

func (r *reading) note(format string, args ...any) {
	fmt.Fprintf(r.streams.Err, "• "+format+"\n", args...)
}

// once shows what there is of the logs: those of pods that are there, and what was kept of others.
func (r *reading) once(ctx context.Context, pods []*corev1.Pod) error {
	var sources []applog.Source
	var waits error
	there := map[string]bool{}
	applog.Sort(pods)
	for _, pod := range pods {
		if !r.which.Covers(pod) {
			continue
		}
		there[string(pod.UID)] = true
		source, started := applog.SourceOf(pod)
		if started {
			sources = append(sources, source)
		} else if waits == nil {
			waits = r.notStarted(source, pod)
		}
	}
	var kept []applog.Kept
	if r.all || len(there) == 0 {
		record, err := r.record(ctx)
		if err != nil {
			return err
		}
		kept = r.kept(record, there)
	}
	if len(sources) == 0 && len(kept) == 0 {
		if waits != nil {
			return waits
		}
		return r.nothing()
	}
	return r.print(ctx, sources, kept)
}

// print shows logs, one as it is and several as one. One that cannot be read keeps the others from nothing.
func (r *reading) print(ctx context.Context, sources []applog.Source, kept []applog.Kept) error {
	cursors := make([]*applog.Cursor, len(sources))
	for i := range cursors {
		cursors[i] = new(applog.Cursor)
	}
	var errs []error
	r.reader.Merge(ctx, sources, kept, r.bounds, cursors, r.printer.Print, func(_ applog.Source, err error) { errs = append(errs, err) })
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(errs...)
}

// notStarted says why a container has no log yet.
func (r *reading) notStarted(source applog.Source, pod *corev1.Pod) error {
	text := fmt.Sprintf("the %s of %s has not started, so it has no log yet", source.Name, r)
	if waits := applications.Waits(pod, source.Container); waits != "" {
		text += ": " + waits
	}
	return fmt.Errorf("%s; -f waits for it", text)
}

// record is what was kept of the run that is meant; nil where nothing was.
func (r *reading) record(ctx context.Context) (*recordv1.RunRecord, error) {
	all, err := records.Of(ctx, r.client.Config, r.app.Namespace, r.app.Name, r.app.UID)
	if err != nil {
		return nil, fmt.Errorf("its pods are gone, and what was kept of them cannot be read: %w", err)
	}
	return records.Run(all, r.which.Run), nil
}

// kept returns what a record has of the logs that are meant, and says so of each.
func (r *reading) kept(record *recordv1.RunRecord, there map[string]bool) []applog.Kept {
	if record == nil {
		return nil
	}
	all := applog.KeptOf(record, r.which, there)
	for _, kept := range all {
		text := fmt.Sprintf("the %s's pod %s is gone (%s)", kept.Name, kept.Pod.Name, records.End(kept.Pod))
		switch {
		case len(kept.Lines) > 0:
			r.note("%s; of its log %d of %d lines were kept", text, len(kept.Lines), kept.Total)
		case kept.Missing != "":
			r.note("%s; of its log nothing was kept: %s", text, kept.Missing)
		default:
			r.note("%s; of its log nothing was kept", text)
		}
	}
	return all
}

// nothing is the error where there is no log at all.
func (r *reading) nothing() error {
	whose := "driver"
	if r.executor != "" {
		whose = "executor " + r.executor
	}
	switch run := r.app.Status.Run; {
	case run == 0:
		return fmt.Errorf("%s has not been submitted yet (%s); -f waits for it", r, applications.State(r.app))
	case r.which.Run > run:
		return fmt.Errorf("--attempt: %s has had %d so far", r, run)
	}
	return fmt.Errorf("there is no pod of the %s of %s in attempt %d, and nothing was kept of it", whose, r, r.which.Run)
}

// deleted shows what was kept of an application that is gone; err says that it is.
func (r *reading) deleted(ctx context.Context, err error) error {
	all, failed := records.Of(ctx, r.client.Config, r.client.Namespace, r.options.app, "")
	if failed != nil || len(all) == 0 {
		return err
	}
	record := records.Run(all, r.attempt)
	if r.previous && record != nil {
		record = records.Run(all, record.Run-1)
	}
	if record == nil {
		return fmt.Errorf("%s was deleted, and nothing was kept of that attempt", r)
	}
	r.note("%s was deleted; this was kept of attempt %d", r, record.Run)
	kept := r.kept(record, nil)
	if len(kept) == 0 {
		return fmt.Errorf("%s was deleted, and of this log nothing was kept", r)
	}
	return r.print(ctx, nil, kept)
}
