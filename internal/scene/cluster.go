package scene

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/component-helpers/resource"

	"brazier.sh/brazier/internal/diagnose"
)

// readNamespace reads what of the namespace limits or delays a run.
func (g *gathering) readNamespace(ctx context.Context) {
	core := g.source.cluster.CoreV1()
	options := metav1.ListOptions{Limit: pageSize}
	all(
		func() {
			list, err := core.ResourceQuotas(g.namespace).List(ctx, options)
			if err != nil {
				g.miss("resource quotas", err)
				return
			}
			g.cluster.Quotas = list.Items
		},
		func() {
			list, err := core.LimitRanges(g.namespace).List(ctx, options)
			if err != nil {
				g.miss("limit ranges", err)
				return
			}
			g.cluster.Limits = list.Items
		},
		func() {
			list, err := core.PersistentVolumeClaims(g.namespace).List(ctx, options)
			if err != nil {
				g.miss("volume claims", err)
				return
			}
			g.cluster.Claims = list.Items
		},
	)
}

// readNodes reads the nodes and what is requested on them, where a pod of the run waits for one.
func (g *gathering) readNodes(ctx context.Context) {
	for i := range g.pods {
		if pod := &g.pods[i]; pod.Spec.NodeName == "" && pod.Status.Phase == corev1.PodPending && pod.DeletionTimestamp == nil {
			g.cluster.Waiting = append(g.cluster.Waiting, *pod)
		}
	}
	if len(g.cluster.Waiting) == 0 {
		return
	}
	var nodes []corev1.Node
	var requested map[string]corev1.ResourceList
	all(
		func() { nodes = g.listNodes(ctx) },
		func() { requested = g.requests(ctx) },
	)
	if requested == nil {
		return // Without what is on them, nodes would look as if they had room.
	}
	for i := range nodes {
		g.cluster.Nodes = append(g.cluster.Nodes, diagnose.Node{Node: nodes[i], Requested: requested[nodes[i].Name]})
	}
}

func (g *gathering) listNodes(ctx context.Context) []corev1.Node {
	var nodes []corev1.Node
	options := metav1.ListOptions{Limit: pageSize}
	for {
		list, err := g.source.cluster.CoreV1().Nodes().List(ctx, options)
		if err != nil {
			g.miss("nodes", err)
			return nil
		}
		nodes = append(nodes, list.Items...)
		if options.Continue = list.Continue; options.Continue == "" {
			return nodes
		}
	}
}

// requests is what the pods on each node request in all; nil if they cannot be read.
func (g *gathering) requests(ctx context.Context) map[string]corev1.ResourceList {
	sums := map[string]corev1.ResourceList{}
	options := metav1.ListOptions{Limit: pageSize, FieldSelector: fields.AndSelectors(
		fields.OneTermNotEqualSelector("spec.nodeName", ""),
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodSucceeded)),
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodFailed)),
	).String()}
	for {
		list, err := g.source.cluster.CoreV1().Pods(metav1.NamespaceAll).List(ctx, options)
		if err != nil {
			g.miss("pods of all namespaces", err)
			return nil
		}
		for i := range list.Items {
			add(sums, &list.Items[i])
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return sums
		}
	}
}

func add(sums map[string]corev1.ResourceList, pod *corev1.Pod) {
	sum := sums[pod.Spec.NodeName]
	if sum == nil {
		sum = corev1.ResourceList{}
		sums[pod.Spec.NodeName] = sum
	}
	wants := resource.PodRequests(pod, resource.PodResourcesOptions{})
	wants[corev1.ResourcePods] = apiresource.MustParse("1")
	for name, quantity := range wants {
		total := sum[name]
		total.Add(quantity)
		sum[name] = total
	}
}
