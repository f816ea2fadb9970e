// Package migrate is the commands that hand a cluster over from the operator of kubeflow/spark-operator to Brazier. What is
// found, and in which order it is handed over, is internal/migrate's work.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/install"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/migrate"
	"brazier.sh/brazier/internal/terminal"
)

// operatorName is the name of Brazier's Deployment.
const operatorName = "brazier-operator"

const defaultPatience = 5 * time.Minute

// NewCommand returns the command with those below it.
func NewCommand(streams terminal.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Take a cluster over from the operator of kubeflow/spark-operator, and give it back",
		Long: `Take a cluster over from the operator of kubeflow/spark-operator (version 2 of its chart), whose applications and
schedules Brazier reads as they are. Applications that run go on: none is restarted.

"check" changes nothing and says what would become of everything; "apply" does it; "undo" gives the cluster back.`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(newCheckCommand(streams), newApplyCommand(streams), newUndoCommand(streams))
	return cmd
}

// cluster says which cluster is meant, and where Brazier is in it.
type cluster struct {
	kube      kube.Flags
	namespace string
}

func (c *cluster) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&c.kube.Kubeconfig, "kubeconfig", "", "the cluster's kubeconfig `file`")
	flags.StringVar(&c.kube.Context, "context", "", "the `context` of the kubeconfig to use")
	flags.StringVar(&c.namespace, "operator-namespace", install.DefaultNamespace, "the `namespace` of Brazier's operator")
}

// connect returns how to reach the cluster, and a client of it.
func (c *cluster) connect() (*rest.Config, client.Client, error) {
	config, err := c.kube.Config()
	if err != nil {
		return nil, nil, err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1beta2.AddToScheme(scheme)); err != nil {
		return nil, nil, fmt.Errorf("register kinds: %w", err)
	}
	connected, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	return config, connected, nil
}

func (c *cluster) operator() client.ObjectKey {
	return client.ObjectKey{Namespace: c.namespace, Name: operatorName}
}

// inventory reads what there is, with progress.
func (c *cluster) inventory(ctx context.Context, connected client.Client, streams terminal.Streams) (migrate.Inventory, error) {
	progress := streams.Step("reading what there is")
	inv, err := migrate.Read(ctx, connected, c.operator())
	if err != nil {
		progress.Fail(err)
		return migrate.Inventory{}, err
	}
	progress.Done("%d applications, %d schedules", len(inv.Applications), len(inv.Schedules))
	return inv, nil
}

// dryRun shows what would be done.
func dryRun(streams terminal.Streams, steps []string) {
	for i, step := range steps {
		fmt.Fprintf(streams.Out, "%d. %s\n", i+1, step)
	}
}
