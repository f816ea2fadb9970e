package schedule

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/attend"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/manifest"
	"brazier.sh/brazier/internal/terminal"
)

// verbOptions are those of the verbs that act on schedules by name.
type verbOptions struct {
	streams terminal.Streams
	cluster kube.Flags
	keep    bool
	follow  bool
	set     []string
}

type verb func(context.Context, *applications.Client, *v1beta2.ScheduledSparkApplication) error

// command returns a verb's command. Of several schedules one that fails keeps the others from nothing.
func (o *verbOptions) command(cmd *cobra.Command, most int, act verb) *cobra.Command {
	cmd.ValidArgsFunction = complete.Schedules(&o.cluster, most)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 || most > 0 && len(args) > most {
			return exit.With(exit.Usage, fmt.Errorf("NAME: name a schedule; \"%s\" lists them", o.cluster.Command("schedule ls")))
		}
		client, err := applications.Open(&o.cluster)
		if err != nil {
			return err
		}
		var errs []error
		for _, name := range args {
			schedule, err := client.Schedule(cmd.Context(), name)
			if err == nil {
				err = act(cmd.Context(), client, schedule)
			}
			errs = append(errs, err)
		}
		if len(errs) == 1 { // A bare exit code stays one.
			return exit.Interrupt(cmd.Context(), errs[0])
		}
		return exit.Interrupt(cmd.Context(), errors.Join(errs...))
	}
	o.cluster.AddTo(cmd.Flags())
	complete.Flags(cmd, &o.cluster)
	return cmd
}

func newSuspendCommand(streams terminal.Streams) *cobra.Command {
	opts := verbOptions{streams: streams}
	return opts.command(&cobra.Command{
		Use: "suspend [flags] NAME...", Aliases: []string{"pause"}, Short: "Start no further runs of schedules; those under way go on",
		Example: "  brazier schedule suspend report",
	}, 0, func(ctx context.Context, client *applications.Client, s *v1beta2.ScheduledSparkApplication) error {
		return opts.suspend(ctx, client, s, true)
	})
}

func newResumeCommand(streams terminal.Streams) *cobra.Command {
	opts := verbOptions{streams: streams}
	return opts.command(&cobra.Command{
		Use: "resume [flags] NAME...", Short: "Start runs of schedules again; times that have passed are not made up",
		Example: "  brazier schedule resume report",
	}, 0, func(ctx context.Context, client *applications.Client, s *v1beta2.ScheduledSparkApplication) error {
		return opts.suspend(ctx, client, s, false)
	})
}

func (o *verbOptions) suspend(ctx context.Context, client *applications.Client, s *v1beta2.ScheduledSparkApplication, suspend bool) error {
	is := "goes on"
	if suspend {
		is = "is suspended"
	}
	if s.Spec.Suspend == suspend {
		fmt.Fprintf(o.streams.Out, "the schedule %s/%s %s already\n", s.Namespace, s.Name, is)
		return nil
	}
	if err := client.SuspendSchedule(ctx, s, suspend); err != nil {
		return err
	}
	fmt.Fprintf(o.streams.Out, "the schedule %s/%s %s\n", s.Namespace, s.Name, is)
	return nil
}

func newRemoveCommand(streams terminal.Streams) *cobra.Command {
	opts := verbOptions{streams: streams}
	cmd := opts.command(&cobra.Command{
		Use: "rm [flags] NAME...", Aliases: []string{"delete", "remove"}, Short: "Delete schedules, with their runs",
		Long: `Delete schedules. Their runs belong to them and go too, and those under way are ended; --keep-runs leaves the runs as they are.`,
		Example: `  brazier schedule rm report
  brazier schedule rm --keep-runs report`,
	}, 0, opts.remove)
	cmd.Flags().BoolVar(&opts.keep, "keep-runs", false, "leave the applications that the schedule has made")
	return cmd
}

func (o *verbOptions) remove(ctx context.Context, client *applications.Client, s *v1beta2.ScheduledSparkApplication) error {
	if err := client.DeleteSchedule(ctx, s, o.keep); err != nil {
		return err
	}
	runs := "with its runs"
	if o.keep {
		runs = "its runs stay"
	}
	fmt.Fprintf(o.streams.Out, "the schedule %s/%s is deleted, %s\n", s.Namespace, s.Name, runs)
	return nil
}

