// Package namespaces limits controllers to the namespaces whose labels match a selector. The cache holds the whole cluster
// all the same, so that a namespace that gains the label is noticed, and what is in it looked after from then on. It knows
// nothing of what the controllers do, nor of namespaces that are listed by name: those limit the cache itself.
package namespaces

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Selection is the namespaces whose labels match a selector. A nil one is all namespaces.
type Selection struct {
	selector labels.Selector
	cached   client.Reader
}

// Select returns the namespaces whose labels match selector, as cached knows them; all of them for nil.
func Select(selector *metav1.LabelSelector, cached client.Reader) (*Selection, error) {
	if selector == nil {
		return nil, nil
	}
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return nil, fmt.Errorf("read the selector of namespaces: %w", err)
	}
	return &Selection{selector: parsed, cached: cached}, nil
}

// Has reports whether the namespace is one of the selection.
func (s *Selection) Has(ctx context.Context, name string) (bool, error) {
	if s == nil {
		return true, nil
	}
	namespace := new(corev1.Namespace)
	if err := s.cached.Get(ctx, client.ObjectKey{Name: name}, namespace); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return s.selector.Matches(labels.Set(namespace.Labels)), nil
}

// Complete makes the controller of b, whose objects are of the kind of list. It reconciles those in selected namespaces,
// and all that are in a namespace when that becomes a selected one.
func (s *Selection) Complete(b *builder.Builder, r reconcile.Reconciler, list client.ObjectList) error {
	if s == nil {
		return b.Complete(r)
	}
	return b.
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(s.everything(list)), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Complete(reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
			if selected, err := s.Has(ctx, req.Namespace); err != nil || !selected {
				return reconcile.Result{}, err
			}
			return r.Reconcile(ctx, req)
		}))
}

// everything returns a function that lists what is in a namespace, if that is selected.
func (s *Selection) everything(kind client.ObjectList) handler.MapFunc {
	return func(ctx context.Context, namespace client.Object) []reconcile.Request {
		if !s.selector.Matches(labels.Set(namespace.GetLabels())) {
			return nil
		}
		list := kind.DeepCopyObject().(client.ObjectList)
		var requests []reconcile.Request
		err := s.cached.List(ctx, list, client.InNamespace(namespace.GetName()), client.UnsafeDisableDeepCopy)
		if err == nil {
			err = meta.EachListItem(list, func(item runtime.Object) error {
				requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(item.(client.Object))})
				return nil
			})
		}
		if err != nil {
			log.FromContext(ctx).Error(err, "list what is in a namespace that is selected now", "namespace", namespace.GetName())
		}
		return requests
	}
}

// Reader returns a reader whose lists leave out what is in namespaces that are not selected.
func (s *Selection) Reader(all client.Reader) client.Reader {
	if s == nil {
		return all
	}
	return reader{Reader: all, selection: s}
}

type reader struct {
	client.Reader
	selection *Selection
}

// List implements client.Reader.
func (r reader) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if err := r.Reader.List(ctx, list, options...); err != nil {
		return err
	}
	var kept []runtime.Object
	err := meta.EachListItem(list, func(item runtime.Object) error {
		selected, err := r.selection.Has(ctx, item.(client.Object).GetNamespace())
		if selected {
			kept = append(kept, item)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("leave out namespaces that are not selected: %w", err)
	}
	return meta.SetList(list, kept)
}
