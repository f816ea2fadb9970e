//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"brazier.sh/brazier/api/v1beta2"
)

// TestExamples applies every manifest of examples/ as it is.
func TestExamples(t *testing.T) {
	manifests, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(manifests) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	// What examples/pi-java.yaml says to do before.
	kubectl(t, "create", "configmap", "pi-java", "--from-file=pi.jar="+compile(t, "../../examples/Pi.java", "Pi.class"))
	deleteAfter(t, "configmap/pi-java")
	for _, manifest := range manifests {
		t.Run(filepath.Base(manifest), func(t *testing.T) {
			t.Parallel()
			object := strings.TrimSpace(kubectl(t, "apply", "-f", manifest, "-o", "name"))
			deleteAfter(t, object)
			kind, name, _ := strings.Cut(object, "/")
			switch kind {
			case "sparkapplication." + v1beta2.GroupName:
				awaitState(t, name, v1beta2.ApplicationStateCompleted)
				wantInLog(t, name, "Pi is roughly 3.1")
			case "scheduledsparkapplication." + v1beta2.GroupName:
				checkNightly(t, name)
			case "sparkconnect." + v1beta2.GroupName:
				kubectl(t, "wait", "--for=condition=ServerPodReady", "--timeout="+lifeLimit.String(), object)
			default:
				t.Errorf("nothing is known of %s", object)
			}
		})
	}
}
