// Package run is the command "brazier run": it uploads what a job needs, creates the SparkApplication and follows it to
// its end. How an application is submitted is the operator's business, how it is shown that of internal/follow.
package run

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/attend"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/program"
	"brazier.sh/brazier/internal/submission"
	"brazier.sh/brazier/internal/terminal"
)

const long = `Run a Spark job on the cluster: a Python or R file, a jar, or a SparkApplication manifest.

Local files are uploaded once, by content, to the object store that the namespace's
Secret brazier-object-store names; a folder of Python code in --py-files is packed,
and the packages of --requirements are found with pip. Files that the cluster can
reach already are passed as they are: s3a://bucket/job.py, or local:///path for a
file in the image.

Flags come before JOB; everything after JOB is the job's own. The exit code is the
job's. Ctrl-C stops following, not the job.`

const examples = `  # A Python file with an argument, on three executors
  brazier run --executors 3 report.py s3a://brazier/invoices.csv

  # A Python file with a folder of modules and packages from PyPI
  brazier run --py-files src --requirements requirements.txt report.py

  # A jar, in the namespace of the team
  brazier run -n sales --class org.example.Report target/report.jar 2026

  # A manifest whose local files are uploaded
  brazier run -f report.yaml

  # Show the manifest that would be created
  brazier run --dry-run -o yaml report.py`

type options struct {
	streams terminal.Streams
	cluster kube.Flags

	manifest string
	job      job

	detach bool
	logs   bool
	dryRun bool
	output string
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:     "run [flags] JOB [ARGUMENT...]",
		Short:   "Run a Spark job and follow it to its end",
		Long:    long,
		Example: examples,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.job.file, opts.job.arguments = args[0], args[1:]
			}
			if err := opts.check(cmd); err != nil {
				return exit.With(exit.Usage, err)
			}
			return run(cmd.Context(), &opts)
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return exit.With(exit.Usage, fmt.Errorf("%w; \"%s --help\" lists the flags and their values", err, cmd.CommandPath()))
	})
	flags := cmd.Flags()
	flags.SetInterspersed(false) // What follows JOB is the job's own, flags too.
	opts.cluster.AddTo(flags)
	opts.job.addTo(flags)
	flags.StringVarP(&opts.manifest, "filename", "f", "", "run the SparkApplication of this `file`, or - for standard input, in place of a JOB")
	flags.BoolVar(&opts.detach, "detach", false, "create the application and return, with its name on standard output")
	flags.BoolVar(&opts.logs, "logs", false, "show the driver's log on standard output")
	flags.BoolVar(&opts.dryRun, "dry-run", false, "print the manifest; upload and create nothing")
	flags.StringVarP(&opts.output, "output", "o", "yaml", "the `form` in which --dry-run prints the manifest: yaml or json")
	complete.Flags(cmd, &opts.cluster)
	return cmd
}

// withManifest are the flags that go with -f; all others describe a JOB.
func withManifest() []string {
	return []string{"kubeconfig", "context", "namespace", "name", "filename", "detach", "logs", "dry-run", "output"}
}

// check refuses what cannot be meant, before anything is read or sent.
func (o *options) check(cmd *cobra.Command) error {
	if o.output != "yaml" && o.output != "json" {
		return fmt.Errorf("--output: %q is not a form; write yaml or json", o.output)
	}
	if cmd.Flags().Changed("output") && !o.dryRun {
		return fmt.Errorf("--output: only --dry-run prints a manifest; add it, or see what runs with \"%s\"", o.cluster.Command("get", "APP", "-o", "yaml"))
	}
	if o.dryRun && (o.detach || o.logs) {
		return errors.New("--dry-run: nothing is created, so there is nothing to detach from or to show the log of; leave out --detach and --logs")
	}
	if o.detach && o.logs {
		return errors.New("--logs: with --detach nobody is there to see them; leave out one of the two")
	}
	if o.manifest == "" {
		return o.job.check(changed(cmd))
	}
	if o.job.file != "" {
		return fmt.Errorf("JOB: %q is given as well as -f %s; the manifest names its own job and arguments", o.job.file, o.manifest)
	}
	for _, name := range changed(cmd) {
		if !slices.Contains(withManifest(), name) {
			return fmt.Errorf("--%s: it describes a JOB and has no effect with -f; write it into %s", name, o.manifest)
		}
	}
	return nil
}

func run(ctx context.Context, opts *options) error {
	app, err := opts.application()
	if err != nil {
		return err
	}
	if opts.dryRun {
		return opts.print(app)
	}
	client, err := applications.Open(&opts.cluster)
	if err != nil {
		return err
	}
	if app.Namespace, err = opts.namespace(app); err != nil {
		return err
	}
	job := submission.Job{App: app, Folder: opts.folder(), Requirements: opts.job.requirements}
	if opts.manifest == "" {
		job.Called = program.CalledByFlags()
	}
	if err := job.Upload(ctx, opts.streams, client.Config); err != nil {
		return err
	}
	created, err := client.Create(ctx, app, "--name")
	if err != nil {
		return err
	}
	return attend.Created(ctx, created, attend.Options{
		Config: client.Config, Flags: &opts.cluster, Streams: opts.streams, Logs: opts.logs, Detach: opts.detach,
	})
}

// namespace is the flag's, the manifest's or the context's. Two that differ are a mistake, as kubectl has it.
func (o *options) namespace(app *v1beta2.SparkApplication) (string, error) {
	if app.Namespace == "" {
		return o.cluster.CurrentNamespace()
	}
	if o.cluster.Namespace != "" && o.cluster.Namespace != app.Namespace {
		return "", fmt.Errorf("--namespace: %q is not the manifest's, %q; leave the flag out or change the manifest", o.cluster.Namespace, app.Namespace)
	}
	return app.Namespace, nil
}
