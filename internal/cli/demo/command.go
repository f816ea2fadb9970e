// Package demo is the command "brazier demo": a real Spark job on a year of invoices, from a file on this machine to
// answers in the terminal. It only strings together what other packages do; the job itself is examples/retail.
package demo

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/follow"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/objectstore"
	"brazier.sh/brazier/internal/terminal"
)

const long = `Run a real PySpark job on a year of invoices, and print what it finds.

The job reads the invoices from the object store, says how many lines it drops and
why, answers four questions with Spark SQL, and writes Parquet back: revenue by
month and country, best products, customers by recency, frequency and value, and
what is bought together.

Without --data the invoices are those of a shop that does not exist, generated with
a seed and kept under the user's cache folder. A file of your own is a CSV, plain or
as .csv.gz, with the columns InvoiceNo, StockCode, Description, Quantity,
InvoiceDate, UnitPrice, CustomerID and Country, in any order.

Runs that have ended are removed with their results before the next one, unless
--keep is given. Ctrl-C stops following, not the job.`

const examples = `  # A million invoice lines, generated
  brazier demo

  # Your own
  brazier demo --data orders.csv.gz

  # Ten times as many, and others
  brazier demo --lines 10000000 --seed 7`

type options struct {
	streams terminal.Streams
	cluster kube.Flags
	data    string
	lines   int64
	seed    uint64
	keep    bool
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Run a Spark job on a year of invoices, generated or your own",
		Long:    long,
		Example: examples,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.check(cmd.Flags(), args); err != nil {
				return exit.With(exit.Usage, err)
			}
			return run(cmd.Context(), &opts)
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return exit.With(exit.Usage, fmt.Errorf("%w; \"%s --help\" lists the flags and their values", err, cmd.CommandPath()))
	})
	flags := cmd.Flags()
	opts.cluster.AddTo(flags)
	flags.StringVar(&opts.data, "data", "", "a CSV `file` of your own invoices")
	flags.Int64Var(&opts.lines, "lines", 1_000_000, "how many invoice lines to generate")
	flags.Uint64Var(&opts.seed, "seed", 1, "what decides the generated lines: the same seed gives the same lines")
	flags.BoolVar(&opts.keep, "keep", false, "keep earlier runs and their results")
	return cmd
}

// check refuses what cannot be meant.
func (o *options) check(flags *pflag.FlagSet, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%q: demo takes no arguments; a file of your own is given with --data", args[0])
	}
	for _, name := range []string{"lines", "seed"} {
		if o.data != "" && flags.Changed(name) {
			return fmt.Errorf("--%s: it describes generated lines, and --data gives a file; leave out one of the two", name)
		}
	}
	if o.lines < 1 {
		return fmt.Errorf("--lines: %d is too few; write 1 or more", o.lines)
	}
	return nil
}

func run(ctx context.Context, opts *options) error {
	if opts.data != "" {
		if err := checkFile(opts.data); err != nil {
			return fmt.Errorf("--data: %w", err)
		}
	}
	s, err := opts.open(ctx)
	if err != nil {
		return err
	}
	defer s.bucket.Close()
	return s.run(ctx)
}

// session is one demonstration on one cluster.
type session struct {
	*options
	config    *rest.Config
	namespace string
	bucket    *objectstore.Bucket
}

func (o *options) open(ctx context.Context) (*session, error) {
	config, err := o.cluster.Config()
	if err != nil {
		return nil, err
	}
	namespace, err := o.cluster.CurrentNamespace()
	if err != nil {
		return nil, err
	}
	cluster, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	bucket, err := objectstore.OfNamespace(ctx, cluster, namespace)
	if err != nil {
		return nil, err
	}
	return &session{options: o, config: config, namespace: namespace, bucket: bucket}, nil
}

func (s *session) run(ctx context.Context) error {
	data, err := s.input(ctx)
	if err != nil {
		return err
	}
	if !s.keep {
		if err := s.removeEarlier(ctx); err != nil {
			return err
		}
	}
	job, err := s.upload(ctx, data)
	if err != nil {
		return err
	}
	if err := s.create(ctx, job); err != nil {
		return err
	}
	if err := s.follow(ctx, job); err != nil {
		return err
	}
	report, err := readReport(ctx, s.bucket, job.key)
	if err != nil {
		return err
	}
	report.print(s.streams)
	if err := s.compare(data, report); err != nil {
		return err
	}
	s.hint(job)
	return nil
}

// follow follows the application to its end and turns a failure of its own into the command's exit code.
func (s *session) follow(ctx context.Context, job job) error {
	outcome, err := follow.Application(ctx, follow.Options{
		Config: s.config, Namespace: s.namespace, Name: job.name, Streams: s.streams,
	})
	switch {
	case err != nil && ctx.Err() != nil:
		fmt.Fprintf(s.streams.Err, "\nThe job goes on. Come back with:\n  brazier follow%s %s\n", s.flags(), job.name)
		return exit.Interrupted
	case errors.Is(err, follow.ErrDeleted):
		return fmt.Errorf("%s/%s: %w; run \"brazier demo\" again", s.namespace, job.name, err)
	case err != nil:
		return err
	case outcome.ExitCode != 0:
		fmt.Fprintf(s.streams.Err, "\nThe job failed. Its whole log:\n  brazier logs%s %s\n", s.flags(), job.name)
		return exit.Code(outcome.ExitCode)
	}
	return nil
}
