package output

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/internal/terminal"
)

func things() []Column[string] {
	return []Column[string]{
		{Header: "NAME", Cell: func(s string) string { return s }, Tone: func(string) terminal.Tone { return terminal.Bad }},
		{Header: "SIZE", Wide: true, Cell: func(s string) string { return strings.Repeat("x", len(s)) }},
		{Header: "SAYS", Cell: func(s string) string { return strings.TrimPrefix(s, "a") }},
	}
}

func TestRows(t *testing.T) {
	var out bytes.Buffer
	rows := NewRows(terminal.Streams{Out: &out}, Table, things())
	rows.Print("a", "bb")
	rows.Print("übermorgen", "b")
	want := "NAME  SAYS\n" +
		"a     -\n" +
		"bb    bb\n" +
		"übermorgen  übermorgen\n" + // It gets wider when it has to, and stays so.
		"b           b\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("a table goes on; an empty cell is a dash; no colours where there is no terminal\n-want +got:\n%s", diff)
	}
	out.Reset()
	wide := NewRows(terminal.Streams{Out: &out}, Wide, things())
	wide.colour = true
	wide.Print("bb")
	if diff := cmp.Diff("NAME  SIZE  SAYS\n\x1b[31mbb\x1b[0m    xx    bb\n", out.String()); diff != "" {
		t.Errorf("a wide table has every column, and colours take no room\n-want +got:\n%s", diff)
	}
}

func pod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "x"}}}}
}

func TestForms(t *testing.T) {
	kind := corev1.SchemeGroupVersion.WithKind("Pod")
	tests := map[string]struct {
		reason string
		form   Form
		pods   []*corev1.Pod
		want   []string
	}{
		"JSON":  {"Objects have their kind, and not who wrote which field.", JSON, []*corev1.Pod{pod("a")}, []string{`"kind": "List"`, `"kind": "Pod"`, `"name": "a"`}},
		"YAML":  {"The same in YAML.", YAML, []*corev1.Pod{pod("a")}, []string{"kind: List", "  kind: Pod", "    name: a"}},
		"Empty": {"No objects are an empty list, which programs can read.", JSON, nil, []string{`"items": []`}},
		"Name":  {"Names are kubectl's.", Name, []*corev1.Pod{pod("a"), pod("b")}, []string{"pod/a\npod/b\n"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := List(&out, tt.form, kind, tt.pods); err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%s want %q in\n%s", tt.reason, want, out.String())
				}
			}
			if strings.Contains(out.String(), "managedFields") {
				t.Errorf("managedFields are of no use to a reader\n%s", out.String())
			}
		})
	}
}

func TestFlag(t *testing.T) {
	for text, want := range map[string]string{"": "", "wide": "", "xml": `--output: "xml" is not a form; write table, wide or json`} {
		var flag Flag
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		flag.AddTo(flags, Table, Wide, JSON)
		if err := flags.Set("output", text); err != nil {
			t.Fatal(err)
		}
		err := flag.Check()
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("-o %q: got %v, want %q", text, err, want)
		}
	}
}

func TestCut(t *testing.T) {
	for text, want := range map[string]string{"short": "short", "much too long": "much too…", "one\ntwo": "one …", " \n": ""} {
		if got := Cut(text, 9); got != want {
			t.Errorf("Cut(%q): got %q, want %q", text, got, want)
		}
	}
}
