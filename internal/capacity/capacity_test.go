package capacity

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// on returns a pod on a node that requests pairs of resource and amount.
func on(node, name string, requests ...string) *corev1.Pod {
	list := corev1.ResourceList{}
	for i := 0; i < len(requests); i += 2 {
		list[corev1.ResourceName(requests[i])] = resource.MustParse(requests[i+1])
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{
			{Name: "main", Resources: corev1.ResourceRequirements{Requests: list}},
		}},
	}
}

func inQueue(pod *corev1.Pod) *corev1.Pod {
	pod.Labels = map[string]string{v1alpha1.LabelQueue: "etl"}
	return pod
}

// TestPods lets pods come, change and go, and looks at what is requested of each node.
func TestPods(t *testing.T) {
	type requested map[string][2]Amounts // in queues, and by others
	first := []any{
		on("a", "web", "cpu", "500m", "memory", "1Gi"), inQueue(on("a", "exec-1", "cpu", "2", "nvidia.com/gpu", "1")), on("b", "db", "cpu", "1"),
	}
	web, exec, db := Amounts{"cpu": 500, "memory": 1 << 30}, Amounts{"cpu": 2000, "nvidia.com/gpu": 1}, Amounts{"cpu": 1000}
	tests := map[string]struct {
		reason string
		do     func(*pods) error
		want   requested
		told   int
	}{
		"First": {
			reason: "What is in a queue is told from what is not.",
			do:     func(*pods) error { return nil },
			want:   requested{"a": {exec, web}, "b": {{}, db}},
		},
		"Comes": {
			reason: "Pods of one node add up.",
			do:     func(s *pods) error { return s.Add(inQueue(on("a", "exec-2", "cpu", "1", "nvidia.com/gpu", "1"))) },
			want:   requested{"a": {{"cpu": 3000, "nvidia.com/gpu": 2}, web}, "b": {{}, db}},
			told:   1,
		},
		"Goes": {
			reason: "What is gone takes nothing.",
			do:     func(s *pods) error { return s.Delete(inQueue(on("a", "exec-1", "cpu", "2", "nvidia.com/gpu", "1"))) },
			want:   requested{"a": {{}, web}, "b": {{}, db}},
			told:   1,
		},
		"IsResized": {
			reason: "A pod's requests may change in place.",
			do:     func(s *pods) error { return s.Update(on("b", "db", "cpu", "3")) },
			want:   requested{"a": {exec, web}, "b": {{}, {"cpu": 3000}}},
			told:   1,
		},
		"ChangesNothingThatMatters": {
			reason: "Nobody is told of what changes no amount.",
			do: func(s *pods) error {
				pod := on("b", "db", "cpu", "1")
				pod.Annotations = map[string]string{"a": "b"}
				return s.Update(pod)
			},
			want: requested{"a": {exec, web}, "b": {{}, db}},
		},
		"Unknown": {
			reason: "What was never seen and goes changes nothing.",
			do:     func(s *pods) error { return s.Delete(on("b", "other", "cpu", "1")) },
			want:   requested{"a": {exec, web}, "b": {{}, db}},
		},
		"ListedAgain": {
			reason: "A list that is read again is all there is.",
			do:     func(s *pods) error { return s.Replace([]any{on("b", "web", "cpu", "1")}, "") },
			want:   requested{"a": {{}, {}}, "b": {{}, {"cpu": 1000}}},
			told:   1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			told := 0
			s := newPods(func() { told++ })
			if err := s.Replace(first, ""); err != nil {
				t.Fatal(err)
			}
			told = 0
			if err := tt.do(s); err != nil {
				t.Fatal(err)
			}
			got := requested{}
			for node := range tt.want {
				queued, others := s.on(node)
				got[node] = [2]Amounts{queued, others}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
			if told != tt.told {
				t.Errorf("%s\ntold %d times, want %d", tt.reason, told, tt.told)
			}
		})
	}
}

func TestRepelling(t *testing.T) {
	cordon := corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}
	soft := corev1.Taint{Key: "slow", Effect: corev1.TaintEffectPreferNoSchedule}
	lost := corev1.Taint{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute}
	since := lost
	since.TimeAdded = new(metav1.Now())
	tests := map[string]struct {
		reason string
		spec   corev1.NodeSpec
		want   []corev1.Taint
	}{
		"None":           {reason: "A node takes pods."},
		"Soft":           {reason: "What is only preferred keeps nobody off.", spec: corev1.NodeSpec{Taints: []corev1.Taint{soft}}},
		"Unreachable":    {reason: "Since when does not matter.", spec: corev1.NodeSpec{Taints: []corev1.Taint{since}}, want: []corev1.Taint{lost}},
		"CordonedNow":    {reason: "The taint of a cordon comes a moment later.", spec: corev1.NodeSpec{Unschedulable: true}, want: []corev1.Taint{cordon}},
		"CordonedAWhile": {reason: "It is there once.", spec: corev1.NodeSpec{Unschedulable: true, Taints: []corev1.Taint{cordon}}, want: []corev1.Taint{cordon}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, repelling(&corev1.Node{Spec: tt.spec})); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestMemory holds pods to the room that they may take.
func TestMemory(t *testing.T) {
	const count, most = 100_000, 160
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := newPods(func() {})
	for i := range count {
		pod := on(fmt.Sprintf("node-%d", i%2000), fmt.Sprintf("a-deployment-with-a-name-%d", i), "cpu", fmt.Sprintf("%dm", 100*(1+i%9)), "memory", "1Gi")
		if err := s.Add(pod); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (after.HeapAlloc - before.HeapAlloc) / count; each > most {
		t.Errorf("a pod takes %d bytes, want %d at most", each, most)
	} else {
		t.Logf("a pod takes %d bytes", each)
	}
	runtime.KeepAlive(s)
}
