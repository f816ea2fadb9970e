package cluster

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/localcluster"
	"brazier.sh/brazier/internal/terminal"
)

type upOptions struct {
	home      string
	noInstall bool
	streams   terminal.Streams
}

// NewUpCommand returns the command that starts the embedded cluster.
func NewUpCommand(streams terminal.Streams) *cobra.Command {
	opts := upOptions{streams: streams}
	command := &cobra.Command{
		Use:   "up",
		Short: "Start Kubernetes on this machine, or mend it, with Brazier on it",
		Long: `Starts a single-node Kubernetes made of the real parts, with a registry and an object store, and puts Brazier on it.
It can be repeated at any time: what runs is left alone, what is broken is mended, also after a reboot.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context()) },
	}
	addHome(command, &opts.home)
	command.Flags().BoolVar(&opts.noInstall, "no-install", false, "do not install missing packages of the system, only name them")
	return command
}

func (o upOptions) run(ctx context.Context) error {
	cluster, err := localcluster.Open(o.home)
	if err != nil {
		return err
	}
	if err := cluster.Up(ctx, localcluster.UpOptions{NoInstall: o.noInstall}, o.streams); err != nil {
		return err
	}
	fmt.Fprintln(o.streams.Err, "\nThe cluster runs.")
	return nil
}
