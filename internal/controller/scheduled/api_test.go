package scheduled_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/scheduled"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/test/apiserver"
)

// server is the API server of these tests; nil with -short.
var server *apiserver.Server

func TestMain(m *testing.M) {
	os.Exit(apiserver.Run(m, func(s *apiserver.Server) error {
		server = s
		return nil
	}))
}

// world is a namespace with a controller of its own.
type world struct {
	*apiserver.World
	// metrics are the latest controller's.
	metrics *prometheus.Registry
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	return &world{World: server.World(t, "schedule-", nil)}
}

// operate runs the controller until the returned function is called, or the test ends.
func (w *world) operate() (stop func()) {
	w.T.Helper()
	mgr, err := apiserver.NewManager(w.Server.Config(), w.Namespace, apiserver.Reliably, nil)
	if err != nil {
		w.T.Fatal(err)
	}
	w.metrics = prometheus.NewRegistry()
	options := scheduled.Options{Platform: spark.Platform{Image: "spark:4.3.0"}, Metrics: w.metrics}
	if err := scheduled.Add(mgr, options); err != nil {
		w.T.Fatal(err)
	}
	return apiserver.Operate(w.T, mgr.Start)
}

func (w *world) create(change func(*v1beta2.ScheduledSparkApplication)) *v1beta2.ScheduledSparkApplication {
	w.T.Helper()
	s := &v1beta2.ScheduledSparkApplication{ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: "report", Labels: map[string]string{"team": "sales"}}}
	s.Spec.Schedule, s.Spec.TimeZone = "@every 1s", "UTC"
	s.Spec.Template = v1beta2.SparkApplicationSpec{
		Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
	}
	change(s)
	w.Create(s)
	return s
}

// runs returns the applications of the namespace.
func (w *world) runs(ctx context.Context) ([]v1beta2.SparkApplication, error) {
	var apps v1beta2.SparkApplicationList
	err := w.Client.List(ctx, &apps, client.InNamespace(w.Namespace))
	return apps.Items, err
}

// end plays the application controller: it brings an application to its end.
func (w *world) end(ctx context.Context, app *v1beta2.SparkApplication, state v1beta2.ApplicationStateType) error {
	before := app.DeepCopy()
	app.Status.AppState.State = state
	return w.Client.Status().Patch(ctx, app, client.MergeFrom(before))
}

// TestRunsAndHistory has runs made, through a restart of the operator, and old ones removed.
func TestRunsAndHistory(t *testing.T) {
	w := newWorld(t)
	stop := w.operate()
	s := w.create(func(*v1beta2.ScheduledSparkApplication) {})
	names, restarted := map[string]bool{}, false
	w.Eventually("four runs of which one is kept", func(ctx context.Context) (bool, error) {
		apps, err := w.runs(ctx)
		if err != nil {
			return false, err
		}
		for i := range apps {
			app := &apps[i]
			names[app.Name] = true
			if app.Labels[v1beta2.LabelScheduledAppName] != s.Name || app.Labels["team"] != "sales" || !metav1.IsControlledBy(app, s) {
				t.Fatalf("this is not a run of the schedule: %+v", app.ObjectMeta)
			}
			if app.Status.AppState.State == "" {
				if err := client.IgnoreNotFound(w.end(ctx, app, v1beta2.ApplicationStateCompleted)); err != nil {
					return false, err
				}
			}
		}
		if len(names) == 2 && !restarted {
			stop()
			restarted = true
			w.operate()
		}
		if err := w.Client.Get(ctx, client.ObjectKeyFromObject(s), s); err != nil {
			return false, err
		}
		return len(names) >= 4 && len(apps) <= 2 && len(s.Status.PastSuccessfulRunNames) == 1, nil
	})
	if s.Status.ScheduleState != v1beta2.ScheduleStateScheduled || s.Status.LastRun.IsZero() || s.Status.NextRun.IsZero() {
		t.Errorf("status does not tell of it: %+v", s.Status)
	}
	w.Eventually("runs are counted", func(context.Context) (bool, error) {
		families, err := w.metrics.Gather()
		for _, family := range families {
			if family.GetName() == "brazier_schedule_runs_total" {
				return family.GetMetric()[0].GetCounter().GetValue() >= 2, err
			}
		}
		return false, err
	})
}

// TestForbid starts no second run before the first has ended.
func TestForbid(t *testing.T) {
	w := newWorld(t)
	w.operate()
	s := w.create(func(s *v1beta2.ScheduledSparkApplication) { s.Spec.ConcurrencyPolicy = v1beta2.ConcurrencyForbid })
	var first v1beta2.SparkApplication
	w.Eventually("the next run is overdue", func(ctx context.Context) (bool, error) {
		if err := w.Client.Get(ctx, client.ObjectKeyFromObject(s), s); err != nil {
			return false, err
		}
		return s.Status.LastRunName != "" && time.Now().After(s.Status.NextRun.Add(2*time.Second)), nil
	})
	apps, err := w.runs(t.Context())
	if err != nil || len(apps) != 1 {
		t.Fatalf("want one run while it goes on, got %d: %v", len(apps), err)
	}
	first = apps[0]
	if err := w.end(t.Context(), &first, v1beta2.ApplicationStateFailed); err != nil {
		t.Fatal(err)
	}
	w.Eventually("the run that waited", func(ctx context.Context) (bool, error) {
		apps, err := w.runs(ctx)
		return len(apps) == 2, err
	})
}

