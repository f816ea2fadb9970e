package connect_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var errCrashed = errors.New("the operator has crashed")

// crash ends an operator's ability to write at one of its writes, before or after the API server has done it.
type crash struct {
	at    int
	after bool

	mu      sync.Mutex
	writes  int
	crashed chan struct{}
}

func (c *crash) wrap(inner client.Client) client.Client {
	return &crashingClient{Client: inner, crash: c}
}

// write does a write, unless the operator has crashed.
func (c *crash) write(do func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	switch {
	case c.writes > c.at:
		return errCrashed
	case c.writes < c.at:
		return do()
	}
	close(c.crashed)
	if c.after {
		return errors.Join(errCrashed, do())
	}
	return errCrashed
}

type crashingClient struct {
	client.Client
	crash *crash
}

func (c *crashingClient) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	return c.crash.write(func() error { return c.Client.Create(ctx, object, opts...) })
}

func (c *crashingClient) Apply(ctx context.Context, object runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	return c.crash.write(func() error { return c.Client.Apply(ctx, object, opts...) })
}

func (c *crashingClient) Delete(ctx context.Context, object client.Object, opts ...client.DeleteOption) error {
	return c.crash.write(func() error { return c.Client.Delete(ctx, object, opts...) })
}

func (c *crashingClient) DeleteAllOf(ctx context.Context, object client.Object, opts ...client.DeleteAllOfOption) error {
	return c.crash.write(func() error { return c.Client.DeleteAllOf(ctx, object, opts...) })
}

func (c *crashingClient) Status() client.SubResourceWriter {
	return &crashingStatus{SubResourceWriter: c.Client.Status(), crash: c.crash}
}

type crashingStatus struct {
	client.SubResourceWriter
	crash *crash
}

func (c *crashingStatus) Patch(ctx context.Context, object client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	return c.crash.write(func() error { return c.SubResourceWriter.Patch(ctx, object, patch, opts...) })
}

// writesOfALife is how many writes a server takes: the claim, its Service, policy and configuration, its pod, what status
// says of it, Ready; and when it dies: the second claim, the removal of its pod, the same again. Where the cache is late some
// are refused, and done again.
const writesOfALife = 15

func TestCrashAtEveryWrite(t *testing.T) {
	for at := 1; at <= writesOfALife; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("Write%dDone=%t", at, after), func(t *testing.T) { crashAndRecover(t, at, after) })
		}
	}
}

// crashAndRecover lets an operator crash at a write and another take over, and expects what would have come without it: one
// pod for each run.
func crashAndRecover(t *testing.T, at int, after bool) {
	w := newWorld(t)
	crash := &crash{at: at, after: after, crashed: make(chan struct{})}
	stop := w.operate(crash.wrap)
	c := w.create(nil)
	readyOrCrashed := func(run int64) (isReady bool) {
		w.eventually("the operator crashes, or has the server ready", func(ctx context.Context) (bool, error) {
			err := w.client.Get(ctx, client.ObjectKeyFromObject(c), c)
			isReady = readyInRun(run)(c.Status)
			select {
			case <-crash.crashed:
				return true, err
			default:
				return isReady, err
			}
		}, func() string { return fmt.Sprintf("%+v", c.Status) })
		return isReady
	}
	run, want := int64(1), map[string]int{"1": 1}
	if readyOrCrashed(1) {
		w.kubelet.end(1)
		readyOrCrashed(2)
		run, want = 2, map[string]int{"1": 1, "2": 1}
	}
	stop()

	w.operate(reliably)
	w.await(c, "the server is ready", readyInRun(run))
	if diff := cmp.Diff(want, w.kubelet.runs()); diff != "" {
		t.Errorf("pods of each run\n-want +got:\n%s", diff)
	}
}
