package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1beta2"
)

// server answers as an API server does that has a kubelet behind it, which test control planes have not; and fails as one
// does. What is not among its answers is forbidden, and what is nil is never answered.
type server map[string]func(w http.ResponseWriter)

func (s server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, known := s[r.URL.Path]
	switch {
	case !known:
		status := apierrors.NewForbidden(schema.GroupResource{}, "", nil).Status()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(status)
	case answer == nil:
		<-r.Context().Done()
	default:
		answer(w)
	}
}

func object(value any) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value)
	}
}

const (
	appPath  = "/apis/sparkoperator.k8s.io/v1beta2/namespaces/etl/sparkapplications/pi"
	podsPath = "/api/v1/namespaces/etl/pods"
)

func failedApp() *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.SparkApplicationKind},
		ObjectMeta: metav1.ObjectMeta{Namespace: "etl", Name: "pi", UID: "0a1b2c3d"},
	}
	app.Status.AppState.State, app.Status.Run = v1beta2.ApplicationStateFailed, 2
	return app
}

// podsOf are a driver and six executors that ended badly.
func podsOf() *corev1.PodList {
	list := &corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}}
	driver := pod("pi-driver", v1beta2.SparkRoleDriver, killed())
	driver.Status.ContainerStatuses[0].Name = v1beta2.DriverContainerName
	list.Items = append(list.Items, driver)
	for n := range 6 {
		list.Items = append(list.Items, pod(fmt.Sprintf("pi-exec-%d", n), v1beta2.SparkRoleExecutor, killed()))
	}
	for i := range list.Items {
		list.Items[i].Namespace = "etl"
	}
	return list
}

func gather(t *testing.T, ctx context.Context, s server) (*Scene, error) { //nolint:revive // t comes first in tests
	t.Helper()
	stub := httptest.NewServer(s)
	t.Cleanup(stub.Close)
	t.Cleanup(stub.CloseClientConnections)
	source, err := Open(&rest.Config{Host: stub.URL})
	if err != nil {
		t.Fatal(err)
	}
	return source.Gather(ctx, "etl", "pi", 0)
}

func TestLogs(t *testing.T) {
	scene, err := gather(t, t.Context(), server{
		appPath: object(failedApp()), podsPath: object(podsOf()),
		podsPath + "/pi-driver/log": func(w http.ResponseWriter) {
			for n := range 5000 {
				fmt.Fprintf(w, "2026-11-23T12:00:00.%09dZ 26/11/23 12:00:00 INFO Worker: line %d\n", n, n)
			}
			fmt.Fprintln(w, "2026-11-23T12:00:01Z 26/11/23 12:00:01 ERROR SparkContext: java.lang.IllegalStateException: no")
		},
		podsPath + "/pi-exec-0/log": func(w http.ResponseWriter) { fmt.Fprintln(w, "2026-11-23T12:00:00Z ERROR Executor: no") },
	})
	if err != nil {
		t.Fatal(err)
	}
	totals := map[string]int64{}
	for _, log := range scene.Case.Evidence.Logs {
		totals[log.Pod] = log.Total
		if last := len(log.Lines) - 1; log.Pod == "pi-driver" && (last < 0 || !strings.HasSuffix(log.Lines[last].Text, "IllegalStateException: no")) {
			t.Errorf("the driver's log has lost its end: %+v", log.Lines)
		}
	}
	want := map[string]int64{"pi-driver": 5001, "pi-exec-0": 1, "pi-exec-1": 0, "pi-exec-2": 0, "pi-exec-3": 0}
	if diff := cmp.Diff(want, totals); diff != "" {
		t.Errorf("the driver's log is read to its end, and those of some executors\n-want +got:\n%s", diff)
	}
	if unread := scene.Case.Cluster.Unread; !slices.Contains(unread, "log of pi-exec-1: forbidden") || !slices.Contains(unread, "events: forbidden") {
		t.Errorf("unread: %v", unread)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	tests := map[string]struct {
		reason string
		ctx    context.Context
		server server
		unread []string
		err    string
	}{
		"ApplicationOnly": {
			reason: "Whoever may read the application alone is told what it says, and what is hidden.",
			ctx:    t.Context(), server: server{appPath: object(failedApp())},
			unread: []string{"events: forbidden", "limit ranges: forbidden", "pods: forbidden", "records: forbidden", "resource quotas: forbidden", "volume claims: forbidden"},
		},
		"PodsOnly": {
			reason: "Pods tell something as well.",
			ctx:    t.Context(), server: server{podsPath: object(podsOf())},
			unread: []string{
				"application: forbidden", "events: forbidden", "limit ranges: forbidden", "log of pi-driver: forbidden", "log of pi-exec-0: forbidden",
				"log of pi-exec-1: forbidden", "log of pi-exec-2: forbidden", "log of pi-exec-3: forbidden", "records: forbidden",
				"resource quotas: forbidden", "volume claims: forbidden",
			},
		},
		"Nothing":  {reason: "Nothing at all is an error.", ctx: t.Context(), server: server{}, err: "read application: "},
		"NoAnswer": {reason: "A server that does not answer is not waited for.", ctx: short, server: server{appPath: nil, podsPath: nil}, err: "read application: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			scene, err := gather(t, tt.ctx, tt.server)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%s\ngot %v, want an error with %q", tt.reason, err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.unread, scene.Case.Cluster.Unread); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
