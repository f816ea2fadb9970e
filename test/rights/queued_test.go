package rights_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// TestOperatorOfQueues has the operator, with the rights and under the policies that are installed, see what nodes have, let
// an application in, let an executor go that the application's driver has made, and tell of it.
func TestOperatorOfQueues(t *testing.T) {
	w := newWorld(t, operated())
	queue := &brazierv1alpha1.Queue{ObjectMeta: metav1.ObjectMeta{Name: "q-" + w.Namespace}}
	w.Create(queue)
	app := w.application("pi", func(app *v1beta2.SparkApplication) {
		app.Labels = map[string]string{brazierv1alpha1.LabelQueue: queue.Name}
		app.Spec.Executor.Instances = new(int32(1))
	})
	w.Create(app)
	w.Eventually("it waits for a node", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(app), app)
		admitted := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionAdmitted)
		return admitted != nil && admitted.Reason == "TooBig", err
	})
	w.addNode(w.Namespace)
	driver := w.driverOf(app)

	program := apiserver.NewClient(t, as(accountName(w.Namespace, driverAccount)))
	executor := w.queuedPod("pi-exec-1", v1beta2.SparkRoleExecutor, func(pod *corev1.Pod) {
		pod.Labels = map[string]string{v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor}
		for _, label := range []string{brazierv1alpha1.LabelQueue, v1beta2.LabelAppName, v1beta2.LabelRun, v1beta2.LabelLaunchedByOperator} {
			pod.Labels[label] = driver.Labels[label]
		}
		pod.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: brazierv1alpha1.SchedulingGate}}
	})
	w.createAs(program, executor)
	w.Eventually("the executor is let go", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(executor), executor)
		return len(executor.Spec.SchedulingGates) == 0, err
	})
	w.Eventually("the queue tells of it", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(queue), queue)
		return queue.Status.Running == 1 && meta.IsStatusConditionTrue(queue.Status.Conditions, brazierv1alpha1.ConditionQueueReady), err
	})
}

// addNode makes a node that has room, and is ready for as long as a node is that nobody hears of.
func (w *world) addNode(name string) {
	w.T.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	w.Create(node)
	before := node.DeepCopy()
	amounts := corev1.ResourceList{"cpu": resource.MustParse("8"), "memory": resource.MustParse("32Gi"), "pods": resource.MustParse("110")}
	node.Status.Allocatable, node.Status.Capacity = amounts, amounts
	node.Status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now(),
	}}
	if err := w.Client.Status().Patch(w.T.Context(), node, client.MergeFrom(before)); err != nil {
		w.T.Fatal(err)
	}
}
