// Package cancel is the commands "brazier cancel" and "brazier resume": they end applications, and take that back.
package cancel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
)

type options struct {
	streams  terminal.Streams
	cluster  kube.Flags
	names    []string
	selector string
	delete   bool
	wait     bool
	timeout  time.Duration
}

// NewCommand returns the command cancel.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:     "cancel [flags] APP...",
		Aliases: []string{"stop", "kill"},
		Short:   "End applications: what runs of them, and further attempts",
		Long: `End applications: their pods are removed and they are not tried again. The applications themselves stay, with all that tells of
them (spec.suspend becomes true); "brazier resume" runs them again, from the beginning. With --delete they go too.

An application that has ended already is left as it is, except with --delete.`,
		Example: `  brazier cancel report-x7k2p
  brazier cancel --selector team=sales --wait
  brazier cancel --delete report-x7k2p report-b6wq9`,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			if err := opts.check(); err != nil {
				return exit.With(exit.Usage, err)
			}
			return exit.Interrupt(cmd.Context(), opts.each(cmd.Context(), opts.cancel))
		},
		ValidArgsFunction: complete.Applications(&opts.cluster, 0),
	}
	opts.addTo(cmd, "wait until nothing of them runs any more")
	cmd.Flags().BoolVar(&opts.delete, "delete", false, "delete the applications too, with all that belongs to them")
	return cmd
}

// NewResumeCommand returns the command resume.
func NewResumeCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:   "resume [flags] APP...",
		Short: "Run applications again that were cancelled, or held back by spec.suspend",
		Long: `Run applications again that were cancelled, or that spec.suspend holds back: from the beginning, as a new run.

An application that has ended by itself is run again by "brazier rerun".`,
		Example: `  brazier resume report-x7k2p
  brazier resume --selector team=sales`,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			if err := opts.check(); err != nil {
				return exit.With(exit.Usage, err)
			}
			return exit.Interrupt(cmd.Context(), opts.each(cmd.Context(), opts.resume))
		},
		ValidArgsFunction: complete.Applications(&opts.cluster, 0),
	}
	opts.addTo(cmd, "wait until their drivers run")
	return cmd
}

func (o *options) addTo(cmd *cobra.Command, wait string) {
	flags := cmd.Flags()
	o.cluster.AddTo(flags)
	flags.StringVarP(&o.selector, "selector", "l", "", "all whose labels match the `selector`, such as team=sales, in place of names")
	flags.BoolVar(&o.wait, "wait", false, wait)
	flags.DurationVar(&o.timeout, "timeout", 0, "how long --wait waits for each, such as 5m (default: for ever)")
	complete.Flags(cmd, &o.cluster)
}

func (o *options) check() error {
	switch {
	case len(o.names) == 0 && o.selector == "":
		return fmt.Errorf("APP: name applications, or choose them with --selector; \"%s\" lists them", o.cluster.Command("ps"))
	case len(o.names) > 0 && o.selector != "":
		return fmt.Errorf("--selector: %q is given as well as names; leave out one of the two", o.selector)
	case o.timeout < 0:
		return fmt.Errorf("--timeout: %s is no length of time; write for example 5m", o.timeout)
	case o.timeout > 0 && !o.wait:
		return errors.New("--timeout: it bounds --wait, which is not there; add --wait, or leave it out")
	}
	return nil
}

type act func(context.Context, *applications.Client, *v1beta2.SparkApplication) error

// each acts on all applications that are meant. One that fails keeps the others from nothing.
func (o *options) each(ctx context.Context, act act) error {
	client, err := applications.Open(&o.cluster)
	if err != nil {
		return err
	}
	if o.selector == "" {
		return o.named(ctx, client, act)
	}
	apps, err := client.List(ctx, o.selector)
	if err != nil {
		return client.Known(err)
	}
	if len(apps) == 0 {
		return fmt.Errorf("--selector: %q chooses no application in namespace %s", o.selector, client.Namespace)
	}
	var errs []error
	for _, app := range apps {
		errs = append(errs, act(ctx, client, app))
	}
	return errors.Join(errs...)
}

