//go:build e2e

package e2e

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// submitted is a job that needs all that is brought along: a module of a folder and a package of a wheel on the executors
// as well as in the driver, and a file. It ends with a code of its own.
const submitted = `import json, os, sys
from pyspark import SparkFiles
from pyspark.sql import SparkSession
import helpers.words, tiny

def there(n):
    import helpers.words, tiny
    return helpers.words.greet(tiny.NAME), os.environ["STAGE"]

spark = SparkSession.builder.getOrCreate()
found = spark.sparkContext.parallelize(range(4), 2).map(there).distinct().collect()
with open(SparkFiles.get("settings.json")) as settings:
    print("answer:", helpers.words.greet(tiny.NAME), found, json.load(settings)["limit"], os.environ["STAGE"], sys.argv[1:])
sys.exit(3)
`

// TestSubmit runs a script for YARN by the command that takes spark-submit's place.
func TestSubmit(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"etl.py":                  submitted,
		"src/helpers/__init__.py": "",
		"src/helpers/words.py":    "def greet(name):\n    return 'hello ' + name\n",
		"settings.json":           `{"limit": 42}`,
		"requirements.txt":        "--no-index\n--find-links " + dir + "\ntiny==1.0\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tinyWheel(t, filepath.Join(dir, "tiny-1.0-py3-none-any.whl"))
	submit := func(more ...string) (out, progress string, err error) {
		args := append([]string{
			"submit", "--master", "yarn", "--name", "Tiny ETL", "--num-executors", "1", "--executor-memory", "512m",
			"--py-files", filepath.Join(dir, "src"), "--files", filepath.Join(dir, "settings.json"), "--requirements", filepath.Join(dir, "requirements.txt"),
			"--conf", "spark.executorEnv.STAGE=test", "--conf", "spark.kubernetes.driverEnv.STAGE=test", "--conf", "spark.yarn.am.memory=1g",
			"--conf", "spark.kubernetes.driver.request.cores=200m", "--conf", "spark.kubernetes.executor.request.cores=200m",
		}, more...)
		cmd := command(t.Context(), "brazier", append(args, filepath.Join(dir, "etl.py"), "an argument")...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err = cmd.Run()
		return stdout.String(), stderr.String(), err
	}

	out, progress, err := submit("--deploy-mode", "client")
	t.Logf("progress:\n%s", progress)
	ended, ok := errors.AsType[*exec.ExitError](err)
	if !ok || ended.ExitCode() != 3 {
		t.Errorf("want the job's exit code, 3, got %v\n%s%s", err, out, progress)
	}
	if want := "answer: hello wheel [('hello wheel', 'test')] 42 test ['an argument']"; !strings.Contains(out, want) {
		t.Errorf("client mode shows the driver's log on standard output; want %q in\n%s\nprogress:\n%s", want, out, progress)
	}
	if !strings.Contains(progress, "note: --conf spark.yarn.am.memory: has no meaning on Kubernetes") {
		t.Errorf("what of YARN has no meaning is said, got\n%s", progress)
	}

	name, progress, err := submit("--deploy-mode", "cluster", "--conf", "spark.yarn.submit.waitAppCompletion=false")
	if err != nil {
		t.Fatalf("%v\n%s", err, progress)
	}
	if strings.Count(progress, "is there already") != 4 || strings.Contains(progress, " to s3a://") {
		t.Errorf("a second submission uploads nothing, got\n%s", progress)
	}
	name = strings.TrimSpace(name)
	if out := brazier(t, "submit", "--kill", "default:"+name+"-driver"); out != "default/"+name+" is deleted\n" {
		t.Errorf("got %q", out)
	}
}

// tinyWheel writes a wheel with one module: PEP 427.
func tinyWheel(t *testing.T, file string) {
	t.Helper()
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(out)
	for name, content := range map[string]string{
		"tiny.py":                     "NAME = 'wheel'\n",
		"tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
		"tiny-1.0.dist-info/WHEEL":    "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
		"tiny-1.0.dist-info/RECORD":   "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\ntiny-1.0.dist-info/WHEEL,,\ntiny-1.0.dist-info/RECORD,,\n",
	} {
		entry, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
}
