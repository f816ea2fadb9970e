// Package install puts Brazier onto a cluster: the definitions of its kinds, the operator with the rights that it needs
// and no more, and in each namespace for applications an account for their drivers. It makes no cluster and no image,
// and knows what the operator is told but not what it does with it.
//
// Everything goes through server-side apply as one field manager, so that installing again is how to upgrade and to
// repair, and what others add to the objects stays.
package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/operator"
	"brazier.sh/brazier/internal/terminal"
)

// FieldManager is Brazier's name in server-side apply.
const FieldManager = "brazier"

// startTimeout is how long the operator may take to start, its image's download included.
const startTimeout = 3 * time.Minute

// Options say what is installed.
type Options struct {
	// Image is the operator's image.
	Image string
	// Config is what the operator is told. Where it listens and its lease lies is not up to it.
	Config operator.Config
	// Namespaces are those that applications are to run in. They are made where they do not exist.
	Namespaces []string
}

type installer struct {
	client  client.Client
	streams terminal.Streams
}

// Apply installs Brazier and waits until the operator is available. Done again it changes only what differs.
func Apply(ctx context.Context, config *rest.Config, opts Options, streams terminal.Streams) error {
	if opts.Image == "" {
		return errors.New("no image for the operator: name one that the cluster can pull")
	}
	// Where the operator runs and listens is this package's matter: probes and ports have to agree with it.
	opts.Config.LeaderElectionNamespace = Namespace
	opts.Config.HealthAddress, opts.Config.MetricsAddress = "", ""
	i, err := newInstaller(config, streams)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context, Options) error
	}{
		{"defining the kinds of application", i.applyDefinitions},
		{"installing the operator", i.applyOperator},
		{"preparing namespaces for applications", i.applyNamespaces},
		{"waiting for the operator", i.waitForOperator},
	} {
		progress := streams.Step("%s", step.name)
		if err := step.do(ctx, opts); err != nil {
			progress.Fail(err)
			return fmt.Errorf("%s: %w", step.name, err)
		}
		progress.Done("")
	}
	return nil
}

// Remove removes the operator and what drivers were given. The definitions stay, since every application would go with
// them, and so do namespaces that applications run in.
func Remove(ctx context.Context, config *rest.Config, opts Options, streams terminal.Streams) error {
	i, err := newInstaller(config, streams)
	if err != nil {
		return err
	}
	objects, err := operatorObjects(opts)
	if err != nil {
		return err
	}
	for _, namespace := range sortedNamespaces(opts) {
		objects = append(objects, driverObjects(namespace)...)
	}
	objects = append(objects, systemNamespace())

	progress := streams.Step("removing the operator")
	// The Deployment goes first: an operator that loses its rights one by one would fail loudly until it is gone.
	slices.SortStableFunc(objects, func(a, b runtime.Object) int { return order(a) - order(b) })
	for _, object := range objects {
		if err := i.delete(ctx, object); err != nil {
			progress.Fail(err)
			return err
		}
	}
	progress.Done("")
	return nil
}

func newInstaller(config *rest.Config, streams terminal.Streams) (*installer, error) {
	c, err := client.New(config, client.Options{})
	if err != nil {
		return nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	return &installer{client: c, streams: streams}, nil
}

func (i *installer) applyDefinitions(ctx context.Context, _ Options) error {
	all, err := definitions()
	if err != nil {
		return err
	}
	for _, definition := range all {
		if err := i.applyPlain(ctx, definition); err != nil {
			return err
		}
	}
	for _, definition := range all {
		if err := i.waitEstablished(ctx, definition.GetName()); err != nil {
			return err
		}
	}
	return nil
}

func (i *installer) applyOperator(ctx context.Context, opts Options) error {
	objects, err := operatorObjects(opts)
	if err != nil {
		return err
	}
	return i.apply(ctx, append([]runtime.Object{systemNamespace()}, objects...)...)
}

func (i *installer) applyNamespaces(ctx context.Context, opts Options) error {
	for _, namespace := range sortedNamespaces(opts) {
		err := i.apply(ctx, append([]runtime.Object{namespaceObject(namespace)}, driverObjects(namespace)...)...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (i *installer) apply(ctx context.Context, objects ...runtime.Object) error {
	for _, object := range objects {
		plain, err := clean(object)
		if err != nil {
			return err
		}
		if err := i.applyPlain(ctx, plain); err != nil {
			return err
		}
	}
	return nil
}

func (i *installer) applyPlain(ctx context.Context, object *unstructured.Unstructured) error {
	// What Brazier means is Brazier's: a value that somebody changed by hand is put right.
	err := i.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(FieldManager), client.ForceOwnership)
	if err != nil {
		return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	return nil
}

func (i *installer) delete(ctx context.Context, object runtime.Object) error {
	plain, err := clean(object)
	if err != nil {
		return err
	}
	if err := i.client.Delete(ctx, plain); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s %s: %w", plain.GetKind(), plain.GetName(), err)
	}
	return nil
}
