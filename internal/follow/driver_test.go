package follow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/terminal"
)

// What a driver of Spark 4.3.0 answers, shortened to one entry each and the fields around those that are read.
const (
	applicationsJSON = `[{"id":"spark-0123456789abcdef0123456789abcdef","name":"sales","attempts":[{"startTime":"2026-11-23T12:00:00.000GMT","completed":false}]}]`
	jobsJSON         = `[
		{"jobId":4,"name":"collect at /tmp/spark-e698f7b6/report.py:42","stageIds":[9],"status":"RUNNING","numTasks":2,"numCompletedStages":0,"numSkippedStages":0},
		{"jobId":3,"name":"count at report.py:40","description":"revenue by month","stageIds":[5,6,7],"status":"RUNNING","numTasks":204,
		 "numActiveTasks":4,"numCompletedTasks":72,"numActiveStages":1,"numCompletedStages":1,"numSkippedStages":1,"numFailedStages":0}]`
	stagesJSON = `[
		{"status":"ACTIVE","stageId":9,"attemptId":0,"numTasks":2,"numActiveTasks":0,"numCompleteTasks":0,"numFailedTasks":0,"name":"collect at report.py:42"},
		{"status":"ACTIVE","stageId":7,"attemptId":1,"numTasks":200,"numActiveTasks":4,"numCompleteTasks":70,"numFailedTasks":1,
		 "executorRunTime":1234,"name":"count at report.py:40","description":"revenue by month"}]`
	executorsJSON = `[
		{"id":"driver","hostPort":"10.97.0.5:7079","isActive":true,"activeTasks":0,"failedTasks":0,"completedTasks":0,"totalTasks":0},
		{"id":"1","isActive":true,"activeTasks":4,"failedTasks":1,"completedTasks":1200,"totalTasks":1205}]`
)

