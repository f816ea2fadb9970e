package evidence_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// TestDeletedWhileItRuns has an application be deleted in the middle of a run that has a record: the record stays, with what
// was seen, and says when the run was over and what it was doing then.
func TestDeletedWhileItRuns(t *testing.T) {
	w := newWorld(t)
	w.operate(apiserver.Reliably)
	app, driver := w.submit("pi")
	w.become(driver, corev1.PodRunning, running())
	w.await(app, inState(v1beta2.ApplicationStateRunning))
	executor := w.executor(app, driver, 1)
	w.become(executor, corev1.PodFailed, ended(137, "OOMKilled", ""))
	if err := w.Client.Delete(t.Context(), executor, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	before := w.record(app, 1, func(record *v1alpha1.RunRecord) bool {
		return len(record.Evidence.Pods) > 0 && record.Evidence.Pods[0].Deleted != nil && len(record.Evidence.Logs) > 0
	})
	if before.Ended != nil {
		t.Fatalf("the record says that the run has ended at %s, but it goes on", before.Ended)
	}
	if err := w.Client.Delete(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	after := w.record(app, 1, func(record *v1alpha1.RunRecord) bool { return record.Ended != nil })
	if after.State != string(v1beta2.ApplicationStateRunning) {
		t.Errorf("the record says that it was %s when it was deleted, want RUNNING", after.State)
	}
	if diff := cmp.Diff(before.Evidence, after.Evidence); diff != "" {
		t.Errorf("the evidence is another one\n-before +after:\n%s", diff)
	}
}
