//go:build resilience

package resilience

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/operated"
)

const (
	// patience ends a test that hangs. Nothing is measured by it.
	patience = 3 * time.Minute
	// look is how often what is waited for is looked at.
	look = 50 * time.Millisecond
	// elected has replicas agree on one that works.
	elected = "image: spark:{{SPARK_VERSION}}\nleaderElectionNamespace: " + operated.Namespace + "\n"
)

// world is a cluster of a test's own, with a kubelet that is played.
type world struct {
	*operated.Cluster
	t     *testing.T
	audit audit
	// kept is the operator that is started again when it ends, if there is one.
	kept *kept

	lock sync.Mutex
	// idle are the applications whose drivers do not start.
	idle map[string]bool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	audit, flags := newAudit(t)
	w := &world{Cluster: operated.New(t, flags...), t: t, audit: audit, idle: make(map[string]bool)}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { w.play(ctx) })
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
	return w
}

// play starts drivers until ctx ends, also when the API server has been away.
func (w *world) play(ctx context.Context) {
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		var pods corev1.PodList
		if err := w.Client.List(ctx, &pods, client.InNamespace(operated.Namespace), client.MatchingLabels{v1beta2.LabelSparkRole: v1beta2.SparkRoleDriver}); err != nil {
			return // the API server is away; whether it may be, the test knows
		}
		for i := range pods.Items {
			if pod := &pods.Items[i]; pod.Status.Phase == corev1.PodPending && pod.DeletionTimestamp == nil && !w.isIdle(pod) {
				if err := w.setState(ctx, pod, corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}); err != nil {
					return
				}
			}
		}
	}, look)
}

func (w *world) isIdle(pod *corev1.Pod) bool {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.idle[pod.Labels[v1beta2.LabelAppName]]
}

// setIdle says whether the application's drivers do not start.
func (w *world) setIdle(name string, idle bool) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.idle[name] = idle
}

func (w *world) setState(ctx context.Context, pod *corev1.Pod, phase corev1.PodPhase, state corev1.ContainerState) error {
	before := pod.DeepCopy()
	pod.Status.Phase = phase
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: pod.Spec.Containers[0].Name, State: state}}
	return w.Client.Status().Patch(ctx, pod, client.MergeFrom(before))
}

// end has an application's driver end.
func (w *world) end(name string, code int32) {
	w.t.Helper()
	phase := corev1.PodSucceeded
	if code != 0 {
		phase = corev1.PodFailed
	}
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, FinishedAt: metav1.Now()}}
	if err := w.setState(w.t.Context(), w.driver(name), phase, ended); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) driver(name string) *corev1.Pod {
	w.t.Helper()
	pod := new(corev1.Pod)
	if err := w.Client.Get(w.t.Context(), key(name+"-driver"), pod); err != nil {
		w.t.Fatal(err)
	}
	return pod
}

// addExecutor makes an executor of an application, as its driver does, and has it run.
func (w *world) addExecutor(app, name string) {
	w.t.Helper()
	driver := w.driver(app)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: operated.Namespace, Name: name, Labels: make(map[string]string)},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: v1beta2.ExecutorContainerName, Image: "spark"}}},
	}
	for _, label := range []string{v1beta2.LabelAppName, v1beta2.LabelLaunchedByOperator, v1beta2.LabelRun, v1beta2.LabelSubmissionID} {
		pod.Labels[label] = driver.Labels[label]
	}
	pod.Labels[v1beta2.LabelSparkRole] = v1beta2.SparkRoleExecutor
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(driver, corev1.SchemeGroupVersion.WithKind("Pod"))}
	w.Create(w.t, pod)
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
	if err := w.setState(w.t.Context(), pod, corev1.PodRunning, running); err != nil {
		w.t.Fatal(err)
	}
}

