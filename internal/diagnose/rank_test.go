package diagnose

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

func TestRank(t *testing.T) {
	cause := func(code string, seconds int, confidence v1alpha1.Confidence) v1alpha1.Cause {
		c := v1alpha1.Cause{Code: code, Confidence: confidence}
		if seconds >= 0 {
			c.At = after(seconds)
		}
		return c
	}
	const high, medium, low = v1alpha1.ConfidenceHigh, v1alpha1.ConfidenceMedium, v1alpha1.ConfidenceLow
	follows := func(code string, causes ...string) rule { return rule{code: code, follows: causes} }
	tests := map[string]struct {
		reason string
		causes []v1alpha1.Cause
		rules  []rule
		want   []string
	}{
		"Earliest": {
			reason: "Where neither follows from the other, the earlier one is the more fundamental.",
			causes: []v1alpha1.Cause{cause("a", 20, high), cause("b", 10, medium)}, want: []string{"b", "a"},
		},
		"Guess": {
			reason: "What is merely possible comes last, however early it was.",
			causes: []v1alpha1.Cause{cause("a", 10, low), cause("b", 20, medium)}, want: []string{"b", "a"},
		},
		"Timeless": {
			reason: "What nobody knows the time of comes behind what has one.",
			causes: []v1alpha1.Cause{cause("a", -1, high), cause("b", 20, high)}, want: []string{"b", "a"},
		},
		"Consequence": {
			reason: "Kubelet tells of a container's end after the driver has complained.",
			causes: []v1alpha1.Cause{cause("shuffle", 10, high), cause("memory", 30, high)},
			rules:  []rule{follows("shuffle", "memory"), follows("memory")}, want: []string{"memory", "shuffle<memory"},
		},
		"TooLate": {
			reason: "What was seen much later cannot have led to it.",
			causes: []v1alpha1.Cause{cause("shuffle", 10, high), cause("memory", 300, high)},
			rules:  []rule{follows("shuffle", "memory"), follows("memory")}, want: []string{"shuffle", "memory"},
		},
		"Chain": {
			reason: "A consequence's consequence comes behind both.",
			causes: []v1alpha1.Cause{cause("c", 1, high), cause("b", 2, high), cause("a", 3, high)},
			rules:  []rule{follows("c", "b"), follows("b", "a"), follows("a")}, want: []string{"a", "b<a", "c<b"},
		},
		"Circle": {
			reason: "A team's rules can follow from each other; none is lost.",
			causes: []v1alpha1.Cause{cause("a", 1, high), cause("b", 2, high)},
			rules:  []rule{follows("a", "b"), follows("b", "a")}, want: []string{"b", "a<b"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, c := range rank(tt.causes, tt.rules) {
				if c.Follows != "" {
					c.Code += "<" + c.Follows
				}
				got = append(got, c.Code)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// FuzzRank makes cases of pieces that mean something, and of a text that does not.
func FuzzRank(f *testing.F) {
	f.Add(uint64(1), unresolvedColumn)
	f.Add(uint64(2), lostExecutor+abortedByLoss)
	f.Add(uint64(3), `{"ts":"2026-11-26T14:37:54.789Z","level":"ERROR","msg":"x","exception":{"class":"a.B","msg":"Job ab`)
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		run := randomRun(rand.New(rand.NewPCG(seed, 1)), text)
		causes := Causes(run)
		if diff := cmp.Diff(causes, Causes(run)); diff != "" {
			t.Errorf("the same case has other causes:\n%s", diff)
		}
		seen := map[string]bool{}
		for _, cause := range causes {
			if seen[cause.Code] {
				t.Errorf("%s is there twice", cause.Code)
			}
			if cause.Follows != "" && !seen[cause.Follows] {
				t.Errorf("%s comes before %s, which it follows from", cause.Code, cause.Follows)
			}
			if cause.Why == "" || cause.Confidence == "" {
				t.Errorf("%+v says nothing", cause)
			}
			seen[cause.Code] = true
		}
	})
}

func randomRun(random *rand.Rand, text string) *Case {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	c := failedRun()
	codes := []int32{0, 1, 3, 11, 50, 52, 53, 56, 101, 126, 134, 137, 139, 143, 255}
	code := func() int32 { return codes[random.IntN(len(codes))] }
	driverEnds(code(), pick("Error", "OOMKilled", "Completed", ""), random.IntN(3000))(c)
	for i := range random.IntN(4) {
		executorEnds(i+1, code(), pick("Error", "OOMKilled", "ContainerStatusUnknown"), random.IntN(3000))(c)
	}
	if random.IntN(2) == 0 {
		limit("3Gi")(c)
	}
	if random.IntN(4) == 0 {
		driverRuns()(c)
	}
	if random.IntN(4) == 0 {
		c.Application = nil
	}
	if random.IntN(4) == 0 {
		c.Evidence.Pods = nil
	}
	pieces := []string{
		unresolvedColumn, badRow, castInvalid, scalaException, caught, noise, lostExecutor, abortedByLoss, text,
		abortedBy("FetchFailed(null, shuffleId=1, mapIndex=-1, mapId=-1, reduceId=0, message="), abortedBy(text), thrownByMain(text),
		thrownByMain("org.apache.spark.SparkException: Could not execute broadcast in 300 secs."), "26/11/26 12:15:00 ERROR X: " + text,
	}
	for range random.IntN(5) {
		says(pick("pi-driver", "pi-exec-1", "pi-exec-2", "other"), random.IntN(3000), pieces[random.IntN(len(pieces))])(c)
	}
	for range random.IntN(3) {
		c.Evidence.Events = append(c.Evidence.Events, v1alpha1.Event{
			Object: "Pod/pi-exec-1", Reason: pick("NodeNotReady", "FailedScheduling", "Evicted"), Message: text,
			First: metav1.NewTime(began),
		})
	}
	for i := range c.Evidence.Pods {
		if random.IntN(5) == 0 {
			c.Evidence.Pods[i].Containers = append(c.Evidence.Pods[i].Containers[:0:0], v1alpha1.Container{Init: true, Name: "init", MemoryLimit: new(resource.Quantity)})
		}
	}
	return c
}

func TestCodesAreDocumented(t *testing.T) {
	var pages strings.Builder
	for _, name := range []string{"why.md", "why-spark.md"} {
		page, err := os.ReadFile("../../docs/" + name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		fmt.Fprintln(&pages, string(page))
	}
	for _, r := range sparkRules() {
		if !strings.Contains(pages.String(), "# `"+r.code+"`\n") {
			t.Errorf("docs/why*.md have no section about %s", r.code)
		}
	}
}
