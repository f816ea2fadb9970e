package incident_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/incident"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// failed is a run of an application, so many minutes after noon.
func failed(app string, minute int, causes ...v1alpha1.Cause) incident.Run {
	return incident.Run{
		Namespace: "etl", Application: app, UID: types.UID("uid-" + app), Number: int64(minute) + 1,
		At: noon.Add(time.Duration(minute) * time.Minute), Image: "spark:4.3.0", Causes: causes,
	}
}

func in(namespace string, run incident.Run) incident.Run {
	run.Namespace = namespace
	return run
}

func of(image string, run incident.Run) incident.Run {
	run.Image = image
	return run
}

// local is a cause that lies in the job, passing one that may lie in what jobs share.
func local(code string) v1alpha1.Cause { return v1alpha1.Cause{Code: code, Why: code + "."} }

func passing(code string) v1alpha1.Cause {
	return v1alpha1.Cause{Code: code, Why: code + ".", Transient: true}
}

func on(node string, cause v1alpha1.Cause) v1alpha1.Cause {
	cause.Node = node
	return cause
}

func stored(class string, cause v1alpha1.Cause) v1alpha1.Cause {
	cause.StorageClass = class
	return cause
}

// brief is an incident as a person would tell of it.
type brief struct {
	Kind   incident.Kind
	Name   string
	Causes []string
	Runs   []string
}

func briefs(incidents []incident.Incident) []brief {
	var all []brief
	for _, found := range incidents {
		one := brief{Kind: found.Factor.Kind, Name: found.Factor.Name, Causes: found.Causes}
		for _, run := range found.Runs {
			one.Runs = append(one.Runs, run.Application)
		}
		all = append(all, one)
	}
	return all
}

