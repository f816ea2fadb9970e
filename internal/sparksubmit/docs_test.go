package sparksubmit_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/internal/sparksubmit"
)

// TestDocs compares the table of options in docs/submit.md with the options.
func TestDocs(t *testing.T) {
	const page, begin, end = "../../docs/submit.md", "-update -->\n", "<!-- end of options -->"
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(content), begin)
	got, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", page)
	}
	var want strings.Builder
	for _, own := range []bool{false, true} {
		title := map[bool]string{false: "Option of spark-submit", true: "Option of Brazier"}[own]
		fmt.Fprintf(&want, "\n| %s | What becomes of it |\n|---|---|\n", title)
		for _, option := range sparksubmit.Options() {
			if option.Own != own {
				continue
			}
			words := "`" + strings.TrimSpace("--"+option.Name+" "+option.Value) + "`"
			if option.Short != "" {
				words += ", `-" + option.Short + "`"
			}
			fmt.Fprintf(&want, "| %s | %s |\n", words, option.Becomes)
		}
	}
	want.WriteString("\n")
	if *update {
		if err := os.WriteFile(page, []byte(before+begin+want.String()+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		got = want.String()
	}
	if diff := cmp.Diff(want.String(), got); diff != "" {
		t.Errorf("docs/submit.md; go test ./internal/sparksubmit -update writes it\n-want +got:\n%s", diff)
	}
}
