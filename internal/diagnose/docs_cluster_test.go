package diagnose

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestClusterDocumentation keeps docs/why.md to the rules: a section for each, in the order of their codes.
func TestClusterDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/why.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, r := range clusterRules() {
		want = append(want, r.code)
	}
	slices.Sort(want)
	cluster := regexp.MustCompile(`(?s)\n## Cluster\n(.*?)(?:\n## |$)`).FindSubmatch(page)
	if cluster == nil {
		t.Fatal("docs/why.md has no part about the cluster")
	}
	for _, match := range regexp.MustCompile("(?m)^### `([a-z-]+)`$").FindAllSubmatch(cluster[1], -1) {
		got = append(got, string(match[1]))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sections of docs/why.md are not the rules of rules_cluster.go, by code\n-want +got:\n%s", diff)
	}
}