// submit creates an application after it was changed by the options.
func (w *world) submit(name string, options ...func(*v1beta2.SparkApplication)) {
	w.t.Helper()
	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Namespace: operated.Namespace, Name: name},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
		},
	}
	for _, option := range options {
		option(app)
	}
	w.Create(w.t, app)
}

func (w *world) app(ctx context.Context, name string) (*v1beta2.SparkApplication, error) {
	app := new(v1beta2.SparkApplication)
	return app, w.Client.Get(ctx, key(name), app)
}

// change patches an application, as a user does.
func (w *world) change(name string, how func(*v1beta2.SparkApplication)) {
	w.t.Helper()
	app, err := w.app(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	before := app.DeepCopy()
	how(app)
	if err := w.Client.Patch(w.t.Context(), app, client.MergeFrom(before)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) awaitState(name string, state v1beta2.ApplicationStateType) {
	w.t.Helper()
	var app *v1beta2.SparkApplication
	w.eventually(func(ctx context.Context) (_ bool, err error) {
		app, err = w.app(ctx, name)
		return app.Status.AppState.State == state, err
	}, func() string { return fmt.Sprintf("%s is not %s: %+v", name, state, app.Status) })
}

// awaitStates waits until all applications of which the names are given are in a state.
func (w *world) awaitStates(state v1beta2.ApplicationStateType, names []string) {
	w.t.Helper()
	var others []string
	w.eventually(func(ctx context.Context) (bool, error) {
		var apps v1beta2.SparkApplicationList
		err := w.Client.List(ctx, &apps, client.InNamespace(operated.Namespace))
		others = slices.Clone(names)
		for i := range apps.Items {
			if apps.Items[i].Status.AppState.State == state {
				others = slices.DeleteFunc(others, func(name string) bool { return name == apps.Items[i].Name })
			}
		}
		return len(others) == 0, err
	}, func() string { return fmt.Sprintf("%d are not %s: %v", len(others), state, others) })
}

// awaitReleased waits until nothing is left of the applications' runs but their drivers.
func (w *world) awaitReleased(names []string) {
	w.t.Helper()
	for _, name := range names {
		w.eventually(func(ctx context.Context) (bool, error) {
			app, err := w.app(ctx, name)
			return meta.IsStatusConditionTrue(app.Status.Conditions, v1beta2.ConditionReleased), err
		}, func() string { return name + " is not released" })
	}
}

func (w *world) eventually(is wait.ConditionWithContextFunc, otherwise func() string) {
	w.t.Helper()
	err := wait.PollUntilContextTimeout(w.t.Context(), look, patience, true, func(ctx context.Context) (bool, error) {
		w.kept.tend()
		return is(ctx)
	})
	if err != nil {
		w.t.Fatalf("%v: %s", err, otherwise())
	}
}

// awaitLeading waits until an operator has the lease.
func (w *world) awaitLeading(o *operated.Operator) {
	w.t.Helper()
	w.eventually(func(context.Context) (bool, error) { return leads(w.t, o), nil }, func() string { return "the operator does not lead" })
}

// leads reports whether an operator has had the lease.
func leads(t *testing.T, o *operated.Operator) bool {
	return strings.Contains(strings.ToLower(o.Log(t)), "successfully acquired lease")
}

// drivers returns the UID of each driver that there is, by the name of its pod.
func (w *world) drivers() map[string]types.UID {
	w.t.Helper()
	var pods corev1.PodList
	if err := w.Client.List(w.t.Context(), &pods, client.InNamespace(operated.Namespace), client.MatchingLabels{v1beta2.LabelSparkRole: v1beta2.SparkRoleDriver}); err != nil {
		w.t.Fatal(err)
	}
	drivers := make(map[string]types.UID)
	for i := range pods.Items {
		drivers[pods.Items[i].Name] = pods.Items[i].UID
	}
	return drivers
}

func key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: operated.Namespace, Name: name}
}

// names returns n names.
func names(prefix string, n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%s-%d", prefix, i))
	}
	return all
}
