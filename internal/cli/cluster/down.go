package cluster

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/localcluster"
	"brazier.sh/brazier/internal/terminal"
)

type downOptions struct {
	home    string
	purge   bool
	streams terminal.Streams
}

// NewDownCommand returns the command that stops the embedded cluster.
func NewDownCommand(streams terminal.Streams) *cobra.Command {
	opts := downOptions{streams: streams}
	command := &cobra.Command{
		Use:   "down",
		Short: "Stop the embedded cluster; its data stays unless --purge is given",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context()) },
	}
	AddHome(command, &opts.home)
	command.Flags().BoolVar(&opts.purge, "purge", false, "remove the cluster's data too: objects, images, volumes, history")
	return command
}

func (o downOptions) run(ctx context.Context) error {
	cluster, err := localcluster.Open(o.home)
	if err != nil {
		return err
	}
	if err := cluster.Down(ctx, localcluster.DownOptions{Purge: o.purge}, o.streams); err != nil {
		return err
	}
	if !o.purge {
		fmt.Fprintf(o.streams.Err, "The cluster is down; its data is in %s. \"brazier up\" starts it again.\n", cluster.Layout.Home)
	}
	return nil
}
