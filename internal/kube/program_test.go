package kube

import "testing"

func TestProgramOf(t *testing.T) {
	for path, want := range map[string]string{
		"brazier": "brazier", "/usr/local/bin/brazier": "brazier", "/home/me/bin/kubectl-brazier": "kubectl brazier",
	} {
		if got := programOf(path); got != want {
			t.Errorf("called as %s: got %q, want %q", path, got, want)
		}
	}
}