// TestForbidSeesAnotherOperatorsRun waits for a run that another operator has made, which calls the schedule its owner but
// not its controller.
func TestForbidSeesAnotherOperatorsRun(t *testing.T) {
	w := newWorld(t)
	s := w.create(func(s *v1beta2.ScheduledSparkApplication) { s.Spec.ConcurrencyPolicy = v1beta2.ConcurrencyForbid })
	theirs := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.Namespace, Name: "report-1780272001000000000", Labels: map[string]string{v1beta2.LabelScheduledAppName: s.Name},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.ScheduledSparkApplicationKind, Name: s.Name, UID: s.UID,
			}},
		},
		Spec: s.Spec.Template,
	}
	if err := w.Client.Create(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	if err := w.end(t.Context(), theirs, v1beta2.ApplicationStateRunning); err != nil {
		t.Fatal(err)
	}
	w.operate()
	w.Eventually("the next run is overdue", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(s), s)
		return !s.Status.NextRun.IsZero() && time.Now().After(s.Status.NextRun.Add(2*time.Second)), err
	})
	if apps, err := w.runs(t.Context()); err != nil || len(apps) != 1 {
		t.Fatalf("want the other operator's run alone, got %d: %v", len(apps), err)
	}
	if err := w.end(t.Context(), theirs, v1beta2.ApplicationStateCompleted); err != nil {
		t.Fatal(err)
	}
	w.Eventually("the run that waited", func(ctx context.Context) (bool, error) {
		apps, err := w.runs(ctx)
		return len(apps) == 2, err
	})
}

// TestReplace starts the next run when nothing of the first is left, here of what plays its driver.
func TestReplace(t *testing.T) {
	w := newWorld(t)
	w.operate()
	w.create(func(s *v1beta2.ScheduledSparkApplication) { s.Spec.ConcurrencyPolicy = v1beta2.ConcurrencyReplace })
	driver := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: "driver", Finalizers: []string{"brazier.sh/test"}}}
	w.Eventually("the first run", func(ctx context.Context) (bool, error) {
		apps, err := w.runs(ctx)
		if err != nil || len(apps) == 0 {
			return false, err
		}
		owner := metav1.NewControllerRef(&apps[0], v1beta2.GroupVersion.WithKind(v1beta2.SparkApplicationKind))
		driver.OwnerReferences = []metav1.OwnerReference{*owner}
		err = w.Client.Create(ctx, driver)
		return err == nil, err
	})
	first := driver.OwnerReferences[0].Name
	w.Eventually("the driver is told to go", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(driver), driver)
		return !driver.DeletionTimestamp.IsZero(), err
	})
	apps, err := w.runs(t.Context())
	if err != nil || len(apps) != 1 || apps[0].Name != first {
		t.Fatalf("want the first run alone while its driver is there, got %d: %v", len(apps), err)
	}
	before := driver.DeepCopy()
	driver.Finalizers = nil
	if err := w.Client.Patch(t.Context(), driver, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	w.Eventually("the next run", func(ctx context.Context) (bool, error) {
		apps, err := w.runs(ctx)
		return slices.ContainsFunc(apps, func(app v1beta2.SparkApplication) bool { return app.Name != first }), err
	})
}

// TestInvalidSchedule says all that is wrong, and works once that is mended.
func TestInvalidSchedule(t *testing.T) {
	w := newWorld(t)
	w.operate()
	s := w.create(func(s *v1beta2.ScheduledSparkApplication) {
		s.Spec.Schedule = "every day"
		s.Spec.Template.SparkConf = map[string]string{"spark.driver.host": "here"}
	})
	state := func(want v1beta2.ScheduleState) wait.ConditionWithContextFunc {
		return func(ctx context.Context) (bool, error) {
			err := w.Client.Get(ctx, client.ObjectKeyFromObject(s), s)
			return s.Status.ScheduleState == want, err
		}
	}
	w.Eventually("it is refused", state(v1beta2.ScheduleStateFailedValidation))
	for _, want := range []string{"spec.schedule", "every day", "spec.template: spec.sparkConf[spark.driver.host]"} {
		if !strings.Contains(s.Status.Reason, want) {
			t.Errorf("want %q among all that is wrong, got: %s", want, s.Status.Reason)
		}
	}
	before := s.DeepCopy()
	s.Spec.Schedule, s.Spec.Template.SparkConf = "@daily", nil
	if err := w.Client.Patch(t.Context(), s, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	w.Eventually("it is scheduled", state(v1beta2.ScheduleStateScheduled))
	if s.Status.Reason != "" || s.Status.NextRun.IsZero() {
		t.Errorf("want no reason any more, and a next run: %+v", s.Status)
	}
}
