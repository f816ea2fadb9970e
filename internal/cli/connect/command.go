// Package connect is the command "brazier connect": it prints an address at which a Spark Connect server can be reached
// from here. How it is reached is internal/connect's.
package connect

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/connect"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
)

type options struct {
	streams terminal.Streams
	cluster kube.Flags
	name    string
	port    int
	print   bool
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:   "connect [flags] NAME",
		Short: "Reach a Spark Connect server from here",
		Long: `Wait until the Spark Connect server of the SparkConnect NAME takes connections, and print its sc:// address.

By default that is an address of this machine: a port is forwarded to the server until Ctrl-C, and to the next server where
one takes its place, so that the address goes on to work. With --print it is the server's address within the cluster.`,
		Example: `  brazier connect notebooks
  brazier connect notebooks --namespace sales --port 15002
  brazier connect notebooks --print`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exit.With(exit.Usage, errors.New("NAME: name one SparkConnect; \"kubectl get sparkconnects\" lists them"))
			}
			if opts.port < 0 || opts.port > 65535 {
				return exit.With(exit.Usage, fmt.Errorf("--port: %d is not a port; write 1 to 65535, or leave it out for one that is free", opts.port))
			}
			opts.name = args[0]
			return run(cmd, &opts)
		},
		ValidArgsFunction: complete.Connects(&opts.cluster, 1),
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return exit.With(exit.Usage, fmt.Errorf("%w; \"%s --help\" lists the flags and their values", err, cmd.CommandPath()))
	})
	opts.cluster.AddTo(cmd.Flags())
	cmd.Flags().IntVar(&opts.port, "port", 0, "the local `port` to forward (default: one that is free)")
	cmd.Flags().BoolVar(&opts.print, "print", false, "print the address within the cluster, and forward nothing")
	cmd.MarkFlagsMutuallyExclusive("port", "print")
	complete.Flags(cmd, &opts.cluster)
	return cmd
}

func run(cmd *cobra.Command, opts *options) error {
	config, err := opts.cluster.Config()
	if err != nil {
		return err
	}
	namespace, err := opts.cluster.CurrentNamespace()
	if err != nil {
		return err
	}
	client, err := connect.New(connect.Options{Config: config, Namespace: namespace, Name: opts.name, Streams: opts.streams})
	if err != nil {
		return err
	}
	if opts.print {
		address, err := client.Address(cmd.Context())
		if err == nil {
			fmt.Fprintln(opts.streams.Out, address)
		}
		return exit.Interrupt(cmd.Context(), err)
	}
	return exit.Interrupt(cmd.Context(), client.Forward(cmd.Context(), opts.port))
}
