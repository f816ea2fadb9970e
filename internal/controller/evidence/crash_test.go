package evidence_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// counted counts requests about records, and may fail from one of them on.
type counted struct {
	// at is the request at which the operator crashes, after says that it is done nevertheless; 0 is never.
	at    int
	after bool

	lock    sync.Mutex
	made    []string
	crashed chan struct{}
}

var errCrashed = errors.New("the operator has crashed")

func (c *counted) wrap(inner client.WithWatch) client.Client {
	return &countingClient{Client: inner, counted: c}
}

func (c *counted) said() []string {
	c.lock.Lock()
	defer c.lock.Unlock()
	return slices.Clone(c.made)
}

func (c *counted) request(verb string, object any, do func() error) error {
	if _, ok := object.(*v1alpha1.RunRecord); !ok {
		return do()
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	c.made = append(c.made, verb)
	switch {
	case c.at == 0 || len(c.made) < c.at:
		return do()
	case len(c.made) > c.at:
		return errCrashed
	}
	close(c.crashed)
	if c.after {
		return errors.Join(errCrashed, do())
	}
	return errCrashed
}

type countingClient struct {
	client.Client
	counted *counted
}

func (c *countingClient) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	return c.counted.request("get", object, func() error { return c.Client.Get(ctx, key, object, opts...) })
}

func (c *countingClient) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	return c.counted.request("create", object, func() error { return c.Client.Create(ctx, object, opts...) })
}

func (c *countingClient) Patch(ctx context.Context, object client.Object, patch client.Patch, opts ...client.PatchOption) error {
	return c.counted.request("patch", object, func() error { return c.Client.Patch(ctx, object, patch, opts...) })
}

// requestsOfARecord are those of a run that loses an executor and then fails: it is looked for and created, looked for and
// patched.
const requestsOfARecord = 4

// TestCrashAtEveryRequest has the operator end at each request about a record, and another take over.
func TestCrashAtEveryRequest(t *testing.T) {
	for at := 1; at <= requestsOfARecord; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("Request%dDone=%t", at, after), func(t *testing.T) { crashAndRecover(t, at, after) })
		}
	}
}

func crashAndRecover(t *testing.T, at int, after bool) {
	w := newWorld(t)
	crash := &counted{at: at, after: after, crashed: make(chan struct{})}
	stop := w.operate(crash.wrap)
	app, driver := w.submit("pi")
	w.become(driver, corev1.PodRunning, running())
	executor := w.executor(app, driver, 1)
	w.become(executor, corev1.PodFailed, ended(137, "OOMKilled", ""))
	if at > 2 {
		w.record(app, 1, anything)
	} else {
		<-crash.crashed
	}
	w.become(w.driver(app, "1"), corev1.PodFailed, ended(1, "Error", "ValueError: no"))
	w.Eventually("the operator crashes", func(context.Context) (bool, error) {
		select {
		case <-crash.crashed:
			return true, nil
		default:
			return false, nil
		}
	}, func() string { return fmt.Sprintf("it made %v", crash.said()) })
	stop()

	w.operate(apiserver.Reliably)
	w.await(app, func(app *v1beta2.SparkApplication) bool {
		return inState(v1beta2.ApplicationStateFailed)(app) && diagnosed("DriverOutOfMemory")(app) || len(app.Status.Conditions) > 3
	})
	record := w.record(app, 1, func(record *v1alpha1.RunRecord) bool {
		return len(record.Evidence.Pods) > 0 && record.Evidence.Pods[0].Role == v1alpha1.RoleDriver
	})
	if end := record.Evidence.Pods[0].Containers[0].Terminated; end == nil || end.ExitCode != 1 {
		t.Errorf("want how the driver ended, got %+v", record.Evidence.Pods[0])
	}
}
