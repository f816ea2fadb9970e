package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	release "helm.sh/helm/v4/pkg/release/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// plan is what an installation comes to.
type plan struct {
	// current is the revision that is installed well, nil for the first installation.
	current *release.Release
	values  map[string]any
	// system is the operator's namespace as it is to be, nil where it is somebody else's.
	system  *unstructured.Unstructured
	from    string
	to      string
	changes []Change
}

// Action is what happens to an object.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "change"
	Delete Action = "remove"
	// Keep leaves an object in the cluster that Brazier has no more to do with.
	Keep Action = "keep"
	// None is for an object that is as it should be.
	None Action = ""
)

// Change is what happens to one object of the cluster.
type Change struct {
	Action Action
	// Before is the object as it is, nil where there is none; After as it will be.
	Before, After *unstructured.Unstructured
}

func (c Change) object() *unstructured.Unstructured {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

func (p *plan) count(action Action) int {
	n := 0
	for _, change := range p.changes {
		if change.Action == action {
			n++
		}
	}
	return n
}

// nothingToDo reports whether cluster and release are as they should be.
func (p *plan) nothingToDo() bool {
	return p.current != nil && p.from == p.to && p.count(None) == len(p.changes) && equality.Semantic.DeepEqual(p.current.Config, p.values)
}

func (p *plan) title() string {
	if p.current == nil {
		return "installing Brazier " + p.to
	}
	if p.from == p.to {
		return "changing Brazier " + p.to
	}
	return fmt.Sprintf("upgrading Brazier from %s to %s", p.from, p.to)
}

// plan compares what the chart makes of opts with what is in the cluster. It changes nothing.
func (i *Installer) plan(ctx context.Context, last *release.Release, opts Options) (*plan, error) {
	given, err := asStored(opts.Values)
	if err != nil {
		return nil, err
	}
	p := &plan{values: given, to: i.chart.AppVersion()}
	if last != nil {
		if p.current, err = i.deployed(); err != nil {
			return nil, err
		}
		if p.current == nil && last.Version > 1 {
			p.current = last // Helm, too, goes on from a failed one where there is no better.
		}
	}
	if p.current != nil {
		p.from = p.current.Chart.AppVersion()
		if opts.KeepValues {
			p.values = loader.MergeMaps(p.current.Config, given)
		}
	}
	text, err := render(i.chart, i.namespace, p.values)
	if err != nil {
		return nil, err
	}
	wanted, err := parse(text)
	if err != nil {
		return nil, err
	}
	if err := i.planSystemNamespace(ctx, p); err != nil {
		return nil, err
	}
	for _, object := range wanted {
		change, err := i.compare(ctx, owned(object, i.namespace))
		if err != nil {
			return nil, err
		}
		p.changes = append(p.changes, change)
	}
	return p, i.planRemoval(ctx, p, wanted)
}

// asStored returns values as they are read back from a release, so that they can be compared.
func asStored(values map[string]any) (map[string]any, error) {
	text, err := yaml.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("write the values: %w", err)
	}
	stored := make(map[string]any)
	if err := yaml.Unmarshal(text, &stored); err != nil {
		return nil, fmt.Errorf("read the values: %w", err)
	}
	return stored, nil
}

// planRemoval adds what the current revision has and the wanted objects have not.
func (i *Installer) planRemoval(ctx context.Context, p *plan, wanted []*unstructured.Unstructured) error {
	if p.current == nil {
		return nil
	}
	stays := make(map[string]bool)
	for _, object := range wanted {
		stays[describe(object)] = true
	}
	removals, err := i.removals(ctx, p.current, func(object *unstructured.Unstructured) bool { return !stays[describe(object)] })
	p.changes = append(p.changes, removals...)
	return err
}

// removals returns those of a revision's objects that are there and are chosen, with what is done to them when they go.
func (i *Installer) removals(ctx context.Context, from *release.Release, chosen func(*unstructured.Unstructured) bool) ([]Change, error) {
	objects, err := parse(from.Manifest)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for _, object := range objects {
		if !chosen(object) {
			continue
		}
		live, err := i.live(ctx, object)
		if err != nil {
			return nil, err
		}
		if live == nil {
			continue
		}
		change := Change{Action: Delete, Before: live}
		if object.GetAnnotations()["helm.sh/resource-policy"] == "keep" {
			change.Action = Keep
		}
		changes = append(changes, change)
	}
	return changes, nil
}

// compare asks the API server what applying the object would make of the one that is there.
func (i *Installer) compare(ctx context.Context, wanted *unstructured.Unstructured) (Change, error) {
	before, err := i.live(ctx, wanted)
	if err != nil {
		return Change{}, err
	}
	if before == nil {
		return Change{Action: Create, After: wanted}, nil
	}
	after := wanted.DeepCopy()
	err = i.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(after), client.FieldOwner(helmFieldManager), client.ForceOwnership, client.DryRunAll)
	if err != nil {
		return Change{}, fmt.Errorf("compare %s: %w", describe(wanted), err)
	}
	change := Change{Action: Update, Before: before, After: after}
	if equality.Semantic.DeepEqual(meant(before), meant(after)) {
		change.Action = None
	}
	return change, nil
}

// live returns the object as it is in the cluster, nil where it is not.
func (i *Installer) live(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	live := new(unstructured.Unstructured)
	live.SetGroupVersionKind(object.GroupVersionKind())
	err := i.client.Get(ctx, client.ObjectKeyFromObject(object), live)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", describe(object), err)
	}
	return live, nil
}

// owned returns the object with the marks by which Helm knows its own.
func owned(object *unstructured.Unstructured, namespace string) *unstructured.Unstructured {
	object = object.DeepCopy()
	labels, annotations := object.GetLabels(), object.GetAnnotations()
	if labels == nil {
		labels = make(map[string]string)
	}
	if annotations == nil {
		annotations = make(map[string]string)
	}
	labels["app.kubernetes.io/managed-by"] = "Helm"
	annotations["meta.helm.sh/release-name"], annotations["meta.helm.sh/release-namespace"] = releaseName, namespace
	object.SetLabels(labels)
	object.SetAnnotations(annotations)
	return object
}

// meant returns the object without what the API server and others write into it by themselves.
func meant(object *unstructured.Unstructured) map[string]any {
	object = object.DeepCopy()
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"} {
		unstructured.RemoveNestedField(object.Object, "metadata", field)
	}
	unstructured.RemoveNestedField(object.Object, "status")
	return object.Object
}

// describe names an object for the user.
func describe(object *unstructured.Unstructured) string {
	name := object.GetName()
	if namespace := object.GetNamespace(); namespace != "" {
		name = namespace + "/" + name
	}
	return object.GetKind() + " " + name
}

// parse reads the objects of a rendered chart.
func parse(text string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		object := new(unstructured.Unstructured)
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("parse what was rendered: %w", err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}
