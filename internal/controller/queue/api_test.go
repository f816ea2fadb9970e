package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// TestInOrder lets one application of a queue after the other into a cluster that has room for one and its minimum.
func TestInOrder(t *testing.T) {
	w := newWorld(t, cluster("4"), newQueue("etl"), newQueue("ads"))
	w.operate(apiserver.Reliably)
	first := w.submit("first", "etl", 2, 2)
	w.awaitState(first, v1beta2.ApplicationStateRunning)
	w.awaitExecutors("first", 2, 0)
	second := w.submit("second", "etl", 2, 2)
	second = w.await(second, "waiting for CPU", func(app *v1beta2.SparkApplication) bool {
		admitted := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionAdmitted)
		return admitted != nil && admitted.Status == "False" && admitted.Reason == "NothingFree" && strings.Contains(admitted.Message, "place 1 in queue etl")
	})
	w.passSecond(second)
	third := w.submit("third", "etl", 1, 1)
	w.await(third, "behind the second", func(app *v1beta2.SparkApplication) bool {
		admitted := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionAdmitted)
		return admitted != nil && admitted.Reason == "Behind" && strings.Contains(admitted.Message, "place 2")
	})
	if second.Status.AppState.State != v1beta2.ApplicationStateSubmitted || second.Status.Run != 1 {
		t.Errorf("what waits is claimed and submitted, got %+v", second.Status)
	}
	if pods := w.executors(t.Context(), "second"); len(pods) > 0 {
		t.Errorf("nothing is made of what waits, found %d pods", len(pods))
	}
	w.finish("first")
	second = w.awaitState(second, v1beta2.ApplicationStateRunning)
	w.awaitExecutors("second", 2, 0)
	if !meta.IsStatusConditionTrue(second.Status.Conditions, v1beta2.ConditionAdmitted) || second.Status.Queue.Admitted.Executors["default"] != 2 {
		t.Errorf("it says where it was let in, got %+v and %+v", second.Status.Queue, second.Status.Conditions)
	}
	w.awaitQueue("etl", "one that runs and one that waits", func(s v1alpha1.QueueStatus) bool { return s.Running == 1 && s.Waiting == 1 })
	w.awaitQueue("root", "the same for all", func(s v1alpha1.QueueStatus) bool {
		return s.Running == 1 && s.Waiting == 1 && s.Usage[0].Used.Cpu().Value() == 3 && meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionQueueReady)
	})
	w.finish("second")
	w.awaitState(third, v1beta2.ApplicationStateRunning)
}

// TestGrowth lets executors above the minimum go as far as there is room, and no further.
func TestGrowth(t *testing.T) {
	w := newWorld(t, cluster("6"), newQueue("etl"))
	w.operate(apiserver.Reliably)
	app := w.submit("app", "etl", 1, 9)
	w.awaitState(app, v1beta2.ApplicationStateRunning)
	w.awaitExecutors("app", 5, 4)
	for _, pod := range w.executors(t.Context(), "app") {
		if !strings.HasPrefix(pod.Name, "app-1-exec-") {
			t.Errorf("%s is no executor", pod.Name)
		}
	}
}

