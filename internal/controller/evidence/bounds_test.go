package evidence_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	kept "brazier.sh/brazier/internal/evidence"
	"brazier.sh/brazier/test/apiserver"
)

// etcdLimit is what etcd takes of an object by default: --max-request-bytes.
const etcdLimit = 1536 << 10

// TestRecordAtItsBounds has more executors end badly than a record has room for, each of which has a lot to say, and then
// the driver. The record stays within its bounds, and says what it has left out.
func TestRecordAtItsBounds(t *testing.T) {
	w := newWorld(t)
	w.operate(apiserver.Reliably)
	app, driver := w.submit("pi")
	w.become(driver, corev1.PodRunning, running())
	const first, executors, most = 101, 60, 40
	for number := first; number < first+executors; number++ {
		w.failAtLength(w.executor(app, driver, number, withSidecars))
	}
	w.record(app, 1, func(record *v1alpha1.RunRecord) bool { return record.Evidence.Executors.Failed == executors })
	w.become(w.driver(app, "1"), corev1.PodFailed, ended(1, "Error", strings.Repeat("a line of a driver's end\n", 160)))
	record := w.record(app, 1, func(record *v1alpha1.RunRecord) bool { return record.Ended != nil })

	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > kept.MaxRecord+(8<<10) || len(text) >= etcdLimit {
		t.Errorf("the record has %d bytes, want about %d at most", len(text), kept.MaxRecord)
	}
	if len(text) < kept.MaxRecord/2 {
		t.Errorf("the record has %d bytes: it is not at its bounds", len(text))
	}
	e := record.Evidence
	if len(e.Pods) > most || e.Dropped < executors+1-most {
		t.Errorf("%d pods are kept and %d dropped, want %d at most of %d", len(e.Pods), e.Dropped, most, executors+1)
	}
	if e.Pods[0].Role != v1alpha1.RoleDriver || e.Pods[1].Name != "pi-exec-101" || e.Pods[len(e.Pods)-1].Name != "pi-exec-160" {
		t.Errorf("want the driver, the first executors and the last ones, got %s, %s … %s", e.Pods[0].Name, e.Pods[1].Name, e.Pods[len(e.Pods)-1].Name)
	}
}

func withSidecars(pod *corev1.Pod) {
	for i := range 5 {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: fmt.Sprintf("sidecar-%d", i), Image: "spark"})
	}
}

// failAtLength has all containers of an executor fail, with as much to say as kubelet lets them.
func (w *world) failAtLength(pod *corev1.Pod) {
	w.T.Helper()
	pod.Status.Phase, pod.Status.Message = corev1.PodFailed, strings.Repeat("what the node said ", 200)
	for _, container := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: container.Name, Image: "spark",
			State: ended(137, "Error", pod.Name+", "+container.Name+"\n"+strings.Repeat("as long as kubelet allows\n", 150)),
		})
	}
	if err := w.Client.Status().Update(w.T.Context(), pod); err != nil {
		w.T.Fatal(err)
	}
}
