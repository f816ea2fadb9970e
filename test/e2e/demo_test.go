//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// planted is what the demonstration says when the job found exactly what the generator had put into its file.
const planted = "exactly the numbers that were planted"

func TestDemo(t *testing.T) {
	var out, progress bytes.Buffer
	demo := command(t.Context(), "brazier", "demo")
	demo.Stdout, demo.Stderr = &out, &progress
	if err := demo.Run(); err != nil {
		t.Fatalf("brazier demo: %v\n%s%s", err, progress.String(), out.String())
	}
	t.Logf("%s%s", progress.String(), out.String())
	if !strings.Contains(progress.String(), planted) {
		t.Errorf("the job did not find what was planted")
	}
	if !strings.Contains(out.String(), "1,000,000 lines read") {
		t.Errorf("the tables do not end with the lines that were read")
	}
	for _, state := range []string{"SUBMITTED", "RUNNING", "COMPLETED", "executors", "stage"} {
		if !strings.Contains(progress.String(), state) {
			t.Errorf("the user was not told of %s", state)
		}
	}
	created := regexp.MustCompile(`created SparkApplication default/(\S+)`).FindStringSubmatch(progress.String())
	if created == nil {
		t.Fatal("the user was not told of the application's name")
	}
	name := created[1]
	eventually(t, lifeLimit, "nothing left of the run but its driver pod", func() error {
		left := kubectl(t, "get", "pods,services,configmaps,networkpolicies", "-l", "sparkoperator.k8s.io/app-name="+name, "-o", "name")
		if strings.TrimSpace(left) != "pod/"+name+"-driver" {
			return fmt.Errorf("there is %q", left)
		}
		return nil
	})
}

// TestOwnData runs the demonstration on a real year of a shop, where the data set is at hand.
func TestOwnData(t *testing.T) {
	data := filepath.Join(os.Getenv("BRAZIER_DATA"), "online-retail", "online-retail.csv.gz")
	if _, err := os.Stat(data); err != nil {
		t.Skip("set BRAZIER_DATA to a folder with online-retail/online-retail.csv.gz, the first edition of UCI's Online Retail, to run this")
	}
	if out, want := brazier(t, "demo", "--data", data), "541,909 lines read, 397,884 kept, of 4,338 customers"; !strings.Contains(out, want) {
		t.Errorf("the job does not report %q:\n%s", want, out)
	}
}

func TestDemoRefusesData(t *testing.T) {
	file := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(file, []byte("InvoiceNo,Quantity\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := kubectl(t, "get", "sparkapplications", "-A", "-o", "name")
	out, err := command(t.Context(), "brazier", "demo", "--data", file).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "UnitPrice") || !strings.Contains(string(out), file) {
		t.Errorf("a file without columns must be refused with their names, got %v: %s", err, out)
	}
	if after := kubectl(t, "get", "sparkapplications", "-A", "-o", "name"); after != before {
		t.Errorf("something was made for a file that was refused: %s", after)
	}
}

// TestKillsDuringJob kills every part of the cluster in turn while the demonstration's job runs. Its policy allows
// retries, so that it has to end well in any case, with the right numbers.
func TestKillsDuringJob(t *testing.T) {
	var out, progress bytes.Buffer
	demo := command(t.Context(), "brazier", "demo", "--seed", "2")
	demo.Stdout, demo.Stderr = &out, &progress
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, lifeLimit, "a running driver", func() error {
		if states := kubectl(t, "get", "sparkapplications", "-o", "jsonpath={.items[*].status.applicationState.state}"); !strings.Contains(states, "RUNNING") {
			return fmt.Errorf("states: %s", states)
		}
		return nil
	})
	for _, part := range status(t).Parts {
		t.Logf("kill -9 %s (%d)", part.Name, part.PID)
		killPart(t, part)
	}
	if err := demo.Wait(); err != nil {
		t.Fatalf("brazier demo: %v\n%s%s", err, progress.String(), out.String())
	}
	t.Logf("%s", progress.String())
	if !strings.Contains(progress.String(), planted) {
		t.Errorf("the job did not find what was planted")
	}
}