// TestReclaim has a queue that borrows give back what another is guaranteed: executors above the minimum, with the queue's
// grace, and no more of them than are needed.
func TestReclaim(t *testing.T) {
	w := newWorld(t, cluster("8"), newQueue("etl", guaranteed("4"), victims(v1alpha1.VictimsExecutors)), newQueue("ads", guaranteed("4")))
	w.slow["big"] = true
	w.operate(apiserver.Reliably)
	big := w.submit("big", "etl", 1, 7)
	w.awaitState(big, v1beta2.ApplicationStateRunning)
	w.awaitExecutors("big", 7, 0)
	w.Eventually("all of them run", func(ctx context.Context) (bool, error) { // what has no node yet would be gone at once
		return !slices.ContainsFunc(w.executors(ctx, "big"), func(pod corev1.Pod) bool { return pod.Status.Phase != corev1.PodRunning }), nil
	})
	small := w.submit("small", "ads", 1, 1)
	w.await(small, "told that room is given back", func(app *v1beta2.SparkApplication) bool {
		admitted := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionAdmitted)
		return admitted != nil && admitted.Reason == "GivenBack"
	})
	w.awaitExecutors("big", 5, 2) // with those that Spark makes in the place of the two that have to go
	var told []corev1.Pod
	for _, pod := range w.executors(t.Context(), "big") {
		if pod.DeletionTimestamp != nil {
			told = append(told, pod)
		}
	}
	if len(told) != 2 {
		t.Errorf("%d executors were told to go, want the 2 that are needed", len(told))
	}
	for _, pod := range told {
		if got := *pod.DeletionGracePeriodSeconds; got != 77 {
			t.Errorf("%s has %d s to go, want the queue's grace", pod.Name, got)
		}
	}
	w.lock.Lock()
	w.slow["big"] = false
	w.lock.Unlock()
	for i := range told {
		// The played node may hear of one only now that it is not slow any more, and has let it go then.
		if err := apiserver.LetGo(t.Context(), w.pods, &told[i]); client.IgnoreNotFound(err) != nil {
			t.Fatal(err)
		}
	}
	w.awaitState(small, v1beta2.ApplicationStateRunning)
	w.awaitExecutors("small", 1, 0)
	w.awaitExecutors("big", 5, 2)
}

// TestTakenBack stops a whole application where its queue's policy says so. It waits again, and nothing has failed.
func TestTakenBack(t *testing.T) {
	w := newWorld(t, cluster("4"), newQueue("etl", victims(v1alpha1.VictimsApplications)), newQueue("ads", guaranteed("4")))
	w.operate(apiserver.Reliably)
	borrower := w.submit("borrower", "etl", 2, 2)
	w.awaitState(borrower, v1beta2.ApplicationStateRunning)
	w.awaitExecutors("borrower", 2, 0)
	owner := w.submit("owner", "ads", 2, 2)
	w.awaitState(owner, v1beta2.ApplicationStateRunning)
	borrower = w.await(borrower, "waiting again", func(app *v1beta2.SparkApplication) bool {
		return app.Status.Run == 2 && app.Status.AppState.State == v1beta2.ApplicationStateSubmitted && app.Status.Queue.Admitted == nil
	})
	if borrower.Status.ExecutionAttempts != 1 || borrower.Status.Failures != 0 {
		t.Errorf("it was nobody's failure: %+v", borrower.Status)
	}
	w.finish("owner")
	w.awaitState(borrower, v1beta2.ApplicationStateRunning)
}

// TestMoves puts applications into another queue while they wait and while they run.
func TestMoves(t *testing.T) {
	w := newWorld(t, cluster("10"), newQueue("etl"), newQueue("closed", func(spec *v1alpha1.QueueSpec) { spec.Drain = true }), newQueue("ads"))
	w.operate(apiserver.Reliably)
	app := w.submit("app", "closed", 1, 1)
	app = w.await(app, "waiting in a queue that lets nothing in", func(app *v1beta2.SparkApplication) bool {
		admitted := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionAdmitted)
		return admitted != nil && admitted.Reason == "Draining"
	})
	w.move(app, "etl")
	app = w.awaitState(app, v1beta2.ApplicationStateRunning)
	w.awaitExecutors("app", 1, 0)
	w.awaitQueue("etl", "its application", func(s v1alpha1.QueueStatus) bool { return s.Running == 1 })
	w.move(app, "ads")
	app = w.await(app, "in the other queue", func(app *v1beta2.SparkApplication) bool { return app.Status.Queue.Name == "ads" })
	w.awaitQueue("ads", "what has moved", func(s v1alpha1.QueueStatus) bool { return s.Running == 1 })
	w.awaitQueue("etl", "nothing", func(s v1alpha1.QueueStatus) bool { return s.Running == 0 })
	if app.Status.Run != 1 || app.Status.Queue.Admitted == nil {
		t.Errorf("a run that moves goes on, got %+v", app.Status)
	}
	waiting := w.submit("waiting", "closed", 1, 1)
	w.await(waiting, "waiting", func(app *v1beta2.SparkApplication) bool { return app.Status.Queue != nil })
	w.move(waiting, "")
	waiting = w.awaitState(waiting, v1beta2.ApplicationStateRunning)
	if waiting.Status.Queue != nil {
		t.Errorf("what has left its queue is in none, got %+v", waiting.Status.Queue)
	}
}

