//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// TestConnect uses a Spark Connect server as its users do, with a client of Python's, through executors that come and go,
// and through the server's death.
func TestConnect(t *testing.T) {
	applyConnect(t, "shared")
	address := reach(t, "shared")
	t.Run("Work", func(t *testing.T) {
		wantPrinted(t, work(t, address), "server: 4.3.0", "sql: 5050",
			"dataframe: [1249950000, 1249975000, 1250000000, 1250025000]", "ml: 3 * 1000 + 2 is about 3002")
		if log := kubectl(t, "logs", "shared-server"); !strings.Contains(log, "(executor 1)") {
			t.Errorf("the work was not done by executors:\n%s", log)
		}
	})
	t.Run("ShrinksToNothing", func(t *testing.T) {
		eventually(t, lifeLimit, "its executors go", func() error {
			if got := connectStatus(t, "shared").Executors; len(got) > 0 {
				return fmt.Errorf("there are %v", got)
			}
			return nil
		})
	})
	t.Run("ServerDies", func(t *testing.T) {
		before := connectStatus(t, "shared").Run
		kubectl(t, "delete", "pod", "shared-server", "--force", "--grace-period=0", "--wait=false")
		wantPrinted(t, work(t, address, "sql", "dataframe"), "sql: 5050", "dataframe: [1249950000, ")
		if got := connectStatus(t, "shared"); got.Run != before+1 || got.State != v1alpha1.SparkConnectStateReady {
			t.Errorf("want the next server, got %+v", got)
		}
	})
	t.Run("Print", func(t *testing.T) {
		if got := brazier(t, "connect", "shared", "--print"); got != "sc://shared-server.default.svc:15002\n" {
			t.Errorf("the address within the cluster is %q", got)
		}
	})
	t.Run("NoSuchServer", func(t *testing.T) {
		out, err := command(t.Context(), "brazier", "connect", "sharde").CombinedOutput()
		if want := `there is no SparkConnect "sharde" in namespace default; there are shared`; err == nil || !strings.Contains(string(out), want) {
			t.Errorf("want %q, got %v\n%s", want, err, out)
		}
	})
	t.Run("Deleted", func(t *testing.T) {
		kubectl(t, "delete", "sparkconnect", "shared")
		eventually(t, lifeLimit, "nothing of it is left", func() error {
			left := kubectl(t, "get", "pods,services,configmaps,networkpolicies", "-l", v1alpha1.LabelConnectName+"=shared", "-o", "name")
			if left != "" {
				return fmt.Errorf("left are %s", left)
			}
			return nil
		})
	})
}

// applyConnect applies a small server that begins without executors, and deletes it after the test.
func applyConnect(t *testing.T, name string) {
	t.Helper()
	connect := &v1alpha1.SparkConnect{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.SparkConnectKind},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
	connect.Spec.SparkVersion = "4.3.0"
	connect.Spec.SparkConf = map[string]string{
		"spark.kubernetes.driver.request.cores":       "50m",
		"spark.kubernetes.executor.request.cores":     "50m",
		"spark.dynamicAllocation.executorIdleTimeout": "20s",
		"spark.sql.shuffle.partitions":                "2",
	}
	connect.Spec.Server.Memory, connect.Spec.Executor.Memory = new("1g"), new("600m")
	connect.Spec.Executor.Instances = new(int32(0))
	connect.Spec.DynamicAllocation = &v1beta2.DynamicAllocation{
		Enabled: true, MinExecutors: new(int32(0)), MaxExecutors: new(int32(1)), ShuffleTrackingTimeout: new(int64(10_000)),
	}
	manifest, err := yaml.Marshal(connect)
	if err != nil {
		t.Fatal(err)
	}
	create := command(t.Context(), "kubectl", "apply", "-f", "-")
	create.Stdin = strings.NewReader(string(manifest))
	must(t, create)
	deleteAfter(t, "sparkconnect/"+name)
}

func connectStatus(t *testing.T, name string) v1alpha1.SparkConnectStatus {
	t.Helper()
	var connect v1alpha1.SparkConnect
	if err := json.Unmarshal([]byte(kubectl(t, "get", "sparkconnect", name, "-o", "json")), &connect); err != nil {
		t.Fatal(err)
	}
	return connect.Status
}

// reach runs "brazier connect" until the test is over, and returns the address that it prints. It is asked at once: to wait
// for the server is its work.
func reach(t *testing.T, name string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(context.WithoutCancel(t.Context()), 4*lifeLimit)
	cmd := command(ctx, "brazier", "connect", name)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = lifeLimit
	var said strings.Builder
	cmd.Stderr = &said
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		lines <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, stdout)
	}()
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it was interrupted
		if t.Failed() {
			t.Logf("brazier connect said:\n%s", said.String())
		}
	})
	select {
	case address := <-lines:
		if !strings.HasPrefix(address, "sc://127.0.0.1:") {
			t.Fatalf("brazier connect printed %q", address)
		}
		return address
	case <-time.After(lifeLimit):
		t.Fatalf("brazier connect printed no address within %s", lifeLimit)
		return ""
	}
}

// work runs Python's client against the address, to do all or what is named, and returns what it printed.
func work(t *testing.T, address string, what ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*lifeLimit)
	defer cancel()
	python := filepath.Join("..", "..", ".cache", "connect-venv", "bin", "python")
	out, err := exec.CommandContext(ctx, python, append([]string{"testdata/connect/work.py", address}, what...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("the client: %v\n%s", err, out)
	}
	return string(out)
}
