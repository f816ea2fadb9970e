package evidence_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/evidence"
	"brazier.sh/brazier/test/apiserver"
)

// again is how often records are looked through.
const again = 10 * time.Minute

// kept makes the record of a run, as the recorder would have written it some time before now, and returns its name.
func (w *world) kept(of v1alpha1.ApplicationReference, run int64, now time.Time, age time.Duration) string {
	w.T.Helper()
	record := &v1alpha1.RunRecord{ObjectMeta: w.Meta(v1alpha1.RunRecordName(of, run)), Application: of, Run: run}
	record.Labels = map[string]string{v1beta2.LabelAppName: of.Name, v1beta2.LabelRun: fmt.Sprint(run)}
	record.Annotations = map[string]string{v1alpha1.AnnotationWrittenAt: now.Add(-age).UTC().Format(time.RFC3339)}
	w.Create(record)
	return record.Name
}

// left waits until the namespace's records are those.
func (w *world) left(reason string, want ...string) {
	w.T.Helper()
	slices.Sort(want)
	var diff string
	w.Eventually("the records that are left", func(ctx context.Context) (bool, error) {
		var records v1alpha1.RunRecordList
		err := w.Client.List(ctx, &records, client.InNamespace(w.Namespace))
		var got []string
		for i := range records.Items {
			got = append(got, records.Items[i].Name)
		}
		slices.Sort(got)
		diff = cmp.Diff(want, got)
		return diff == "", err
	}, func() string { return reason + "\n-want +got:\n" + diff })
}

// TestRetention has time go by, and the operator let go of the records whose time is over.
func TestRetention(t *testing.T) {
	w := newWorld(t)
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	clock := clocktesting.NewFakeClock(noon)
	app := &v1beta2.SparkApplication{ObjectMeta: w.Meta("there"), Spec: v1beta2.SparkApplicationSpec{
		Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py", Suspend: true,
	}}
	w.Create(app)
	there := v1alpha1.ApplicationReference{Name: app.Name, UID: app.UID}
	before := v1alpha1.ApplicationReference{Name: app.Name, UID: "0ddba111-an-earlier-one"}
	gone := v1alpha1.ApplicationReference{Name: "gone", UID: "deadbeef-gone"}

	w.kept(there, 8, noon, 100*time.Hour)
	ninth := w.kept(there, 9, noon, 90*time.Hour)
	tenth := w.kept(there, 10, noon, 80*time.Hour)
	w.kept(gone, 1, noon, 61*time.Minute)
	late := w.kept(gone, 2, noon, 45*time.Minute)
	w.kept(before, 1, noon, 61*time.Minute)
	later := w.kept(before, 2, noon, 35*time.Minute)
	w.operateFor(evidence.NewAt(clock), evidence.Keep{Runs: 2, For: time.Hour, PerNamespace: 5}, apiserver.Reliably)
	w.left("At the start: of an application that is there all but the last two runs, of others what is older than an hour. "+
		"One of the same name is another one.", ninth, tenth, late, later)

	pass(w, clock, again)
	w.left("Ten minutes later nothing more is too old.", ninth, tenth, late, later)
	pass(w, clock, again)
	w.left("Another ten minutes later one is.", ninth, tenth, later)

	var many []string
	for i := range 4 {
		of := v1alpha1.ApplicationReference{Name: fmt.Sprintf("many-%d", i), UID: types.UID(fmt.Sprintf("%08d", i))}
		many = append(many, w.kept(of, 1, clock.Now(), time.Duration(i)*time.Minute))
	}
	pass(w, clock, again)
	w.left("The last one of an application that was deleted is too old now, and of the other six the oldest goes, though its application is there.",
		slices.Concat(many, []string{tenth})...)

	if err := w.Client.Delete(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	w.Eventually("the record of an application that is there no more goes", func(ctx context.Context) (bool, error) {
		clock.Step(again)
		var records v1alpha1.RunRecordList
		err := w.Client.List(ctx, &records, client.InNamespace(w.Namespace))
		return err == nil && !slices.ContainsFunc(records.Items, func(r v1alpha1.RunRecord) bool { return r.Name == tenth }), err
	})
}

// pass has time go by once the operator waits for it.
func pass(w *world, clock *clocktesting.FakeClock, d time.Duration) {
	w.T.Helper()
	w.Eventually("somebody waits for the time to pass", func(context.Context) (bool, error) { return clock.HasWaiters(), nil })
	clock.Step(d)
}
