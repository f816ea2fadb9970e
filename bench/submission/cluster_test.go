//go:build bench

package submission

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/localcluster/controlplane"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/test/apiserver"
	"brazier.sh/brazier/test/operated"
)

const (
	// watched is the namespace that the operator looks after; bare is one that nobody does.
	watched = "watched"
	bare    = "bare"
	// patience ends a benchmark that hangs.
	patience = 10 * time.Minute
)

// cluster is an API server of its own, with Brazier's kinds and without a node.
type cluster struct {
	plane  *controlplane.ControlPlane
	config *rest.Config
	client client.WithWatch
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	server := apiserver.StartWithKinds(t)
	c := &cluster{plane: server.ControlPlane, config: server.Config(), client: server.Client(t)}
	for _, namespace := range []string{watched, bare} {
		c.create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
		c.create(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: spark.DefaultServiceAccount}})
	}
	return c
}

func (c *cluster) create(t *testing.T, object client.Object) {
	t.Helper()
	if err := c.client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// operator is the product's own, as its Deployment runs it, but as a process of this machine.
type operator struct {
	process *os.Process
}

// operate starts the operator and returns when it follows applications.
func (c *cluster) operate(t *testing.T) operator {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf("image: spark:{{SPARK_VERSION}}\nnamespaces: [%s]\nqueues: true\nmetricsAddress: \"0\"\nhealthAddress: \"0\"\n", watched)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(filepath.Join("..", "..", "bin", "brazier"), "operator",
		"--kubeconfig", c.plane.Kubeconfig(), "--config", config)
	command.Stderr = log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill() // it may have ended by itself, which the log tells
		_ = command.Wait()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("the operator's last words: %s", last(string(text), 2000))
		}
	})
	c.warm(t)
	return operator{process: command.Process}
}

// warm sees one application submitted, so that what is measured is an operator at work and not its start.
func (c *cluster) warm(t *testing.T) {
	t.Helper()
	drivers := c.watchDrivers(t, watched)
	c.create(t, application(watched, "warm"))
	drivers.next(t)
}

func last(text string, n int) string { return text[max(0, len(text)-n):] }

// application asks for nothing but to be run.
func application(namespace, name string) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1beta2.SparkApplicationSpec{
			Type:                v1beta2.SparkApplicationTypePython,
			SparkVersion:        "4.3.0",
			MainApplicationFile: "local:///opt/spark/examples/src/main/python/pi.py",
			SparkConf:           map[string]string{"spark.ui.enabled": "false"}, // no Service for it: spark-submit makes none either
		},
	}
	app.Spec.Executor.Instances = new(int32(2))
	return app
}

// drivers are the driver pods of a namespace as they appear.
type drivers struct {
	created chan time.Time
}

func (c *cluster) watchDrivers(t *testing.T, namespace string) drivers {
	t.Helper()
	seen := drivers{created: make(chan time.Time, 10_000)}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	there := new(corev1.PodList)
	if err := c.client.List(ctx, there, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	watcher, err := c.client.Watch(ctx, new(corev1.PodList), client.InNamespace(namespace),
		&client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: there.ResourceVersion}})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for event := range watcher.ResultChan() {
			if event.Type == "ADDED" {
				seen.created <- time.Now()
			}
		}
	}()
	return seen
}

// next waits for a driver pod and returns when it was seen.
func (d drivers) next(t *testing.T) time.Time {
	t.Helper()
	select {
	case at := <-d.created:
		return at
	case <-time.After(patience):
		t.Fatal("a driver pod did not come")
		return time.Time{}
	}
}

// cpu returns how much CPU time the process has used, its threads' together.
func (o operator) cpu(t *testing.T) time.Duration {
	t.Helper()
	process, err := operated.ReadProcess(o.process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return process.CPU
}

// serverCPU returns how much CPU time the API server and its store have used, which are this process's children.
func serverCPU(t *testing.T) time.Duration {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var all time.Duration
	for _, path := range commands {
		command, _ := os.ReadFile(path) // those that have ended meanwhile are nobody's
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if program := strings.Split(string(command), "\x00"); len(program) < 2 || program[1] != "kube-apiserver" && program[1] != "etcd" {
			continue
		}
		if process, err := operated.ReadProcess(pid); err == nil && process.Parent == os.Getpid() {
			all += process.CPU
		}
	}
	if all == 0 {
		t.Fatal("there is no API server among this process's children")
	}
	return all
}

// peakMemory returns the most memory that the process ever held, in bytes.
func (o operator) peakMemory(t *testing.T) int64 {
	t.Helper()
	_, most, err := operated.ReadMemory(o.process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return most
}

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}
