// Package events is the command "brazier events": it shows what Kubernetes told of an application. What belongs to that is
// known by internal/events.
package events

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"

	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/events"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/records"
	"brazier.sh/brazier/internal/terminal"
)

type options struct {
	streams terminal.Streams
	cluster kube.Flags
	output  output.Flag
	name    string
	watch   bool
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:   "events [flags] APP",
		Short: "Show what Kubernetes told of an application, its pods and what belongs to them",
		Long: `Show the events of an application, its pods and what else belongs to it, in the order of time. Kubernetes forgets events after an
hour; those that were kept with a run's record are shown too, and say so. That works for an application that was deleted as well.`,
		Example: `  brazier events report-x7k2p
  brazier events report-x7k2p --watch`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exit.With(exit.Usage, fmt.Errorf("APP: name one application; \"%s\" lists them", opts.cluster.Command("ps")))
			}
			opts.name = args[0]
			if err := opts.output.Check(); err != nil {
				return exit.With(exit.Usage, err)
			}
			return exit.Interrupt(cmd.Context(), run(cmd.Context(), &opts))
		},
		ValidArgsFunction: complete.Applications(&opts.cluster, 1),
	}
	flags := cmd.Flags()
	opts.cluster.AddTo(flags)
	opts.output.AddTo(flags, output.Table, output.Wide, output.JSON, output.YAML)
	flags.BoolVarP(&opts.watch, "watch", "w", false, "go on with those that come, until Ctrl-C")
	complete.Flags(cmd, &opts.cluster)
	complete.Words(cmd, "output", opts.output.Forms()...)
	return cmd
}

func run(ctx context.Context, opts *options) error {
	client, err := applications.Open(&opts.cluster)
	if err != nil {
		return err
	}
	app, err := client.Get(ctx, opts.name)
	if errors.Is(err, applications.ErrNoSuch) {
		return opts.kept(ctx, client, err)
	}
	if err != nil {
		return err
	}
	pods, err := client.Pods(ctx, app)
	if err != nil {
		opts.note("its pods cannot be listed, so that events of some may be missing: %v", err)
	}
	subject := events.About(app, pods)
	list, err := events.List(ctx, client, subject)
	if err != nil {
		return err
	}
	kept, err := records.Of(ctx, client.Config, app.Namespace, app.Name, app.UID)
	if err != nil {
		opts.note("what was kept of its runs cannot be read: %v", err)
	}
	list = events.Merge(list, kept)
	rows := table(opts.streams, opts.output.Form)
	if err := opts.print(rows, list); err != nil {
		return err
	}
	if !opts.watch {
		if len(list) == 0 && !opts.output.Form.Machine() {
			opts.note("nothing was told of %s/%s, or it is forgotten", app.Namespace, app.Name)
		}
		return nil
	}
	return opts.follow(ctx, client, subject, list, rows)
}

// kept shows what was kept of an application that is gone; err says that it is.
func (o *options) kept(ctx context.Context, client *applications.Client, err error) error {
	all, failed := records.Of(ctx, client.Config, client.Namespace, o.name, "")
	if failed != nil || len(all) == 0 {
		return err
	}
	o.note("%s/%s was deleted; this was kept of it", client.Namespace, o.name)
	return o.print(table(o.streams, o.output.Form), events.Merge(nil, all))
}

func (o *options) note(format string, args ...any) {
	fmt.Fprintf(o.streams.Err, format+"\n", args...)
}

func (o *options) print(rows *output.Rows[events.Event], list []events.Event) error {
	if o.output.Form.Machine() {
		if list == nil {
			list = []events.Event{}
		}
		return output.Value(o.streams.Out, o.output.Form, map[string]any{"items": list})
	}
	if len(list) > 0 {
		rows.Print(list...)
	}
	return nil
}

// follow prints what is told from now on.
func (o *options) follow(ctx context.Context, client *applications.Client, subject events.Subject, told []events.Event, rows *output.Rows[events.Event]) error {
	said := map[events.Event]bool{}
	for _, event := range told {
		said[event] = true
	}
	source := cache.NewListWatchFromClient(client.Cluster.CoreV1().RESTClient(), "events", client.Namespace, fields.Everything())
	return kube.Watch(ctx, source, &corev1.Event{}, func(change kube.Change[*corev1.Event]) (bool, error) {
		if change.None || change.Gone || !subject.Covers(change.Object) {
			return false, nil
		}
		event := events.From(change.Object)
		if said[event] {
			return false, nil
		}
		said[event] = true
		if o.output.Form.Machine() {
			return false, output.Value(o.streams.Out, o.output.Form, event)
		}
		rows.Print(event)
		return false, nil
	})
}

func table(streams terminal.Streams, form output.Form) *output.Rows[events.Event] {
	return output.NewRows(streams, form, []output.Column[events.Event]{
		{Header: "TIME", Cell: func(e events.Event) string { return e.Last.UTC().Format(time.RFC3339) }},
		{Header: "TYPE", Cell: func(e events.Event) string { return e.Type }, Tone: tone},
		{Header: "REASON", Cell: func(e events.Event) string { return e.Reason }},
		{Header: "OBJECT", Cell: func(e events.Event) string { return e.Object }},
		{Header: "FROM", Wide: true, Cell: func(e events.Event) string { return e.From }},
		{Header: "FIRST", Wide: true, Cell: func(e events.Event) string { return e.First.UTC().Format(time.RFC3339) }},
		{Header: "MESSAGE", Cell: message},
	})
}

// tone sets warnings off.
func tone(event events.Event) terminal.Tone {
	if event.Type == corev1.EventTypeWarning {
		return terminal.Bad
	}
	return terminal.Plain
}

// message is an event's, with how often it was told, and whether Kubernetes has forgotten it.
func message(event events.Event) string {
	text := output.Cut(event.Message, 1000)
	if event.Count > 1 {
		text += fmt.Sprintf(" (%d times)", event.Count)
	}
	if event.Run > 0 {
		text += fmt.Sprintf(" [kept from run %d]", event.Run)
	}
	return text
}
