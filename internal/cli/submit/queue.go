package submit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/kube"
)

// enterQueue looks whether there is the queue that app is put into, before anything is uploaded: it would wait for ever. In a
// cluster without queues scripts that name one run all the same.
func (o *options) enterQueue(ctx context.Context, config *rest.Config, app *v1beta2.SparkApplication) error {
	name := app.Labels[v1alpha1.LabelQueue]
	if name == "" {
		return nil
	}
	client, err := kube.Queues(config)
	if err != nil {
		return err
	}
	var queues v1alpha1.QueueList
	err = client.Get().Resource(kube.QueuesResource).Do(ctx).Into(&queues)
	switch {
	case apierrors.IsForbidden(err):
		return nil // the operator knows
	case err != nil && !apierrors.IsNotFound(err):
		return fmt.Errorf("list queues: %w", err)
	case len(queues.Items) == 0:
		fmt.Fprintf(o.streams.Err, "note: --queue: this cluster has no queues; %q orders nothing\n", name)
		delete(app.Labels, v1alpha1.LabelQueue)
		return nil
	}
	names := make([]string, len(queues.Items))
	for i := range queues.Items {
		names[i] = queues.Items[i].Name
	}
	if slices.Contains(names, name) {
		return nil
	}
	slices.Sort(names)
	return fmt.Errorf("--queue: there is no queue %q in this cluster; write one of %s, or leave it out", name, strings.Join(names, ", "))
}
