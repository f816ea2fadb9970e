package queuetree

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/queue"
)

func objects(t *testing.T, manifests ...string) []v1alpha1.Queue {
	t.Helper()
	all := make([]v1alpha1.Queue, len(manifests))
	for i, manifest := range manifests {
		if err := yaml.UnmarshalStrict([]byte(manifest), &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

const gi = 1 << 30

func TestConvert(t *testing.T) {
	tree, problems := Convert(objects(t,
		`{metadata: {name: sales}, spec: {weight: 3, maxRunning: 5, order: Priority, waitTimeout: 12h, drain: true, driverPercent: 20,
		  quotas: [{flavour: spot, guaranteed: {cpu: 1500m}, limit: {memory: 4Gi, nvidia.com/gpu: "2"}}],
		  users: {maxRunning: 2, percent: 50}, flavours: {drivers: [fixed], executors: [spot, fixed]},
		  reclaim: {grace: 30s, victims: Applications, deadZonePercent: 0, coolDown: 1m}}}`,
		`{metadata: {name: root}, spec: {cluster: {reclaimPercent: 20, halfLife: 1h, room: true,
		  flavours: [{name: fixed}, {name: spot, scalesFromZero: true, capacity: {cpu: "100"}}]}}}`,
		`{metadata: {name: adhoc}, spec: {parent: sales}}`,
	))
	if len(problems) > 0 {
		t.Fatalf("nothing is wrong with them, got %v", problems)
	}
	no := int64(queue.Unlimited)
	want := Tree{
		Shape: queue.Shape{
			Flavours:  []queue.Flavour{{Name: "fixed"}, {Name: "spot", ScalesFromZero: true}},
			Resources: []string{"cpu", "memory", "nvidia.com/gpu"},
		},
		Queues: []queue.Queue{
			{Name: "adhoc", Parent: "sales", Weight: 1, Grace: 2 * time.Minute, DeadZonePercent: 10, CoolDown: 30 * time.Second},
			{Name: "root", Weight: 1, Grace: 2 * time.Minute, DeadZonePercent: 10, CoolDown: 30 * time.Second},
			{
				Name: "sales", Parent: "root", Weight: 3, ByPriority: true, MaxRunning: new(int32(5)), WaitTimeout: 12 * time.Hour,
				Drained: true, DriverPercent: 20, UserRunning: new(int32(2)), UserPercent: 50,
				Guaranteed: queue.Amounts{0, 0, 0, 1500, 0, 0}, Limit: queue.Amounts{no, no, no, no, 4 * gi, 2},
				Drivers: []int{0}, Executors: []int{1, 0},
				Victims: queue.Applications, Grace: 30 * time.Second, CoolDown: time.Minute,
			},
		},
		ReclaimPercent: 20, HalfLife: time.Hour, Room: true,
		Kinds: tree.Kinds, Objects: tree.Objects,
	}
	if diff := cmp.Diff(want, tree); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(queue.Amounts{no, no, no, 100_000, no, no}, tree.Said()); diff != "" {
		t.Errorf("capacity that is not said is what nodes have\n-want +got:\n%s", diff)
	}
	if len(tree.Objects) != 3 || tree.Objects["adhoc"].Name != "adhoc" {
		t.Errorf("the objects belong to the tree, got %v", tree.Objects)
	}
}

func TestProblems(t *testing.T) {
	tests := map[string]struct {
		reason  string
		objects []string
		want    []string
		queues  []string
	}{
		"NoObjects": {reason: "Without a queue there is the root and all its nodes."},
		"UnknownParent": {
			reason:  "A queue without a parent is left out, and its parts with it.",
			objects: []string{`{metadata: {name: a}, spec: {parent: nowhere}}`, `{metadata: {name: b}, spec: {parent: a}}`, `{metadata: {name: c}, spec: {}}`},
			want: []string{
				`queue a: spec.parent: "nowhere" is no queue that there is; create it, or name another`,
				`queue b: spec.parent: "a" is not part of the tree itself; see what is wrong with it`,
			},
			queues: []string{"c"},
		},
		"Circle": {
			reason:  "Each queue of a circle says so; one below it says where to look.",
			objects: []string{`{metadata: {name: a}, spec: {parent: b}}`, `{metadata: {name: b}, spec: {parent: a}}`, `{metadata: {name: c}, spec: {parent: b}}`},
			want: []string{
				`queue a: spec.parent: "b" makes a circle, a, part of b, part of a; take one of them out of it`,
				`queue b: spec.parent: "a" makes a circle, b, part of a, part of b; take one of them out of it`,
				`queue c: spec.parent: "b" is not part of the tree itself; see what is wrong with it`,
			},
		},
		"OwnParent": {
			reason:  "The smallest circle is one too.",
			objects: []string{`{metadata: {name: a}, spec: {parent: a}}`},
			want:    []string{`queue a: spec.parent: "a" makes a circle, a, part of a; take one of them out of it`},
		},
		"UnknownFlavour": {
			reason:  "What is said of a flavour that there is not has no effect, and says so.",
			objects: []string{`{metadata: {name: a}, spec: {quotas: [{flavour: spot, limit: {cpu: "1"}}], flavours: {executors: [gpu, default]}}}`},
			want: []string{
				`queue a: spec.flavours.executors: "gpu" is no flavour of the cluster; write one of default, or add it to spec.cluster.flavours of the queue root`,
				`queue a: spec.quotas: "spot" is no flavour of the cluster; write one of default, or add it to spec.cluster.flavours of the queue root`,
			},
			queues: []string{"a"},
		},
		"Amounts": {
			reason: "An amount that means nothing is not guessed at.",
			objects: []string{`{metadata: {name: a}, spec: {quotas: [{flavour: default, guaranteed: {cpu: -1, memory: 500m, nvidia.com/gpu: "0.5"},
				limit: {cpu: 10u, memory: 1E}}]}}`},
			want: []string{
				`queue a: spec.quotas[default].guaranteed[cpu]: "-1" is less than nothing; write 0 or more`,
				`queue a: spec.quotas[default].guaranteed[memory]: "500m" is part of a byte; m means thousandths, write Mi or Gi`,
				`queue a: spec.quotas[default].guaranteed[nvidia.com/gpu]: "500m" is part of one; write a whole number`,
				`queue a: spec.quotas[default].limit[cpu]: "10u" is finer than CPU is counted; write thousandths, such as 500m`,
				`queue a: spec.quotas[default].limit[memory]: "1E" is more than is counted to; write at most 72057594037927936, or leave it out`,
			},
			queues: []string{"a"},
		},
		"Overcommitted": {
			reason: "Guarantees of all queues add up, and there is only so much.",
			objects: []string{
				`{metadata: {name: root}, spec: {cluster: {flavours: [{name: default, capacity: {cpu: "10"}}]}}}`,
				`{metadata: {name: a}, spec: {quotas: [{flavour: default, guaranteed: {cpu: "6", memory: 1Gi}}]}}`,
				`{metadata: {name: b}, spec: {parent: a, quotas: [{flavour: default, guaranteed: {cpu: "5"}}]}}`,
			},
			want: []string{
				`queue root: spec.quotas[default].guaranteed[cpu]: "11" is guaranteed to queues in all, of 10 that there is; guarantee less, as not all of them can have it`,
			},
			queues: []string{"a", "b", "root"},
		},
		"GuaranteeAboveLimit": {
			reason: "A limit of a queue bounds its parts.",
			objects: []string{
				`{metadata: {name: a}, spec: {quotas: [{flavour: default, limit: {memory: 1Gi}}]}}`,
				`{metadata: {name: b}, spec: {parent: a, quotas: [{flavour: default, guaranteed: {memory: 2Gi}}]}}`,
			},
			want: []string{
				`queue a: spec.quotas[default].guaranteed[memory]: "2Gi" is guaranteed to it and its parts, and its limit is 1Gi; guarantee less, or raise the limit`,
			},
			queues: []string{"a", "b"},
		},
		"Namespace": {
			reason:  "A namespace without a queue of its own word is in one queue.",
			objects: []string{`{metadata: {name: b}, spec: {namespaces: [x, y]}}`, `{metadata: {name: a}, spec: {namespaces: [x]}}`},
			want:    []string{`queue b: spec.namespaces: "x" is a namespace of the queue a already; name it in one of them`},
			queues:  []string{"a", "b"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			all := objects(t, tt.objects...)
			rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			tree, problems := Convert(all)
			var said, queues []string
			for _, problem := range problems {
				said = append(said, problem.String())
			}
			for i := range tree.Queues {
				queues = append(queues, tree.Queues[i].Name)
			}
			if diff := cmp.Diff(tt.want, said); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff(tt.queues, queues); diff != "" {
				t.Errorf("%s\nqueues -want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestAmounts(t *testing.T) {
	tree, _ := Convert(nil, "nvidia.com/gpu")
	list := corev1.ResourceList{
		"cpu": resource.MustParse("2500m"), "memory": resource.MustParse("1Gi"), "nvidia.com/gpu": resource.MustParse("1"), "pods": resource.MustParse("110"),
	}
	if diff := cmp.Diff(queue.Size{2500, gi, 1}, tree.Size(list)); diff != "" {
		t.Errorf("pods are not counted\n-want +got:\n%s", diff)
	}
	amounts := tree.None()
	tree.Add(amounts, 0, list)
	tree.Add(amounts, 0, list)
	delete(list, "pods")
	want := corev1.ResourceList{"cpu": resource.MustParse("5"), "memory": resource.MustParse("2Gi"), "nvidia.com/gpu": resource.MustParse("2")}
	if diff := cmp.Diff(want, tree.List(amounts, 0)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := tree.List(queue.Amounts{0, queue.Unlimited, 0}, 0); got != nil {
		t.Errorf("what is nothing or unbounded is not listed, got %v", got)
	}
	if got := Amount("cpu", resource.MustParse("0.1m")); got != 1 {
		t.Errorf("what a pod requests counts up, got %d", got)
	}
}

func TestPriority(t *testing.T) {
	tests := map[string]struct {
		reason string
		bounds *v1alpha1.Priorities
		said   *int32
		want   int32
	}{
		"Unbounded": {"Where the queue says nothing, the application's word is taken.", nil, new(int32(7)), 7},
		"Default":   {"An application that says nothing has the queue's.", &v1alpha1.Priorities{Default: 3}, nil, 3},
		"Max":       {"One that wants too much has the most.", &v1alpha1.Priorities{Max: new(int32(5))}, new(int32(9)), 5},
		"Said":      {"One that wants less than the default has that.", &v1alpha1.Priorities{Default: 3, Max: new(int32(5))}, new(int32(-1)), -1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			object := &v1alpha1.Queue{Spec: v1alpha1.QueueSpec{Priorities: tt.bounds}}
			if got := Priority(object, tt.said); got != tt.want {
				t.Errorf("%s got %d, want %d", tt.reason, got, tt.want)
			}
		})
	}
	if got := Priority(nil, nil); got != 0 {
		t.Errorf("a queue without an object bounds nothing, got %d", got)
	}
}
