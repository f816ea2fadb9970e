package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// lift takes our gate off a pod and binds it to nodes of a flavour. Each patch tests that the gate is still where it is
// taken from, so that no gate is lifted twice and nobody else's is.
func (c *Controller) lift(ctx context.Context, namespace, name string, flavour *v1alpha1.Flavour) error {
	if len(flavour.NodeLabels) == 0 && len(flavour.Tolerations) == 0 {
		// Most pods have one gate, and there is nothing to add: they need not be read.
		err := c.patch(ctx, namespace, name, liftAt(0))
		if err == nil || !apierrors.IsInvalid(err) {
			return client.IgnoreNotFound(err)
		}
	}
	pod := new(corev1.Pod)
	if err := c.cluster.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, pod); err != nil {
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("read executor %s: %w", name, err)
	}
	operations, gated := liftOf(pod, flavour)
	if !gated {
		return nil
	}
	err := c.patch(ctx, namespace, name, operations)
	switch {
	case err == nil, apierrors.IsNotFound(err):
		return nil
	case apierrors.IsInvalid(err) && conflicts(pod, flavour):
		return fmt.Errorf("let executor %s go: %w: %w", name, errStuck, err)
	}
	return fmt.Errorf("let executor %s go: %w", name, err)
}

// operation is one of a JSON patch: RFC 6902.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// liftAt takes our gate off where it is the gate at that place.
func liftAt(i int) []operation {
	path := fmt.Sprintf("/spec/schedulingGates/%d", i)
	return []operation{
		{Op: "test", Path: path + "/name", Value: v1alpha1.SchedulingGate},
		{Op: "remove", Path: path},
	}
}

// liftOf returns what lets a pod go onto nodes of a flavour, and whether our gate is on it at all. Kubernetes allows to
// narrow where a pod may run as long as it has a gate: KEP-3838.
func liftOf(pod *corev1.Pod, flavour *v1alpha1.Flavour) ([]operation, bool) {
	at := slices.IndexFunc(pod.Spec.SchedulingGates, func(g corev1.PodSchedulingGate) bool { return g.Name == v1alpha1.SchedulingGate })
	if at < 0 {
		return nil, false
	}
	operations := liftAt(at)
	if pod.Spec.NodeSelector == nil && len(flavour.NodeLabels) > 0 {
		operations = append(operations, operation{Op: "add", Path: "/spec/nodeSelector", Value: flavour.NodeLabels})
	} else {
		for _, label := range sorted(flavour.NodeLabels) {
			operations = append(operations, operation{Op: "add", Path: "/spec/nodeSelector/" + pointer(label), Value: flavour.NodeLabels[label]})
		}
	}
	tolerations := slices.Clone(pod.Spec.Tolerations)
	for _, toleration := range flavour.Tolerations {
		if !slices.ContainsFunc(tolerations, func(t corev1.Toleration) bool { return t.MatchToleration(&toleration) }) {
			tolerations = append(tolerations, toleration)
		}
	}
	if len(tolerations) > len(pod.Spec.Tolerations) {
		operations = append(operations, operation{Op: "add", Path: "/spec/tolerations", Value: tolerations})
	}
	return operations, true
}

// conflicts reports whether a pod wants nodes of another kind than those of a flavour.
func conflicts(pod *corev1.Pod, flavour *v1alpha1.Flavour) bool {
	for label, value := range flavour.NodeLabels {
		if wanted, ok := pod.Spec.NodeSelector[label]; ok && wanted != value {
			return true
		}
	}
	return false
}

func (c *Controller) patch(ctx context.Context, namespace, name string, operations []operation) error {
	patch, err := json.Marshal(operations)
	if err != nil {
		return fmt.Errorf("encode a patch: %w", err)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	return c.cluster.Patch(ctx, pod, client.RawPatch(types.JSONPatchType, patch))
}

// pointer writes a key as part of a JSON pointer: RFC 6901.
func pointer(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

func sorted(labels map[string]string) []string {
	keys := make([]string, 0, len(labels))
	for key := range labels {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
