package queue

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	engine "brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/queuetree"
)

func TestTold(t *testing.T) {
	tests := map[string]struct {
		reason string
		wait   engine.Wait
		want   string
	}{
		"Free": {
			reason: "It says of what there is too little.",
			wait:   engine.Wait{Place: 1, Reason: engine.NothingFree, Resource: "cpu", Flavour: "spot"},
			want:   "place 1 in queue etl: not enough cpu on spot nodes is free",
		},
		"Bound": {
			reason: "The queue whose bound it is may be one above it.",
			wait:   engine.Wait{Place: 19, Reason: engine.LimitReached, Queue: "data", Resource: "memory", Flavour: "spot"},
			want:   "place 19 in queue etl: queue data has as much memory on spot nodes as it may",
		},
		"FarBehind": {
			reason: "Far behind the place changes seldom, so that status is not written with each admission.",
			wait:   engine.Wait{Place: 1273, Reason: engine.Behind},
			want:   "about place 1200 in queue etl: others go before it",
		},
		"New": {
			reason: "A reason that is not known here is told as it is.",
			wait:   engine.Wait{Place: 20, Reason: "Moon"},
			want:   "about place 20 in queue etl: Moon",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, told("etl", tt.wait)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestEveryReasonHasWords finds reasons that are told as the engine's own word.
func TestEveryReasonHasWords(t *testing.T) {
	for _, reason := range []engine.Reason{
		engine.Behind, engine.NoQueue, engine.NotALeaf, engine.Draining, engine.TooManyRun, engine.TooManyOfUser, engine.DriversFull,
		engine.LimitReached, engine.BorrowingLimitReached, engine.NothingFree, engine.NothingSuits, engine.GivenBack, engine.KeptForAnother,
		engine.NoRoomOnNodes, engine.TooBig,
	} {
		if got := why("etl", engine.Wait{Reason: reason}); got == string(reason) {
			t.Errorf("%s is not put into words", reason)
		}
	}
}

func TestCeiling(t *testing.T) {
	tree := twoPools(t)
	limit := func(cpu int64) engine.Amounts {
		all := tree.All(engine.Unlimited)
		all[0], all[2] = cpu, cpu
		return all
	}
	tests := map[string]struct {
		reason string
		change func([]engine.Queue)
		want   int64
	}{
		"All":   {reason: "It could have all there is.", want: 40},
		"Limit": {reason: "Its limit is one on each flavour.", change: func(q []engine.Queue) { q[0].Limit = limit(5000) }, want: 10},
		"Above": {reason: "So is that of a queue above it.", change: func(q []engine.Queue) { q[1].Limit = limit(3000) }, want: 6},
		"Borrowing": {
			reason: "It may have its guarantee and what it may borrow.",
			change: func(q []engine.Queue) { q[0].BorrowingLimit, q[0].Guaranteed = limit(1000), tree.All(2000) }, want: 6,
		},
		"Flavours": {reason: "Executors run on those flavours that they may.", change: func(q []engine.Queue) { q[1].Executors = []int{1} }, want: 20},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			changed := *tree
			changed.Queues = append([]engine.Queue{}, tree.Queues...)
			if tt.change != nil {
				tt.change(changed.Queues)
			}
			if got := ceiling(&changed, changed.Said(), "etl", asks("1", "1")); got != tt.want {
				t.Errorf("%s want %d, got %d", tt.reason, tt.want, got)
			}
		})
	}
}

func TestTerms(t *testing.T) {
	tree := twoPools(t)
	m := app(letIn)
	got := terms(tree, m.place)
	if got.Name != "etl" || got.Driver.NodeLabels["pool"] != "stable" || got.MaxPending != maxPending {
		t.Errorf("the plan is told where the driver goes, got %+v", got)
	}
}

func TestReady(t *testing.T) {
	tests := map[string]struct {
		reason   string
		queue    v1alpha1.QueueSpec
		problems []queuetree.Problem
		status   metav1.ConditionStatus
		because  string
	}{
		"Well":  {reason: "Nothing is wrong.", status: "True", because: "InUse"},
		"Drain": {reason: "Nothing is let in.", queue: v1alpha1.QueueSpec{Drain: true}, status: "False", because: "Draining"},
		"Outside": {
			reason:   "What is not part of the tree lets nothing in, and that comes first.",
			problems: []queuetree.Problem{{Queue: "etl", Reason: queuetree.FlavourUnknown}, {Queue: "etl", Reason: queuetree.Circle}},
			status:   "False", because: "Circle",
		},
		"Doubtful": {
			reason:   "What is wrong and keeps nobody out is said.",
			problems: []queuetree.Problem{{Queue: "ads", Reason: queuetree.Circle}, {Queue: "etl", Reason: queuetree.AmountInvalid}},
			status:   "True", because: "AmountInvalid",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			queue := &v1alpha1.Queue{ObjectMeta: metav1.ObjectMeta{Name: "etl"}, Spec: tt.queue}
			got := ready(queue, tt.problems)
			if got.Status != tt.status || got.Reason != tt.because || got.Message == "" {
				t.Errorf("%s want %s because of %s, got %+v", tt.reason, tt.status, tt.because, got)
			}
		})
	}
}

