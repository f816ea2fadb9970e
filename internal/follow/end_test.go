package follow

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
)

// TestEndIsFinal brings news of a driver from before its end after that: the exit code is the command's and must stay.
func TestEndIsFinal(t *testing.T) {
	before := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "1", Name: "driver"}}
	ended := before.DeepCopy()
	ended.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: v1beta2.DriverContainerName, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 42}},
	}}
	m := &model{app: application{state: v1beta2.ApplicationStateFailed}}
	m.seeDriver(ended)
	m.seeDriver(before)
	if got := m.outcome().ExitCode; got != 42 {
		t.Errorf("got exit code %d, want the driver's, 42", got)
	}
	next := before.DeepCopy()
	next.UID = "2"
	m.seeDriver(next)
	if got := m.outcome().ExitCode; got != 1 {
		t.Errorf("got exit code %d; the next driver's end is not known yet", got)
	}
}
