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
	mostGrowth = 1.3
	// An operator has come to rest when it uses no more than restCPU in restTime: its runtime never rests quite.
	restCPU, restTime = 200 * time.Millisecond, 5 * time.Second
	// patience ends a benchmark that hangs.
	patience = 15 * time.Minute
	// runtimes is how Go's garbage collector works where nobody says otherwise.
	runtimes = "GOGC=100"
	// comparisons is how often that is compared with what the Deployment says.
	comparisons = 2
)

// size is what an operator took until it had come to rest.
type size struct {
	live, rest, peak int64
	cpu              time.Duration
}

// TestMemory has ever more applications run, and looks each time at an operator that sees them come and at one that is
// started again when all of them are there. At last it compares what the chart says of the garbage collector with what
// Go's runtime does by itself.
func TestMemory(t *testing.T) {
	applications := number("APPLICATIONS", 10_000)
	churned := min(number("CHURN", 2000), applications)
	c := operated.New(t)
	p, etcd := player{client: c.Client}, openStore(t, c)
	empty := operate(t, c)
	floor := measure(t, empty)
	rows := [][]string{row("none: the floor", 0, floor, floor)}
	m := p.model(t, etcd)
	empty.Kill()

	var restarted []size
	have := 1
	for _, want := range []int{applications / 4, applications / 2, applications} {
		operator := operate(t, c)
		m.clone(t, etcd, have, want)
		have = want
		rows = append(rows, row("seen coming", want, measure(t, operator), floor))
		operator.Kill()

		operator = operate(t, c)
		restarted = append(restarted, measure(t, operator))
		rows = append(rows, row("found after a restart", want, restarted[len(restarted)-1], floor))
		if want == applications {
			begun := operator.CPU(t)
			p.churn(t, churned)
			after := measure(t, operator)
			rows = append(rows, row(fmt.Sprintf("%d executors replaced", churned), want, after, floor))
			t.Logf("replacing %d executors took the operator %v of CPU", churned, operator.CPU(t)-begun)
			restarted = append(restarted, after)
			p.awaitKnown(t, churned-1, executorsEach+1)
		}
		operator.Kill()
	}
	// By turns, so that neither has the quieter machine.
	for range comparisons {
		for _, env := range []string{operated.Collector, runtimes} {
			operator := operate(t, c, env)
			found := measure(t, operator)
			operator.Kill()
			rows = append(rows, row("found after a restart, "+env, applications, found, floor))
			if env == operated.Collector {
				restarted = append(restarted, found)
			}
		}
	}
	terminal.System().Table([]string{"applications", "", "executors", "live heap", "resident", "at its peak", "live, each application", "CPU"}, rows)
	for _, s := range restarted {
		if s.peak > most {
			t.Errorf("%s at the peak, want at most %s", mb(s.peak), mb(most))
		}
	}
	// What is resident at rest depends on when the garbage was last collected; what is live does not.
	first, last := restarted[1].live-floor.live, restarted[2].live-restarted[1].live
	if float64(last) > mostGrowth*float64(first) {
		t.Errorf("the last %d applications took %s, the first %s: that is not linear", applications/2, mb(last), mb(first))
	}
}

func row(what string, applications int, s, floor size) []string {
	each := ""
	if applications > 0 {
		each = fmt.Sprintf("%.1f kB", float64(s.live-floor.live)/float64(applications)/1000)
	}
	return []string{strconv.Itoa(applications), what, strconv.Itoa(applications * executorsEach), mb(s.live), mb(s.rest), mb(s.peak), each, fmt.Sprintf("%.1f s", s.cpu.Seconds())}
}

func mb(bytes int64) string { return fmt.Sprintf("%d MB", bytes>>20) }

func operate(t *testing.T, c *operated.Cluster, env ...string) *operated.Operator {
	t.Helper()
	operator := c.Operate(t, operated.Binary("OPERATOR"), "", env...)
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
	s := size{live: operator.Live(t), rest: rest, peak: peak, cpu: operator.CPU(t)}
	t.Logf("%s live, %s at rest, %s at the peak, %v of CPU", mb(s.live), mb(s.rest), mb(s.peak), s.cpu)
	return s
}

// model makes application 0, waits until the operator knows all about it, and returns what is stored of it.
func (p player) model(t *testing.T, etcd store) model {
	t.Helper()
	if err := p.run(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	p.awaitKnown(t, 0, executorsEach)
	var m model
	for _, prefix := range []string{"/registry/sparkoperator.k8s.io/sparkapplications/", "/registry/pods/"} {
		m.objects = append(m.objects, etcd.read(t, prefix+operated.Namespace+"/")...)
	}
	if len(m.objects) != 2+executorsEach {
		t.Fatalf("%d objects are stored of an application, want it, its driver and %d executors", len(m.objects), executorsEach)
	}
	var apps v1beta2.SparkApplicationList
	var pods corev1.PodList
	for _, list := range []client.ObjectList{&apps, &pods} {
		if err := p.client.List(t.Context(), list, client.InNamespace(operated.Namespace)); err != nil {
			t.Fatal(err)
		}
	}
	m.uids = append(m.uids, string(apps.Items[0].UID))
	for i := range pods.Items {
		m.uids = append(m.uids, string(pods.Items[i].UID))
	}
	return m
}

// awaitKnown waits until status tells of an application that runs with so many executors, those that failed among them.
func (p player) awaitKnown(t *testing.T, i, executors int) {
	t.Helper()
	name, app := nameOf(i), new(v1beta2.SparkApplication)
	for deadline := time.Now().Add(patience); ; time.Sleep(restTime) {
		if err := p.client.Get(t.Context(), client.ObjectKey{Namespace: operated.Namespace, Name: name}, app); err != nil {
			t.Fatal(err)
		}
		if meta.IsStatusConditionTrue(app.Status.Conditions, v1beta2.ConditionRunning) && len(app.Status.ExecutorState) == executors {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not known to run: %+v", name, app.Status)
		}
	}
}

// churn has an executor of each of some applications fail and be replaced.
func (p player) churn(t *testing.T, executors int) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(atOnce)
	for i := range executors {
		group.Go(func() error { return p.replace(ctx, i) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// replace has an executor of an application fail, be deleted and another come.
func (p player) replace(ctx context.Context, application int) error {
	app := new(v1beta2.SparkApplication)
	if err := p.client.Get(ctx, client.ObjectKey{Namespace: operated.Namespace, Name: nameOf(application)}, app); err != nil {
		return err
	}
	driver := new(corev1.Pod)
	if err := p.client.Get(ctx, client.ObjectKey{Namespace: operated.Namespace, Name: app.Status.DriverInfo.PodName}, driver); err != nil {
		return err
	}
	old := new(corev1.Pod)
	if err := p.client.Get(ctx, client.ObjectKey{Namespace: operated.Namespace, Name: executorName(driver, 1)}, old); err != nil {
		return err
	}
	if err := p.change(ctx, old, corev1.PodFailed); err != nil {
		return err
	}
	if err := p.client.Delete(ctx, old, client.GracePeriodSeconds(0)); err != nil {
		return err
	}
	plan := &spark.Plan{AppID: app.Status.SparkApplicationID, Driver: driver}
	return p.start(ctx, executorOf(plan, executorsEach+1))
}

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}
