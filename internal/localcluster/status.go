package localcluster

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/packages"
	"brazier.sh/brazier/internal/localcluster/supervise"
)

// Status is what there is to know of the cluster at a moment.
type Status struct {
	Home string `json:"home"`
	// Healthy is whether everything is as it should be; Problem says what is not.
	Healthy bool   `json:"healthy"`
	Problem string `json:"problem,omitempty"`
	// Supervisor is the supervisor's process, 0 if none runs.
	Supervisor  int    `json:"supervisor,omitempty"`
	Parts       []Part `json:"parts,omitempty"`
	Node        *Node  `json:"node,omitempty"`
	Registry    string `json:"registry"`
	ObjectStore string `json:"objectStore"`
	Kubeconfig  string `json:"kubeconfig"`
}

// Part is a part of the cluster, with what it is and needs.
type Part struct {
	supervise.State

	Version string `json:"version,omitempty"`
	// Memory is the proportional set size in bytes: pages that processes share are counted once among them.
	Memory uint64 `json:"memory,omitempty"`
}

// Node is the node as Kubernetes sees it.
type Node struct {
	Ready   bool   `json:"ready"`
	Problem string `json:"problem,omitempty"`
	Version string `json:"version,omitempty"`
	// Pods counts the pods on the node by phase.
	Pods map[corev1.PodPhase]int `json:"pods,omitempty"`
}

// statusTimeout is how long the API server may take to answer.
const statusTimeout = 5 * time.Second

// Status looks at the cluster. What cannot be seen is part of the answer, not an error.
func (c *Cluster) Status(ctx context.Context) Status {
	status := Status{
		Home: c.Layout.Home, Registry: layout.Registry, ObjectStore: layout.ObjectStore, Kubeconfig: c.Layout.Kubeconfig(),
	}
	if other, ok := c.otherHome(); ok {
		status.Problem = "it is not running; the cluster that is has its home in " + other
		return status
	}
	report, err := c.supervisor().Report(ctx)
	if err != nil {
		status.Problem = c.absent(err)
		return status
	}
	status.Supervisor = report.PID
	versions := c.versions(ctx)
	for _, state := range report.Parts {
		// A process that has just ended has no memory to tell of.
		memory, _ := proportionalSetSize(state.PID)
		status.Parts = append(status.Parts, Part{State: state, Version: versions[state.Name], Memory: memory})
	}
	status.Node = c.node(ctx)
	status.Problem = status.problem()
	status.Healthy = status.Problem == ""
	return status
}

// absent says why there is no supervisor.
func (c *Cluster) absent(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "the cluster belongs to root; run it with sudo"
	case len(supervise.Find(c.owns)) > 0:
		return "its parts run, but nobody supervises them; \"brazier up\" mends that"
	default:
		return "it is not running; \"brazier up\" starts it"
	}
}

func (s Status) problem() string {
	if len(s.Parts) == 0 {
		return "the supervisor has nothing to run; \"brazier up\" tells it what"
	}
	for _, part := range s.Parts {
		if part.Phase != supervise.Healthy {
			return fmt.Sprintf("%s is %s: %s", part.Name, part.Phase, part.Problem)
		}
	}
	if !s.Node.Ready {
		return s.Node.Problem
	}
	return ""
}

func (c *Cluster) node(ctx context.Context) *Node {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	seen, err := c.readNode(ctx)
	if err != nil {
		seen.Problem = err.Error()
	}
	return seen
}

func (c *Cluster) readNode(ctx context.Context) (*Node, error) {
	seen := &Node{}
	reader, err := c.client()
	if err != nil {
		return seen, err
	}
	var node corev1.Node
	if err := reader.Get(ctx, client.ObjectKey{Name: layout.NodeName}, &node); err != nil {
		return seen, fmt.Errorf("read the node: %w", err)
	}
	seen.Version = node.Status.NodeInfo.KubeletVersion
	var pods corev1.PodList
	if err := reader.List(ctx, &pods); err != nil {
		return seen, fmt.Errorf("list pods: %w", err)
	}
	seen.Pods = map[corev1.PodPhase]int{}
	for _, pod := range pods.Items {
		seen.Pods[pod.Status.Phase]++
	}
	if err := nodeReady(&node, node.Status.NodeInfo.BootID); err != nil {
		return seen, err
	}
	seen.Ready = true
	return seen, nil
}

// versions are those of the parts; without them the rest is worth telling all the same.
func (c *Cluster) versions(ctx context.Context) map[string]string {
	versions := map[string]string{}
	if bin, err := layout.FindBin(); err == nil {
		l := c.Layout
		l.Bin = bin
		out, err := exec.CommandContext(ctx, l.Cluster(), "versions").Output()
		if err != nil || json.Unmarshal(out, &versions) != nil {
			return map[string]string{}
		}
	}
	if programs, err := packages.Locate(ctx); err == nil {
		versions["containerd"] = programs.Version
	}
	return versions
}

// proportionalSetSize reads Pss of /proc/PID/smaps_rollup (proc(5)), in bytes.
func proportionalSetSize(pid int) (uint64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 1 && fields[0] == "Pss:" {
			kib, err := strconv.ParseUint(fields[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.Join(lines.Err(), errors.New("no Pss"))
}