func newRunNowCommand(streams terminal.Streams) *cobra.Command {
	opts := verbOptions{streams: streams}
	cmd := opts.command(&cobra.Command{
		Use: "run-now [flags] NAME", Aliases: []string{"run"}, Short: "Start a run of a schedule at once, beside its times",
		Long: `Start a run of a schedule at once. It belongs to the schedule like any other of its runs: it counts among those that are kept, and
a run that is due while it goes on is treated as the schedule's concurrency policy says. It starts also while the schedule is
suspended; with the policies Forbid and Replace it does not start while another run goes on.`,
		Example: `  brazier schedule run-now report
  brazier schedule run-now report --set 'arguments=[2026-11-23]' --follow`,
	}, 1, opts.runNow)
	cmd.Flags().BoolVar(&opts.follow, "follow", false, "follow the run to its end; the exit code is its own")
	cmd.Flags().StringArrayVar(&opts.set, "set", nil, "set a field of this run's specification, `key=value`; may be repeated")
	return cmd
}

func (o *verbOptions) runNow(ctx context.Context, client *applications.Client, s *v1beta2.ScheduledSparkApplication) error {
	if policy := s.Spec.ConcurrencyPolicy; policy == v1beta2.ConcurrencyForbid || policy == v1beta2.ConcurrencyReplace {
		if err := o.alone(ctx, client, s); err != nil {
			return err
		}
	}
	app := runOf(s)
	if err := manifest.Set(&app.Spec, o.set); err != nil {
		return exit.With(exit.Usage, err)
	}
	created, err := client.Create(ctx, app, "--name")
	if err != nil {
		return err
	}
	if o.follow {
		return attend.Created(ctx, created, attend.Options{Config: client.Config, Flags: &o.cluster, Streams: o.streams})
	}
	fmt.Fprintln(o.streams.Out, created.Name)
	fmt.Fprintf(o.streams.Err, "%s/%s is created; follow it with:\n  %s\n", created.Namespace, created.Name, o.cluster.Command("follow", created.Name))
	return nil
}

// alone is an error where another run of the schedule goes on.
func (o *verbOptions) alone(ctx context.Context, client *applications.Client, s *v1beta2.ScheduledSparkApplication) error {
	runs, err := client.List(ctx, v1beta2.LabelScheduledAppName+"="+s.Name)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if !run.Status.AppState.State.Ended() {
			return fmt.Errorf("a run of the schedule %s/%s goes on, %s, and its concurrency policy is %s; end that with \"%s\", or wait for it with \"%s\"",
				s.Namespace, s.Name, run.Name, s.Spec.ConcurrencyPolicy, o.cluster.Command("cancel", "--delete", run.Name), o.cluster.Command("get", run.Name, "--wait=ended"))
		}
	}
	return nil
}

// runOf is a run of a schedule beside its times. It belongs to the schedule as those that the operator makes do.
func runOf(s *v1beta2.ScheduledSparkApplication) *v1beta2.SparkApplication {
	labels := manifest.UserLabels(s.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[v1beta2.LabelScheduledAppName] = s.Name
	name := s.Name[:min(len(s.Name), 45)]
	return &v1beta2.SparkApplication{
		TypeMeta: metav1.TypeMeta{APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.SparkApplicationKind},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Namespace, GenerateName: strings.TrimRight(name, "-.") + "-now-", Labels: labels, Annotations: manifest.UserAnnotations(s.Annotations),
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.ScheduledSparkApplicationKind, Name: s.Name, UID: s.UID, Controller: new(true),
			}},
		},
		Spec: *s.Spec.Template.DeepCopy(),
	}
}

// ago is how long ago a time was, or how long it is until then; empty for none.
func ago(at metav1.Time, now time.Time) string {
	switch {
	case at.IsZero():
		return ""
	case at.After(now):
		return "in " + applications.Age(now, at.Time)
	}
	return applications.Age(at.Time, now) + " ago"
}
