// Package simulate is the command "brazier simulate": it reads a trace, queues and a cluster, and shows what came of them.
// What that is, is internal/simulation's work.
package simulate

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/simulation"
	"brazier.sh/brazier/internal/terminal"
)

type options struct {
	streams terminal.Streams
	form    output.Flag
	trace   string
	queues  string
	cluster string
	nodes   nodeFlags
	every   time.Duration
	over    time.Duration
	compare []string
	plots   string

	generate bool
	day      simulation.Day
}

// nodeFlags are nodes that are all alike.
type nodeFlags struct {
	count, gpus int
	cpu, memory string
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:   "simulate [flags] [TRACE]",
		Short: "Try a tree of queues on a trace of applications, without a cluster",
		Long: `Replay the applications of TRACE, a table of comma-separated values, in a tree of queues on a cluster that there need not be,
and say how long they waited, what was used, and how fairly it was shared. What is decided is decided by the code that
decides in the operator. A day of 20,000 applications on 5,000 nodes takes seconds.

The first line of TRACE names its columns, in any order: id, queue, submit (seconds, or a time such as
2026-11-26T08:00:00Z), driver_cpu, driver_memory, executor_cpu, executor_memory (what pods request, overhead included),
executors_minimum, and work (executor-seconds) or duration (with all executors); and where there is something to say
user, gpus (of an executor), executors_maximum, priority and max_run_time. "-" reads it from the standard input.

--queues has the Queues as manifests. The cluster is --nodes of one size, or a --cluster file with nodes of each flavour;
else it has the capacity that the queue root says its flavours have.

--compare shows beside it what would come of one line for all ("fifo") or of a cluster that is divided for good ("static").
--generate makes up a trace for the queues and the cluster, and prints it.`,
		Example: `  brazier simulate --queues queues.yaml --nodes 5000 --node-cpu 64 --node-memory 512Gi day.csv
  brazier simulate --queues queues.yaml --cluster cluster.yaml --compare fifo,static --plots out day.csv
  brazier simulate --queues queues.yaml --nodes 100 --generate --applications 500 --load 0.8 > day.csv
  kubectl get queues -o yaml | brazier simulate --queues - --nodes 100 day.csv -o json | jq '.results[0].fairness'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.trace = strings.Join(args, "")
			return opts.run(cmd)
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return exit.With(exit.Usage, fmt.Errorf("%w; \"%s --help\" lists the flags and their values", err, cmd.CommandPath()))
	})
	opts.addFlags(cmd)
	return cmd
}

func (o *options) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	o.form.AddTo(flags, output.Table, output.JSON)
	flags.StringVar(&o.queues, "queues", "", "the `file` of Queues; - is the standard input (default: the root alone)")
	flags.StringVar(&o.cluster, "cluster", "", "the `file` that lists the nodes of each flavour (docs/simulate.md)")
	flags.IntVar(&o.nodes.count, "nodes", 0, "how many `nodes` there are, all alike")
	flags.StringVar(&o.nodes.cpu, "node-cpu", "64", "the `CPUs` that pods of one node may request")
	flags.StringVar(&o.nodes.memory, "node-memory", "256Gi", "the `memory` that pods of one node may request")
	flags.IntVar(&o.nodes.gpus, "node-gpus", 0, "the `GPUs` of one node")
	flags.DurationVar(&o.every, "round", 5*time.Second, "how much simulated `time` there is between two rounds of decisions at least")
	flags.DurationVar(&o.over, "hand-over", 30*time.Second, "how much `time` an executor that has to go takes to hand over what it holds, at most its queue's grace")
	flags.StringSliceVar(&o.compare, "compare", nil, "other `engines` to show beside it: fifo, static")
	flags.StringVar(&o.plots, "plots", "", "the `folder` for plots, as SVG and PNG")
	flags.BoolVar(&o.generate, "generate", false, "print a trace that is made up, and simulate nothing")
	flags.IntVar(&o.day.Applications, "applications", 1000, "with --generate: how many `applications` come")
	flags.DurationVar(&o.day.Span, "span", 24*time.Hour, "with --generate: in how much `time`")
	flags.Float64Var(&o.day.Load, "load", 0.9, "with --generate: how much `work` they are, of what the cluster's CPUs could do in that time")
	flags.Uint64Var(&o.day.Seed, "seed", 1, "with --generate: the `number` that makes the trace; the same makes the same")
}

func (o *options) run(cmd *cobra.Command) error {
	if err := o.check(cmd); err != nil {
		return exit.With(exit.Usage, err)
	}
	world, err := o.world()
	if err != nil {
		return err
	}
	if o.generate {
		return o.print(world)
	}
	results, err := o.simulate(world)
	if err != nil {
		return err
	}
	if o.plots != "" {
		if err := o.draw(world, results); err != nil {
			return err
		}
	}
	if o.form.Form == output.JSON {
		return output.Value(o.streams.Out, output.JSON, map[string]any{"results": results})
	}
	o.tables(results)
	return nil
}

// check finds what of the command line cannot be meant.
func (o *options) check(cmd *cobra.Command) error {
	if err := o.form.Check(); err != nil {
		return err
	}
	switch {
	case o.generate && o.trace != "":
		return fmt.Errorf("--generate makes a trace up, and %q is one; leave one of them out", o.trace)
	case !o.generate && o.trace == "":
		return errors.New("name the TRACE that is to be replayed, or --generate one")
	case o.trace == "-" && o.queues == "-":
		return errors.New("both TRACE and --queues are -, and there is one standard input; name a file for one of them")
	case o.cluster != "" && cmd.Flags().Changed("nodes"):
		return errors.New("--cluster and --nodes both say which nodes there are; leave one out")
	case o.every < 100*time.Millisecond:
		return fmt.Errorf("--round: %s is too short; write 100ms or more", o.every)
	case o.over < 0:
		return fmt.Errorf("--hand-over: %s is less than no time", o.over)
	}
	for _, name := range []string{"node-cpu", "node-memory", "node-gpus"} {
		if cmd.Flags().Changed(name) && !cmd.Flags().Changed("nodes") {
			return fmt.Errorf("--%s is what one of --nodes has; say how many there are", name)
		}
	}
	for _, name := range o.compare {
		if _, ok := simulation.EngineOf(name); !ok || name == simulation.Brazier {
			return fmt.Errorf("--compare: %q is no engine to compare with; write %s or %s", name, simulation.FIFO, simulation.Static)
		}
	}
	return nil
}

// simulate has each engine replay the trace.
func (o *options) simulate(world *simulation.Options) ([]*simulation.Result, error) {
	var results []*simulation.Result
	for _, name := range append([]string{simulation.Brazier}, o.compare...) {
		engine, ok := simulation.EngineOf(name)
		if !ok {
			return nil, fmt.Errorf("there is no engine %q", name)
		}
		step := o.streams.Step("%s: %d applications", name, len(world.Trace.Applications))
		result, err := simulation.Run(name, engine, world)
		if err != nil {
			step.Fail(err)
			return nil, fmt.Errorf("%s: %w", o.trace, err)
		}
		step.Done("%d rounds", result.Rounds)
		results = append(results, result)
	}
	return results, nil
}

// print makes a trace up and prints it.
func (o *options) print(world *simulation.Options) error {
	trace, err := simulation.Generate(world, o.day)
	if err != nil {
		return exit.With(exit.Usage, fmt.Errorf("--generate: %w", err))
	}
	return trace.Write(o.streams.Out)
}
