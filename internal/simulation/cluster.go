package simulation

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/queuetree"
)

// GPU is the resource that the GPUs of a trace are.
const GPU corev1.ResourceName = "nvidia.com/gpu"

// Cluster is what there is to run on.
type Cluster struct {
	// Pools are the nodes of each flavour, in the tree's order.
	Pools    []Pool
	Capacity queue.Amounts
}

// Pool is the nodes of one flavour, all alike.
type Pool struct {
	// Nodes is how many there are; 0 is that only their capacity in all is known.
	Nodes int
	// Node is what the pods of one may request in all.
	Node queue.Size
}

// Nodes is how many nodes there are of a flavour, and what each has for pods, as users write it.
type Nodes struct {
	Name        string              `json:"name"`
	Nodes       int                 `json:"nodes"`
	Allocatable corev1.ResourceList `json:"allocatable"`
}

// mostNodes bounds the nodes of a flavour: a tree of what is free on them is held.
const mostNodes = 1_000_000

// NewCluster is a cluster with the nodes of each flavour that is listed, and for the others what the root queue says that
// there is of them.
func NewCluster(tree *queuetree.Tree, listed []Nodes) (Cluster, error) {
	cluster := Cluster{Pools: make([]Pool, len(tree.Flavours)), Capacity: tree.None()}
	for _, flavour := range listed {
		at := tree.Flavour(flavour.Name)
		if at < 0 {
			return Cluster{}, fmt.Errorf("flavour %q is none of the tree's; write %s", flavour.Name, strings.Join(names(tree), ", "))
		}
		if flavour.Nodes < 1 || flavour.Nodes > mostNodes {
			return Cluster{}, fmt.Errorf("flavour %s, nodes: %d is not from 1 to %d", flavour.Name, flavour.Nodes, mostNodes)
		}
		if cluster.Pools[at].Nodes > 0 {
			return Cluster{}, fmt.Errorf("flavour %s is there twice; leave one out", flavour.Name)
		}
		if err := checkNode(flavour); err != nil {
			return Cluster{}, err
		}
		cluster.Pools[at] = Pool{Nodes: flavour.Nodes, Node: tree.Size(flavour.Allocatable)}
		for i, amount := range cluster.Pools[at].Node {
			cluster.Capacity[tree.At(at)+i] = amount * int64(flavour.Nodes)
		}
	}
	return cluster, cluster.fill(tree)
}

// checkNode finds amounts that mean nothing.
func checkNode(flavour Nodes) error {
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		quantity := flavour.Allocatable[name]
		if wrong := queuetree.Check(string(name), quantity); wrong != "" {
			return fmt.Errorf("flavour %s, allocatable.%s: %q %s", flavour.Name, name, quantity.String(), wrong)
		}
		if quantity.IsZero() {
			return fmt.Errorf("flavour %s, allocatable.%s: a node without any runs nothing; write what pods of one may request, such as 64 or 256Gi", flavour.Name, name)
		}
	}
	return nil
}

// fill takes the capacity of flavours that are not listed from the root queue.
func (c *Cluster) fill(tree *queuetree.Tree) error {
	said := tree.Said()
	for flavour := range tree.Flavours {
		if c.Pools[flavour].Nodes > 0 {
			continue
		}
		for i, name := range tree.Resources {
			amount := said[tree.At(flavour)+i]
			if amount == queue.Unlimited {
				if name == string(corev1.ResourceCPU) || name == string(corev1.ResourceMemory) {
					return fmt.Errorf("how much %s the flavour %s has is not known: list its nodes, or write spec.cluster.flavours[%s].capacity of the queue root",
						name, tree.Flavours[flavour].Name, tree.Flavours[flavour].Name)
				}
				amount = 0
			}
			c.Capacity[tree.At(flavour)+i] = amount
		}
	}
	return nil
}

func names(tree *queuetree.Tree) []string {
	all := make([]string, len(tree.Flavours))
	for i := range all {
		all[i] = tree.Flavours[i].Name
	}
	return all
}

// size is a pod in the engine's words.
func (o *Options) size(p Pod) queue.Size {
	size := make(queue.Size, len(o.Tree.Resources))
	for i, name := range o.Tree.Resources {
		switch name {
		case string(corev1.ResourceCPU):
			size[i] = p.CPU
		case string(corev1.ResourceMemory):
			size[i] = p.Memory
		case string(GPU):
			size[i] = p.GPUs
		}
	}
	return size
}

// check finds what of the trace does not belong to the tree.
func (o *Options) check() error {
	leaves := o.leaves()
	counted := slices.Contains(o.Tree.Resources, string(GPU))
	var errs []error
	for i := range o.Trace.Applications {
		app := &o.Trace.Applications[i]
		if !slices.Contains(leaves, app.Queue) {
			errs = append(errs, fmt.Errorf("line %d, %s: %q is no queue that applications can be in; write one of %s", app.Line, columnQueue, app.Queue, strings.Join(leaves, ", ")))
		}
		if app.Executor.GPUs > 0 && !counted {
			errs = append(errs, fmt.Errorf("line %d, %s: the queues do not count %s", app.Line, columnGPUs, GPU))
		}
		if len(errs) >= mostErrors {
			break
		}
	}
	return errors.Join(errs...)
}

// leaves are the queues without parts.
func (o *Options) leaves() []string {
	parents := map[string]bool{}
	for i := range o.Tree.Queues {
		parents[o.Tree.Queues[i].Parent] = true
	}
	var leaves []string
	for i := range o.Tree.Queues {
		q := &o.Tree.Queues[i]
		if !parents[q.Name] && (q.Name != queue.Root || len(o.Tree.Queues) == 1) {
			leaves = append(leaves, q.Name)
		}
	}
	if len(leaves) == 0 {
		return []string{queue.Root}
	}
	return leaves
}
