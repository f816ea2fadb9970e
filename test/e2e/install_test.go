//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestUpOnACluster takes the embedded cluster for one that somebody else runs: no part of it is touched, and Brazier is
// installed on it with the image that it is told of.
func TestUpOnACluster(t *testing.T) {
	before := status(t)
	image := kubectl(t, "get", "deployment", "brazier-operator", "--namespace=brazier-system",
		"-o", "jsonpath={.spec.template.spec.containers[0].image}")
	// What brazier up told the operator of the embedded cluster has to be there again for the tests that follow.
	defer brazier(t, "up")

	kubectl(t, "delete", "namespace", "brazier-system")
	brazier(t, "up", "--kubeconfig", filepath.Join(home, "kubeconfig"), "--operator-image", image)
	kubectl(t, "rollout", "status", "--namespace=brazier-system", "--timeout=60s", "deployment/brazier-operator")
	for i, part := range status(t).Parts {
		if part.PID != before.Parts[i].PID {
			t.Errorf("%s was restarted, though the cluster is somebody else's", part.Name)
		}
	}

	out, err := command(t.Context(), "brazier", "up", "--kubeconfig", filepath.Join(home, "kubeconfig")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--operator-image") {
		t.Errorf("without an image that the cluster can pull it has to say so, got %v: %s", err, out)
	}
}
