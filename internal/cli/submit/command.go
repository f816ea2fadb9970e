// Package submit is the command "brazier submit": it takes the command line of spark-submit, so that a script changes one
// word. What such a line means is internal/sparksubmit's, how it gets to the cluster internal/submission's.
package submit

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/attend"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/sparksubmit"
	"brazier.sh/brazier/internal/submission"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/internal/version"
)

const long = `Submit a Spark job with the command line of spark-submit, of Spark 3.5 to 4.3.

A script changes one word: "brazier submit" where it said "spark-submit". Local files
are uploaded once, by content; what was meant for YARN or another master is translated,
and what of it has no meaning on Kubernetes is said on standard error. In client mode,
the default, the driver's log is shown; the exit code is the job's in both modes.
Ctrl-C stops following, not the job.`

const examples = `  # A script for YARN, as it is
  brazier submit --master yarn --deploy-mode cluster --num-executors 10 --executor-memory 4g etl.py 2026-11-25

  # A folder of Python modules, a file, and packages from PyPI
  brazier submit --py-files src --files app.conf --requirements requirements.txt etl.py

  # What it would create
  brazier submit --dry-run --class org.example.Report target/report.jar

  # State and end of what was submitted before
  brazier submit --status sales:report-x7k2p-driver
  brazier submit --kill 'sales:report-*'`

type options struct {
	streams terminal.Streams
	cluster kube.Flags
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "submit [options] JOB [ARGUMENT...]",
		Short:   "Submit a Spark job with the command line of spark-submit",
		Long:    long,
		Example: examples,
		// spark-submit's rules for options are not those of other programs.
		DisableFlagParsing: true,
	}
	cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) { fmt.Fprint(streams.Out, help(cmd)) })
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := options{streams: streams}
		command, err := sparksubmit.Read(args, sparksubmit.Environment{
			Getenv: os.Getenv, ReadFile: os.ReadFile, MainClass: submission.MainClass, SparkVersion: image.DefaultSpark,
		})
		if err != nil {
			return exit.With(exit.Usage, err)
		}
		return o.run(cmd, command)
	}
	return cmd
}

// help lists the options, spark-submit's and Brazier's own apart.
func help(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nUsage:\n  %s\n  brazier submit --status ID | --kill ID\n\nExamples:\n%s\n", cmd.Long, cmd.UseLine(), cmd.Example)
	for _, own := range []bool{false, true} {
		fmt.Fprintf(&b, "\n%s\n", map[bool]string{false: "Options of spark-submit:", true: "Options of Brazier:"}[own])
		for _, option := range sparksubmit.Options() {
			if option.Own != own {
				continue
			}
			short := "    "
			if option.Short != "" {
				short = "-" + option.Short + ", "
			}
			fmt.Fprintf(&b, "  %s%-40s %s\n", short, strings.TrimSpace("--"+option.Name+" "+option.Value), option.Help)
		}
	}
	return b.String()
}

func (o *options) run(cmd *cobra.Command, c *sparksubmit.Command) error {
	switch c.Action {
	case sparksubmit.Help:
		fmt.Fprint(o.streams.Out, help(cmd))
		return nil
	case sparksubmit.UsageError:
		fmt.Fprint(o.streams.Err, help(cmd))
		return exit.Failure
	case sparksubmit.Version:
		fmt.Fprintf(o.streams.Out, "brazier %s, Spark %s unless --spark-version says otherwise\n", version.String(), image.DefaultSpark)
		return nil
	case sparksubmit.Submit, sparksubmit.Kill, sparksubmit.Status:
	}
	for _, property := range c.Properties {
		fmt.Fprintln(o.streams.Err, property)
	}
	for _, note := range c.Notes {
		fmt.Fprintln(o.streams.Err, "note:", note)
	}
	if c.DryRun {
		return o.print(c)
	}
	o.cluster = kube.Flags{Kubeconfig: c.Kubeconfig, Context: c.Context, Namespace: c.Namespace}
	config, err := o.config(c.Master)
	if err != nil {
		return err
	}
	if c.Action != sparksubmit.Submit {
		return o.manage(cmd.Context(), config, c)
	}
	return o.submit(cmd.Context(), config, c)
}

func (o *options) print(c *sparksubmit.Command) error {
	if c.Requirements.File != "" {
		fmt.Fprintf(o.streams.Err, "note: the packages of %s would be added to spec.deps.archives\n", c.Requirements.File)
	}
	return submission.Print(o.streams.Out, c.App, c.Output)
}

func (o *options) submit(ctx context.Context, config *rest.Config, c *sparksubmit.Command) (err error) {
	app := c.App
	if app.Namespace, err = o.cluster.CurrentNamespace(); err != nil {
		return err
	}
	if err := o.enterQueue(ctx, config, app); err != nil {
		return err
	}
	job := submission.Job{App: app, Called: c.Called, Requirements: c.Requirements}
	if err := job.Upload(ctx, o.streams, config); err != nil {
		return err
	}
	client, err := applications.New(config, &o.cluster)
	if err != nil {
		return err
	}
	created, err := client.Create(ctx, app, "--application")
	if err != nil {
		return err
	}
	return attend.Created(ctx, created, attend.Options{
		Config: config, Flags: &o.cluster, Streams: o.streams, Logs: c.Logs, Detach: c.Detach,
	})
}
