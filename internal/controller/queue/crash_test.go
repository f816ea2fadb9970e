package queue_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	engine "brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/test/apiserver"
)

// storm is what is submitted at once: name, queue, and with how many executors it begins and how many it wants.
var storm = []struct {
	name, queue string
	least, most int
}{{"a1", "etl", 1, 2}, {"a2", "etl", 2, 2}, {"b1", "ads", 1, 1}}

// writesOfTheStorm is how many writes an operator does until all of it has been let in and runs: of each application the
// claim, its place, its admission, seven objects and RUNNING, a patch of each executor, the status of three queues, and what
// was used.
const writesOfTheStorm = 53

// TestCrashInAStorm kills the operator at each of its writes while it lets applications in whose driver and executors do
// not fit all at once, and has another take over: nothing is let go twice, nothing is forgotten.
func TestCrashInAStorm(t *testing.T) {
	newWorld(t, cluster("6"), newQueue("etl", guaranteed("2")), newQueue("ads", guaranteed("2")))
	t.Run("Storms", func(t *testing.T) {
		for at := 1; at <= writesOfTheStorm; at++ {
			for _, after := range []bool{false, true} {
				t.Run(fmt.Sprintf("Write%dDone=%t", at, after), func(t *testing.T) { crashInAStorm(t, at, after) })
			}
		}
	})
}

// crashInAStorm shares its queues with the others: of another operator's applications an operator knows nothing.
func crashInAStorm(t *testing.T, at int, after bool) {
	t.Parallel()
	w := newWorld(t)
	apps := make([]*v1beta2.SparkApplication, len(storm))
	for i, s := range storm {
		w.ends[s.name] = true
		apps[i] = w.submit(s.name, s.queue, s.least, s.most)
	}
	crash := apiserver.CrashAt(at, after)
	stop := w.operate(crash.Wrap)
	w.Eventually("the operator crashes or finishes", func(ctx context.Context) (bool, error) {
		select {
		case <-crash.Crashed():
			return true, nil
		default:
			return w.allEnded(ctx, apps)
		}
	})
	stop()
	w.operate(apiserver.Reliably)
	for _, app := range apps {
		app = w.awaitState(app, v1beta2.ApplicationStateCompleted)
		if app.Status.Run != 1 || app.Status.ExecutionAttempts != 1 {
			t.Errorf("%s has run %d times", app.Name, app.Status.Run)
		}
	}
	w.checkLifts()
}

// TestRebuilt compares what an operator knows that has seen everything happen, after one before it was killed, with what
// one knows that begins then: everything is in status and in pods.
func TestRebuilt(t *testing.T) {
	for _, at := range []int{3, 12, 14, 16} {
		t.Run(fmt.Sprintf("After%d", at), func(t *testing.T) {
			w := newWorld(t, cluster("6"), newQueue("etl", victims(v1alpha1.VictimsNone)))
			w.submit("runs", "etl", 2, 9)
			crash := apiserver.CrashAt(at, true)
			stop := w.operate(crash.Wrap)
			w.Eventually("the operator crashes", func(context.Context) (bool, error) {
				select {
				case <-crash.Crashed():
					return true, nil
				default:
					return false, nil
				}
			})
			stop()

			stop, second := w.operateQueues(apiserver.Reliably)
			w.awaitExecutors("runs", 5, 4)
			waits := w.submit("waits", "etl", 1, 1)
			w.await(waits, "waiting", func(app *v1beta2.SparkApplication) bool { return app.Status.Queue != nil })
			w.awaitQueue("etl", "both", func(s v1alpha1.QueueStatus) bool {
				return s.Running == 1 && s.Waiting == 1 && s.Usage[0].Used.Cpu().Value() == 6
			})
			stop()
			stop, third := w.operateQueues(apiserver.Reliably)
			var diff string
			w.Eventually("the third knows what the second knew", func(ctx context.Context) (bool, error) {
				want, err := second.State(ctx)
				if err != nil {
					return false, err
				}
				got, err := third.State(ctx)
				if err != nil {
					return false, nil // it has only begun
				}
				diff = cmp.Diff(want, got, cmpopts.IgnoreFields(engine.State{}, "Now"), cmpopts.IgnoreFields(engine.Application{}, "UserUsage"))
				return diff == "", nil
			}, func() string { return "-second +third:\n" + diff })
			stop()
		})
	}
}

func (w *world) allEnded(ctx context.Context, apps []*v1beta2.SparkApplication) (bool, error) {
	for _, app := range apps {
		got := new(v1beta2.SparkApplication)
		if err := w.Client.Get(ctx, client.ObjectKeyFromObject(app), got); err != nil {
			return false, err
		}
		if !got.Status.AppState.State.Ended() {
			return false, nil
		}
	}
	return true, nil
}

// checkLifts compares how often each executor's gate was lifted, by the API server's own book, with the once that it should
// have been.
func (w *world) checkLifts() {
	w.T.Helper()
	want := make(map[string]int)
	w.lock.Lock()
	for pod := range w.made {
		want[pod] = 1
	}
	w.lock.Unlock()
	var got map[string]int
	w.Eventually("the audit log has been written", func(context.Context) (bool, error) {
		var err error
		got, err = liftsOf(w.Namespace)
		return len(got) >= len(want), err
	}, func() string { return cmp.Diff(want, got) })
	if diff := cmp.Diff(want, got); diff != "" {
		w.T.Errorf("how often gates were lifted\n-want +got:\n%s", diff)
	}
}

// liftsOf counts for each executor of a namespace the patches that the API server has carried out. Of one whose operator was
// gone before it was answered the book does not say so: it counts where no other did.
func liftsOf(namespace string) (map[string]int, error) {
	file, err := os.Open(auditLog)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lifts, unanswered := make(map[string]int), make(map[string]bool)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event auditv1.Event
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return nil, nil // the last line is being written
		}
		ref := event.ObjectRef
		if ref == nil || ref.Namespace != namespace || ref.Subresource != "" || !strings.Contains(ref.Name, "-exec-") {
			continue
		}
		switch {
		case event.ResponseStatus == nil || event.ResponseStatus.Code > http.StatusUnavailableForLegalReasons:
			unanswered[ref.Name] = true
		case event.Stage == auditv1.StageResponseComplete && event.ResponseStatus.Code == http.StatusOK:
			lifts[ref.Name]++
		}
	}
	for name := range unanswered {
		lifts[name] = max(1, lifts[name])
	}
	return lifts, lines.Err()
}
