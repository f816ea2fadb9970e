package apiserver

import (
	"context"
	"errors"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// ErrCrashed is what becomes of the writes of an operator that has crashed.
var ErrCrashed = errors.New("the operator has crashed")

// Crash ends an operator's ability to write at one of its writes, before or after the API server has done it.
type Crash struct {
	at    int
	after bool

	mu      sync.Mutex
	writes  int
	crashed chan struct{}
}

// CrashAt is a crash at that write of an operator's, counted from 1: before the API server has done it, or after.
func CrashAt(write int, after bool) *Crash {
	return &Crash{at: write, after: after, crashed: make(chan struct{})}
}

// Crashed is closed when the operator has crashed.
func (c *Crash) Crashed() <-chan struct{} { return c.crashed }

// Wrap is the Wrap of the operator that crashes.
func (c *Crash) Wrap(inner client.WithWatch) client.Client { return Writes(inner, c.write) }

// write does a write, unless the operator has crashed.
func (c *Crash) write(do func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	switch {
	case c.writes > c.at:
		return ErrCrashed
	case c.writes < c.at:
		return do()
	}
	close(c.crashed)
	if c.after {
		return errors.Join(ErrCrashed, do())
	}
	return ErrCrashed
}

// Writes returns a client each of whose writes is left to write, which is given what does it. A patch that changes nothing
// is not one.
func Writes(c client.WithWatch, write func(do func() error) error) client.WithWatch {
	return interceptor.NewClient(c, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.CreateOption) error {
			return write(func() error { return c.Create(ctx, object, opts...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.UpdateOption) error {
			return write(func() error { return c.Update(ctx, object, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, opts ...client.PatchOption) error {
			if data, err := patch.Data(object); err == nil && string(data) == "{}" {
				return c.Patch(ctx, object, patch, opts...)
			}
			return write(func() error { return c.Patch(ctx, object, patch, opts...) })
		},
		Apply: func(ctx context.Context, c client.WithWatch, object runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			return write(func() error { return c.Apply(ctx, object, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.DeleteOption) error {
			return write(func() error { return c.Delete(ctx, object, opts...) })
		},
		DeleteAllOf: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.DeleteAllOfOption) error {
			return write(func() error { return c.DeleteAllOf(ctx, object, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, name string, object client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			return write(func() error { return c.SubResource(name).Patch(ctx, object, patch, opts...) })
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, name string, object client.Object, opts ...client.SubResourceUpdateOption) error {
			return write(func() error { return c.SubResource(name).Update(ctx, object, opts...) })
		},
	})
}
