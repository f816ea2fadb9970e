package migrate

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/migrate"
	"brazier.sh/brazier/internal/terminal"
)

type undoOptions struct {
	streams  terminal.Streams
	cluster  cluster
	dryRun   bool
	patience time.Duration
}

func newUndoCommand(streams terminal.Streams) *cobra.Command {
	opts := undoOptions{streams: streams}
	cmd := &cobra.Command{
		Use:   "undo",
		Short: "Give the cluster back to the other operator; applications that run go on",
		Long: `Give the cluster back: stop Brazier, restore the other operator's webhooks and replicas. Applications that run go
on, also those that Brazier has started. Broken off anywhere, the command is to be run again.

Brazier stays installed, at 0 replicas: "brazier migrate apply" takes the cluster over again.`,
		Example: `  brazier migrate undo --dry-run
  brazier migrate undo`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context()) },
	}
	opts.cluster.addTo(cmd.Flags())
	cmd.Flags().BoolVar(&opts.dryRun, "dry-run", false, "show the steps and do nothing")
	cmd.Flags().DurationVar(&opts.patience, "timeout", defaultPatience, "how `long` each thing that is waited for may take")
	return cmd
}

func (o *undoOptions) run(ctx context.Context) error {
	_, connected, err := o.cluster.connect()
	if err != nil {
		return err
	}
	migration := &migrate.Migration{Client: connected, Operator: o.cluster.operator(), Patience: o.patience, Streams: o.streams}
	if !o.dryRun {
		return migration.Undo(ctx)
	}
	inv, err := o.cluster.inventory(ctx, connected, o.streams)
	if err != nil {
		return err
	}
	dryRun(o.streams, migration.UndoSteps(inv))
	return nil
}
