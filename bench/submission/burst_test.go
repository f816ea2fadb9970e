//go:build bench

package submission

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/internal/terminal"
)

const (
	// atOnce is how many requests the bare client has under way, and how many applications are being created.
	atOnce = 32
	// leastShare is the share of the bare client's rate that the operator has to reach.
	leastShare = 0.5
	// mostCPU is what the submission of one application may take.
	mostCPU = 10 * time.Millisecond
)

// burst is how one round went.
type burst struct {
	first, last time.Duration
	cpu         time.Duration // of the operator, for each application
	server      time.Duration // of the API server and its store, for each application
	memory      int64         // of the operator, at its peak, in bytes
}

func (b burst) rate(applications int) float64 { return float64(applications) / b.last.Seconds() }

// TestBurst creates many applications at once and waits for their drivers, by turns with a bare client that creates the
// objects of the same plans and does nothing else.
func TestBurst(t *testing.T) {
	applications, rounds := number("APPLICATIONS", 1000), number("ROUNDS", 3)
	var floors, ours []burst
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			c := newCluster(t)
			floors = append(floors, c.floor(t, applications))
			ours = append(ours, c.burst(t, applications, false))
		})
	}
	if t.Failed() {
		return
	}
	byTime := func(a, b burst) int { return int(a.last - b.last) }
	floor := slices.SortedFunc(slices.Values(floors), byTime)[rounds/2]
	our := slices.SortedFunc(slices.Values(ours), byTime)[rounds/2]
	share := our.rate(applications) / floor.rate(applications)
	terminal.System().Table(
		[]string{fmt.Sprintf("%d applications at once", applications), "first driver", "last driver", "a second", "of the floor", "CPU each", "peak memory"},
		[][]string{
			{"bare client, the plan's objects alone", ms(floor.first), ms(floor.last), fmt.Sprintf("%.0f", floor.rate(applications)), "1.00", "", ""},
			{
				"Brazier, statuses written", ms(our.first), ms(our.last), fmt.Sprintf("%.0f", our.rate(applications)),
				fmt.Sprintf("%.2f", share), our.cpu.Round(10 * time.Microsecond).String(), fmt.Sprintf("%d MB", our.memory>>20),
			},
		})
	for i := range ours {
		t.Logf("round %d: floor %.0f a second, Brazier %.0f, %v CPU each", i, floors[i].rate(applications), ours[i].rate(applications), ours[i].cpu)
	}
	if share < leastShare {
		t.Errorf("%.2f of the floor's rate, want at least %.2f", share, leastShare)
	}
	if our.cpu > mostCPU {
		t.Errorf("%v CPU for each application, want at most %v", our.cpu, mostCPU)
	}
}

func ms(d time.Duration) string { return d.Round(time.Millisecond).String() }

// burst creates the applications, in queues or not, and waits for a driver of each.
func (c *cluster) burst(t *testing.T, applications int, queued bool) burst {
	t.Helper()
	operator := c.operate(t)
	seen, before, served := c.watchDrivers(t, watched), operator.cpu(t), serverCPU(t)
	begun := time.Now()
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range applications {
		app := application(watched, fmt.Sprintf("burst-%d", i))
		if queued {
			app.Labels = map[string]string{v1alpha1.LabelQueue: queueOf(i)}
		}
		group.Go(func() error { return c.client.Create(t.Context(), app) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	result := seen.all(t, applications, begun)
	result.cpu = (operator.cpu(t) - before) / time.Duration(applications)
	result.server = (serverCPU(t) - served) / time.Duration(applications)
	result.memory = operator.peakMemory(t)
	return result
}

func (d drivers) all(t *testing.T, n int, begun time.Time) burst {
	t.Helper()
	var result burst
	for i := range n {
		at := d.next(t).Sub(begun)
		if i == 0 {
			result.first = at
		}
		result.last = at
	}
	return result
}

// floor creates the objects of as many plans, each object when the one before it is there, as a client without any
// further thought would.
func (c *cluster) floor(t *testing.T, applications int) burst {
	t.Helper()
	plans := make([]*spark.Plan, applications)
	for i := range plans {
		app := application(bare, fmt.Sprintf("floor-%d", i))
		c.create(t, app) // its owner has to exist; that is not measured
		plan, err := spark.New(app, spark.Run{Number: 1, SubmittedAt: time.Now()}, spark.Platform{Image: "spark:{{SPARK_VERSION}}"})
		if err != nil {
			t.Fatal(err)
		}
		plans[i] = plan
	}
	seen, begun := c.watchDrivers(t, bare), time.Now()
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, plan := range plans {
		group.Go(func() error {
			for _, object := range plan.Objects() {
				if err := c.client.Create(t.Context(), object.(client.Object)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return seen.all(t, applications, begun)
}
