// Package rerun is the command "brazier rerun": it makes a new application of an old one. How that is made is
// internal/manifest's.
package rerun

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"

	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/attend"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/manifest"
	"brazier.sh/brazier/internal/records"
	"brazier.sh/brazier/internal/terminal"
)

type options struct {
	streams terminal.Streams
	cluster kube.Flags
	name    string
	new     string
	set     []string
	follow  bool
	logs    bool
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:     "rerun [flags] APP",
		Aliases: []string{"retry"},
		Short:   "Run an application again, as a new one",
		Long: `Make a new application of an old one's specification, with its labels, and print its name. The old one stays as it is.

--set changes the new one: a path below spec and a value, which is read as YAML. A key that begins with "spark." is a property
of Spark.`,
		Example: `  brazier rerun report-x7k2p
  brazier rerun report-x7k2p --set executor.instances=8 --set spark.sql.shuffle.partitions=400 --follow
  brazier rerun report-x7k2p --name report-again --set 'arguments=[s3a://brazier/in, 2026]'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.check(args); err != nil {
				return exit.With(exit.Usage, err)
			}
			return exit.Interrupt(cmd.Context(), run(cmd.Context(), &opts))
		},
		ValidArgsFunction: complete.Applications(&opts.cluster, 1),
	}
	flags := cmd.Flags()
	opts.cluster.AddTo(flags)
	flags.StringVar(&opts.new, "name", "", "the new application's `name` (default: made of the old one's, with a random end)")
	flags.StringArrayVar(&opts.set, "set", nil, "set a field of the new specification, `key=value`; may be repeated")
	flags.BoolVar(&opts.follow, "follow", false, "follow the new application to its end; the exit code is its own")
	flags.BoolVar(&opts.logs, "logs", false, "with --follow, show the driver's log on standard output")
	complete.Flags(cmd, &opts.cluster)
	return cmd
}

func (o *options) check(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("APP: name one application; \"%s\" lists them", o.cluster.Command("ps"))
	}
	o.name = args[0]
	if o.new != "" && len(validation.IsDNS1123Label(o.new)) > 0 {
		return fmt.Errorf("--name: %q cannot be an application's name; write up to 63 of a-z, 0-9 and '-'", o.new)
	}
	if o.logs && !o.follow {
		return errors.New("--logs: only --follow shows them; add it, or leave out --logs")
	}
	return nil
}

func run(ctx context.Context, opts *options) error {
	client, err := applications.Open(&opts.cluster)
	if err != nil {
		return err
	}
	old, err := client.Get(ctx, opts.name)
	if errors.Is(err, applications.ErrNoSuch) {
		return deleted(ctx, client, opts.name, err)
	}
	if err != nil {
		return err
	}
	app := manifest.Again(old, opts.new)
	if err := manifest.Set(&app.Spec, opts.set); err != nil {
		return exit.With(exit.Usage, err)
	}
	created, err := client.Create(ctx, app, "--name")
	if err != nil {
		return err
	}
	if !opts.follow {
		fmt.Fprintln(opts.streams.Out, created.Name)
		fmt.Fprintf(opts.streams.Err, "%s/%s is created; follow it with:\n  %s\n", created.Namespace, created.Name, opts.cluster.Command("follow", created.Name))
		return nil
	}
	return attend.Created(ctx, created, attend.Options{Config: client.Config, Flags: &opts.cluster, Streams: opts.streams, Logs: opts.logs})
}

// deleted is err, or, where runs of the name are remembered, what can still be done: records do not keep a specification.
func deleted(ctx context.Context, client *applications.Client, name string, err error) error {
	kept, failed := records.Of(ctx, client.Config, client.Namespace, name, "")
	if failed != nil || len(kept) == 0 {
		return err
	}
	return fmt.Errorf("the application %s/%s was deleted, and its specification with it; run it again from its manifest: \"%s\"",
		client.Namespace, name, client.Flags.Command("run", "-f", "FILE"))
}