func TestFind(t *testing.T) {
	lost, fetch, slow := passing("executor-lost"), passing("fetch-failed"), passing("volume-attach")
	oom, code := local("executor-out-of-memory"), local("user-code")
	tests := map[string]struct {
		reason string
		runs   []incident.Run
		want   []brief
	}{
		"None": {reason: "Where nothing failed there is no incident."},
		"OneNetworkProblemOnANode": {
			reason: "What shows as several causes on one node is one problem.",
			runs: []incident.Run{
				failed("a", 0, on("worker-3", lost)), failed("b", 4, on("worker-3", fetch)), failed("c", 9, on("worker-3", lost)),
				failed("d", 11, oom),
			},
			want: []brief{
				{incident.OfNode, "worker-3", []string{"executor-lost", "fetch-failed"}, []string{"a", "b", "c"}},
				{incident.OfRun, "etl/d run 12", []string{"executor-out-of-memory"}, []string{"d"}},
			},
		},
		"ANetworkProblemOfAll": {
			reason: "What fails on every node at once is not one node's fault.",
			runs: []incident.Run{
				failed("a", 0, on("worker-1", lost)), failed("b", 1, on("worker-2", lost)), failed("c", 2, on("worker-3", lost)),
				failed("d", 3, on("worker-1", lost)), failed("e", 4, on("worker-2", lost)), failed("f", 5, on("worker-3", lost)),
			},
			want: []brief{{incident.OfCause, "executor-lost", []string{"executor-lost"}, []string{"a", "b", "c", "d", "e", "f"}}},
		},
		"StorageClassOnManyNodes": {
			reason: "A storage class that fails on several nodes, in several ways, is one problem.",
			runs: []incident.Run{
				failed("a", 0, on("worker-1", stored("slow", slow))), failed("b", 2, on("worker-2", stored("slow", passing("scratch-disk")))),
				failed("c", 3, on("worker-3", stored("slow", slow))), in("bi", failed("d", 20, stored("slow", slow))),
			},
			want: []brief{{incident.OfStorageClass, "slow", []string{"volume-attach", "scratch-disk"}, []string{"a", "b", "c", "d"}}},
		},
		"NodeBeforeClass": {
			reason: "A disk of one node is narrower than the class that all nodes' disks are of.",
			runs:   []incident.Run{failed("a", 0, on("worker-1", stored("local", slow))), failed("b", 2, on("worker-1", stored("local", slow)))},
			want:   []brief{{incident.OfNode, "worker-1", []string{"volume-attach"}, []string{"a", "b"}}},
		},
		"IndependentFailures": {
			reason: "Jobs that fail of their own code and memory, at one time and with one image, have nothing to do with each other.",
			runs:   []incident.Run{failed("a", 0, oom), failed("b", 1, oom), failed("c", 2, code), failed("d", 3, code)},
			want: []brief{
				{incident.OfRun, "etl/d run 4", []string{"user-code"}, []string{"d"}},
				{incident.OfRun, "etl/c run 3", []string{"user-code"}, []string{"c"}},
				{incident.OfRun, "etl/b run 2", []string{"executor-out-of-memory"}, []string{"b"}},
				{incident.OfRun, "etl/a run 1", []string{"executor-out-of-memory"}, []string{"a"}},
			},
		},
		"IndependentFailuresOnOneNode": {
			reason: "On a small cluster everything is on one node; it is not why jobs run out of memory, or why an image is gone.",
			runs: []incident.Run{
				failed("a", 0, on("worker-1", oom)), failed("b", 1, on("worker-1", oom)),
				failed("c", 2, on("worker-1", local("image-pull"))), failed("d", 3, on("worker-1", local("image-pull"))),
			},
			want: []brief{
				{incident.OfImage, "spark:4.3.0", []string{"image-pull"}, []string{"c", "d"}},
				{incident.OfRun, "etl/b run 2", []string{"executor-out-of-memory"}, []string{"b"}},
				{incident.OfRun, "etl/a run 1", []string{"executor-out-of-memory"}, []string{"a"}},
			},
		},
		"ARealisticMix": {
			reason: "A drained node, a registry that does not know an image, a full quota and jobs of bad code at one time are told apart.",
			runs: []incident.Run{
				failed("a", 0, on("spot-1", passing("disrupted"))), failed("b", 1, on("spot-1", passing("disrupted")), on("spot-1", passing("shuffle-lost"))),
				in("bi", failed("c", 2, on("spot-1", passing("shuffle-lost")))),
				of("etl:9", failed("d", 3, on("worker-1", local("image-pull")))), of("etl:9", failed("e", 4, on("worker-2", local("image-pull")))),
				in("ml", failed("f", 5, passing("quota-exceeded"))), in("ml", failed("g", 6, passing("quota-exceeded"))),
				failed("h", 7, local("python-exception")), failed("i", 8, on("spot-1", oom)),
			},
			want: []brief{
				{incident.OfNode, "spot-1", []string{"disrupted", "shuffle-lost"}, []string{"a", "b", "c"}},
				{incident.OfNamespace, "ml", []string{"quota-exceeded"}, []string{"f", "g"}},
				{incident.OfImage, "etl:9", []string{"image-pull"}, []string{"d", "e"}},
				{incident.OfRun, "etl/i run 9", []string{"executor-out-of-memory"}, []string{"i"}},
				{incident.OfRun, "etl/h run 8", []string{"python-exception"}, []string{"h"}},
			},
		},
		"OneApplicationAgainAndAgain": {
			reason: "An application that fails of the same thing again has one problem, however long it takes.",
			runs:   []incident.Run{failed("nightly", 0, oom), failed("nightly", 1440, oom), failed("nightly", 2880, code)},
			want: []brief{
				{incident.OfApplication, "etl/nightly", []string{"executor-out-of-memory"}, []string{"nightly", "nightly"}},
				{incident.OfRun, "etl/nightly run 2881", []string{"user-code"}, []string{"nightly"}},
			},
		},
		"OneApplicationOnOneNode": {
			reason: "A node is not blamed for what only one application has met.",
			runs:   []incident.Run{failed("a", 0, on("worker-1", oom)), failed("a", 1, on("worker-1", oom))},
			want:   []brief{{incident.OfApplication, "etl/a", []string{"executor-out-of-memory"}, []string{"a", "a"}}},
		},
		"AnImageThatIsGone": {
			reason: "Two images that cannot be pulled are two problems, one for two applications is one.",
			runs: []incident.Run{
				of("etl:12", failed("a", 0, local("image-pull"))), of("etl:12", in("bi", failed("b", 3, local("image-pull")))),
				of("ml:7", failed("c", 4, local("image-pull"))),
			},
			want: []brief{
				{incident.OfImage, "etl:12", []string{"image-pull"}, []string{"a", "b"}},
				{incident.OfRun, "etl/c run 5", []string{"image-pull"}, []string{"c"}},
			},
		},
		"TheSameMuchLater": {
			reason: "Two outages of the same kind, hours apart, are two incidents.",
			runs:   []incident.Run{failed("a", 0, lost), failed("b", 20, lost), failed("c", 300, lost), failed("d", 320, lost)},
			want: []brief{
				{incident.OfCause, "executor-lost", []string{"executor-lost"}, []string{"c", "d"}},
				{incident.OfCause, "executor-lost", []string{"executor-lost"}, []string{"a", "b"}},
			},
		},
		"AQuotaOfOneNamespace": {
			reason: "A quota is a namespace's: what waits for it in two namespaces waits for two.",
			runs: []incident.Run{
				failed("a", 0, local("quota-exceeded")), failed("b", 1, local("quota-exceeded")), in("bi", failed("c", 2, local("quota-exceeded"))), in("bi", failed("d", 3, local("quota-exceeded"))),
			},
			want: []brief{
				{incident.OfNamespace, "bi", []string{"quota-exceeded"}, []string{"c", "d"}},
				{incident.OfNamespace, "etl", []string{"quota-exceeded"}, []string{"a", "b"}},
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, briefs(incident.Find(tt.runs))); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestEachRunOnce finds incidents among runs that chance has made: each run has to be in exactly one, and its incident has
// to be true of it.
func TestEachRunOnce(t *testing.T) {
	for seed := range uint64(100) {
		chance := rand.New(rand.NewPCG(seed, 1))
		runs := random(chance)
		found := incident.Find(runs)
		seen := map[string]int{}
		for _, one := range found {
			for _, run := range one.Runs {
				seen[fmt.Sprint(run.Namespace, run.Application, run.Number)]++
				if !shares(one, run) {
					t.Errorf("seed %d: %s/%s run %d does not have %+v", seed, run.Namespace, run.Application, run.Number, one.Factor)
				}
			}
		}
		for _, run := range runs {
			if n := seen[fmt.Sprint(run.Namespace, run.Application, run.Number)]; n != 1 {
				t.Fatalf("seed %d: %s/%s run %d is in %d incidents", seed, run.Namespace, run.Application, run.Number, n)
			}
		}
		chance.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
		if diff := cmp.Diff(found, incident.Find(runs)); diff != "" {
			t.Fatalf("seed %d: another order gives other incidents\n%s", seed, diff)
		}
	}
}

func random(chance *rand.Rand) []incident.Run {
	pick := func(words ...string) string { return words[chance.IntN(len(words))] }
	var runs []incident.Run
	for n := range chance.IntN(40) {
		run := failed(pick("a", "b", "c", "d", "e"), chance.IntN(200))
		run.Namespace, run.Number, run.Image = pick("etl", "bi"), int64(n), pick("", "spark:4.3.0", "etl:12")
		for range 1 + chance.IntN(2) {
			run.Causes = append(run.Causes, v1alpha1.Cause{
				Code:      pick("executor-lost", "fetch-failed", "executor-out-of-memory", "image-pull", "quota-exceeded", "own"),
				Transient: chance.IntN(2) == 0, Node: pick("", "worker-1", "worker-2"), StorageClass: pick("", "", "slow"),
			})
		}
		runs = append(runs, run)
	}
	return runs
}

func shares(one incident.Incident, run incident.Run) bool {
	has := func(is func(v1alpha1.Cause) bool) bool { return slices.ContainsFunc(run.Causes, is) }
	code := func(c v1alpha1.Cause) bool { return slices.Contains(one.Causes, c.Code) }
	name := one.Factor.Name
	switch one.Factor.Kind {
	case incident.OfNode:
		return has(func(c v1alpha1.Cause) bool { return c.Node == name })
	case incident.OfStorageClass:
		return has(func(c v1alpha1.Cause) bool { return c.StorageClass == name })
	case incident.OfImage:
		return run.Image == name && has(code)
	case incident.OfNamespace:
		return run.Namespace == name && has(code)
	case incident.OfApplication:
		return run.Namespace+"/"+run.Application == name && has(code)
	case incident.OfCause:
		return has(code) && len(one.Causes) == 1 && one.Causes[0] == name
	default:
		return len(one.Runs) == 1
	}
}

func TestOf(t *testing.T) {
	at := metav1.NewTime(noon)
	record := &v1alpha1.RunRecord{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "etl", Name: "pi.2.0a1b2c3d", CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))},
		Application: v1alpha1.ApplicationReference{Name: "pi", UID: "0a1b2c3d"}, Run: 2,
		Evidence: v1alpha1.Evidence{Pods: []v1alpha1.Pod{
			{Name: "pi-exec-1", Role: v1alpha1.RoleExecutor, Containers: []v1alpha1.Container{{Name: "spark-kubernetes-executor", Image: "executor:1"}}},
			{Name: "pi-driver", Role: v1alpha1.RoleDriver, Containers: []v1alpha1.Container{
				{Name: "fetch", Init: true, Image: "busybox"}, {Name: "spark-kubernetes-driver", Image: "spark:4.3.0"},
			}},
		}},
	}
	if run, ok := incident.Of(record); ok {
		t.Errorf("a run without causes is %+v, want none", run)
	}
	first := v1alpha1.Cause{Code: "node-lost", At: at}
	record.Causes = []v1alpha1.Cause{first, {Code: "fetch-failed", Follows: "node-lost"}}
	want := incident.Run{
		Namespace: "etl", Application: "pi", UID: "0a1b2c3d", Number: 2, At: noon, Image: "spark:4.3.0", Causes: []v1alpha1.Cause{first},
	}
	got, _ := incident.Of(record)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a run fails of what follows from nothing, at its time\n-want +got:\n%s", diff)
	}
}
