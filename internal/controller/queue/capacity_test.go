package queue

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/capacity"
	engine "brazier.sh/brazier/internal/queue"
)

func TestMeasure(t *testing.T) {
	spot := corev1.Taint{Key: "spot", Value: "yes", Effect: corev1.TaintEffectNoSchedule}
	cordon := corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}
	flavours := []v1alpha1.Flavour{
		{Name: "spot", NodeLabels: map[string]string{"pool": "spot"}, Tolerations: []corev1.Toleration{{Key: "spot", Operator: corev1.TolerationOpExists}}},
		{Name: "stable", NodeLabels: map[string]string{"pool": "stable"}},
	}
	shape := engine.Shape{Flavours: []engine.Flavour{{Name: "spot"}, {Name: "stable"}}, Resources: []string{"cpu", "memory"}}
	node := func(pool string, queued, others int64, taints ...corev1.Taint) capacity.Node {
		return capacity.Node{
			Labels: map[string]string{"pool": pool}, Taints: taints, Allocatable: capacity.Amounts{"cpu": 8000, "memory": 100},
			Queued: capacity.Amounts{"cpu": queued}, Others: capacity.Amounts{"cpu": others, "memory": others / 1000},
		}
	}
	tests := map[string]struct {
		reason string
		nodes  []capacity.Node
		want   engine.Amounts
		free   []engine.Node
	}{
		"None": {reason: "Without nodes there is nothing.", want: engine.Amounts{0, 0, 0, 0}},
		"Others": {
			reason: "What pods take that are in no queue is not shared.",
			nodes:  []capacity.Node{node("stable", 2000, 1000), node("stable", 0, 0)},
			want:   engine.Amounts{0, 0, 15000, 199},
			free:   []engine.Node{{Flavour: 1, Free: engine.Size{5000, 99}}, {Flavour: 1, Free: engine.Size{8000, 100}}},
		},
		"Tolerated": {
			reason: "Pods of a flavour tolerate what it says.",
			nodes:  []capacity.Node{node("spot", 0, 0, spot)},
			want:   engine.Amounts{8000, 100, 0, 0},
			free:   []engine.Node{{Flavour: 0, Free: engine.Size{8000, 100}}},
		},
		"Cordoned": {
			reason: "A node that takes no pods has what queues' pods have there: it is neither more nor less than what is charged for them.",
			nodes:  []capacity.Node{node("stable", 3000, 1000, cordon), node("stable", 0, 0, spot)},
			want:   engine.Amounts{0, 0, 3000, 0},
		},
		"Overfull": {
			reason: "Where others have more than there is, nothing is left, and never less than what queues have.",
			nodes:  []capacity.Node{node("stable", 1000, 9000)},
			want:   engine.Amounts{0, 0, 1000, 91},
			free:   []engine.Node{{Flavour: 1, Free: engine.Size{0, 91}}},
		},
		"NoFlavour": {
			reason: "Nodes of no flavour are nobody's.",
			nodes:  []capacity.Node{node("other", 0, 0)},
			want:   engine.Amounts{0, 0, 0, 0},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, free := measure(shape, flavours, tt.nodes)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff(tt.free, free); diff != "" {
				t.Errorf("%s\nfree -want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
