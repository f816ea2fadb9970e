package queue

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/admission"
)

// placeWith is one that asks for so many executors.
func placeWith(minimum int64) *v1beta2.QueuePlace {
	return &v1beta2.QueuePlace{Name: "etl", Since: metav1.NewTime(noon), Driver: asks("1", "1"), Executor: asks("2", "2"), Minimum: minimum}
}

func TestApply(t *testing.T) {
	var a applicants
	came := 0
	a.onCame(func() { came++ })
	at := func(after time.Duration, minimum int64) bool {
		return a.apply("u", 1, placeWith(minimum), noon.Add(after))
	}
	if at(0, 2) || came != 1 {
		t.Error("who comes has a round soon, and waits for it")
	}
	if at(admission.Patience-1, 2) || came != 1 {
		t.Error("who asks again has none more")
	}
	if !at(admission.Patience, 2) {
		t.Error("it is not waited for a round for ever")
	}
	if at(admission.Patience, 3) || came != 2 {
		t.Error("who asks for something else is somebody else")
	}
	if got := a.waiting(noon.Add(admission.Patience + gaveUp)); len(got) != 1 || got["u"].place.Minimum != 3 {
		t.Errorf("want the last word of the one, got %v", got)
	}
	if got := a.waiting(noon.Add(admission.Patience + gaveUp + 1)); len(got) > 0 {
		t.Errorf("who does not ask any more wants nothing, got %v", got)
	}
}

// TestApplicantIs has an application that asks to be let in become of something else meanwhile.
func TestApplicantIs(t *testing.T) {
	object := func(changes ...func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
		o := &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "pi", UID: "u"}}
		for _, change := range changes {
			change(o)
		}
		return o
	}
	known := applicant{run: 1, place: placeWith(2)}
	got, ok := known.of(object())
	want := member{
		uid: "u", key: types.NamespacedName{Namespace: "shop", Name: "pi"}, run: 1, state: v1beta2.ApplicationStateSubmitted, user: "shop", place: known.place,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(member{})); !ok || diff != "" {
		t.Errorf("one that is as it was waits as if it were claimed\n-want +got:\n%s", diff)
	}
	if !got.waits() {
		t.Error("it does not wait")
	}
	for name, change := range map[string]func(*v1beta2.SparkApplication){
		"claimed":   func(o *v1beta2.SparkApplication) { o.Status.Run = 1 },
		"in queue":  func(o *v1beta2.SparkApplication) { o.Status.Queue = placeWith(2) },
		"deleted":   func(o *v1beta2.SparkApplication) { o.DeletionTimestamp = &metav1.Time{Time: noon} },
		"suspended": func(o *v1beta2.SparkApplication) { o.Spec.Suspend = true },
		"failed":    func(o *v1beta2.SparkApplication) { o.Status.AppState.State = v1beta2.ApplicationStateFailed },
	} {
		if _, ok := known.of(object(change)); ok {
			t.Errorf("one that is %s applies for nothing", name)
		}
	}
}
