package demo

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/examples/retail"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/invoices"
	"brazier.sh/brazier/internal/objectstore"
	"brazier.sh/brazier/internal/terminal"
)

func quiet() terminal.Streams {
	return terminal.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}
}

func TestUsage(t *testing.T) {
	tests := map[string]struct {
		reason string
		args   []string
		want   string
	}{
		"Argument":    {"The file is a flag, so that the command reads like make demo DATA=….", []string{"a.csv"}, "--data"},
		"SeedOfData":  {"A seed has no effect on a file.", []string{"--data", "a.csv", "--seed", "2"}, "--seed"},
		"NoLines":     {"Nothing can be asked of nothing.", []string{"--lines", "0"}, "--lines: 0"},
		"UnknownFlag": {"A typo is a usage error.", []string{"--line", "1"}, "unknown flag"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cmd := NewCommand(quiet())
			cmd.SetArgs(tt.args)
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			err := cmd.ExecuteContext(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) || exit.Of(err) != exit.Usage {
				t.Errorf("%s\ngot error %v with code %d, want one with %q", tt.reason, err, exit.Of(err), tt.want)
			}
		})
	}
}

// TestBadFileCostsNothing names no cluster: the file is looked at first.
func TestBadFileCostsNothing(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	path := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(path, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := NewCommand(quiet())
	cmd.SetArgs([]string{"--data", path})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "--data: "+path+": has no column InvoiceNo") {
		t.Errorf("got %v", err)
	}
}

func TestGeneratedIsKept(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "invoices")
	opts := invoices.Options{Lines: 2_000, Seed: 9}
	first, err := generated(t.Context(), quiet(), folder, opts)
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.Stat(first.path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := generated(t.Context(), quiet(), folder, opts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.planted, second.planted); diff != "" || first.path != second.path {
		t.Errorf("the kept file is not the generated one\n-generated +kept:\n%s", diff)
	}
	if again, err := os.Stat(second.path); err != nil || !again.ModTime().Equal(written.ModTime()) {
		t.Errorf("the file was written again (error %v)", err)
	}

	// A file that was cut off, as by a full disk, is not taken for the whole.
	if err := os.Truncate(first.path, 100); err != nil {
		t.Fatal(err)
	}
	third, err := generated(t.Context(), quiet(), folder, opts)
	if err != nil {
		t.Fatal(err)
	}
	if whole, err := os.Stat(third.path); err != nil || whole.Size() != third.planted.Bytes {
		t.Errorf("a file that was cut off was not written anew (error %v)", err)
	}
}

func TestApplicationIsTheExamplesManifest(t *testing.T) {
	j := job{name: "retail-abcde", program: "s3a://b/retail.py", input: "s3a://b/in.csv", out: "s3a://b/out"}
	app, err := j.application("team")
	if err != nil {
		t.Fatal(err)
	}
	type filled struct {
		Name, GenerateName, Namespace, Label, Program string
		Arguments                                     []string
	}
	want := filled{"retail-abcde", "", "team", "retail", "s3a://b/retail.py", []string{"s3a://b/in.csv", "s3a://b/out"}}
	got := filled{app.Name, app.GenerateName, app.Namespace, app.Labels[label], app.Spec.MainApplicationFile, app.Spec.Arguments}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestUploadIsSafeForSpark(t *testing.T) {
	root := t.TempDir()
	bucket, err := objectstore.Open(t.Context(), objectstore.Settings{Bucket: "file://" + root})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bucket.Close() })
	path := filepath.Join(t.TempDir(), "my orders [2025].csv")
	if err := os.WriteFile(path, []byte(invoices.Header+"\n"+line), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &session{options: &options{streams: quiet()}, namespace: "team", bucket: bucket}
	j, err := s.upload(t.Context(), data{path: path})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(j.input, "/my-orders-2025-.csv") {
		t.Errorf("input is %s", j.input)
	}
	program, err := os.ReadFile(strings.TrimPrefix(j.program, "file://"))
	if err != nil || string(program) != retail.Job {
		t.Errorf("the job was not uploaded (error %v)", err)
	}
	if want := "file://" + root + "/demo/results/team/" + j.name; j.out != want {
		t.Errorf("results go to %s, want %s", j.out, want)
	}
}

const document = `{"version": 1, "output": "s3a://b/out", "lines": {"read": 1200, "kept": 3, "dropped": {"no customer": 1197}, "duplicates": 2},
"totals": {"customers": 2, "orders": 2, "products": 1, "countries": 1, "revenue": "9.50"},
"tables": [{"name": "lines", "title": "Lines", "columns": ["", "lines"], "rows": [["read", "1,200"], ["kept", "3"]], "note": "2 repeat"},
{"name": "products", "title": "Best products", "columns": ["product", "revenue"], "rows": [["Crème brûlée dish", "9"]], "note": ""}]}`

func TestReportIsReadAndPrinted(t *testing.T) {
	bucket, err := objectstore.Open(t.Context(), objectstore.Settings{Bucket: "file://" + t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bucket.Close() })
	if _, err := readReport(t.Context(), bucket, "run"); err == nil || !strings.Contains(err.Error(), "no report") {
		t.Errorf("a run without a report: got error %v", err)
	}
	for key, content := range map[string]string{"run/report/_SUCCESS": "", "run/report/part-00000-x.txt": document + "\n"} {
		if err := bucket.Put(t.Context(), key, strings.NewReader(content), -1, nil); err != nil {
			t.Fatal(err)
		}
	}
	r, err := readReport(t.Context(), bucket, "run")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	r.print(terminal.Streams{Out: &out, Err: io.Discard})
	want := `
Lines
─────
      lines
read  1,200
kept      3
2 repeat

Best products
─────────────
product            revenue
Crème brûlée dish        9

1,200 lines read, 3 kept, of 2 customers
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDifferences(t *testing.T) {
	planted := invoices.Report{
		Lines: 1200, Kept: 3, Dropped: map[invoices.Reason]int64{invoices.NoCustomer: 1197}, Duplicates: 2, Customers: 2, Invoices: 2, Products: 1,
	}
	found := report{
		Lines:  lines{Read: 1200, Kept: 3, Dropped: map[invoices.Reason]int64{invoices.NoCustomer: 1197}, Duplicates: 2},
		Totals: totals{Customers: 2, Orders: 2, Products: 1},
	}
	if got := differences(planted, found); got != nil {
		t.Errorf("the same numbers are said to differ: %v", got)
	}
	found.Totals.Customers = 3
	found.Lines.Dropped = map[invoices.Reason]int64{invoices.BadDate: 1197}
	want := []string{"2 customers planted, 3 found", "dropped lines planted map[no customer:1197], found map[unreadable date:1197]"}
	if diff := cmp.Diff(want, differences(planted, found)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
