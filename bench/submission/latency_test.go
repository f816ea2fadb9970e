//go:build bench

package submission

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/terminal"
)

const (
	// pause lets the cluster come to rest between two samples.
	pause = 100 * time.Millisecond
	// The longest that a driver may take to be there when nothing else is going on.
	mostUsual, mostRarely = 20 * time.Millisecond, 100 * time.Millisecond
)

// TestLatency creates one application after the other on an idle cluster and waits for each one's driver. The floor is
// a pod that is created and seen by the same client on the same API server.
func TestLatency(t *testing.T) {
	samples := number("SAMPLES", 200)
	c := newCluster(t)
	c.operate(t)
	watched, bare := c.watchDrivers(t, watched), c.watchDrivers(t, bare)
	var floor, ours []time.Duration
	for i := range samples {
		floor = append(floor, c.sample(t, bare, pod(fmt.Sprintf("floor-%d", i))))
		ours = append(ours, c.sample(t, watched, application("watched", fmt.Sprintf("idle-%d", i))))
	}
	row := func(what string, times []time.Duration) []string {
		return []string{what, ms(quantile(times, 0.5)), ms(quantile(times, 0.9)), ms(quantile(times, 0.99)), ms(quantile(times, 1))}
	}
	terminal.System().Table([]string{fmt.Sprintf("created until seen, %d times, idle", samples), "p50", "p90", "p99", "most"}, [][]string{
		row("a bare pod", floor), row("an application, until its driver pod", ours),
	})
	if usual, rarely := quantile(ours, 0.5), quantile(ours, 0.99); usual > mostUsual || rarely > mostRarely {
		t.Errorf("p50 %v and p99 %v, want at most %v and %v", usual, rarely, mostUsual, mostRarely)
	}
}

// sample creates object and returns how long it took from before that until a pod of it was seen.
func (c *cluster) sample(t *testing.T, pods drivers, object client.Object) time.Duration {
	t.Helper()
	time.Sleep(pause)
	begun := time.Now()
	c.create(t, object)
	return pods.next(t).Sub(begun)
}

func pod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: bare, Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "none", Image: "none"}}},
	}
}

// quantile returns the time that a share of times does not exceed.
func quantile(times []time.Duration, share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
