package workers_test

import (
	"slices"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"brazier.sh/brazier/internal/controller/workers"
)

var (
	sick    = reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "sales", Name: "sick"}}
	healthy = reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "sales", Name: "healthy"}}
)

// TestBackoff has an object fail for hours: it is never left alone for long, and no other waits for it.
func TestBackoff(t *testing.T) {
	limiter := workers.Options("jobs", 1, funcr.New(func(string, string) {}, funcr.Options{})).RateLimiter
	var waits []time.Duration
	for range 200 {
		waits = append(waits, limiter.When(sick))
	}
	if !slices.IsSorted(waits) {
		t.Errorf("it waits shorter after more failures: %v", waits)
	}
	if first, last := waits[0], waits[len(waits)-1]; first != 50*time.Millisecond || last != 30*time.Second {
		t.Errorf("it waits from %v to %v, want from 50ms to 30s", first, last)
	}
	if wait := limiter.When(healthy); wait != waits[0] {
		t.Errorf("another waits %v for it", wait)
	}
}

func TestLog(t *testing.T) {
	var lines []string
	log := funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{})
	options := workers.Options("jobs", 1, log)
	options.LogConstructor(nil).Info("started")
	options.LogConstructor(&sick).Info("failed")
	want := []string{
		`"level"=0 "msg"="started" "controller"="jobs"`,
		`"level"=0 "msg"="failed" "controller"="jobs" "namespace"="sales" "name"="sick"`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("each line says once what it is about\n-want +got:\n%s", diff)
	}
}