func TestLiftOf(t *testing.T) {
	other, ours := corev1.PodSchedulingGate{Name: "example.com/other"}, corev1.PodSchedulingGate{Name: v1alpha1.SchedulingGate}
	flavour := &v1alpha1.Flavour{
		NodeLabels:  map[string]string{"example.com/pool": "spot"},
		Tolerations: []corev1.Toleration{{Key: "spot", Operator: corev1.TolerationOpExists}},
	}
	tests := map[string]struct {
		reason  string
		spec    corev1.PodSpec
		flavour *v1alpha1.Flavour
		want    []operation
	}{
		"Plain": {
			reason: "The gate goes if it is still there.", spec: corev1.PodSpec{SchedulingGates: []corev1.PodSchedulingGate{ours}}, flavour: &v1alpha1.Flavour{},
			want: []operation{{"test", "/spec/schedulingGates/0/name", "brazier.sh/queue"}, {"remove", "/spec/schedulingGates/0", nil}},
		},
		"Others": {
			reason: "Somebody else's gate is left alone, and what the pod says of nodes is added to.",
			spec: corev1.PodSpec{
				SchedulingGates: []corev1.PodSchedulingGate{other, ours}, NodeSelector: map[string]string{"arch": "arm64"},
				Tolerations: []corev1.Toleration{{Key: "arm", Operator: corev1.TolerationOpExists}},
			}, flavour: flavour,
			want: []operation{
				{"test", "/spec/schedulingGates/1/name", "brazier.sh/queue"},
				{"remove", "/spec/schedulingGates/1", nil},
				{"add", "/spec/nodeSelector/example.com~1pool", "spot"},
				{"add", "/spec/tolerations", []corev1.Toleration{{Key: "arm", Operator: corev1.TolerationOpExists}, flavour.Tolerations[0]}},
			},
		},
		"NoSelector": {
			reason: "Where there is no selector it is made; a toleration that is there is not doubled.",
			spec:   corev1.PodSpec{SchedulingGates: []corev1.PodSchedulingGate{ours}, Tolerations: flavour.Tolerations}, flavour: flavour,
			want: []operation{
				{"test", "/spec/schedulingGates/0/name", "brazier.sh/queue"},
				{"remove", "/spec/schedulingGates/0", nil},
				{"add", "/spec/nodeSelector", flavour.NodeLabels},
			},
		},
		"Free": {reason: "What has no gate of ours is free.", spec: corev1.PodSpec{SchedulingGates: []corev1.PodSchedulingGate{other}}, flavour: flavour},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, gated := liftOf(&corev1.Pod{Spec: tt.spec}, tt.flavour)
			if diff := cmp.Diff(tt.want, got); diff != "" || gated != (tt.want != nil) {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestHistory has one user have half of the cluster for a half-life, and nothing for the next.
func TestHistory(t *testing.T) {
	tree := twoPools(t)
	var h history
	running := app(letIn, func(m *member) { m.place.Driver = asks("18", "1") })
	pass := func(after time.Duration, apps ...member) {
		h.pass(assess(cluster{now: noon.Add(after), tree: tree, apps: apps}, newLedger()))
	}
	pass(0, running)
	pass(time.Hour, running)
	if got := h.used["shop"]; got != 1800 {
		t.Errorf("half of the cluster for an hour is 1800 s of all of it, got %g", got)
	}
	pass(25 * time.Hour)
	if got := h.used["shop"]; got < 899.9 || got > 900.1 {
		t.Errorf("half of it is forgotten in a half-life, got %g", got)
	}
	pass(24 * 365 * time.Hour)
	if len(h.used) > 0 {
		t.Errorf("what is as good as forgotten is not kept, got %v", h.used)
	}
}
