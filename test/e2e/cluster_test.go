//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	imagebinary "brazier.sh/brazier/internal/image/binary"
	"brazier.sh/brazier/internal/localcluster"
	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/registry"
)

// maxMemory is what all parts of the idle cluster together may need.
const maxMemory = 1200 << 20

// TestCluster goes through the life of the embedded cluster. Its steps stand on each other; the last ones take the
// cluster down, and up again for the tests that follow.
func TestCluster(t *testing.T) {
	probe := pushProbe(t)
	applyProbe(t, probe)
	for _, step := range []struct {
		name string
		do   func(*testing.T)
	}{
		{"Status", testStatus},
		{"UpAgain", testUpAgain},
		{"NobodyElseCanConnect", testSockets},
		{"Kubectl", testKubectl},
		{"Names", testNames},
		{"Services", testServices},
		{"Volume", testVolume},
		{"Metrics", testMetrics},
		{"PodsCannotPush", testPodsCannotPush},
		{"OnlyTheOwnerReadsKeys", testKeys},
		{"KilledPartsComeBack", testKilledParts},
		{"PartsOutliveTheSupervisor", testKilledSupervisor},
		{"DownLeavesNothing", testDown},
		{"CrashThenDownLeavesNothing", testCrash},
		{"DataSurvives", testDataSurvives},
	} {
		if !t.Run(step.name, step.do) {
			t.Fatalf("the steps after %s stand on it", step.name)
		}
	}
}

// pushProbe builds the test's own program, makes an image of it and puts that into the registry.
func pushProbe(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "probe")
	build := exec.Command("go", "build", "-o", program, "./probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build probe: %v\n%s", err, out)
	}
	return pushProgram(t, "probe", program)
}

// pushProgram makes an image of a program and puts it into the registry.
func pushProgram(t *testing.T, name, program string) string {
	t.Helper()
	source := imagebinary.Source{Executable: program}
	tag, err := source.Tag()
	if err != nil {
		t.Fatal(err)
	}
	ref := layout.Registry + "/brazier/" + name + ":" + tag
	if err := registry.Ensure(t.Context(), cluster(t).Layout, ref, source.Image); err != nil {
		t.Fatal(err)
	}
	return ref
}

