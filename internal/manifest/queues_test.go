package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQueues(t *testing.T) {
	const a = "apiVersion: brazier.sh/v1alpha1\nkind: Queue\nmetadata: {name: a}\nspec: {weight: 2}\n"
	const b = "apiVersion: brazier.sh/v1alpha1\nkind: Queue\nmetadata: {name: b}\nspec: {parent: a}\n"
	tests := map[string]struct {
		reason, text string
		want         []string
		wantErr      string
	}{
		"Documents": {reason: "One file may have many.", text: "# the tree\n---\n" + a + "---\n" + b + "---\n", want: []string{"a", "b"}},
		"List": {
			reason: "What kubectl prints is read.", want: []string{"a"},
			text: `{"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": [{"apiVersion": "brazier.sh/v1alpha1", "kind": "Queue", "metadata": {"name": "a"}, "spec": {}}]}`,
		},
		"Empty":     {reason: "No queue is the root alone."},
		"Misspelt":  {reason: "A field that is misspelt would have no effect.", text: strings.Replace(a, "weight", "wait", 1), wantErr: `-: document 1: error unmarshaling JSON: while decoding JSON: json: unknown field "wait"`},
		"OtherKind": {reason: "Another kind is no queue.", text: "apiVersion: v1\nkind: Namespace\n", wantErr: `-: document 1: it is "Namespace" of "v1"; write a Queue of brazier.sh/v1alpha1`},
		"NoKind":    {reason: "Neither is what does not say.", text: "spec: {}\n", wantErr: `-: document 1: it is "" of ""; write a Queue of brazier.sh/v1alpha1`},
		"InList":    {reason: "Of a list it is said which.", text: "kind: List\nitems: [{kind: Pod}]\n", wantErr: `-: document 1: items[0]: it is "Pod" of ""; write a Queue of brazier.sh/v1alpha1`},
		"NoName":    {reason: "Queues are told apart by names.", text: strings.Replace(a, "name: a", "", 1), wantErr: "-: document 1: metadata.name: a Queue has a name"},
		"Twice":     {reason: "Which of two counts is not guessed.", text: a + "---\n" + a, wantErr: `-: there are two Queues called "a"; leave one out`},
		"NotYAML":   {reason: "What is no YAML is said to be none.", text: "a: [", wantErr: "-: document 1: error converting YAML to JSON: yaml: line 1: did not find expected node content"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			queues, err := Queues("-", strings.NewReader(tt.text))
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != tt.wantErr {
				t.Fatalf("%s\ngot  %s\nwant %s", tt.reason, got, tt.wantErr)
			}
			var names []string
			for i := range queues {
				names = append(names, queues[i].Name)
			}
			if diff := cmp.Diff(tt.want, names); err == nil && diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// FuzzQueues: whatever it is, it is read or refused.
func FuzzQueues(f *testing.F) {
	f.Add("apiVersion: brazier.sh/v1alpha1\nkind: Queue\nmetadata: {name: a}\nspec: {weight: 2}\n---\nkind: List\nitems: [{kind: List}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		queues, err := Queues("-", strings.NewReader(text))
		for i := range queues {
			if err == nil && queues[i].Name == "" {
				t.Fatal("a queue without a name")
			}
		}
	})
}
