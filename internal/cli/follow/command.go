// Package follow is the command "brazier follow": it shows what an application that was created before is doing, until
// that ends. What is shown, and how, is internal/follow's.
package follow

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/attend"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
)

type options struct {
	streams terminal.Streams
	cluster kube.Flags
	name    string
	logs    bool
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:   "follow [flags] APP",
		Short: "Follow a Spark job that was started before to its end",
		Long: `Follow a Spark job that was started before, by brazier run --detach or by a manifest, to its end.

The exit code is the job's. Ctrl-C stops following, not the job.`,
		Example: `  brazier follow report-x7k2p
  brazier follow --namespace sales --logs report-x7k2p`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exit.With(exit.Usage, fmt.Errorf("APP: name one application; \"%s\" lists them", opts.cluster.Command("ps")))
			}
			opts.name = args[0]
			return run(cmd, &opts)
		},
		ValidArgsFunction: complete.Applications(&opts.cluster, 1),
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return exit.With(exit.Usage, fmt.Errorf("%w; \"%s --help\" lists the flags and their values", err, cmd.CommandPath()))
	})
	opts.cluster.AddTo(cmd.Flags())
	cmd.Flags().BoolVar(&opts.logs, "logs", false, "show the driver's log, from its beginning, on standard output")
	complete.Flags(cmd, &opts.cluster)
	return cmd
}

func run(cmd *cobra.Command, opts *options) error {
	client, err := applications.Open(&opts.cluster)
	if err != nil {
		return err
	}
	// Any other trouble is for the follower to sit out.
	if _, err := client.Get(cmd.Context(), opts.name); errors.Is(err, applications.ErrNoSuch) {
		return err
	}
	return attend.To(cmd.Context(), client.Namespace, opts.name, attend.Options{
		Config: client.Config, Flags: &opts.cluster, Streams: opts.streams, Logs: opts.logs,
	})
}
