package schedule

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/terminal"
)

type listOptions struct {
	streams terminal.Streams
	cluster kube.Flags
	output  output.Flag
	all     bool
}

func newListCommand(streams terminal.Streams) *cobra.Command {
	opts := listOptions{streams: streams}
	cmd := &cobra.Command{
		Use:     "ls [flags]",
		Aliases: []string{"list"},
		Short:   "List schedules: when they are due next, and what their last run was",
		Example: `  brazier schedule ls
  brazier schedule ls --all-namespaces --output wide`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.output.Check(); err != nil {
				return exit.With(exit.Usage, err)
			}
			return exit.Interrupt(cmd.Context(), opts.run(cmd.Context()))
		},
	}
	flags := cmd.Flags()
	opts.cluster.AddTo(flags)
	opts.output.AddTo(flags, output.Table, output.Wide, output.JSON, output.YAML, output.Name)
	flags.BoolVarP(&opts.all, "all-namespaces", "A", false, "list the schedules of all namespaces")
	complete.Flags(cmd, &opts.cluster)
	complete.Words(cmd, "output", opts.output.Forms()...)
	return cmd
}

func (o *listOptions) run(ctx context.Context) error {
	client, err := applications.Open(&o.cluster)
	if err != nil {
		return err
	}
	if o.all {
		client.Namespace = ""
	}
	schedules, err := client.Schedules(ctx)
	if err != nil {
		return client.Known(err)
	}
	if o.output.Form.Machine() {
		return output.List(o.streams.Out, o.output.Form, v1beta2.GroupVersion.WithKind(v1beta2.ScheduledSparkApplicationKind), schedules)
	}
	if len(schedules) == 0 {
		fmt.Fprintf(o.streams.Err, "there are no schedules here; \"%s\" makes one, --all-namespaces looks everywhere\n",
			o.cluster.Command("schedule", "APP", "--cron", "\"30 2 * * *\""))
		return nil
	}
	table(o.streams, o.output.Form, o.all, time.Now()).Print(schedules...)
	return nil
}

func table(streams terminal.Streams, form output.Form, all bool, now time.Time) *output.Rows[*v1beta2.ScheduledSparkApplication] {
	type scheduled = *v1beta2.ScheduledSparkApplication
	columns := []output.Column[scheduled]{
		{Header: "NAME", Cell: func(s scheduled) string { return s.Name }},
		{Header: "SCHEDULE", Cell: func(s scheduled) string { return s.Spec.Schedule }},
		{Header: "ZONE", Cell: func(s scheduled) string { return s.Spec.TimeZone }},
		{Header: "STATE", Cell: state},
		{Header: "NEXT", Cell: func(s scheduled) string { return next(s, now) }},
		{Header: "LAST", Cell: func(s scheduled) string { return ago(s.Status.LastRun, now) }},
		{Header: "LAST RUN", Cell: func(s scheduled) string { return s.Status.LastRunName }},
		{Header: "CONCURRENCY", Wide: true, Cell: func(s scheduled) string { return string(s.Spec.ConcurrencyPolicy) }},
		{Header: "AGE", Wide: true, Cell: func(s scheduled) string { return applications.Age(s.CreationTimestamp.Time, now) }},
		{Header: "SAYS", Cell: func(s scheduled) string { return output.Cut(s.Status.Reason, 60) }},
	}
	if all {
		columns = slices.Insert(columns, 0, output.Column[scheduled]{Header: "NAMESPACE", Cell: func(s scheduled) string { return s.Namespace }})
	}
	return output.NewRows(streams, form, columns)
}

func state(s *v1beta2.ScheduledSparkApplication) string {
	switch {
	case s.Status.ScheduleState == v1beta2.ScheduleStateFailedValidation:
		return "Invalid"
	case s.Spec.Suspend:
		return "Suspended"
	case s.Status.ScheduleState == v1beta2.ScheduleStateNew:
		return "New"
	}
	return string(s.Status.ScheduleState)
}

// next is when the schedule is due next; one that is suspended is due never.
func next(s *v1beta2.ScheduledSparkApplication, now time.Time) string {
	if s.Spec.Suspend {
		return ""
	}
	if at := s.Status.NextRun; !at.IsZero() && !at.After(now) {
		return "waits"
	}
	return ago(s.Status.NextRun, now)
}
