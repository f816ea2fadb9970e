//go:build e2e

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRunJVM runs a program that Spark's own jars bring along: it computes an RDD on the executors and writes it to the
// object store.
func TestRunJVM(t *testing.T) {
	for _, language := range []string{"Java", "Scala"} {
		t.Run(language, func(t *testing.T) {
			out := "s3a://brazier/e2e/svm-" + language + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
			progress, err := command(t.Context(), "brazier", "run", "--type", language, "--spark-version", "4.3.0",
				"--class", "org.apache.spark.mllib.util.SVMDataGenerator", "--executors", "1",
				"--conf", "spark.kubernetes.driver.request.cores=200m", "--conf", "spark.kubernetes.executor.request.cores=200m",
				"local:///opt/spark/jars/spark-mllib_2.13-4.3.0.jar", "k8s://https://kubernetes.default.svc", out).CombinedOutput()
			if err != nil || !strings.Contains(string(progress), "COMPLETED") {
				t.Fatalf("brazier run: %v\n%s", err, progress)
			}
		})
	}
}

// TestRunExitCode says that the command ends as the job does, and with what the job said.
func TestRunExitCode(t *testing.T) {
	job := filepath.Join(t.TempDir(), "fails.py")
	if err := os.WriteFile(job, []byte("import sys\nprint('the reason', sys.argv[1:])\nsys.exit(37)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := command(t.Context(), "brazier", "run", "--logs", job, "an argument").CombinedOutput()
	ended, ok := errors.AsType[*exec.ExitError](err)
	if !ok || ended.ExitCode() != 37 {
		t.Errorf("want exit code 37, got %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "the reason ['an argument']") {
		t.Errorf("the job's own words are missing:\n%s", out)
	}
}
