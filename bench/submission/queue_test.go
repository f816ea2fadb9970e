//go:build bench

package submission

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/terminal"
)

const (
	// teams and parts are how many queues there are below the root, and below each of those.
	teams, parts = 10, 10
	// leastQueuedShare is the share of the rate without queues that there has to be with them: they may not be what binds.
	leastQueuedShare = 0.7
)

// queueOf is the queue of the i-th application.
func queueOf(i int) string { return fmt.Sprintf("team-%d-part-%d", i%teams, i/teams%parts) }

// TestQueues creates many applications at once in a hundred queues that let all of them in, by turns with as many in no
// queue, each on an API server of its own: nothing binds but the API server, and what queues cost.
func TestQueues(t *testing.T) {
	applications, rounds := number("APPLICATIONS", 1000), number("ROUNDS", 3)
	var without, with []burst
	for round := range rounds {
		t.Run(fmt.Sprintf("%d without", round), func(t *testing.T) { without = append(without, newCluster(t).burst(t, applications, false)) })
		t.Run(fmt.Sprintf("%d with", round), func(t *testing.T) {
			c := newCluster(t)
			c.makeQueues(t)
			with = append(with, c.burst(t, applications, true))
		})
	}
	if t.Failed() {
		return
	}
	median := func(all []burst) burst {
		return slices.SortedFunc(slices.Values(all), func(a, b burst) int { return int(a.last - b.last) })[rounds/2]
	}
	floor, ours := median(without), median(with)
	row := func(name string, b burst) []string {
		return []string{
			name, ms(b.first), ms(b.last), fmt.Sprintf("%.0f", b.rate(applications)), b.cpu.String(), b.server.String(),
			fmt.Sprintf("%.1f", b.server.Seconds()*float64(applications)/b.last.Seconds()), fmt.Sprintf("%d MB", b.memory>>20),
		}
	}
	terminal.System().Table(
		[]string{fmt.Sprintf("%d applications at once", applications), "first driver", "last driver", "a second", "operator's CPU each", "API server's CPU each", "its CPUs", "peak memory"},
		[][]string{row("in no queue", floor), row(fmt.Sprintf("in %d queues", teams*parts), ours)})
	if share := ours.rate(applications) / floor.rate(applications); share < leastQueuedShare {
		t.Errorf("%.2f of the rate without queues, want at least %.2f", share, leastQueuedShare)
	}
}

// makeQueues makes a tree in which everybody has a share and nobody is kept from the rest, of a cluster that is large enough.
func (c *cluster) makeQueues(t *testing.T) {
	t.Helper()
	queue := func(name string, spec v1alpha1.QueueSpec) {
		c.create(t, &v1alpha1.Queue{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec})
	}
	queue(v1alpha1.RootQueue, v1alpha1.QueueSpec{Cluster: &v1alpha1.ClusterShares{Flavours: []v1alpha1.Flavour{{
		Name: v1alpha1.DefaultFlavour, Capacity: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("1M"), corev1.ResourceMemory: resource.MustParse("1Pi"),
		},
	}}}})
	for team := range teams {
		name := fmt.Sprintf("team-%d", team)
		queue(name, v1alpha1.QueueSpec{})
		for part := range parts {
			queue(fmt.Sprintf("%s-part-%d", name, part), v1alpha1.QueueSpec{Parent: name, Quotas: []v1alpha1.Quota{{
				Flavour:    v1alpha1.DefaultFlavour,
				Guaranteed: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10")},
			}}})
		}
	}
}
