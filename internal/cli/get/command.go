// Package get is the command "brazier get": it tells of one application, and waits for it. What is told is
// internal/applications'.
package get

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/records"
	"brazier.sh/brazier/internal/terminal"
)

// What --wait waits for.
const (
	completed = "completed"
	running   = "running"
	ended     = "ended"
)

// text is the form of this command alone that people read.
const text output.Form = "text"

type options struct {
	streams terminal.Streams
	cluster kube.Flags
	output  output.Flag
	name    string
	watch   bool
	wait    string
	timeout time.Duration
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:     "get [flags] APP",
		Aliases: []string{"describe", "show"},
		Short:   "Tell of one application: what it does, why, where, and what to do next",
		Long: `Tell of one application in plain words: its state and why, its driver and executors, its attempts, its web interface and what
to do next.

With --wait it waits first: for a good end (--wait, or --wait=completed; the exit code is 1 where it fails), until its driver
runs (--wait=running), or for any end (--wait=ended).`,
		Example: `  brazier get report-x7k2p
  brazier get report-x7k2p --output yaml
  brazier get report-x7k2p --wait=completed --timeout 30m
  brazier get report-x7k2p --watch`,
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
	opts.output.AddTo(flags, text, output.JSON, output.YAML, output.Name)
	flags.BoolVarP(&opts.watch, "watch", "w", false, "tell it anew whenever something changes, until it has ended")
	flags.StringVar(&opts.wait, "wait", "", "wait first, for a `state`: completed (a good end), running, or ended (any end)")
	flags.Lookup("wait").NoOptDefVal = completed
	flags.DurationVar(&opts.timeout, "timeout", 0, "how long --wait waits, such as 30m (default: for ever)")
	complete.Flags(cmd, &opts.cluster)
	complete.Words(cmd, "output", opts.output.Forms()...)
	complete.Words(cmd, "wait", completed, running, ended)
	return cmd
}

func (o *options) check(args []string) error {
	if len(args) == 2 && o.wait == completed && known(args[1]) {
		return fmt.Errorf("--wait: write --wait=%s, with '=' and without a space", args[1])
	}
	if len(args) != 1 {
		return fmt.Errorf("APP: name one application; \"%s\" lists them", o.cluster.Command("ps"))
	}
	o.name = args[0]
	switch {
	case o.wait != "" && !known(o.wait):
		return fmt.Errorf("--wait: %q is nothing to wait for; write completed, running or ended", o.wait)
	case o.timeout < 0:
		return fmt.Errorf("--timeout: %s is no length of time; write for example 30m", o.timeout)
	case o.timeout > 0 && o.wait == "":
		return errors.New("--timeout: it bounds --wait, which is not there; add --wait, or leave it out")
	case o.watch && o.wait != "":
		return errors.New("--watch: it goes on to the end by itself; leave out one of --watch and --wait")
	}
	return o.output.Check()
}

func known(wait string) bool { return wait == completed || wait == running || wait == ended }

func run(ctx context.Context, opts *options) error {
	client, err := applications.Open(&opts.cluster)
	if err != nil {
		return err
	}
	app, err := client.Get(ctx, opts.name)
	if err != nil {
		return err
	}
	if opts.watch {
		return opts.follow(ctx, client)
	}
	if opts.wait != "" {
		var failed error
		if app, failed = await(ctx, client, opts); app == nil {
			return failed
		}
		if err := opts.print(ctx, client, app); err != nil {
			return err
		}
		return failed
	}
	return opts.print(ctx, client, app)
}

// follow prints the application whenever it changes, until it has ended.
func (o *options) follow(ctx context.Context, client *applications.Client) error {
	last := ""
	return client.WatchOne(ctx, o.name, func(app *v1beta2.SparkApplication) (bool, error) {
		if app == nil {
			return false, fmt.Errorf("%s/%s was deleted", client.Namespace, o.name)
		}
		if app.ResourceVersion != last && last != "" && !o.output.Form.Machine() {
			fmt.Fprintln(o.streams.Out)
		}
		last = app.ResourceVersion
		return app.Status.AppState.State.Ended(), o.print(ctx, client, app)
	})
}

// await waits until the application has come as far as was asked. The application is as it was then; the error is that
// of one that never comes so far.
func await(ctx context.Context, client *applications.Client, opts *options) (*v1beta2.SparkApplication, error) {
	if opts.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, opts.timeout,
			fmt.Errorf("--timeout: %s/%s is not %s after %s", client.Namespace, opts.name, opts.wait, opts.timeout))
		defer cancel()
	}
	var last *v1beta2.SparkApplication
	var failed error
	err := client.WatchOne(ctx, opts.name, func(app *v1beta2.SparkApplication) (bool, error) {
		if app == nil {
			return false, fmt.Errorf("%s/%s was deleted while it was waited for", client.Namespace, opts.name)
		}
		last = app
		switch state := app.Status.AppState.State; {
		case state == v1beta2.ApplicationStateFailed && opts.wait != ended:
			failed = exit.Failure // What is printed says why.
			return true, nil
		case state.Ended():
			return true, nil
		case opts.wait == running:
			return state == v1beta2.ApplicationStateRunning, nil
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	return last, failed
}

func (o *options) print(ctx context.Context, client *applications.Client, app *v1beta2.SparkApplication) error {
	if o.output.Form.Machine() {
		return output.Object(o.streams.Out, o.output.Form, v1beta2.GroupVersion.WithKind(v1beta2.SparkApplicationKind), app)
	}
	detail := applications.Detail{App: app, Now: time.Now(), Command: o.cluster.Command}
	pods, err := client.Pods(ctx, app)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		detail.Unread = append(detail.Unread, err.Error())
	default:
		detail.Pods = pods
		if pods == nil {
			detail.Pods = []*corev1.Pod{}
		}
	}
	if detail.Found, err = diagnosed(ctx, client, app); err != nil {
		detail.Unread = append(detail.Unread, err.Error())
	}
	_, err = fmt.Fprint(o.streams.Out, applications.Describe(detail))
	return err
}

// diagnosed is what was found to be behind the last run's failure, where the application itself does not say.
func diagnosed(ctx context.Context, client *applications.Client, app *v1beta2.SparkApplication) (string, error) {
	state := app.Status.AppState.State
	failed := state == v1beta2.ApplicationStateFailed || state == v1beta2.ApplicationStatePendingRerun
	if !failed || meta.FindStatusCondition(app.Status.Conditions, applications.ConditionDiagnosed) != nil {
		return "", nil
	}
	kept, err := records.Of(ctx, client.Config, app.Namespace, app.Name, app.UID)
	if err != nil {
		return "", err
	}
	record := records.Run(kept, app.Status.Run)
	if record == nil || len(record.Causes) == 0 {
		return "", nil
	}
	why := strings.TrimSpace(record.Causes[0].Why)
	if said := applications.Says(app); said != why {
		why += "\n" + said
	}
	return why, nil
}