func cluster(t *testing.T) *localcluster.Cluster {
	t.Helper()
	opened, err := localcluster.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// applyProbe runs the probe in a namespace of its own, behind a Service, with a volume and a port of the node.
func applyProbe(t *testing.T, image string) {
	t.Helper()
	manifest, err := os.ReadFile("testdata/probe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	apply := command(t.Context(), "kubectl", "apply", "--server-side", "-f", "-")
	apply.Stdin = strings.NewReader(strings.ReplaceAll(string(manifest), "$(IMAGE)", image))
	must(t, apply)
	t.Cleanup(func() {
		// t's context has ended when this runs.
		out, err := command(context.Background(), "kubectl", "delete", "namespace", "probe").CombinedOutput()
		if err != nil {
			t.Errorf("delete namespace: %v\n%s", err, out)
		}
	})
	waitForProbe(t)
}

func waitForProbe(t *testing.T) {
	t.Helper()
	kubectl(t, "rollout", "status", "--namespace=probe", "--timeout=120s", "deployment/probe")
}

// inProbe runs the probe's program in its pod.
func inProbe(t *testing.T, args ...string) string {
	t.Helper()
	return kubectl(t, append([]string{"exec", "--namespace=probe", "deployment/probe", "--", "/probe"}, args...)...)
}

func status(t *testing.T) localcluster.Status {
	t.Helper()
	out, err := command(t.Context(), "brazier", "status", "-o", "json").Output()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		t.Fatal(err)
	}
	var status localcluster.Status
	if err := json.Unmarshal(out, &status); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return status
}

func awaitHealthy(t *testing.T) {
	t.Helper()
	eventually(t, lifeLimit, "a healthy cluster", func() error {
		if s := status(t); !s.Healthy {
			return errors.New(s.Problem)
		}
		return nil
	})
}

func testStatus(t *testing.T) {
	awaitHealthy(t)
	var memory uint64
	for _, part := range status(t).Parts {
		memory += part.Memory
		if part.Version == "" || part.Memory == 0 || part.PID == 0 {
			t.Errorf("something is not known of %+v", part)
		}
	}
	t.Logf("memory of all parts: %d MB", memory/1e6)
	if memory > maxMemory {
		t.Errorf("all parts take %d bytes, want at most %d", memory, maxMemory)
	}
}

func testUpAgain(t *testing.T) {
	before := status(t)
	begun := time.Now()
	brazier(t, "up")
	t.Logf("up again: %v", time.Since(begun))
	for i, part := range status(t).Parts {
		if part.PID != before.Parts[i].PID {
			t.Errorf("%s was restarted by an up that had nothing to do", part.Name)
		}
	}
}

// testSockets reads from the kernel what the cluster's processes listen at.
func testSockets(t *testing.T) {
	out := must(t, exec.CommandContext(t.Context(), "ss", "-Hlntup"))
	pids := map[string]string{strconv.Itoa(status(t).Supervisor): "supervisor"}
	for _, part := range status(t).Parts {
		pids[strconv.Itoa(part.PID)] = part.Name
	}
	found := 0
	for line := range strings.Lines(out) {
		_, rest, ok := strings.Cut(line, "pid=")
		pid, _, _ := strings.Cut(rest, ",")
		if !ok || pids[pid] == "" {
			continue
		}
		found++
		address, err := netip.ParseAddrPort(strings.Fields(line)[4])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if ip := address.Addr(); !ip.IsLoopback() && ip.String() != layout.NodeAddress {
			t.Errorf("%s listens at %s", pids[pid], address)
		}
	}
	if found < 12 {
		t.Errorf("found %d sockets; there are more parts than that:\n%s", found, out)
	}
}

func testKubectl(t *testing.T) {
	if out := kubectl(t, "get", "nodes"); !strings.Contains(out, " Ready ") {
		t.Errorf("get nodes:\n%s", out)
	}
	if out := kubectl(t, "describe", "pods", "--namespace=probe"); !strings.Contains(out, "Successfully pulled image") &&
		!strings.Contains(out, "already present") {
		t.Errorf("describe shows no pull from the registry:\n%s", out)
	}
	if out := kubectl(t, "logs", "--namespace=probe", "deployment/probe"); !strings.Contains(out, "probe serves") {
		t.Errorf("logs:\n%s", out)
	}
	testPortForward(t)
}

func testPortForward(t *testing.T) {
	forward := command(t.Context(), "kubectl", "port-forward", "--namespace=probe", "service/probe", ":80")
	stdout, err := forward.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := forward.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = forward.Process.Kill()
		_ = forward.Wait() // It was killed.
	}()
	said := make([]byte, 256)
	n, err := stdout.Read(said)
	if err != nil {
		t.Fatal(err)
	}
	address, _, _ := strings.Cut(strings.TrimPrefix(string(said[:n]), "Forwarding from "), " ")
	response, err := http.Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(body), "probe answers") {
		t.Errorf("port-forward: %q, %v", body, err)
	}
}

func testNames(t *testing.T) {
	if out := inProbe(t, "lookup", "kubernetes.default.svc.cluster.local"); !strings.Contains(out, layout.APIServiceAddress) {
		t.Errorf("the API server's name is %s", out)
	}
	if out := inProbe(t, "lookup", "probe-headless"); !strings.Contains(out, "10.97.0.") {
		t.Errorf("a headless Service's name is %s, want its pod's address", out)
	}
}

func testServices(t *testing.T) {
	for what, url := range map[string]string{
		"its own pod through the Service":  "http://probe",
		"its own pod by the pod's address": "http://probe-headless:8080",
	} {
		if out := inProbe(t, "get", url); !strings.Contains(out, "200") {
			t.Errorf("a pod cannot reach %s: %s", what, out)
		}
	}
	response, err := http.Get("http://" + layout.NodeAddress + ":18080")
	if err != nil {
		t.Fatalf("port of the node: %v", err)
	}
	response.Body.Close()
}

func testVolume(t *testing.T) {
	inProbe(t, "write", "/data/file", "kept")
	if out := inProbe(t, "read", "/data/file"); out != "kept" {
		t.Errorf("read %q", out)
	}
}

