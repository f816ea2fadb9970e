// Package ui is the command "brazier ui": it prints an address at which the web interface of an application that runs can
// be reached from here. How it is reached is internal/ui's.
package ui

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/internal/ui"
)

type options struct {
	streams terminal.Streams
	cluster kube.Flags
	name    string
	port    int
	open    bool
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:   "ui [flags] APP",
		Short: "Reach the web interface of an application that runs",
		Long: `Forward a port of this machine to the driver of an application, and print the address of its web interface. The address goes on
to work when the driver is replaced by that of the next attempt, until the application has ended or Ctrl-C.

It needs the right to forward ports (pods/portforward), and no way into the pod network.`,
		Example: `  brazier ui report-x7k2p
  brazier ui report-x7k2p --port 4040 --open`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.check(args); err != nil {
				return exit.With(exit.Usage, err)
			}
			return exit.Interrupt(cmd.Context(), run(cmd, &opts))
		},
		ValidArgsFunction: complete.Applications(&opts.cluster, 1),
	}
	flags := cmd.Flags()
	opts.cluster.AddTo(flags)
	flags.IntVar(&opts.port, "port", 0, "the local `port` to forward (default: one that is free)")
	flags.BoolVar(&opts.open, "open", false, "open the address in a browser")
	complete.Flags(cmd, &opts.cluster)
	return cmd
}

func (o *options) check(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("APP: name one application; \"%s\" lists those that run", o.cluster.Command("ps", "--state", "RUNNING"))
	}
	if o.port < 0 || o.port > 65535 {
		return fmt.Errorf("--port: %d is not a port; write 1 to 65535, or leave it out for one that is free", o.port)
	}
	o.name = args[0]
	return nil
}

func run(cmd *cobra.Command, opts *options) error {
	client, err := applications.Open(&opts.cluster)
	if err != nil {
		return err
	}
	reacher := ui.Reacher{Client: client, Name: opts.name, Streams: opts.streams}
	if opts.open {
		reacher.Open = opts.browse
	}
	err = reacher.Forward(cmd.Context(), opts.port)
	if errors.Is(err, ui.ErrEnded) {
		fmt.Fprintf(opts.streams.Err, "%s/%s has ended, and its web interface with it\n", client.Namespace, opts.name)
		return nil
	}
	return err
}

// browse opens the address as this desktop does; where there is none, the address is there to be copied.
func (o *options) browse(address string) {
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	}
	if err := exec.Command(opener, address).Start(); err != nil {
		fmt.Fprintf(o.streams.Err, "--open: %v; open the address yourself\n", err)
	}
}
