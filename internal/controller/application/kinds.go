package application

import (
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/spark"
)

// kinds remembers of which kinds objects were made for the runs under way, so that an end does not ask the API server to
// remove what never was. The specification cannot tell: it may have been edited since, and so may the operator's
// configuration. Only runs that this process has claimed are known, until they are released.
type kinds struct {
	lock sync.Mutex
	runs map[types.NamespacedName]runKinds
}

type runKinds struct {
	run  run
	made []schema.GroupVersionKind
}

// begin takes down that a run is claimed, of which nothing was made yet.
func (k *kinds) begin(app *v1beta2.SparkApplication, number int64) {
	k.lock.Lock()
	defer k.lock.Unlock()
	if k.runs == nil {
		k.runs = make(map[types.NamespacedName]runKinds)
	}
	k.runs[client.ObjectKeyFromObject(app)] = runKinds{run: run{app: app.UID, number: number}}
}

// add takes down that an object of kind is about to be made for the current run.
func (k *kinds) add(app *v1beta2.SparkApplication, kind schema.GroupVersionKind) {
	k.lock.Lock()
	defer k.lock.Unlock()
	key := client.ObjectKeyFromObject(app)
	known := k.runs[key]
	if known.run != (run{app: app.UID, number: app.Status.Run}) || slices.Contains(known.made, kind) {
		return
	}
	known.made = append(known.made, kind)
	k.runs[key] = known
}

// of returns the kinds that were made for the current run, if that is known.
func (k *kinds) of(app *v1beta2.SparkApplication) ([]schema.GroupVersionKind, bool) {
	k.lock.Lock()
	defer k.lock.Unlock()
	known := k.runs[client.ObjectKeyFromObject(app)]
	return slices.Clone(known.made), known.run == run{app: app.UID, number: app.Status.Run}
}

func (k *kinds) forget(app types.NamespacedName) {
	k.lock.Lock()
	defer k.lock.Unlock()
	delete(k.runs, app)
}

// remember takes down of which kinds plan's objects are, before any of them is made.
func (r *Reconciler) remember(app *v1beta2.SparkApplication, plan *spark.Plan) error {
	for _, object := range plan.Objects() {
		kind, err := apiutil.GVKForObject(object, r.cluster.Scheme())
		if err != nil {
			return fmt.Errorf("find the kind of %s: %w", object.GetName(), err)
		}
		r.kinds.add(app, kind)
	}
	return nil
}

// leftKinds returns an object of each kind that the current run may have left, beside its pods and claims.
func (r *Reconciler) leftKinds(app *v1beta2.SparkApplication) []client.Object {
	// Spark's driver makes these by itself, where configuration says so that its program may set.
	left := []client.Object{&corev1.Service{}, &corev1.ConfigMap{}}
	others := []client.Object{&networkingv1.NetworkPolicy{}, &networkingv1.Ingress{}, &policyv1.PodDisruptionBudget{}}
	made, known := r.kinds.of(app)
	if !known {
		return slices.Concat(left, others, podGroups(app))
	}
	for _, other := range slices.Concat(others, allPodGroups()) {
		if kind, err := apiutil.GVKForObject(other, r.cluster.Scheme()); err != nil || slices.Contains(made, kind) {
			left = append(left, other)
		}
	}
	return left
}

// allPodGroups are the kinds of group of the batch schedulers that have one.
func allPodGroups() []client.Object {
	var groups []client.Object
	for _, kind := range spark.PodGroupKinds() {
		groups = append(groups, podGroup(kind))
	}
	return groups
}

// podGroups are the kinds of group that the application's runs may have had: of the batch scheduler that it names, or of
// any once it was edited.
func podGroups(app *v1beta2.SparkApplication) []client.Object {
	if app.Generation > 1 {
		return allPodGroups()
	}
	if kind, ok := spark.PodGroupKinds()[app.Spec.BatchScheduler]; ok {
		return []client.Object{podGroup(kind)}
	}
	return nil
}

func podGroup(kind schema.GroupVersionKind) *unstructured.Unstructured {
	group := &unstructured.Unstructured{}
	group.SetGroupVersionKind(kind)
	return group
}