// TestExample applies the queues of docs/queues.md as they stand: nothing is wrong with them, and they are used.
func TestExample(t *testing.T) {
	text, err := os.ReadFile("../../../docs/queues.md")
	if err != nil {
		t.Fatal(err)
	}
	block, _, ok := strings.Cut(string(text[strings.Index(string(text), "```yaml\n")+len("```yaml\n"):]), "```")
	if !ok {
		t.Fatal("the page has no example")
	}
	var queues []*v1alpha1.Queue
	for manifest := range strings.SplitSeq(block, "---\n") {
		queue := new(v1alpha1.Queue)
		if err := yaml.UnmarshalStrict([]byte(manifest), queue); err != nil {
			t.Fatal(err)
		}
		queues = append(queues, queue)
	}
	if len(queues) != 5 {
		t.Errorf("the example has %d queues, want 5", len(queues))
	}
	w := newWorld(t, queues...)
	w.addNode("stable", map[string]string{"example.com/pool": "stable"})
	w.operate(apiserver.Reliably)
	for _, queue := range queues {
		w.awaitQueue(queue.Name, "being in use", func(s v1alpha1.QueueStatus) bool {
			ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionQueueReady)
			return ready != nil && ready.Status == "True" && ready.Reason == "InUse"
		})
	}
	app := w.awaitState(w.submit("app", "etl", 2, 2), v1beta2.ApplicationStateRunning)
	w.awaitExecutors("app", 2, 0)
	for _, pod := range w.executors(t.Context(), "app") {
		if pod.Spec.NodeSelector["example.com/pool"] != "spot" {
			t.Errorf("%s is bound to %v, want nodes of the first flavour", pod.Name, pod.Spec.NodeSelector)
		}
		if !slices.ContainsFunc(pod.Spec.Tolerations, func(t corev1.Toleration) bool { return t.Key == "example.com/spot" }) {
			t.Errorf("%s does not tolerate its nodes", pod.Name)
		}
	}
	driver, err := w.pods.Get(t.Context(), "app-driver", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if driver.Spec.NodeSelector["example.com/pool"] != "stable" || app.Status.Queue.Admitted.Driver != "stable" {
		t.Errorf("the driver is bound to %v, admitted on %s", driver.Spec.NodeSelector, app.Status.Queue.Admitted.Driver)
	}
}

// addNode makes a node that is there while the test is.
func (w *world) addNode(name string, labels map[string]string) {
	w.T.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	w.Create(node)
	w.T.Cleanup(func() {
		if err := w.Client.Delete(context.Background(), node); err != nil {
			w.T.Error(err)
		}
	})
	list := corev1.ResourceList{"cpu": resource.MustParse("8"), "memory": resource.MustParse("32Gi"), "pods": resource.MustParse("110")}
	ready := corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now()}
	before := node.DeepCopy()
	node.Status.Allocatable, node.Status.Capacity, node.Status.Conditions = list, list, []corev1.NodeCondition{ready}
	if err := w.Client.Status().Patch(w.T.Context(), node, client.MergeFrom(before)); err != nil {
		w.T.Fatal(err)
	}
}

// TestInNoQueue leaves alone what is in no queue, or in somebody else's.
func TestInNoQueue(t *testing.T) {
	w := newWorld(t, cluster("1"), newQueue("etl"))
	w.operate(apiserver.Reliably)
	for name, change := range map[string]func(*v1beta2.SparkApplication){
		"none":  func(app *v1beta2.SparkApplication) { app.Labels = nil },
		"kueue": func(app *v1beta2.SparkApplication) { app.Labels["kueue.x-k8s.io/queue-name"] = "theirs" },
	} {
		app := w.awaitState(w.submit(name, "etl", 1, 1, change), v1beta2.ApplicationStateRunning)
		if app.Status.Queue != nil {
			t.Errorf("%s is in queue %s", name, app.Status.Queue.Name)
		}
	}
}

