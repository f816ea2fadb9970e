package spark

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

func annotated(annotations map[string]string) *v1beta2.SparkApplication {
	return application(func(a *v1beta2.SparkApplication) { a.Annotations = annotations })
}

func TestQueueWishes(t *testing.T) {
	tests := map[string]struct {
		reason string
		said   map[string]string
		want   Wishes
	}{
		"Nothing": {reason: "An application need not say anything.", said: map[string]string{"brazier.sh/other": "x"}},
		"Everything": {
			reason: "Or all of it.",
			said: map[string]string{
				brazierv1alpha1.AnnotationPriority: "-5", brazierv1alpha1.AnnotationUser: "alice@example.com",
				brazierv1alpha1.AnnotationMinExecutors: "1", brazierv1alpha1.AnnotationMaxRunTime: "1h30m",
			},
			want: Wishes{Priority: new(int32(-5)), User: "alice@example.com", MinExecutors: 1, MaxRunTime: 90 * time.Minute},
		},
		"PriorityOfNone": {
			reason: "A priority of 0 is one, and not the queue's.",
			said:   map[string]string{brazierv1alpha1.AnnotationPriority: "0"}, want: Wishes{Priority: new(int32(0))},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, errs := QueueWishes(annotated(tt.said))
			if len(errs) > 0 {
				t.Errorf("%s\nit is refused: %v", tt.reason, errs)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestWishesAreRefused has applications refused in or out of a queue: nobody says such things by mistake of the whole.
func TestWishesAreRefused(t *testing.T) {
	tests := map[string]struct {
		reason           string
		name, said, want string
	}{
		"PriorityAsWord":   {"PriorityClasses are another thing.", brazierv1alpha1.AnnotationPriority, "high", "write a whole number such as 10"},
		"PriorityAsPart":   {"There is nothing between two priorities.", brazierv1alpha1.AnnotationPriority, "1.5", "write a whole number such as 10"},
		"PriorityTooHigh":  {"It has 32 bits.", brazierv1alpha1.AnnotationPriority, "3000000000", "write a whole number such as 10"},
		"PriorityEmpty":    {"An empty word is none.", brazierv1alpha1.AnnotationPriority, "", "write a whole number such as 10"},
		"MinimumNegative":  {"Nobody has fewer executors than none.", brazierv1alpha1.AnnotationMinExecutors, "-1", "a whole number from 1 on"},
		"MinimumAsWord":    {"It is a number.", brazierv1alpha1.AnnotationMinExecutors, "all", "a whole number from 1 on"},
		"RunTimeUnitless":  {"Seconds are not more likely than minutes.", brazierv1alpha1.AnnotationMaxRunTime, "20", "write for example 20m"},
		"RunTimeOfNothing": {"It would be ended as it begins.", brazierv1alpha1.AnnotationMaxRunTime, "0s", "write for example 20m"},
		"RunTimeNegative":  {"Or before.", brazierv1alpha1.AnnotationMaxRunTime, "-5m", "write for example 20m"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := New(annotated(map[string]string{tt.name: tt.said}), testRun(), testPlatform())
			for _, want := range []string{"metadata.annotations[" + tt.name + "]", `"` + tt.said + `"`, tt.want} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s\n%v has no %q", tt.reason, err, want)
				}
			}
		})
	}
}

// FuzzQueueWishes has each wish be either read or refused.
func FuzzQueueWishes(f *testing.F) {
	f.Add("10", "3", "20m")
	f.Add("", "1.5", "-1h")
	f.Add("99999999999", "0", "1e9h")
	f.Fuzz(func(t *testing.T, priority, minimum, runTime string) {
		wishes, errs := QueueWishes(annotated(map[string]string{
			brazierv1alpha1.AnnotationPriority: priority, brazierv1alpha1.AnnotationMinExecutors: minimum, brazierv1alpha1.AnnotationMaxRunTime: runTime,
		}))
		read := 0
		for _, is := range []bool{wishes.Priority != nil, wishes.MinExecutors > 0, wishes.MaxRunTime > 0} {
			if is {
				read++
			}
		}
		if read+len(errs) != 3 || wishes.MinExecutors < 0 || wishes.MaxRunTime < 0 {
			t.Errorf("of three, %d were read and %d refused: %+v, %v", read, len(errs), wishes, errs)
		}
	})
}
