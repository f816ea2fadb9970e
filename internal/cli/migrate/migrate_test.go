package migrate_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/cli/migrate"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/apiserver"
)

// command runs the command with args, and returns what it wrote to standard output.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, progress bytes.Buffer
	cmd := migrate.NewCommand(terminal.Streams{In: new(bytes.Buffer), Out: &out, Err: &progress})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestUsage(t *testing.T) {
	tests := map[string]struct {
		reason string
		args   []string
		want   string
	}{
		"NoImage":    {reason: "Who installs Brazier has to be said.", args: []string{"apply"}, want: "operator-image no-install"},
		"Both":       {reason: "It is one or the other.", args: []string{"apply", "--operator-image", "brazier:1", "--no-install"}, want: "none of the others can be"},
		"NoFormat":   {reason: "A format that is not known is not passed over.", args: []string{"check", "-o", "xml"}, want: `"xml" is not a format`},
		"NoSuchFile": {reason: "A kubeconfig that is not there is named.", args: []string{"undo", "--kubeconfig", "/nowhere"}, want: "/nowhere"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := command(t, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s\nerror: %v, want one with %q", tt.reason, err, tt.want)
			}
		})
	}
}

// TestCommands runs the commands that change nothing against a real API server.
func TestCommands(t *testing.T) {
	server := apiserver.Start(t)
	there := []string{"--kubeconfig", server.Kubeconfig()}

	out, err := command(t, append(there, "check")...)
	if exit.Of(err) != exit.Failure || !exit.Silent(err) || !strings.Contains(out, "nobody to take over from") {
		t.Errorf("check of an empty cluster: %v\n%s", err, out)
	}
	if _, err := command(t, append(there, "undo")...); err == nil || !strings.Contains(err.Error(), "nothing was migrated") {
		t.Errorf("undo of nothing: %v", err)
	}

	c := server.Client(t)
	labels := map[string]string{
		"helm.sh/chart": "spark-operator-2.4.0", "app.kubernetes.io/name": "spark-operator", "app.kubernetes.io/component": "controller",
	}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "spark-operator-controller", Labels: labels}}
	deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	deployment.Spec.Template.Labels = labels
	deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "controller", Image: "controller"}}
	if err := c.Create(t.Context(), deployment); err != nil {
		t.Fatal(err)
	}

	values := filepath.Join(t.TempDir(), "values.yaml")
	out, err = command(t, append(there, "check", "-o", "json", "--values-out", values)...)
	if err != nil {
		t.Fatal(err)
	}
	var report struct{ Findings []any }
	if err := json.Unmarshal([]byte(out), &report); err != nil || len(report.Findings) == 0 {
		t.Errorf("the report is not JSON with findings: %v\n%s", err, out)
	}
	if text, err := os.ReadFile(values); err != nil || string(text) != "{}\n" {
		t.Errorf("values without a release: %q, %v", text, err)
	}
	out, err = command(t, append(there, "apply", "--operator-image", "brazier:1", "--dry-run")...)
	if err != nil || !strings.Contains(out, "2. stop the other operator, Deployment default/spark-operator-controller") {
		t.Errorf("dry run: %v\n%s", err, out)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(deployment), deployment); err != nil || *deployment.Spec.Replicas != 1 {
		t.Errorf("the dry run changed something: %v, %v", err, deployment.Spec.Replicas)
	}
	if out, err = command(t, append(there, "undo", "--dry-run")...); err != nil || !strings.Contains(out, "1. stop Brazier") {
		t.Errorf("dry run of undo: %v\n%s", err, out)
	}
}
