package simulate

import (
	"errors"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/manifest"
	"brazier.sh/brazier/internal/queuetree"
	"brazier.sh/brazier/internal/simulation"
)

// world reads what is to be simulated.
func (o *options) world() (*simulation.Options, error) {
	world := &simulation.Options{Every: o.every, HandOver: o.over}
	var others []corev1.ResourceName
	if !o.generate {
		trace, err := o.readTrace()
		if err != nil {
			return nil, err
		}
		world.Trace = trace
		for i := range trace.Applications {
			if trace.Applications[i].Executor.GPUs > 0 {
				others = []corev1.ResourceName{simulation.GPU}
				break
			}
		}
	}
	tree, err := o.readTree(others)
	if err != nil {
		return nil, err
	}
	world.Tree = tree
	nodes, err := o.readNodes(&tree)
	if err != nil {
		return nil, err
	}
	world.Cluster, err = simulation.NewCluster(&tree, nodes)
	if err != nil {
		return nil, o.ofCluster(err)
	}
	for _, problem := range tree.Overcommitted(world.Cluster.Capacity) {
		fmt.Fprintf(o.streams.Err, "warning: %s\n", problem)
	}
	return world, nil
}

// ofCluster says where the cluster came from that is wrong.
func (o *options) ofCluster(err error) error {
	switch {
	case o.cluster != "":
		return fmt.Errorf("--cluster: %s: %w", o.cluster, err)
	case o.nodes.count != 0:
		return exit.With(exit.Usage, fmt.Errorf("--nodes: %w", err))
	}
	return exit.With(exit.Usage, fmt.Errorf("%w; --nodes or --cluster does", err))
}

func (o *options) readTrace() (*simulation.Trace, error) {
	if o.trace == "-" {
		return simulation.ReadTrace(o.streams.In)
	}
	file, err := os.Open(o.trace)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	trace, err := simulation.ReadTrace(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.trace, err)
	}
	return trace, nil
}

// readTree reads the queues. What is wrong with them is an error: what would be tried is not what was meant.
func (o *options) readTree(others []corev1.ResourceName) (queuetree.Tree, error) {
	var objects []v1alpha1.Queue
	if o.queues != "" {
		var err error
		if objects, err = manifest.Queues(o.queues, o.streams.In); err != nil {
			return queuetree.Tree{}, fmt.Errorf("--queues: %w", err)
		}
	}
	if o.nodes.gpus > 0 {
		others = append(others, simulation.GPU)
	}
	tree, problems := queuetree.Convert(objects, others...)
	var errs []error
	for _, problem := range problems {
		if problem.Reason == queuetree.Overcommitted {
			continue // of what the manifests say that there is; the cluster's own is looked at later
		}
		errs = append(errs, fmt.Errorf("--queues: %s: %s", o.queues, problem))
	}
	return tree, errors.Join(errs...)
}

// readNodes are the nodes that flags or a file list.
func (o *options) readNodes(tree *queuetree.Tree) ([]simulation.Nodes, error) {
	if o.cluster != "" {
		return o.readCluster()
	}
	if o.nodes.count == 0 {
		return nil, nil
	}
	if len(tree.Flavours) > 1 {
		return nil, exit.With(exit.Usage, fmt.Errorf("--nodes: the queues know %d flavours of nodes; list those of each in a --cluster file", len(tree.Flavours)))
	}
	cpu, cpuErr := resource.ParseQuantity(o.nodes.cpu)
	memory, memoryErr := resource.ParseQuantity(o.nodes.memory)
	switch {
	case cpuErr != nil:
		return nil, exit.With(exit.Usage, fmt.Errorf("--node-cpu: %q is not an amount of CPUs; write for example 64", o.nodes.cpu))
	case memoryErr != nil:
		return nil, exit.With(exit.Usage, fmt.Errorf("--node-memory: %q is not an amount of memory; write for example 256Gi", o.nodes.memory))
	case o.nodes.gpus < 0:
		return nil, exit.With(exit.Usage, fmt.Errorf("--node-gpus: %d is less than none", o.nodes.gpus))
	}
	return []simulation.Nodes{{
		Name: tree.Flavours[0].Name, Nodes: o.nodes.count,
		Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory,
			simulation.GPU: *resource.NewQuantity(int64(o.nodes.gpus), resource.DecimalSI),
		},
	}}, nil
}

func (o *options) readCluster() ([]simulation.Nodes, error) {
	content, err := os.ReadFile(o.cluster)
	if err != nil {
		return nil, fmt.Errorf("--cluster: %w", err)
	}
	nodes, err := parseCluster(content)
	if err != nil {
		return nil, fmt.Errorf("--cluster: %s: %w", o.cluster, err)
	}
	return nodes, nil
}

// parseCluster reads a list of nodes of each flavour.
func parseCluster(content []byte) ([]simulation.Nodes, error) {
	var cluster struct {
		Flavours []simulation.Nodes `json:"flavours"`
	}
	if err := yaml.UnmarshalStrict(content, &cluster); err != nil {
		return nil, err
	}
	if len(cluster.Flavours) == 0 {
		return nil, errors.New("flavours: it lists no nodes; write for example {flavours: [{name: default, nodes: 100, allocatable: {cpu: 64, memory: 256Gi}}]}")
	}
	return cluster.Flavours, nil
}
