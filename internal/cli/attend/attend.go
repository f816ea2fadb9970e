// Package attend is what commands that start an application do then: follow it to its end and end as it does. It is no
// command; run, submit, follow, rerun and schedule run-now share it. How following looks is internal/follow's.
package attend

import (
	"context"
	"fmt"

	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/follow"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
)

// Options say how an application that was just created is attended to.
type Options struct {
	// Config is the cluster, Flags are what chose it.
	Config *rest.Config
	Flags  *kube.Flags
	// Streams get the progress on Err and the driver's log on Out.
	Streams terminal.Streams
	// Logs asks for the driver's log.
	Logs bool
	// Detach returns at once, with the application's name on standard output.
	Detach bool
}

// Created follows an application that was just created, and says how to come back where Ctrl-C ends that; or it leaves.
func Created(ctx context.Context, app *v1beta2.SparkApplication, options Options) error {
	if options.Detach {
		fmt.Fprintln(options.Streams.Out, app.Name)
		return nil
	}
	fmt.Fprintf(options.Streams.Err, "%s/%s is created; Ctrl-C stops following, not the job\n", app.Namespace, app.Name)
	err := To(ctx, app.Namespace, app.Name, options)
	if exit.Of(err) == exit.Interrupted {
		flags := options.Flags.In(app.Namespace)
		fmt.Fprintf(options.Streams.Err, "%s/%s goes on; come back with:\n  %s\nor end it with:\n  %s\n",
			app.Namespace, app.Name, flags.Command("follow", app.Name), flags.Command("cancel", app.Name))
	}
	return err
}

// To follows an application to its end; what is returned ends the command as the application's driver did.
func To(ctx context.Context, namespace, name string, options Options) error {
	outcome, err := follow.Application(ctx, follow.Options{
		Config: options.Config, Namespace: namespace, Name: name, Streams: options.Streams, Logs: options.Logs,
		Why: options.Flags.In(namespace).Command("why", name),
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return exit.Interrupted
	case err != nil:
		return err
	case outcome.ExitCode != 0:
		return exit.Code(outcome.ExitCode)
	}
	return nil
}
