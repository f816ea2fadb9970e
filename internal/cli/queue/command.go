// Package queue is the command "brazier queue": it shows queues as a tree, and one of them with its bounds; "brazier queue
// import" is below it. What YARN's files come to is told by internal/capacityscheduler; what queues let in is decided by
// internal/queue, in the operator.
package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/terminal"
)

// pageSize is how many queues a list asks for at once.
const pageSize = 500

type options struct {
	streams terminal.Streams
	cluster kube.Flags
	output  output.Flag
	watch   bool
	name    string
}

// NewCommand returns the command, with those below it.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:     "queue [flags] [NAME]",
		Aliases: []string{"queues"},
		Short:   "Say what queues have, use and wait for",
		Long: `Show the queues as a tree: what each and its parts are guaranteed, use, have borrowed and lent, how many applications run and
wait, and the queue's share of what there is beyond guarantees. With NAME one queue: its bounds, its users', and how full each
bound is that its applications meet, up to the root.

It reads queues only, so the right to list those is enough.`,
		Example: `  brazier queue
  brazier queue --output wide
  brazier queue etl
  brazier queue --watch
  brazier queue -o json | jq '.items[] | select(.status.waiting > 0) | .metadata.name'`,
		Args: cobra.ArbitraryArgs, // Else a name is taken for a command that is not there.
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.check(args); err != nil {
				return exit.With(exit.Usage, err)
			}
			return exit.Interrupt(cmd.Context(), opts.run(cmd.Context()))
		},
		ValidArgsFunction: complete.Queues(&opts.cluster),
	}
	flags := cmd.Flags()
	opts.cluster.AddTo(flags)
	flags.Lookup("namespace").Hidden = true // Queues are in none; the flag is taken by habit.
	opts.output.AddTo(flags, output.Table, output.Wide, output.JSON, output.YAML, output.Name)
	flags.BoolVarP(&opts.watch, "watch", "w", false, "go on with a line for each change, until Ctrl-C")
	complete.Flags(cmd, &opts.cluster)
	complete.Words(cmd, "output", opts.output.Forms()...)
	cmd.AddCommand(newImportCommand(streams))
	return cmd
}

func (o *options) check(args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("NAME: name one queue, or none for all of them; there are %d names", len(args))
	}
	if len(args) == 1 {
		o.name = args[0]
	}
	return o.output.Check()
}

func (o *options) run(ctx context.Context) error {
	client, err := o.open()
	if err != nil {
		return err
	}
	queues, err := list(ctx, client)
	if err != nil {
		return o.known(err)
	}
	t := arrange(queues)
	if o.watch {
		return o.known(o.follow(ctx, client, t))
	}
	if o.name != "" {
		return o.printOne(t)
	}
	kind := v1alpha1.GroupVersion.WithKind("Queue")
	if o.output.Form.Machine() {
		return output.List(o.streams.Out, o.output.Form, kind, queues)
	}
	if len(queues) == 0 {
		fmt.Fprintln(o.streams.Err, "there are no queues; every application starts at once, and executors take what nodes have")
		return nil
	}
	table(o.streams, o.output.Form).Print(t.lines()...)
	return nil
}

func (o *options) open() (rest.Interface, error) {
	config, err := o.cluster.Config()
	if err != nil {
		return nil, err
	}
	return kube.Queues(config)
}

// list returns all queues, by name.
func list(ctx context.Context, client rest.Interface) ([]*v1alpha1.Queue, error) {
	var queues []*v1alpha1.Queue
	options := metav1.ListOptions{Limit: pageSize}
	for {
		var page v1alpha1.QueueList
		if err := client.Get().Resource(kube.QueuesResource).VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(&page); err != nil {
			return nil, fmt.Errorf("list queues: %w", err)
		}
		for i := range page.Items {
			queues = append(queues, &page.Items[i])
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return queues, nil
		}
	}
}

// known explains the error of a cluster that knows no queues.
func (o *options) known(err error) error {
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("the cluster does not know queues; \"%s\" puts a Brazier on it that does: %w", o.cluster.In("").Command("upgrade"), err)
	}
	return err
}

// printOne prints the queue that was named.
func (o *options) printOne(t *tree) error {
	line := t.find(o.name)
	if line == nil || line.queue == nil {
		return o.noSuch(t)
	}
	if o.output.Form.Machine() {
		return output.Object(o.streams.Out, o.output.Form, v1alpha1.GroupVersion.WithKind("Queue"), line.queue)
	}
	describe(o.streams, line, time.Now())
	return nil
}

// noSuch says that no queue has the name, and which are near.
func (o *options) noSuch(t *tree) error {
	var names []string
	for _, line := range t.lines() {
		if line.queue != nil {
			names = append(names, line.name)
		}
	}
	switch near := applications.Near(o.name, names); {
	case len(names) == 0:
		return fmt.Errorf("there is no queue %q, nor any other", o.name)
	case len(near) > 0:
		return fmt.Errorf("there is no queue %q; did you mean %s?", o.name, strings.Join(near, " or "))
	}
	return fmt.Errorf("there is no queue %q; \"%s\" shows those that there are", o.name, o.cluster.Command("queue"))
}

// errGone ends a watch of a queue that is deleted.
var errGone = errors.New("it was deleted")

// follow prints the queues, or the one that was named, and then a line for each change of what a line says.
func (o *options) follow(ctx context.Context, client rest.Interface, t *tree) error {
	if line := t.find(o.name); o.name != "" && (line == nil || line.queue == nil) {
		return o.noSuch(t)
	}
	rows, said := table(o.streams, o.output.Form), map[string]string{}
	tell := func(l *line) error {
		news := strings.Join(rows.Cells(l), "\x00")
		if o.output.Form == output.JSON || o.output.Form == output.YAML {
			news = l.queue.ResourceVersion
		}
		if said[l.name] == news || o.name != "" && l.name != o.name {
			return nil
		}
		said[l.name] = news
		if o.output.Form.Machine() {
			return output.Object(o.streams.Out, o.output.Form, v1alpha1.GroupVersion.WithKind("Queue"), l.queue)
		}
		rows.Print(l)
		return nil
	}
	for _, l := range t.lines() {
		if l.queue == nil {
			continue
		}
		if err := tell(&line{name: l.name, queue: l.queue}); err != nil {
			return err
		}
	}
	source := cache.NewListWatchFromClient(client, kube.QueuesResource, metav1.NamespaceAll, fields.Everything())
	return kube.Watch(ctx, source, &v1alpha1.Queue{}, func(change kube.Change[*v1alpha1.Queue]) (bool, error) {
		switch {
		case change.None:
			return false, nil
		case change.Gone && change.Object.Name == o.name:
			return true, fmt.Errorf("queue %s: %w", o.name, errGone)
		}
		return false, tell(&line{name: change.Object.Name, queue: change.Object, gone: change.Gone})
	})
}
