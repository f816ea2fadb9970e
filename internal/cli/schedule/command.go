// Package schedule is the command "brazier schedule": it runs applications again and again, at the times of a schedule.
// When those are is known by internal/schedule; the runs are made by the operator.
package schedule

import (
	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/terminal"
)

// NewCommand returns the command, with those below it.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := createOptions{streams: streams}
	cmd := &cobra.Command{
		Use:     "schedule [flags] (APP | -f FILE) --cron EXPRESSION",
		Aliases: []string{"schedules"},
		Short:   "Run an application again and again, at the times of a schedule",
		Long: `Make a schedule of an application, or of a manifest, and say when it is due first. The application itself stays as it is.

The expression has cron's five fields (minute, hour, day of the month, month, day of the week), or is a name such as @daily, or
an interval such as "@every 90m".`,
		Example: `  brazier schedule report-x7k2p --cron "30 2 * * *" --zone Europe/Berlin
  brazier schedule -f report.yaml --cron @hourly --name report --concurrency Forbid
  brazier schedule report-x7k2p --cron "0 6 * * 1-5" --dry-run
  brazier schedule ls
  brazier schedule suspend report
  brazier schedule run-now report --follow
  brazier schedule rm report`,
		RunE:              opts.runE,
		ValidArgsFunction: complete.Applications(&opts.cluster, 1),
	}
	opts.addTo(cmd)
	cmd.AddCommand(newListCommand(streams), newSuspendCommand(streams), newResumeCommand(streams), newRunNowCommand(streams), newRemoveCommand(streams))
	return cmd
}