func (o *options) named(ctx context.Context, client *applications.Client, act act) error {
	var errs []error
	for _, name := range o.names {
		app, err := client.Get(ctx, name)
		if err == nil {
			err = act(ctx, client, app)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// cancel ends one application and says what was done.
func (o *options) cancel(ctx context.Context, client *applications.Client, app *v1beta2.SparkApplication) error {
	if o.delete {
		if err := client.Delete(ctx, app); err != nil {
			return err
		}
		if err := o.await(ctx, client, app, "gone", func(*v1beta2.SparkApplication) bool { return false }); err != nil {
			return err
		}
		fmt.Fprintf(o.streams.Out, "%s/%s is deleted\n", app.Namespace, app.Name)
		return nil
	}
	switch state := app.Status.AppState.State; {
	case state.Ended():
		fmt.Fprintf(o.streams.Out, "%s/%s has ended already: %s\n", app.Namespace, app.Name, state)
		return nil
	case app.Spec.Suspend && state == v1beta2.ApplicationStateSuspended:
		fmt.Fprintf(o.streams.Out, "%s/%s is cancelled already\n", app.Namespace, app.Name)
		return nil
	}
	if _, err := client.Suspend(ctx, app, true); err != nil {
		return err
	}
	stopped := func(now *v1beta2.SparkApplication) bool {
		return now.Status.AppState.State == v1beta2.ApplicationStateSuspended || now.Status.AppState.State.Ended()
	}
	if err := o.await(ctx, client, app, "stopped", stopped); err != nil {
		return err
	}
	fmt.Fprintf(o.streams.Out, "%s/%s is cancelled\n", app.Namespace, app.Name)
	fmt.Fprintf(o.streams.Err, "  to run it again:  %s\n  to delete it:     %s\n",
		o.cluster.Command("resume", app.Name), o.cluster.Command("cancel", "--delete", app.Name))
	return nil
}

// resume takes back what keeps an application from running.
func (o *options) resume(ctx context.Context, client *applications.Client, app *v1beta2.SparkApplication) error {
	switch state := app.Status.AppState.State; {
	case state.Ended():
		return fmt.Errorf("%s/%s has ended (%s); run it again with \"%s\"", app.Namespace, app.Name, state, o.cluster.Command("rerun", app.Name))
	case !app.Spec.Suspend:
		fmt.Fprintf(o.streams.Out, "%s/%s is not cancelled: %s\n", app.Namespace, app.Name, applications.State(app))
		return nil
	}
	if _, err := client.Suspend(ctx, app, false); err != nil {
		return err
	}
	runs := func(now *v1beta2.SparkApplication) bool {
		return now.Status.AppState.State == v1beta2.ApplicationStateRunning || now.Status.AppState.State.Ended()
	}
	if err := o.await(ctx, client, app, "running", runs); err != nil {
		return err
	}
	fmt.Fprintf(o.streams.Out, "%s/%s is resumed\n", app.Namespace, app.Name)
	fmt.Fprintf(o.streams.Err, "  to follow it:  %s\n", o.cluster.Command("follow", app.Name))
	return nil
}

// await waits, with --wait, until the application is as it should be, or gone.
func (o *options) await(ctx context.Context, client *applications.Client, app *v1beta2.SparkApplication, what string, is func(*v1beta2.SparkApplication) bool) error {
	if !o.wait {
		return nil
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout,
			fmt.Errorf("--timeout: %s/%s is not %s after %s; it goes on by itself", app.Namespace, app.Name, what, o.timeout))
		defer cancel()
	}
	return client.WatchOne(ctx, app.Name, func(now *v1beta2.SparkApplication) (bool, error) {
		return now == nil || now.UID != app.UID || is(now), nil
	})
}
