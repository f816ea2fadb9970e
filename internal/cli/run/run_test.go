package run_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/cli/run"
	"brazier.sh/brazier/internal/terminal"
)

var update = flag.Bool("update", false, "write the golden files anew")

// brazier runs the command as main would, with nothing of this machine's clusters in reach.
func brazier(ctx context.Context, t *testing.T, in string, args ...string) (out, progress string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := run.NewCommand(terminal.Streams{In: strings.NewReader(in), Out: &stdout, Err: &stderr})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append([]string{}, args...)) // Not nil, which would mean the arguments of the test.
	err = cmd.ExecuteContext(ctx)
	return stdout.String(), stderr.String(), err
}

func TestDryRun(t *testing.T) {
	tests := map[string]struct {
		reason string
		args   []string
	}{
		"least": {
			reason: "What was not asked for is left to the operator.",
			args:   []string{"--dry-run", "jobs/Report_2026.py"},
		},
		"everything": {
			reason: "Every flag has its field; what follows JOB is the job's own, flags too.",
			args: []string{
				"--dry-run", "--name", "report", "--class", "org.example.Report", "--type", "scala", "--image", "registry/spark:1",
				"--spark-version", "4.1.0", "--conf", "spark.sql.shuffle.partitions=8", "--conf", "spark.driver.extraJavaOptions=-Da=b,c",
				"--driver-memory", "2g", "--driver-cores", "1", "--executor-memory", "4g", "--executor-cores", "2", "--executors", "3",
				"--py-files", "a.py,b.zip", "--files", "c.csv", "--jars", "d.jar", "--jars", "e.jar", "--archives", "env#environment", "--packages", "org.postgresql:postgresql:42.7.7",
				"--service-account", "sales", "s3a://brazier/report.jar", "--executors", "many", "-f",
			},
		},
		"json": {
			reason: "Programs read JSON.",
			args:   []string{"--dry-run", "-o", "json", "local:///opt/spark/examples/src/main/r/dataframe.R"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, _, err := brazier(t.Context(), t, "", tt.args...)
			if err != nil {
				t.Fatalf("%s\n%v", tt.reason, err)
			}
			golden := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestDryRunReadsWhatItWrites(t *testing.T) {
	first, _, err := brazier(t.Context(), t, "", "--dry-run", "--executors", "2", "report.py", "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := brazier(t.Context(), t, first, "--dry-run", "-f", "-")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("a manifest that was printed must run as it is\n-first +second:\n%s", diff)
	}
}

func TestUsage(t *testing.T) {
	const manifest = "apiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\nmetadata: {name: a}\nspec: {}\n"
	tests := map[string]struct {
		args []string
		in   string
		want string
	}{
		"NoJob":          {want: "JOB: name a Python or R file"},
		"UnknownFlag":    {args: []string{"--excutors", "3", "a.py"}, want: `unknown flag: --excutors; "run --help" lists`},
		"NoNumber":       {args: []string{"--executors", "many", "a.py"}, want: `invalid argument "many" for "--executors" flag`},
		"TooFew":         {args: []string{"--executors", "0", "a.py"}, want: "--executors: 0 is too few; write 1 or more"},
		"Memory":         {args: []string{"--driver-memory", "1 GB", "a.py"}, want: `--driver-memory: "1 GB" is not a size that Spark reads; write`},
		"Conf":           {args: []string{"--conf", "spark.x", "a.py"}, want: `--conf: "spark.x" is not a property of Spark; write spark.key=value`},
		"ConfOfOthers":   {args: []string{"--conf", "yarn.x=1", "a.py"}, want: `--conf: "yarn.x=1" is not a property of Spark`},
		"Packages":       {args: []string{"--packages", "postgresql", "a.py"}, want: `--packages: "postgresql" is not what Maven calls a jar`},
		"Name":           {args: []string{"--name", "My_Job", "a.py"}, want: `--name: "My_Job" cannot be an application's name; write up to 63 of a-z, 0-9 and '-', such as "my-job"`},
		"Extension":      {args: []string{"job.sql"}, want: `JOB: "job.sql" ends in none of .py, .jar and .R; say what it is with --type`},
		"Type":           {args: []string{"--type", "perl", "a.py"}, want: `--type: "perl" is not a language that Spark runs`},
		"NoClass":        {args: []string{"s3a://b/a.jar"}, want: "--class: s3a://b/a.jar needs the class with its main method"},
		"NoJar":          {args: []string{"/no/such.jar"}, want: "--class: read /no/such.jar: open /no/such.jar"},
		"ClassOfPython":  {args: []string{"--class", "A", "a.py"}, want: `--class: "A" has no meaning for a.py`},
		"Requirements":   {args: []string{"--requirements", "r.txt", "--class", "A", "a.jar"}, want: `--requirements: "r.txt" are packages of Python`},
		"Output":         {args: []string{"--dry-run", "-o", "wide", "a.py"}, want: `--output: "wide" is not a form; write yaml or json`},
		"OutputAlone":    {args: []string{"-o", "yaml", "a.py"}, want: "--output: only --dry-run prints a manifest"},
		"DryRunDetached": {args: []string{"--dry-run", "--detach", "a.py"}, want: "--dry-run: nothing is created"},
		"DetachedLogs":   {args: []string{"--logs", "--detach", "a.py"}, want: "--logs: with --detach nobody is there"},
		"ManifestAndJob": {args: []string{"-f", "a.yaml", "a.py"}, want: `JOB: "a.py" is given as well as -f a.yaml`},
		"ManifestFlag":   {args: []string{"-f", "a.yaml", "--executors", "3"}, want: "--executors: it describes a JOB and has no effect with -f; write it into a.yaml"},
		"NoManifest":     {args: []string{"--dry-run", "-f", "/no/such.yaml"}, want: "-f: open /no/such.yaml"},
		"Misspelt":       {args: []string{"--dry-run", "-f", "-"}, in: manifest + "sepc: {}\n", want: `unknown field "sepc"`},
		"OtherKind":      {args: []string{"--dry-run", "-f", "-"}, in: "apiVersion: v1\nkind: Pod\n", want: `is "Pod" of "v1"; write a SparkApplication`},
		"Nameless":       {args: []string{"--dry-run", "-f", "-"}, in: strings.Replace(manifest, "{name: a}", "{}", 1), want: "metadata.name: - names no application"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out, _, err := brazier(t.Context(), t, tt.in, tt.args...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
			if out != "" {
				t.Errorf("an error must not print a manifest, got\n%s", out)
			}
			if code := exit.Of(err); tt.in == "" && name != "NoManifest" && code != exit.Usage {
				t.Errorf("a wrong command line ends with %d, got %d", exit.Usage, code)
			}
		})
	}
}
