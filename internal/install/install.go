// Package install puts Brazier onto a cluster, changes it there and removes it. What is installed is said by the chart alone
// (charts/brazier); this package renders it, shows what would change, and has Helm carry it out, so that "helm list",
// "helm get" and "helm upgrade" know what "brazier install" did, and the other way round. It makes no cluster and no image,
// and knows what the operator is told but not what it does with it.
package install

import (
	"context"
	"errors"
	"fmt"
	"time"

	"helm.sh/helm/v4/pkg/action"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	release "helm.sh/helm/v4/pkg/release/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/terminal"
)

const (
	// DefaultNamespace is where the operator lives unless it is told otherwise.
	DefaultNamespace = "brazier-system"
	// DefaultTimeout is how long the operator may take to start, its image's download included.
	DefaultTimeout = 3 * time.Minute

	// releaseName is Brazier's name for Helm. The chart's objects have fixed names, so that there is no use for another.
	releaseName  = "brazier"
	operatorName = "brazier-operator"
	// maxHistory is how many revisions Helm keeps. Each holds the definitions and takes more than half a megabyte.
	maxHistory = 5
)

// Options say what is installed.
type Options struct {
	// Values are laid over the chart's own.
	Values map[string]any
	// KeepValues lays Values over those that were given the last time, instead of forgetting them.
	KeepValues bool
	// Timeout is how long to wait for the operator. 0: not at all.
	Timeout time.Duration
	// Alone says that nobody else installs on this cluster, so that an attempt that was cut off is known to be dead.
	Alone bool
}

// Installer installs Brazier in one namespace of one cluster.
type Installer struct {
	namespace string
	client    client.Client
	helm      *action.Configuration
	chart     *chart.Chart
	streams   terminal.Streams
}

// New returns an installer for the operator's namespace on the cluster of config.
func New(config *rest.Config, namespace string, streams terminal.Streams) (*Installer, error) {
	loaded, err := loadChart()
	if err != nil {
		return nil, err
	}
	// Warnings are of what is about to be replaced, or nothing that the user could do anything about.
	config = rest.CopyConfig(config)
	config.WarningHandler = rest.NoWarnings{}
	c, err := client.New(config, client.Options{})
	if err != nil {
		return nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	helm, err := configureHelm(config, namespace)
	if err != nil {
		return nil, err
	}
	return &Installer{namespace: namespace, client: c, helm: helm, chart: loaded, streams: streams}, nil
}

// Install installs Brazier where it is not yet.
func (i *Installer) Install(ctx context.Context, opts Options) error {
	last, err := i.last()
	if err != nil {
		return err
	}
	if installed(last) {
		return fmt.Errorf("the namespace %s has Brazier %s already; \"brazier upgrade\" changes it", i.namespace, last.Chart.AppVersion())
	}
	return i.put(ctx, last, opts)
}

// Upgrade changes the Brazier that is installed.
func (i *Installer) Upgrade(ctx context.Context, opts Options) error {
	last, err := i.last()
	if err != nil {
		return err
	}
	if last == nil {
		return i.notInstalled()
	}
	return i.put(ctx, last, opts)
}

// Ensure installs Brazier, or changes the one that is installed to what opts say.
func (i *Installer) Ensure(ctx context.Context, opts Options) error {
	last, err := i.last()
	if err != nil {
		return err
	}
	return i.put(ctx, last, opts)
}

func (i *Installer) notInstalled() error {
	return fmt.Errorf("there is no Brazier in the namespace %s; \"brazier install\" puts it there (and takes over what an "+
		"earlier version left without Helm), --namespace names another", i.namespace)
}

// put carries out what the plan for opts says. Whatever fails on the way is undone.
func (i *Installer) put(ctx context.Context, last *release.Release, opts Options) error {
	if err := i.goOnFrom(last, opts); err != nil {
		return err
	}
	plan, err := i.plan(ctx, last, opts)
	if err != nil {
		return err
	}
	i.announce(plan)
	if !plan.nothingToDo() {
		if err := i.carryOut(ctx, plan); err != nil {
			return err
		}
	}
	if opts.Timeout > 0 {
		if err := i.await(ctx, plan, opts.Timeout); err != nil {
			return err
		}
	}
	i.conclude(plan)
	return nil
}

// carryOut applies the plan. Helm is not told of ctx's end: it would leave a part of the objects behind.
func (i *Installer) carryOut(ctx context.Context, plan *plan) error {
	progress := i.streams.Step("%s", plan.title())
	err := i.applySystemNamespace(ctx, plan)
	if err == nil {
		err = i.runHelm(plan)
	}
	if err != nil {
		progress.Fail(errors.New("failed"))
		return i.undo(ctx, plan, fmt.Errorf("%s: %w", plan.title(), err))
	}
	progress.Done("")
	return nil
}

// await waits for the operator, and undoes what was done if it does not come up. Where the user ended the waiting there is
// nothing to undo: what is there goes on by itself.
func (i *Installer) await(ctx context.Context, plan *plan, timeout time.Duration) error {
	progress := i.streams.Step("waiting for the operator")
	err := i.waitForDefinitions(ctx, plan)
	if err == nil {
		err = i.waitForOperator(ctx, timeout)
	}
	if err == nil {
		progress.Done("")
		return nil
	}
	progress.Fail(errors.New("failed"))
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w while the operator was starting; everything is applied and goes on by itself: "+
			"kubectl rollout status deployment/%s --namespace %s", cause, operatorName, i.namespace)
	}
	return i.undo(ctx, plan, fmt.Errorf("the operator does not start: %w", err))
}
