// Package incidents is the command "brazier incidents": it says which failures of many applications are one problem. Which
// those are is internal/incident's to tell.
package incidents

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/incident"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/terminal"
)

// pageSize is how many records a list asks for at once: they are large, and little is kept of each.
const pageSize = 100

type options struct {
	streams terminal.Streams
	cluster kube.Flags
	form    output.Flag
	all     bool
	lone    bool
	since   time.Duration
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:   "incidents [flags]",
		Short: "Say which failures of many applications are one problem",
		Long: `Say which runs failed or wait because of one and the same thing: a node, a storage class, an image, a quota, or a cause
that several applications met at one time. Runs that failed of something of their own are counted, and listed with --all.

It reads the records that the operator keeps of runs, with your rights.`,
		Example: `  brazier incidents --all-namespaces
  brazier incidents --since 2h
  brazier incidents -A -o json | jq '.incidents[] | select(.factor.kind == "node")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context()) },
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return exit.With(exit.Usage, fmt.Errorf("%w; \"%s --help\" lists the flags and their values", err, cmd.CommandPath()))
	})
	opts.cluster.AddTo(cmd.Flags())
	opts.form.AddTo(cmd.Flags(), output.Table, output.JSON)
	cmd.Flags().BoolVarP(&opts.all, "all-namespaces", "A", false, "look at all namespaces")
	cmd.Flags().BoolVar(&opts.lone, "all", false, "list runs as well that failed of something of their own")
	cmd.Flags().DurationVar(&opts.since, "since", 24*time.Hour, "how far to look back, as a Go `duration` such as 90m")
	return cmd
}

func (o *options) run(ctx context.Context) error {
	if err := o.form.Check(); err != nil {
		return exit.With(exit.Usage, err)
	}
	if o.since <= 0 {
		return exit.With(exit.Usage, fmt.Errorf("--since: %s is not a time to look back; write for example 24h", o.since))
	}
	now := time.Now()
	runs, err := o.runs(ctx, now.Add(-o.since))
	if err != nil {
		return err
	}
	found := incident.Find(runs)
	if o.form.Form == output.JSON {
		return o.json(found)
	}
	o.print(found, now)
	return nil
}

// runs reads the runs of which there is something to tell since a time.
func (o *options) runs(ctx context.Context, since time.Time) ([]incident.Run, error) {
	config, err := o.cluster.Config()
	if err != nil {
		return nil, err
	}
	namespace, err := o.cluster.CurrentNamespace()
	if err != nil {
		return nil, err
	}
	if o.all {
		namespace = metav1.NamespaceAll
	}
	records, err := kube.Records(config)
	if err != nil {
		return nil, err
	}
	var runs []incident.Run
	err = each(ctx, records, namespace, func(record *v1alpha1.RunRecord) {
		if run, ok := incident.Of(record); ok && !run.At.Before(since) {
			runs = append(runs, run)
		}
	})
	switch {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("the cluster keeps no records of runs; \"%s\" puts a Brazier on it that does: %w", o.cluster.In("").Command("upgrade"), err)
	case apierrors.IsForbidden(err) && o.all:
		return nil, fmt.Errorf("--all-namespaces: %w; without the flag one namespace is looked at", err)
	case err != nil:
		return nil, fmt.Errorf("list records: %w", err)
	}
	return runs, nil
}

// each visits the records of a namespace, a page at a time, so that no more than a page of them is held.
func each(ctx context.Context, records rest.Interface, namespace string, visit func(*v1alpha1.RunRecord)) error {
	options := metav1.ListOptions{Limit: pageSize}
	for {
		var page v1alpha1.RunRecordList
		err := records.Get().Namespace(namespace).Resource(kube.RecordsResource).
			VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(&page)
		if err != nil {
			return err
		}
		for i := range page.Items {
			visit(&page.Items[i])
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return nil
		}
	}
}

func (o *options) json(found []incident.Incident) error {
	if found == nil {
		found = []incident.Incident{}
	}
	text, err := json.MarshalIndent(map[string]any{"incidents": found}, "", "  ")
	if err != nil {
		return fmt.Errorf("write incidents: %w", err)
	}
	_, err = o.streams.Out.Write(append(text, '\n'))
	return err
}
