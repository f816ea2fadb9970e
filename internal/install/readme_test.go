package install

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	yamlv3 "go.yaml.in/yaml/v3"
)

// readme is the chart's page; its table of values is written by the test below, between the two marks.
const (
	readme    = "../../charts/brazier/README.md"
	beginMark = "<!-- values: written by go test ./internal/install -update -->\n"
	endMark   = "<!-- end of values -->\n"
	// maxValue is how long a default may be to stand in the table.
	maxValue = 60
)

// TestReadme keeps the table of the chart's values in step with values.yaml and its comments.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../charts/brazier/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yamlv3.Node
	if err := yamlv3.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| Value | Default | |\n|---|---|---|\n")
	rows(t, &table, "", document.Content[0])

	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), beginMark)
	was, after, ended := strings.Cut(rest, endMark)
	if !found || !ended {
		t.Fatalf("%s has no marks for the table", readme)
	}
	if *update {
		if err := os.WriteFile(readme, []byte(before+beginMark+table.String()+endMark+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(was, table.String()); diff != "" {
		t.Errorf("the chart's README (rewrite with -update)\n-have +want:\n%s", diff)
	}
}

// rows writes a row for each value below an object of values.yaml: an object without a comment of its own is described key by
// key.
func rows(t *testing.T, table *strings.Builder, path string, object *yamlv3.Node) {
	t.Helper()
	for i := 0; i < len(object.Content); i += 2 {
		key, value := object.Content[i], object.Content[i+1]
		name, comment := path+key.Value, sentence(key.HeadComment)
		if comment == "" && value.Kind == yamlv3.MappingNode && len(value.Content) > 0 {
			rows(t, table, name+".", value)
			continue
		}
		if comment == "" {
			t.Errorf("values.yaml: %s has no comment that says what it is", name)
		}
		fmt.Fprintf(table, "| `%s` | %s | %s |\n", name, shown(t, value), strings.ReplaceAll(comment, "|", "\\|"))
	}
}

// sentence is a comment as one line. What stands before an empty line is not about the key.
func sentence(comment string) string {
	if i := strings.LastIndex(comment, "\n\n"); i >= 0 {
		comment = comment[i:]
	}
	var words []string
	for line := range strings.Lines(comment) {
		if line = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "#")); line != "" {
			words = append(words, line)
		}
	}
	return strings.Join(words, " ")
}

// shown is a value on one line, or where to see it if that would be too long.
func shown(t *testing.T, value *yamlv3.Node) string {
	t.Helper()
	flow := *value
	if value.Kind != yamlv3.ScalarNode {
		flow.Style = yamlv3.FlowStyle
	}
	text, err := yamlv3.Marshal(&flow)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(text))
	if len(line) > maxValue {
		return "see values.yaml"
	}
	return "`" + line + "`"
}
