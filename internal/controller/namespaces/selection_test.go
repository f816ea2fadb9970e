package namespaces_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"brazier.sh/brazier/internal/controller/namespaces"
	"brazier.sh/brazier/test/apiserver"
)

// TestSelection has a controller of ConfigMaps that is limited to labelled namespaces see one gain its label and lose it.
func TestSelection(t *testing.T) {
	server := apiserver.Start(t)
	mgr, err := ctrl.NewManager(server.Config(), ctrl.Options{Metrics: metricsserver.Options{BindAddress: "0"}, Logger: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	selected, err := namespaces.Select(&metav1.LabelSelector{MatchLabels: map[string]string{"spark": "yes"}}, mgr.GetCache())
	if err != nil {
		t.Fatal(err)
	}
	seen := &record{}
	if err := selected.Complete(ctrl.NewControllerManagedBy(mgr).For(&corev1.ConfigMap{}), seen, &corev1.ConfigMapList{}); err != nil {
		t.Fatal(err)
	}
	apiserver.Operate(t, mgr.Start)
	ctx := t.Context()

	c := server.Client(t)
	p := &player{t: t, client: c}
	p.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "in", Labels: map[string]string{"spark": "yes"}}})
	out := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "out"}}
	p.create(out)
	p.touch("out") // the one worker comes to this first
	p.touch("in")
	p.until("the one in a selected namespace is reconciled", func() bool { return seen.has("in") })
	if seen.has("out") {
		t.Error("so was one in a namespace without the label")
	}
	p.label(out, map[string]string{"spark": "yes"})
	p.until("the one in a namespace that gains the label is reconciled", func() bool { return seen.has("out") })

	var all, some corev1.ConfigMapList
	p.label(out, nil)
	p.until("the loss of the label is known", func() bool {
		has, err := selected.Has(ctx, "out")
		return err == nil && !has
	})
	if err := errors.Join(mgr.GetCache().List(ctx, &all), selected.Reader(mgr.GetCache()).List(ctx, &some)); err != nil {
		t.Fatal(err)
	}
	if in := countIn(&some, "in"); len(all.Items) <= len(some.Items) || in == 0 || in != len(some.Items) {
		t.Errorf("a reader of the selection lists %d objects, %d of them in it, of %d", len(some.Items), in, len(all.Items))
	}
	seen.forget()
	p.touch("out")
	p.touch("in")
	p.until("the other goes on being reconciled", func() bool { return seen.has("in") })
	if seen.has("out") {
		t.Error("one in a namespace that lost the label is still reconciled")
	}
}

func TestAll(t *testing.T) {
	all, err := namespaces.Select(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if has, err := all.Has(t.Context(), "any"); err != nil || !has {
		t.Errorf("without a selector every namespace is selected, got %t, %v", has, err)
	}
	bad := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Like"}}}
	if _, err := namespaces.Select(bad, nil); err == nil {
		t.Error("a selector that selects nothing that anybody meant was taken")
	}
}

// countIn counts what is in a namespace.
func countIn(list *corev1.ConfigMapList, namespace string) int {
	found := 0
	for _, item := range list.Items {
		if item.Namespace == namespace {
			found++
		}
	}
	return found
}

// record takes down the namespaces that it reconciled objects called "touched" in.
type record struct {
	lock  sync.Mutex
	found map[string]bool
}

func (r *record) Reconcile(_ context.Context, req reconcile.Request) (reconcile.Result, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.found == nil {
		r.found = make(map[string]bool)
	}
	if req.Name == "touched" { // every namespace has a ConfigMap of Kubernetes' own
		r.found[req.Namespace] = true
	}
	return reconcile.Result{}, nil
}

func (r *record) has(namespace string) bool {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.found[namespace]
}

func (r *record) forget() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.found = nil
}

type player struct {
	t      *testing.T
	client client.Client
}

func (p *player) create(object client.Object) {
	p.t.Helper()
	if err := p.client.Create(p.t.Context(), object); err != nil {
		p.t.Fatal(err)
	}
}

// touch makes or changes a ConfigMap.
func (p *player) touch(namespace string) {
	p.t.Helper()
	configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "touched"}}
	if err := p.client.Create(p.t.Context(), configMap); err == nil {
		return
	}
	patch := client.RawPatch(types.MergePatchType, []byte(`{"data":{"touched":"again"}}`))
	if err := p.client.Patch(p.t.Context(), configMap, patch); err != nil {
		p.t.Fatal(err)
	}
}

func (p *player) label(namespace *corev1.Namespace, labels map[string]string) {
	p.t.Helper()
	before := namespace.DeepCopy()
	namespace.Labels = labels
	if err := p.client.Patch(p.t.Context(), namespace, client.MergeFrom(before)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *player) until(what string, is func() bool) {
	p.t.Helper()
	apiserver.Eventually(p.t, what, func(context.Context) (bool, error) { return is(), nil })
}