// TestRefused ends the waiting of one that is too many, and of one that waits too long.
func TestRefused(t *testing.T) {
	w := newWorld(t, cluster("10"), newQueue("full", func(spec *v1alpha1.QueueSpec) {
		spec.Drain, spec.MaxWaiting = true, new(int32(1))
	}))
	w.operate(apiserver.Reliably)
	first := w.submit("first", "full", 1, 1)
	w.await(first, "waiting", func(app *v1beta2.SparkApplication) bool { return app.Status.Queue != nil })
	w.passSecond(first)
	second := w.awaitState(w.submit("second", "full", 1, 1), v1beta2.ApplicationStateFailed)
	if want := "queue full has not let it in: as many wait in the queue"; !strings.Contains(second.Status.AppState.ErrorMessage, want) {
		t.Errorf("%q does not say %q", second.Status.AppState.ErrorMessage, want)
	}
	w.Get(first, "first")
	if state := first.Status.AppState.State; state != v1beta2.ApplicationStateSubmitted {
		t.Errorf("the first waits on, got %s", state)
	}
}

// passSecond waits until who comes next is younger than app. Ages are whole seconds, and of those of one second the ID that
// the API server gives decides.
func (w *world) passSecond(app *v1beta2.SparkApplication) {
	w.T.Helper()
	w.Eventually("a second passes", func(context.Context) (bool, error) {
		w.Get(app, app.Name)
		return app.Status.Queue.Since.Add(time.Second).Before(time.Now()), nil
	})
}

func (w *world) move(app *v1beta2.SparkApplication, queue string) {
	w.T.Helper()
	apiserver.Edit(w.World, app, func(app *v1beta2.SparkApplication) {
		if app.Labels[v1alpha1.LabelQueue] = queue; queue == "" {
			delete(app.Labels, v1alpha1.LabelQueue)
		}
	})
}

// awaitQueue waits until a queue's status is as it should be.
func (w *world) awaitQueue(name, what string, is func(v1alpha1.QueueStatus) bool) {
	w.T.Helper()
	got := new(v1alpha1.Queue)
	w.Eventually("queue "+name+" tells of "+what, func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKey{Name: name}, got)
		return err == nil && is(got.Status), err
	}, func() string { return fmt.Sprintf("its status: %+v", got.Status) })
}

// TestUsageOutlivesOperators has an operator that begins go on from what users had used.
func TestUsageOutlivesOperators(t *testing.T) {
	w := newWorld(t, cluster("6"), newQueue("etl"))
	w.submit("runs", "etl", 1, 1)
	stop := w.operate(apiserver.Reliably)
	w.awaitExecutors("runs", 1, 0)
	var before string
	w.Eventually("what was used is written down", func(ctx context.Context) (bool, error) {
		before = w.usage(ctx)
		return before != "", nil
	})
	stop()
	w.operate(apiserver.Reliably)
	w.Eventually("it is written down by the next one", func(ctx context.Context) (bool, error) {
		return w.usage(ctx) != before, nil
	})
	var was, is struct{ Used map[string]float64 }
	if err := errors.Join(json.Unmarshal([]byte(before), &was), json.Unmarshal([]byte(w.usage(t.Context())), &is)); err != nil {
		t.Fatal(err)
	}
	if was.Used[w.Namespace] <= 0 || is.Used[w.Namespace] <= was.Used[w.Namespace] {
		t.Errorf("one whose application runs has used %v, and later %v; that should be more", was.Used, is.Used)
	}
}

// usage is what the operator has written down of what users have used.
func (w *world) usage(ctx context.Context) string {
	kept := new(corev1.ConfigMap)
	if err := w.Client.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: "brazier-queue-usage"}, kept); client.IgnoreNotFound(err) != nil {
		w.T.Error(err)
	}
	return kept.Data["usage.json"]
}
