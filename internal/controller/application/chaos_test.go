package application_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

const (
	chaosApplications = 200
	chaosKills        = 50
	// mostUptime is how long an operator lives at most until it is killed; the least is none at all.
	mostUptime = time.Second
)

// A process of this test's own binary that has these set is an operator of one namespace.
const (
	envNamespace  = "BRAZIER_TEST_NAMESPACE"
	envKubeconfig = "BRAZIER_TEST_KUBECONFIG"
)

// operateHere is the main function of such a process.
func operateHere() int {
	ctrl.SetLogger(logr.Discard())
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv(envKubeconfig))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	config.QPS = -1
	mgr, err := newManager(config, os.Getenv(envNamespace), apiserver.Reliably, prometheus.NewRegistry(), logr.Discard())
	if err == nil {
		err = mgr.Start(ctrl.SetupSignalHandler())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestChaos kills the operator's process again and again while applications come, run, fail and are run again. Each has
// to end as it would have without that, with one driver for each of its runs and nothing left over.
func TestChaos(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var w *world
	w = newWorld(t, func(driver *corev1.Pod) *int32 { return w.playChaos(driver) })

	submitted := make(chan error, 1)
	go func() { submitted <- w.submitChaos() }()
	dice := rand.New(rand.NewPCG(seed, 0))
	for range chaosKills {
		kill := w.operateApart()
		time.Sleep(time.Duration(dice.Int64N(int64(mostUptime)))) // what is to be random is when it is killed
		kill()
	}
	if err := <-submitted; err != nil {
		t.Fatal(err)
	}
	w.operateApart()

	want := make(map[driverOf]int)
	for i := range chaosApplications {
		of := chaosKind(chaosName(i))
		app := &v1beta2.SparkApplication{ObjectMeta: w.Meta(chaosName(i))}
		app = w.awaitState(app, of.end)
		w.awaitReleased(app)
		w.awaitLeft(app, "*v1.Pod "+app.Name+"-driver")
		if app.Status.Run != of.runs || int64(app.Status.ExecutionAttempts) != of.runs {
			t.Errorf("%s: want %d runs, got run %d and %d attempts", app.Name, of.runs, app.Status.Run, app.Status.ExecutionAttempts)
		}
		for run := range of.runs {
			want[driverOf{app.Name, fmt.Sprint(run + 1)}] = 1
		}
	}
	w.checkRuns(want)
}

// chaosEnd is how an application of the chaos ends, and in how many runs.
type chaosEnd struct {
	fails int64 // how many runs fail before one ends well
	runs  int64
	end   v1beta2.ApplicationStateType
}

func chaosName(i int) string { return fmt.Sprintf("chaos-%d", i) }

// chaosKind is by the name what becomes of an application that may be retried once.
func chaosKind(name string) chaosEnd {
	return []chaosEnd{
		{fails: 0, runs: 1, end: v1beta2.ApplicationStateCompleted},
		{fails: 1, runs: 2, end: v1beta2.ApplicationStateCompleted},
		{fails: 9, runs: 2, end: v1beta2.ApplicationStateFailed},
	}[int(name[len(name)-1])%3]
}

// playChaos has a driver make an executor and end.
func (w *world) playChaos(driver *corev1.Pod) *int32 {
	app := &v1beta2.SparkApplication{ObjectMeta: w.Meta(string(driver.UID))} // which no two drivers share
	if err := w.Client.Create(w.T.Context(), executor(w, app, driver)); client.IgnoreAlreadyExists(err) != nil {
		w.T.Errorf("make an executor: %v", err)
	}
	run, err := strconv.ParseInt(driver.Labels[v1beta2.LabelRun], 10, 64)
	if err != nil {
		w.T.Error(err)
	}
	if run <= chaosKind(driver.Labels[v1beta2.LabelAppName]).fails {
		return new(int32(1))
	}
	return new(int32(0))
}

// submitChaos creates the applications, one after the other, for about as long as operators are killed.
func (w *world) submitChaos() error {
	for i := range chaosApplications {
		app := &v1beta2.SparkApplication{
			ObjectMeta: w.Meta(chaosName(i)),
			Spec: v1beta2.SparkApplicationSpec{
				Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
			},
		}
		retrying(1)(app)
		if err := w.Client.Create(w.T.Context(), app); err != nil {
			return err
		}
		time.Sleep(chaosKills * mostUptime / 3 / chaosApplications) // spread over the kills, no faster
	}
	return nil
}

// operateApart starts an operator in a process of its own and returns what kills it.
func (w *world) operateApart() (kill func()) {
	w.T.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), envNamespace+"="+w.Namespace, envKubeconfig+"="+server.Kubeconfig())
	var said strings.Builder
	command.Stderr = &said
	if err := command.Start(); err != nil {
		w.T.Fatal(err)
	}
	kill = func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if said.Len() > 0 {
			w.T.Errorf("the operator complained: %s", said.String())
		}
	}
	w.T.Cleanup(kill)
	return kill
}
