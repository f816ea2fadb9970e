package evidence_test

import (
	"context"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// TestDriverCannotBeMade has a webhook keep the driver from being made. The operator tries again without an end; meanwhile
// status and a record tell what of.
func TestDriverCannotBeMade(t *testing.T) {
	w := newWorld(t)
	broken := &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: w.Namespace},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name: "broken.example.org", ClientConfig: admissionv1.WebhookClientConfig{URL: new("https://127.0.0.1:1/")},
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}},
			NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: w.Namespace}},
			FailurePolicy:           new(admissionv1.Fail),
			SideEffects:             new(admissionv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"},
		}},
	}
	w.Create(broken)
	w.Eventually("the API server asks the webhook", func(ctx context.Context) (bool, error) {
		pod := &corev1.Pod{ObjectMeta: w.Meta("tried"), Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "none", Image: "none"}}}}
		err := w.Client.Create(ctx, pod, client.DryRunAll)
		return err != nil && strings.Contains(err.Error(), "failed calling webhook"), nil
	})
	w.operate(apiserver.Reliably)
	app := &v1beta2.SparkApplication{ObjectMeta: w.Meta("pi"), Spec: v1beta2.SparkApplicationSpec{
		Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
	}}
	w.Create(app)
	w.await(app, diagnosed("AdmissionWebhook"))
	record := w.record(app, 1, anything)
	if len(record.Causes) != 1 || !record.Causes[0].Waiting || !strings.Contains(record.Causes[0].Why, "broken.example.org, which has to be asked, is not running") {
		t.Errorf("want the webhook, got %+v", record.Causes)
	}

	if err := w.Client.Delete(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	w.become(w.driver(app, "1"), corev1.PodRunning, running())
	w.await(app, func(app *v1beta2.SparkApplication) bool {
		return inState(v1beta2.ApplicationStateRunning)(app) && !diagnosed("AdmissionWebhook")(app)
	})
	w.become(w.driver(app, "1"), corev1.PodSucceeded, ended(0, "Completed", ""))
	w.record(app, 1, func(record *v1alpha1.RunRecord) bool {
		return record.State == string(v1beta2.ApplicationStateCompleted) && len(record.Causes) == 0
	})
}
