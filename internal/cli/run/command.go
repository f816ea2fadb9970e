// Package run is the command "brazier run": it uploads what a job needs, creates the SparkApplication and follows it to
// its end. How an application is submitted is the operator's business, how it is shown that of internal/follow.
package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/follow"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
)

const long = `Run a Spark job on the cluster: a Python or R file, a jar, or a SparkApplication manifest.

Local files are uploaded once, by content, to the object store that the namespace's
Secret brazier-object-store names. Files that the cluster can reach already are
passed as they are: s3a://bucket/job.py, or local:///path for a file in the image.

Flags come before JOB; everything after JOB is the job's own. The exit code is the
job's. Ctrl-C stops following, not the job.`

const examples = `  # A Python file with an argument, on three executors
  brazier run --executors 3 report.py s3a://brazier/invoices.csv

  # A jar, in the namespace of the team
  brazier run -n sales --class org.example.Report target/report.jar 2026

  # A manifest whose local files are uploaded
  brazier run -f report.yaml

  # Show the manifest that would be created
  brazier run --dry-run -o yaml report.py`

// createTimeout bounds a request that Ctrl-C cannot end.
const createTimeout = 30 * time.Second

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
		return errors.New("--output: only --dry-run prints a manifest; add it, or see what runs with \"kubectl get sparkapplication -o yaml\"")
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
	config, err := opts.cluster.Config()
	if err != nil {
		return err
	}
	if app.Namespace, err = opts.namespace(app); err != nil {
		return err
	}
	if err := opts.upload(ctx, config, app); err != nil {
		return err
	}
	created, err := create(ctx, config, app)
	if err != nil {
		return err
	}
	return opts.follow(ctx, config, created)
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

// create creates the application. The server checks it against the definition, unknown fields included. A request that
// has been sent is waited for, also after Ctrl-C: otherwise nobody would know whether there is an application.
func create(ctx context.Context, config *rest.Config, app *v1beta2.SparkApplication) (*v1beta2.SparkApplication, error) {
	client, err := kube.Applications(config)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTimeout)
	defer cancel()
	created := new(v1beta2.SparkApplication)
	err = client.Post().Namespace(app.Namespace).Resource(kube.ApplicationsResource).
		Param("fieldValidation", "Strict").Body(app).Do(ctx).Into(created)
	switch {
	case apierrors.IsAlreadyExists(err):
		return nil, fmt.Errorf("--name: there is an application %q in the namespace %q already; choose another name, leave --name out to have one made, "+
			"or delete that one with \"kubectl --namespace %s delete sparkapplication %s\"", app.Name, app.Namespace, app.Namespace, app.Name)
	case apierrors.IsNotFound(err) && !strings.Contains(err.Error(), "namespaces"):
		return nil, fmt.Errorf("the cluster at %s does not know SparkApplications; \"brazier up --kubeconfig FILE\" puts Brazier on it: %w", config.Host, err)
	case err != nil:
		return nil, fmt.Errorf("create the application: %w", err)
	}
	return created, nil
}

// follow follows the application to its end and turns that into the command's.
func (o *options) follow(ctx context.Context, config *rest.Config, app *v1beta2.SparkApplication) error {
	if o.detach {
		fmt.Fprintln(o.streams.Out, app.Name)
		return nil
	}
	fmt.Fprintf(o.streams.Err, "%s/%s is created; Ctrl-C stops following, not the job\n", app.Namespace, app.Name)
	outcome, err := follow.Application(ctx, follow.Options{
		Config: config, Namespace: app.Namespace, Name: app.Name, Streams: o.streams, Logs: o.logs,
	})
	if err != nil && ctx.Err() != nil {
		fmt.Fprintf(o.streams.Err, "%s/%s goes on; come back with:\n  %s\nor end it with:\n  kubectl --namespace %s delete sparkapplication %s\n",
			app.Namespace, app.Name, o.comeBack(app), app.Namespace, app.Name)
		return exit.Interrupted
	}
	if err != nil {
		return err
	}
	if outcome.ExitCode != 0 {
		return exit.Code(outcome.ExitCode)
	}
	return nil
}

// comeBack is the command line that follows the application again.
func (o *options) comeBack(app *v1beta2.SparkApplication) string {
	flags := kube.Flags{Kubeconfig: o.cluster.Kubeconfig, Context: o.cluster.Context, Namespace: app.Namespace}
	return strings.Join(append(append([]string{"brazier", "follow"}, flags.Args()...), app.Name), " ")
}