// server plays an API server for one pod: the REST API behind the pod's proxy, the pod itself and its log.
func server(t *testing.T, handlers map[string]http.HandlerFunc) *follower {
	t.Helper()
	mux := http.NewServeMux()
	for path, handler := range handlers {
		mux.Handle("GET /api/v1/namespaces/default/pods/"+path, handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f, err := newFollower(Options{Config: &rest.Config{Host: server.URL}, Namespace: "default", Name: "sales"})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func answer(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

func TestPoll(t *testing.T) {
	const root = "sales-driver:4040/proxy/api/v1/applications"
	const id = root + "/spark-0123456789abcdef0123456789abcdef"
	filtered := func(want, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if got := r.URL.Query().Get("status"); got != want {
				http.Error(w, "ask only for what runs, got status="+got, http.StatusBadRequest)
				return
			}
			fmt.Fprint(w, text)
		}
	}
	f := server(t, map[string]http.HandlerFunc{
		root:              answer(applicationsJSON),
		id + "/jobs":      filtered("running", jobsJSON),
		id + "/stages":    filtered("active", stagesJSON),
		id + "/executors": answer(executorsJSON),
	})
	got, err := driverAPI{client: f.cluster.CoreV1().RESTClient(), namespace: "default", pod: "sales-driver", port: 4040}.poll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := spark{
		jobs: []job{{id: 3, name: "revenue by month", stages: 2, done: 1}, {id: 4, name: "collect at report.py:42", stages: 1}},
		stages: []stage{
			{id: 7, attempt: 1, name: "revenue by month", tasks: 200, done: 70, failed: 1, active: 4},
			{id: 9, name: "collect at report.py:42", tasks: 2},
		},
		active: 4, done: 1200, failed: 1,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(spark{}, job{}, stage{})); diff != "" {
		t.Errorf("what the driver says\n-want +got:\n%s", diff)
	}
}

func TestPollOfADriverThatStarts(t *testing.T) {
	for name, text := range map[string]string{"NoContext": "[]", "NotSpark": "<html>"} {
		t.Run(name, func(t *testing.T) {
			f := server(t, map[string]http.HandlerFunc{"sales-driver:4040/proxy/api/v1/applications": answer(text)})
			api := driverAPI{client: f.cluster.CoreV1().RESTClient(), namespace: "default", pod: "sales-driver", port: 4040}
			if _, err := api.poll(t.Context()); err == nil {
				t.Error("an answer without an application is no picture of one")
			}
		})
	}
}

// TestLogBreaksOff streams the log of a driver while the API server goes away twice: in the middle of a line, and at the
// end of one.
func TestLogBreaksOff(t *testing.T) {
	const (
		one   = "2026-11-23T12:00:00.100000000Z one\n"
		two   = "2026-11-23T12:00:00.200000000Z two\n"
		again = "2026-11-23T12:00:00.200000000Z two\n" // The same words at the same moment are another line.
		three = "2026-11-23T12:00:01.300000000Z three\n"
		four  = "2026-11-23T12:00:02.400000000Z four\n"
	)
	var mu sync.Mutex
	var since []string
	streams := []func(http.ResponseWriter){
		func(w http.ResponseWriter) {
			fmt.Fprint(w, one+two+again+three[:20])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		func(w http.ResponseWriter) { fmt.Fprint(w, one+two+again+three) },
		func(w http.ResponseWriter) { fmt.Fprint(w, three+four) },
	}
	f := server(t, map[string]http.HandlerFunc{
		"sales-driver": func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			state := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
			if len(since) >= 2 {
				state = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}
			}
			pod := corev1.Pod{
				TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
				ObjectMeta: metav1.ObjectMeta{Name: "sales-driver", UID: "driver-1"},
				Status:     status(corev1.PodRunning, dc, state),
			}
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(pod); err != nil {
				t.Error(err)
			}
		},
		"sales-driver/log": func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			n := len(since)
			since = append(since, r.URL.Query().Get("sinceTime"))
			mu.Unlock()
			if n < len(streams) {
				streams[n](w)
			}
		},
	})
	var log bytes.Buffer
	f.screen.streams = terminal.Streams{Out: &log, Err: &log}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.streamLog(t.Context(), driver{pod: "sales-driver", uid: "driver-1", container: v1beta2.DriverContainerName})
		close(f.updates)
	}()
	for update := range f.updates {
		update(&f.model)
	}
	<-done
	if diff := cmp.Diff("one\ntwo\ntwo\nthree\nfour\n", log.String()); diff != "" {
		t.Errorf("every line is shown once, whatever becomes of the stream\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"", "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z"}, since); diff != "" {
		t.Errorf("a stream begins anew where the last one ended\n-want +got:\n%s", diff)
	}
}

func TestScreen(t *testing.T) {
	var screen bytes.Buffer
	s := newScreen(terminal.Streams{Out: &screen, Err: &screen})
	s.interactive = true
	s.draw([]line{{text: "one"}, {text: strings.Repeat("x", 200)}})
	s.log("a line of the log")
	s.draw([]line{{text: "two"}})
	s.tell([]line{{subject: "executors", text: "shown by the block", live: true}, {subject: "COMPLETED"}}, time.Second)
	s.draw(nil)
	want := "one\n" + strings.Repeat("x", 98) + "…\n" + // Lines that wrap could not be redrawn.
		"\x1b[2A\r\x1b[J" + "a line of the log\n" +
		"two\n" +
		"\x1b[1A\r\x1b[J" + "   1.0s  COMPLETED\n"
	if diff := cmp.Diff(want, screen.String()); diff != "" {
		t.Errorf("the block stays below everything else\n-want +got:\n%s", diff)
	}
}

func TestLogIsNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &follower{updates: make(chan func(*model)), logged: make(chan struct{}), begun: time.Now(), screen: newScreen(terminal.Streams{Err: io.Discard})}
		f.awaitLogs(t.Context())
		if waited := time.Since(f.begun); waited != logGrace {
			t.Errorf("a log that never ends was waited for %s, want %s", waited, logGrace)
		}
	})
}
