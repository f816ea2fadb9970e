package migrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/internal/install"
	"brazier.sh/brazier/internal/migrate"
	"brazier.sh/brazier/internal/terminal"
)

// lookAgain is how often the applications are looked at until Brazier has seen them all.
const lookAgain = 500 * time.Millisecond

type applyOptions struct {
	streams   terminal.Streams
	cluster   cluster
	image     string
	values    string
	noInstall bool
	force     bool
	dryRun    bool
	patience  time.Duration
}

func newApplyCommand(streams terminal.Streams) *cobra.Command {
	opts := applyOptions{streams: streams}
	cmd := &cobra.Command{
		Use:   "apply (--operator-image IMAGE | --no-install)",
		Short: "Take the cluster over; applications that run go on",
		Long: `Take the cluster over: stop the other operator, remove its webhooks, install Brazier with the values that the
other's come to, and show what has become of the applications.

What is removed is saved first, and "brazier migrate undo" brings it back. Broken off anywhere, the command is to be run
again. With --no-install Brazier is somebody else's to install; where its Deployment waits at 0 replicas it is started.`,
		Example: `  brazier migrate apply --operator-image registry.example.com/brazier:1.0 --dry-run
  brazier migrate apply --operator-image registry.example.com/brazier:1.0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context()) },
	}
	opts.cluster.addTo(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&opts.image, "operator-image", "", "the operator's `image`, which the cluster can pull")
	flags.StringVar(&opts.values, "values", "", "a `file` of values of Brazier's chart, over those that the other's come to (YAML)")
	flags.BoolVar(&opts.noInstall, "no-install", false, "do not install Brazier: somebody else does")
	flags.BoolVar(&opts.force, "force", false, "go on in spite of what \"brazier migrate check\" says blocks")
	flags.BoolVar(&opts.dryRun, "dry-run", false, "show the steps and do nothing")
	flags.DurationVar(&opts.patience, "timeout", defaultPatience, "how `long` each thing that is waited for may take")
	cmd.MarkFlagsOneRequired("operator-image", "no-install")
	cmd.MarkFlagsMutuallyExclusive("operator-image", "no-install")
	return cmd
}

func (o *applyOptions) run(ctx context.Context) error {
	config, connected, err := o.cluster.connect()
	if err != nil {
		return err
	}
	migration := &migrate.Migration{
		Client: connected, Operator: o.cluster.operator(), Force: o.force, Patience: o.patience, Streams: o.streams,
	}
	if !o.noInstall {
		migration.Installer = &installer{config: config, namespace: o.cluster.namespace, image: o.image, timeout: o.patience, streams: o.streams}
	}
	if migration.Values, err = readValues(o.values); err != nil {
		return err
	}
	inv, err := o.cluster.inventory(ctx, connected, o.streams)
	if err != nil {
		return err
	}
	if o.dryRun {
		dryRun(o.streams, migration.Steps(inv))
		if blockers := migrate.Check(inv).Blockers(); len(blockers) > 0 {
			return &migrate.Blocked{Findings: blockers}
		}
		return nil
	}
	if err := migration.Apply(ctx); err != nil {
		return err
	}
	if migration.Installer == nil && inv.Operator == nil {
		fmt.Fprintln(o.streams.Err, "Nobody leads the applications now: install Brazier.")
		return nil
	}
	return o.show(ctx, connected)
}

// readValues reads a file of values, if there is one.
func readValues(path string) (map[string]any, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--values: %w", err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		return nil, fmt.Errorf("--values: parse %s: %w", path, err)
	}
	return values, nil
}

// show waits until Brazier has looked at every application that has not ended, and lists them.
func (o *applyOptions) show(ctx context.Context, connected client.Client) error {
	var adopted []migrate.TakenOver
	err := wait.PollUntilContextTimeout(ctx, lookAgain, o.patience, true, func(ctx context.Context) (bool, error) {
		inv, err := migrate.Read(ctx, connected, o.cluster.operator())
		if err != nil {
			return false, err
		}
		adopted = migrate.Adopted(inv)
		for _, app := range adopted {
			if !app.Known {
				return false, nil
			}
		}
		return true, nil
	})
	var rows [][]string
	for _, app := range adopted {
		known := "yes"
		if !app.Known {
			known = "not yet"
		}
		rows = append(rows, []string{app.Namespace, app.Name, app.State, app.Driver, known})
	}
	o.streams.Table([]string{"NAMESPACE", "APPLICATION", "STATE", "DRIVER", "TAKEN OVER"}, rows)
	switch {
	case wait.Interrupted(err) && ctx.Err() == nil:
		return errors.New("there are applications that Brazier has not looked at: does it look after their namespaces? Its log says why")
	case err != nil:
		return fmt.Errorf("look at the applications: %w", err)
	}
	return nil
}

// installer installs Brazier as "brazier install" does.
type installer struct {
	config    *rest.Config
	namespace string
	image     string
	timeout   time.Duration
	streams   terminal.Streams
}

// Install implements migrate.Installer.
func (i *installer) Install(ctx context.Context, values map[string]any) error {
	made, err := install.New(i.config, i.namespace, i.streams)
	if err != nil {
		return err
	}
	return made.Ensure(ctx, install.Options{Values: install.MergeValues(values, install.ImageValues(i.image)), Timeout: i.timeout})
}
