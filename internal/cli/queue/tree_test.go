package queue

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/terminal"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// amounts reads pairs such as "cpu 4".
func amounts(pairs ...string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for _, pair := range pairs {
		name, amount, _ := strings.Cut(pair, " ")
		list[corev1.ResourceName(name)] = resource.MustParse(amount)
	}
	return list
}

func condition(status metav1.ConditionStatus, reason, message string) []metav1.Condition {
	return []metav1.Condition{{
		Type: v1alpha1.ConditionQueueReady, Status: status, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(noon.Add(-3 * time.Hour)),
	}}
}

// company is a tree with something of everything.
func company() []*v1alpha1.Queue {
	eng := &v1alpha1.Queue{
		ObjectMeta: metav1.ObjectMeta{Name: "eng"},
		Spec: v1alpha1.QueueSpec{
			Weight: new(int32(3)), MaxRunning: new(int32(40)),
			Quotas: []v1alpha1.Quota{{Flavour: "default", Limit: amounts("cpu 1600", "memory 6Ti"), BorrowingLimit: amounts("cpu 800")}},
		},
		Status: v1alpha1.QueueStatus{
			Running: 14, Waiting: 3, Share: "12.5%", Conditions: condition(metav1.ConditionTrue, "Ready", ""),
			Usage: []v1alpha1.QueueUsage{
				{Flavour: "default", Guaranteed: amounts("cpu 1000", "memory 4Ti"), Used: amounts("cpu 1200500m", "memory 4403Gi"), Borrowed: amounts("cpu 200500m", "memory 307Gi")},
				{Flavour: "gpu", Guaranteed: amounts("cpu 64", "nvidia.com/gpu 8"), Lent: amounts("nvidia.com/gpu 2")},
			},
		},
	}
	etl := &v1alpha1.Queue{
		ObjectMeta: metav1.ObjectMeta{Name: "etl"},
		Spec: v1alpha1.QueueSpec{
			Parent: "eng", Order: v1alpha1.ByPriority, Priorities: &v1alpha1.Priorities{Default: 4, Max: new(int32(9))},
			MaxWaiting: new(int32(100)), WaitTimeout: &metav1.Duration{Duration: 12 * time.Hour}, DriverPercent: new(int32(20)),
			Users:    &v1alpha1.UserLimits{MaxRunning: new(int32(5)), MaxWaiting: new(int32(10)), Percent: new(int32(50))},
			Flavours: &v1alpha1.QueueFlavours{Drivers: []string{"default"}, Executors: []string{"default", "gpu"}}, Namespaces: []string{"etl", "etl-test"},
			Reclaim: &v1alpha1.Reclaim{Victims: v1alpha1.VictimsApplications, Grace: &metav1.Duration{Duration: 5 * time.Minute}},
			Quotas:  []v1alpha1.Quota{{Flavour: "default", Guaranteed: amounts("cpu 800"), Limit: amounts("cpu 1500")}},
		},
		Status: v1alpha1.QueueStatus{
			Running: 12, Waiting: 3, Share: "20%", Conditions: condition(metav1.ConditionTrue, "Ready", "applications are let in"),
			Usage: []v1alpha1.QueueUsage{{Flavour: "default", Guaranteed: amounts("cpu 800"), Used: amounts("cpu 900"), Borrowed: amounts("cpu 100"), Leaving: amounts("cpu 20")}},
		},
	}
	adhoc := &v1alpha1.Queue{
		ObjectMeta: metav1.ObjectMeta{Name: "adhoc"}, Spec: v1alpha1.QueueSpec{Parent: "eng", Drain: true, Reclaim: &v1alpha1.Reclaim{Victims: v1alpha1.VictimsNone}},
		Status: v1alpha1.QueueStatus{Running: 2, Conditions: condition(metav1.ConditionFalse, "Drained", "the queue is drained")},
	}
	sales := &v1alpha1.Queue{ObjectMeta: metav1.ObjectMeta{Name: "sales"}}
	return []*v1alpha1.Queue{sales, etl, adhoc, eng}
}

// orphans are queues that are not below the root.
func orphans() []*v1alpha1.Queue {
	part := func(name, parent string) *v1alpha1.Queue {
		return &v1alpha1.Queue{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.QueueSpec{Parent: parent},
			Status: v1alpha1.QueueStatus{Conditions: condition(metav1.ConditionFalse, "NoParent", "")},
		}
	}
	return []*v1alpha1.Queue{part("stray", "nowhere"), part("a", "b"), part("b", "a"), part("beside", "a")}
}

