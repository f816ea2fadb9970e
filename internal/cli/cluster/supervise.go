package cluster

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/localcluster"
	"brazier.sh/brazier/internal/localcluster/supervise"
	"brazier.sh/brazier/internal/terminal"
)

type superviseOptions struct {
	home    string
	streams terminal.Streams
}

// NewSuperviseCommand returns the command of the supervisor's process, which `brazier up` starts.
func NewSuperviseCommand(streams terminal.Streams) *cobra.Command {
	opts := superviseOptions{streams: streams}
	command := &cobra.Command{
		Use:    "supervise",
		Short:  "Keep the parts of the embedded cluster running (brazier up starts this)",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context()) },
	}
	AddHome(command, &opts.home)
	return command
}

func (o superviseOptions) run(ctx context.Context) error {
	cluster, err := localcluster.Open(o.home)
	if err != nil {
		return err
	}
	return supervise.Run(ctx, cluster.Layout, slog.New(slog.NewTextHandler(o.streams.Err, nil)))
}
