package kube

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// Change is what a watch has seen: an object as it is, or as it was before it was deleted.
type Change[T runtime.Object] struct {
	Object T
	Gone   bool
	// None says that there is nothing to watch at all, once, at the beginning.
	None bool
}

// Watch reports the objects of source as they are and whenever they change, until ctx ends or see says that it is done.
// A connection that breaks off is taken up again. An error is one that waiting does not mend, a right that is missing, or
// see's own.
func Watch[T runtime.Object](ctx context.Context, source *cache.ListWatch, kind T, see func(Change[T]) (done bool, err error)) error {
	ctx, stop := context.WithCancelCause(klog.NewContext(ctx, logr.Discard()))
	changes := make(chan Change[T])
	informer := informerOf(ctx, giveUp(source, stop), kind, changes)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		informer.RunWithContext(ctx)
	}()
	defer func() {
		stop(nil)
		<-ended
	}()
	synced := time.NewTicker(50 * time.Millisecond)
	defer synced.Stop()
	for begun := false; ; {
		change := Change[T]{None: true}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case change = <-changes:
		case <-synced.C:
			if begun || !informer.HasSynced() {
				continue
			}
		}
		begun = true
		synced.Stop() // It has nothing more to say.
		if done, err := see(change); done || err != nil {
			return err
		}
	}
}

// informerOf follows source and sends what changes.
func informerOf[T runtime.Object](ctx context.Context, source cache.ListerWatcher, kind T, changes chan<- Change[T]) cache.Controller {
	send := func(object any, gone bool) {
		if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = last.Obj
		}
		if known, ok := object.(T); ok {
			select {
			case changes <- Change[T]{Object: known, Gone: gone}:
			case <-ctx.Done():
			}
		}
	}
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: source,
		ObjectType:    kind,
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(object any) { send(object, false) },
			UpdateFunc: func(_, object any) { send(object, false) },
			DeleteFunc: func(object any) { send(object, true) },
		},
	})
	return informer
}

// giveUp ends the watch with the server's word where that refuses it: a right does not come by waiting.
func giveUp(source *cache.ListWatch, stop context.CancelCauseFunc) *cache.ListWatch {
	refused := func(err error) {
		if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err) {
			stop(fmt.Errorf("watch: %w", err))
		}
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list, err := source.ListWithContext(ctx, options)
			refused(err)
			return list, err // The reflector looks at what kind of error it is.
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			events, err := source.WatchWithContext(ctx, options)
			refused(err)
			return events, err // The reflector looks at what kind of error it is.
		},
	}
}
