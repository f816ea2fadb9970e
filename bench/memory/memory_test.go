//go:build bench

package memory

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/operated"
)

const (
	// most is what the operator may ever have resident.
	most = 512 << 20
	// mostGrowth is by how much the last half of the applications may take more than the first.
	mostGrowth = 1.5
	// An operator has come to rest when it uses no more than restCPU in restTime.
	restCPU, restTime = 50 * time.Millisecond, 3 * time.Second
	// patience ends a benchmark that hangs.
	patience = 15 * time.Minute
)

// size is what an operator took.
type size struct{ rest, peak int64 }

// TestMemory has ever more applications run, and looks each time at an operator that takes them over and at one that is
// started again when all of them are there.
func TestMemory(t *testing.T) {
	applications, churned := number("APPLICATIONS", 10_000), number("CHURN", 5000)
	c := operated.New(t)
	p := player{client: c.Client}
	empty := operate(t, c)
	floor := measure(t, empty)
	empty.Kill()
	rows := [][]string{row("none: the floor", 0, floor, floor)}
	var restarted []size
	have := 0
	for _, want := range []int{applications / 4, applications / 2, applications} {
		p.runAll(t, have, want)
		have = want
		operator := operate(t, c)
		awaitTaken(t, c, want)
		rows = append(rows, row("taken over, each status written", want, measure(t, operator), floor))
		operator.Kill()

		operator = operate(t, c)
		restarted = append(restarted, measure(t, operator))
		rows = append(rows, row("found after a restart", want, restarted[len(restarted)-1], floor))
		if want == applications {
			begun := operator.CPU(t)
			p.churn(t, applications, churned)
			after := measure(t, operator)
			rows = append(rows, row(fmt.Sprintf("%d executors replaced", churned), want, after, floor))
			t.Logf("replacing %d executors took the operator %v of CPU", churned, operator.CPU(t)-begun)
			restarted = append(restarted, after)
		}
		operator.Kill()
	}
	terminal.System().Table([]string{"applications", "", "executors", "at rest", "peak", "at rest, each application"}, rows)
	for _, s := range restarted {
		if s.peak > most {
			t.Errorf("%s at the peak, want at most %s", mb(s.peak), mb(most))
		}
	}
	first, last := restarted[1].rest-floor.rest, restarted[2].rest-restarted[1].rest
	if float64(last) > mostGrowth*float64(first) {
		t.Errorf("the last %d applications took %s, the first %s: that is not linear", applications/2, mb(last), mb(first))
	}
}

func row(what string, applications int, s, floor size) []string {
	each := ""
	if applications > 0 {
		each = fmt.Sprintf("%.1f kB", float64(s.rest-floor.rest)/float64(applications)/1000)
	}
	return []string{strconv.Itoa(applications), what, strconv.Itoa(applications * executorsEach), mb(s.rest), mb(s.peak), each}
}

func mb(bytes int64) string { return fmt.Sprintf("%d MB", bytes>>20) }

func operate(t *testing.T, c *operated.Cluster) *operated.Operator {
	t.Helper()
	operator := c.Operate(t, operated.Binary("OPERATOR"), "")
	operator.AwaitReady(t)
	return operator
}

// measure waits until the operator has nothing to do.
func measure(t *testing.T, operator *operated.Operator) size {
	t.Helper()
	for deadline, was := time.Now().Add(patience), operator.CPU(t); ; {
		time.Sleep(restTime)
		is := operator.CPU(t)
		if is-was <= restCPU {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the operator does not come to rest")
		}
		was = is
	}
	rest, peak := operator.Memory(t)
	return size{rest: rest, peak: peak}
}

// awaitTaken waits until the operator has written all that it knows of the applications.
func awaitTaken(t *testing.T, c *operated.Cluster, applications int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Second) {
		seen := 0
		var apps v1beta2.SparkApplicationList
		for more := true; more; more = apps.Continue != "" {
			if err := c.Client.List(t.Context(), &apps, client.Limit(500), client.Continue(apps.Continue)); err != nil {
				t.Fatal(err)
			}
			for i := range apps.Items {
				status := &apps.Items[i].Status
				if meta.IsStatusConditionTrue(status.Conditions, v1beta2.ConditionRunning) && len(status.ExecutorState) == executorsEach {
					seen++
				}
			}
		}
		if seen == applications {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d applications are known to run", seen, applications)
		}
	}
}

// churn has executors fail and be replaced, one after the other of each application.
func (p player) churn(t *testing.T, applications, executors int) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(atOnce)
	for i := range executors {
		group.Go(func() error { return p.replace(ctx, i%applications, i/applications+1) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// replace has an executor fail, be deleted and another come.
func (p player) replace(ctx context.Context, application, executor int) error {
	app := new(v1beta2.SparkApplication)
	if err := p.client.Get(ctx, client.ObjectKey{Namespace: operated.Namespace, Name: nameOf(application)}, app); err != nil {
		return err
	}
	driver := new(corev1.Pod)
	if err := p.client.Get(ctx, client.ObjectKey{Namespace: operated.Namespace, Name: app.Status.DriverInfo.PodName}, driver); err != nil {
		return err
	}
	old := new(corev1.Pod)
	if err := p.client.Get(ctx, client.ObjectKey{Namespace: operated.Namespace, Name: executorName(driver, executor)}, old); err != nil {
		return err
	}
	if err := p.change(ctx, old, corev1.PodFailed); err != nil {
		return err
	}
	if err := p.client.Delete(ctx, old, client.GracePeriodSeconds(0)); err != nil {
		return err
	}
	plan := &spark.Plan{AppID: app.Status.SparkApplicationID, Driver: driver}
	return p.start(ctx, executorOf(plan, executorsEach+executor))
}

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}
