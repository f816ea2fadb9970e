// Package logs is the command "brazier logs": it shows what an application's driver and executors say, or have said, and
// what the parts of the embedded cluster do. How logs are read is internal/applog's, and internal/localcluster/logs'.
package logs

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/applog"
	"brazier.sh/brazier/internal/cli/cluster"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
)

const long = `Show what the driver of an application says, or has said: of the current attempt, or of the last one. Executors are called by
Spark's number of them. With --all driver and executors are shown as one log, in the order of time, each line with its source.

--follow goes on through executors that come and go and through further attempts, until the application has ended.

Of pods that are gone it shows what was kept of them, if anything was, and says so on standard error.

With --system it shows the log of a part of the embedded cluster instead.`

const examples = `  brazier logs report-x7k2p
  brazier logs report-x7k2p --follow --tail 20
  brazier logs report-x7k2p executor 3
  brazier logs report-x7k2p --all --since 10m --timestamps
  brazier logs report-x7k2p --previous
  brazier logs --system kubelet --tail 50`

// anyPart stands for --system without a part.
const anyPart = "?"

type options struct {
	streams terminal.Streams
	cluster kube.Flags

	app      string
	executor string
	all      bool
	previous bool
	attempt  int64

	follow     bool
	since      time.Duration
	tail       int64
	timestamps bool

	system string
	home   string
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:     "logs [flags] APP [driver | executor N]",
		Aliases: []string{"log"},
		Short:   "Show what an application's driver and executors say, or a part of the embedded cluster",
		Long:    long,
		Example: examples,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.system != "" {
				return opts.part(cmd, args)
			}
			if err := opts.check(args); err != nil {
				return exit.With(exit.Usage, err)
			}
			return exit.Interrupt(cmd.Context(), opts.run(cmd.Context()))
		},
	}
	cmd.ValidArgsFunction = opts.complete
	flags := cmd.Flags()
	opts.cluster.AddTo(flags)
	flags.BoolVar(&opts.all, "all", false, "show driver and executors as one, in the order of time")
	flags.BoolVarP(&opts.follow, "follow", "f", false, "go on showing what is written, until the application has ended")
	flags.BoolVarP(&opts.previous, "previous", "p", false, "show the attempt before the last")
	flags.Int64Var(&opts.attempt, "attempt", 0, "show the attempt with this `number`, as status.run counts them from 1 (default: the last)")
	flags.DurationVar(&opts.since, "since", 0, "leave out what is older, such as 10m")
	flags.Int64Var(&opts.tail, "tail", -1, "show only the last `lines` of each log; -1 shows all")
	flags.BoolVar(&opts.timestamps, "timestamps", false, "put its time before each line")
	flags.StringVar(&opts.system, "system", "", "show the log of a `part` of the embedded cluster, as brazier status names it, or supervisor")
	flags.Lookup("system").NoOptDefVal = anyPart
	cluster.AddHome(cmd, &opts.home)
	complete.Flags(cmd, &opts.cluster)
	return cmd
}

// complete completes an application's name, then whose log it is.
func (o *options) complete(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	switch {
	case o.system != "":
		return nil, cobra.ShellCompDirectiveNoFileComp
	case len(args) == 1:
		return []cobra.Completion{"driver", "executor"}, cobra.ShellCompDirectiveNoFileComp
	}
	return complete.Applications(&o.cluster, 1)(cmd, args, typed)
}

// part shows the log of a part of the embedded cluster: "--system kubelet", or "--system=kubelet".
func (o *options) part(cmd *cobra.Command, args []string) error {
	part := o.system
	if part == anyPart {
		part = ""
		if len(args) > 0 {
			part, args = args[0], args[1:]
		}
	}
	for _, name := range []string{"all", "previous", "attempt", "since", "timestamps", "kubeconfig", "context", "namespace"} {
		if cmd.Flags().Changed(name) {
			return exit.With(exit.Usage, fmt.Errorf("--%s: it has no meaning for a part of the embedded cluster; leave it out, or leave out --system", name))
		}
	}
	if len(args) > 0 {
		return exit.With(exit.Usage, fmt.Errorf("--system: it shows one part, and %q is one more argument", args[0]))
	}
	return cluster.PrintLog(cmd.Context(), cluster.LogOptions{
		Streams: o.streams, Home: o.home, Part: part, Follow: o.follow, Tail: int(o.tail),
	})
}

func (o *options) check(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("APP: name an application; \"%s\" lists them (or a part of the embedded cluster: --system)", o.cluster.Command("ps"))
	}
	o.app = args[0]
	if err := o.whose(args[1:]); err != nil {
		return err
	}
	switch {
	case o.home != "":
		return errors.New("--home: it is of --system, which is not there; choose a cluster by --kubeconfig and --context")
	case o.attempt < 0:
		return fmt.Errorf("--attempt: %d is not the number of an attempt; the first is 1", o.attempt)
	case o.attempt > 0 && o.previous:
		return errors.New("--previous: --attempt names one already; leave out one of the two")
	case o.since < 0:
		return fmt.Errorf("--since: %s is no length of time; write for example 10m", o.since)
	}
	return nil
}

// whose reads what is behind the application: nothing, driver, or executor N.
func (o *options) whose(args []string) error {
	switch {
	case len(args) == 0 || slices.Equal(args, []string{"driver"}):
	case args[0] == "executor" && len(args) == 2:
		if n, err := strconv.Atoi(args[1]); err != nil || n < 0 {
			return fmt.Errorf("executor: %q is not the number of one; Spark counts them from 1", args[1])
		}
		o.executor = args[1]
	case args[0] == "executor":
		return errors.New("executor: say which one by its number, such as \"executor 1\"; --all shows every one")
	default:
		return fmt.Errorf("%q is neither driver nor executor N", args[0])
	}
	if o.all && len(args) > 0 {
		return fmt.Errorf("--all: it shows %s among the others; leave out one of the two", args[0])
	}
	return nil
}

func (o *options) bounds() applog.Bounds {
	bounds := applog.Bounds{Tail: o.tail}
	if o.since > 0 {
		bounds.Since = time.Now().Add(-o.since)
	}
	return bounds
}