func TestTree(t *testing.T) {
	root := &v1alpha1.Queue{ObjectMeta: metav1.ObjectMeta{Name: "root"}, Status: v1alpha1.QueueStatus{Running: 14, Waiting: 3, Conditions: condition(metav1.ConditionTrue, "Ready", "")}}
	tests := map[string]struct {
		reason string
		queues []*v1alpha1.Queue
		form   output.Form
		want   string
	}{
		"Table": {
			reason: "A root that nobody made is there nevertheless; what has no status has nothing to say.",
			queues: company(), form: output.Table,
			want: `
QUEUE        GUARANTEED          USED              BORROWED         LENT   WAITING  RUNNING  SHARE  READY
root         -                   -                 -                -      -        -        -      -
├─ eng       1064 cpu 4Ti 8 gpu  1200.5 cpu 4.3Ti  200.5 cpu 307Gi  2 gpu  3        14       12.5%  Yes
│  ├─ adhoc  -                   -                 -                -      0        2        -      Drained
│  └─ etl    800 cpu             900 cpu           100 cpu          -      3        12       20%    Yes
└─ sales     -                   -                 -                -      0        0        -      -
`,
		},
		"Wide": {
			reason: "A wide table has what queues say of themselves as well.",
			queues: append([]*v1alpha1.Queue{root}, company()[1:2]...), form: output.Wide,
			want: `
QUEUE  GUARANTEED  USED     BORROWED  LENT  LEAVING  WAITING  RUNNING  SHARE  WEIGHT  ORDER     NAMESPACES    READY
root   -           -        -         -     -        3        14       -      -       -         -             Yes
etl    800 cpu     900 cpu  100 cpu   -     20 cpu   3        12       20%    1       Priority  etl,etl-test  Yes
`,
		},
		"Lost": {
			reason: "Queues that are part of none that is there, or of themselves, are shown once, after the tree.",
			queues: orphans(), form: output.Table,
			want: `
QUEUE   GUARANTEED  USED  BORROWED  LENT  WAITING  RUNNING  SHARE  READY
root    -           -     -         -     -        -        -      -
a       -           -     -         -     0        0        -      NoParent
b       -           -     -         -     0        0        -      NoParent
beside  -           -     -         -     0        0        -      NoParent
stray   -           -     -         -     0        0        -      NoParent
`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var drawn []string
			for _, queues := range [][]*v1alpha1.Queue{tt.queues, reversed(tt.queues)} {
				var out bytes.Buffer
				table(terminal.Streams{Out: &out}, tt.form).Print(arrange(queues).lines()...)
				drawn = append(drawn, out.String())
			}
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), drawn[0]); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff(drawn[0], drawn[1]); diff != "" {
				t.Errorf("the order in which queues are listed makes no difference\n%s", diff)
			}
		})
	}
}

func reversed(queues []*v1alpha1.Queue) []*v1alpha1.Queue {
	queues = slices.Clone(queues)
	slices.Reverse(queues)
	return queues
}

func TestDescribe(t *testing.T) {
	tests := map[string]struct {
		reason string
		queues []*v1alpha1.Queue
		name   string
		want   string
	}{
		"Etl": {
			reason: "What the queue says, what it has, and each bound that its applications meet.",
			queues: company(), name: "etl",
			want: `
queue etl, part of eng, part of root
  Running     12
  Waiting     3 of at most 100, each for at most 12h
  Share       20%
  Weight      1
  Order       by priority, then who has used less (Priority); priority 4 by default, at most 9
  Drivers     at most 20% of what the queue may use
  Each user   at most 5 running, at most 10 waiting, at most 50% of what the queue may use
  Flavours    drivers on default; executors on default, then gpu
  Reclaim     executors, then whole applications, with 5m of grace; for fairness alone from 10% on; an application is left alone for 30s after it
  Namespaces  etl, etl-test
  Ready       True (Ready) for 3h: applications are let in

What it has
FLAVOUR  RESOURCE  GUARANTEED  USED  BORROWED  LENT  LEAVING
default  cpu              800   900       100     -       20

Bounds on the way up
QUEUE  BOUND           FLAVOUR  RESOURCE  USED    OF    FULL
etl    maxWaiting      -        -         3       100     3%
etl    limit           default  cpu       900     1500   60%
eng    maxRunning      -        -         14      40     35%
eng    limit           default  cpu       1200.5  1600   75%
eng    limit           default  memory    4.3Ti   6Ti    72%
eng    borrowingLimit  default  cpu       200.5   800    25%
`,
		},
		"Drained": {
			reason: "A queue that lets nothing in says so, and since when; it has the bounds of the one that it is part of.",
			queues: company(), name: "adhoc",
			want: `
queue adhoc, part of eng, part of root
  Running     2
  Waiting     0
  Weight      1
  Order       by age (FIFO)
  Reclaim     nothing is taken back
  Drained     nothing is let in any more; what runs goes on
  Ready       False (Drained) for 3h: the queue is drained
`,
		},
		"Circle": {
			reason: "A circle has an end, also for who is beside it.",
			queues: orphans(), name: "beside",
			want: `
queue beside, part of a, part of b
  Running     0
  Waiting     0
  Weight      1
  Order       by age (FIFO)
  Ready       False (NoParent) for 3h
`,
		},
		"Stray": {
			reason: "A parent that is not there is named.",
			queues: orphans(), name: "stray",
			want: `
queue stray, part of nowhere, which is not there
  Running     0
  Waiting     0
  Weight      1
  Order       by age (FIFO)
  Ready       False (NoParent) for 3h
`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			describe(terminal.Streams{Out: &out}, arrange(tt.queues).find(tt.name), noon)
			got := out.String()
			if name == "Drained" {
				got, _, _ = strings.Cut(got, "\nBounds")
			}
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestShort(t *testing.T) {
	tests := map[string]string{
		"memory 0": "0", "memory 1023": "1023", "memory 1536Mi": "1.5Gi", "memory 2Ti": "2Ti", "memory 3000Pi": "3000Pi",
		"cpu 1500m": "1.5", "cpu 12": "12", "nvidia.com/gpu 8": "8",
	}
	for text, want := range tests {
		for name, amount := range amounts(text) {
			if got := short(name, amount); got != want {
				t.Errorf("%s: got %s, want %s", text, got, want)
			}
		}
	}
	if got := percent(resource.MustParse("3"), resource.MustParse("0")); got != "-" {
		t.Errorf("of nothing there is no part: %s", got)
	}
}