func testMetrics(t *testing.T) {
	eventually(t, lifeLimit, "metrics", func() error {
		return command(t.Context(), "kubectl", "top", "pods", "--namespace=probe").Run()
	})
	kubectl(t, "top", "nodes")
}

// testPodsCannotPush asks the registry as a pod would: with the cluster's authority, and no certificate of its own.
func testPodsCannotPush(t *testing.T) {
	transport, err := registry.Transport(cluster(t).Layout)
	if err != nil {
		t.Fatal(err)
	}
	transport.TLSClientConfig.Certificates = nil
	response, err := (&http.Client{Transport: transport}).Get("https://" + layout.Registry + "/v2/")
	if err == nil {
		response.Body.Close()
		t.Errorf("the registry answers %s to who has no certificate", response.Status)
	}
}

func testKeys(t *testing.T) {
	err := filepath.WalkDir(filepath.Join(home, "pki"), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for _, path := range []string{"kubeconfig", "object-store.env"} {
		info, err := os.Stat(filepath.Join(home, path))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode().Perm())
		}
	}
}

func testKilledParts(t *testing.T) {
	for _, part := range status(t).Parts {
		t.Run(part.Name, func(t *testing.T) {
			begun := time.Now()
			killPart(t, part)
			t.Logf("back after %v", time.Since(begun))
			// A new kubelet has to hear of its pods before it lets anybody in.
			eventually(t, lifeLimit, "an answer from the pod", func() error {
				return command(t.Context(), "kubectl", "exec", "--namespace=probe", "deployment/probe", "--", "/probe", "get", "http://probe").Run()
			})
		})
	}
}

// killPart kills a part and waits until it works again, as another process.
func killPart(t *testing.T, part localcluster.Part) {
	t.Helper()
	if err := syscall.Kill(part.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, lifeLimit, part.Name+" as another process", func() error {
		for _, now := range status(t).Parts {
			if now.Name == part.Name && now.PID != 0 && now.PID != part.PID {
				return nil
			}
		}
		return errors.New("it is not there")
	})
	awaitHealthy(t)
}

func testKilledSupervisor(t *testing.T) {
	before := status(t)
	if err := syscall.Kill(before.Supervisor, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, lifeLimit, "status without a supervisor", func() error {
		if s := status(t); s.Healthy || !strings.Contains(s.Problem, "nobody supervises") {
			return fmt.Errorf("problem: %q", s.Problem)
		}
		return nil
	})
	kubectl(t, "get", "nodes")
	brazier(t, "up")
	after := status(t)
	for i, part := range after.Parts {
		if part.PID != before.Parts[i].PID {
			t.Errorf("%s was not adopted, but started again", part.Name)
		}
	}
	second := command(t.Context(), "brazier", "supervise", "--home", home)
	if out, err := second.CombinedOutput(); err == nil || !strings.Contains(string(out), "another supervisor") {
		t.Errorf("a second supervisor: %v, %s", err, out)
	}
}

func testDown(t *testing.T) {
	brazier(t, "down")
	for what, found := range machine(t) {
		for _, line := range found {
			for _, word := range []string{"brazier", "cni-", "CNI-", "KUBE-", "kube-proxy", "kubepods", "10.97.0.", "10.98.0."} {
				if strings.Contains(line, word) {
					t.Errorf("%s: %s", what, line)
				}
			}
		}
	}
}

// testCrash kills everything at once, as a lack of memory or a careless administrator would, and clears that away.
func testCrash(t *testing.T) {
	clean := machine(t)
	brazier(t, "up")
	waitForProbe(t)
	now := status(t)
	pids := []int{now.Supervisor}
	for _, part := range now.Parts {
		pids = append(pids, part.PID)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	brazier(t, "down")
	for what, lines := range machine(t) {
		if !slices.Equal(clean[what], lines) {
			t.Errorf("%s\nbefore: %s\nafter:  %s", what, strings.Join(clean[what], "\n        "), strings.Join(lines, "\n        "))
		}
	}
}

func testDataSurvives(t *testing.T) {
	begun := time.Now()
	brazier(t, "up")
	t.Logf("up after down: %v", time.Since(begun))
	waitForProbe(t)
	if out := inProbe(t, "read", "/data/file"); out != "kept" {
		t.Errorf("read %q", out)
	}
}
