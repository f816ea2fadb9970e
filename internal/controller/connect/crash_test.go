package connect_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/test/apiserver"
)

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
	crash := apiserver.CrashAt(at, after)
	stop := w.operate(crash.Wrap)
	c := w.create(nil)
	readyOrCrashed := func(run int64) (isReady bool) {
		w.Eventually("the operator crashes, or has the server ready", func(ctx context.Context) (bool, error) {
			err := w.Client.Get(ctx, client.ObjectKeyFromObject(c), c)
			isReady = readyInRun(run)(c.Status)
			select {
			case <-crash.Crashed():
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

	w.operate(apiserver.Reliably)
	w.await(c, "the server is ready", readyInRun(run))
	if diff := cmp.Diff(want, w.kubelet.runs()); diff != "" {
		t.Errorf("pods of each run\n-want +got:\n%s", diff)
	}
}
