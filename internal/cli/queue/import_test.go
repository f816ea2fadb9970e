package queue

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/terminal"
)

var update = flag.Bool("update", false, "write the golden files anew")

// imports are files as administrators of YARN have them, and how they are imported.
var imports = map[string][]string{
	"percent":  {"--cpu", "2000", "--memory", "8Ti", "--yarn-site", "testdata/import/percent-site.xml"},
	"weights":  nil,
	"sized":    {"--cpu", "1700", "--memory", "6800Gi"},
	"absolute": nil,
	"labels":   {"--cpu", "1000", "--memory", "4Ti", "--cpu", "gpu=256", "--memory", "gpu=2Ti", "--gpus", "gpu=10", "--cpu", "Fast_SSD=100", "--memory", "Fast_SSD=1Ti"},
}

// fileOf is the file of an import.
func fileOf(name string) string {
	if name == "sized" {
		name = "weights"
	}
	return filepath.Join("testdata", "import", name+".xml")
}

// run runs a command of this package.
func run(t *testing.T, in string, args ...string) (out, said string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := NewCommand(terminal.Streams{In: strings.NewReader(in), Out: &stdout, Err: &stderr})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(t.Context())
	return stdout.String(), stderr.String(), err
}

func TestImport(t *testing.T) {
	for name, flags := range imports {
		t.Run(name, func(t *testing.T) {
			out, said, err := run(t, "", append([]string{"import", fileOf(name)}, flags...)...)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(said) {
				if !strings.Contains(out, "# "+line) {
					t.Errorf("what is said is a comment as well: %s", line)
				}
			}
			golden := filepath.Join("testdata", "import", name+".yaml")
			if *update {
				if err := os.WriteFile(golden, []byte(out), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out); diff != "" {
				t.Errorf("if this is meant, run \"make golden\"\n-want +got:\n%s", diff)
			}
		})
	}
}

func TestImportReadsInputAndWritesJSON(t *testing.T) {
	content, err := os.ReadFile(fileOf("absolute"))
	if err != nil {
		t.Fatal(err)
	}
	out, said, err := run(t, string(content), "import", "-", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"kind": "List"`, `"kind": "Queue"`, `"kind": "ClusterRole"`, `"name": "market"`} {
		if !strings.Contains(out, want) {
			t.Errorf("want %s in\n%s", want, out)
		}
	}
	if !strings.Contains(said, "not kept: ") || strings.Contains(out, "# ") {
		t.Errorf("what was not kept is said on standard error alone, as JSON has no comments\n%s", said)
	}
}

func TestImportUsage(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string
		code exit.Code
	}{
		"NoFile":     {[]string{"import"}, "FILE: name one capacity-scheduler.xml", exit.Usage},
		"Form":       {[]string{"import", "x", "-o", "table"}, `--output: "table" is not a form; write yaml or json`, exit.Usage},
		"Amount":     {[]string{"import", "x", "--cpu", "many"}, `--cpu: "many" is no amount; write for example 4000, or LABEL=4000`, exit.Usage},
		"Nameless":   {[]string{"import", "x", "--gpus", "=4"}, `--gpus: "=4" is no amount`, exit.Usage},
		"Twice":      {[]string{"import", "x", "--memory", "gpu=1Ti", "--memory", "gpu=2Ti"}, `--memory: "gpu=2Ti" is a second amount of the same`, exit.Usage},
		"Missing":    {[]string{"import", "/no/such/file"}, "FILE: open /no/such/file", exit.Failure},
		"SizeNeeded": {[]string{"import", fileOf("percent")}, "yarn.scheduler.capacity.root.sales.maximum-capacity: it is a percentage of what the cluster has, which is not known; add --cpu 4000 --memory 16Ti", exit.Failure},
		"LabelSize":  {[]string{"import", fileOf("labels"), "--cpu", "1", "--memory", "1Gi"}, "which is not known; add --cpu Fast_SSD=400 --memory Fast_SSD=2Ti", exit.Failure},
		"Half":       {[]string{"import", fileOf("percent"), "--cpu", "1"}, "--cpu, --memory: percentages are of both", exit.Failure},
		"NoLabel":    {[]string{"import", fileOf("percent"), "--cpu", "gpu=1"}, `"gpu" is no node label of the file; it has none`, exit.Failure},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := run(t, "", tt.args...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || exit.Of(err) != tt.code {
				t.Errorf("got code %d: %v, want code %d and an error with %q", exit.Of(err), err, tt.code, tt.want)
			}
		})
	}
}

func TestBindingsAreWordsOfAShell(t *testing.T) {
	for word, want := range map[string]string{"ana": "ana", "system:authenticated": "system:authenticated", "o'brien; rm -rf /": `'o'\''brien; rm -rf /'`, "ü": "'ü'"} {
		if got := quoted(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}
