package follow

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/follow"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
)

// Created is what the commands that create applications do after that: they follow to the end, or leave.
type Created struct {
	Streams terminal.Streams
	// Cluster are the flags by which the command found its cluster.
	Cluster kube.Flags
	// Detach returns at once, with the application's name on standard output.
	Detach bool
	// Logs shows the driver's log.
	Logs bool
}

// Follow follows the application to its end and turns that into the command's.
func (o Created) Follow(ctx context.Context, config *rest.Config, app *v1beta2.SparkApplication) error {
	if o.Detach {
		fmt.Fprintln(o.Streams.Out, app.Name)
		return nil
	}
	fmt.Fprintf(o.Streams.Err, "%s/%s is created; Ctrl-C stops following, not the job\n", app.Namespace, app.Name)
	outcome, err := follow.Application(ctx, follow.Options{
		Config: config, Namespace: app.Namespace, Name: app.Name, Streams: o.Streams, Logs: o.Logs,
	})
	if err != nil && ctx.Err() != nil {
		fmt.Fprintf(o.Streams.Err, "%s/%s goes on; come back with:\n  %s\nor end it with:\n  kubectl --namespace %s delete sparkapplication %s\n",
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
func (o Created) comeBack(app *v1beta2.SparkApplication) string {
	flags := kube.Flags{Kubeconfig: o.Cluster.Kubeconfig, Context: o.Cluster.Context, Namespace: app.Namespace}
	return strings.Join(append(append([]string{"brazier", "follow"}, flags.Args()...), app.Name), " ")
}
