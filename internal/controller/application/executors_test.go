package application_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

// questions counts how often the API server is only asked.
type questions struct {
	client.Client
	asked *atomic.Int32
}

func (q questions) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	var options client.CreateOptions
	if options.ApplyOptions(opts); len(options.DryRun) > 0 {
		q.asked.Add(1)
	}
	return q.Client.Create(ctx, object, opts...)
}

func TestExecutorsAreAskedAbout(t *testing.T) {
	executor := func(how func(*v1beta2.ExecutorSpec)) func(*v1beta2.SparkApplication) {
		return func(app *v1beta2.SparkApplication) { how(&app.Spec.Executor) }
	}
	tests := map[string]struct {
		reason string
		app    func(*v1beta2.SparkApplication)
		asked  bool
		want   []string // of the message, where it is refused
	}{
		"Plain": {
			reason: "An application that says nothing of its executors costs no question.",
			app:    executor(func(e *v1beta2.ExecutorSpec) { e.Instances = new(int32(2)) }),
		},
		"Accepted": {
			reason: "What Kubernetes takes is submitted.", asked: true,
			app: executor(func(e *v1beta2.ExecutorSpec) {
				e.Tolerations = []corev1.Toleration{{Key: "spot", Operator: corev1.TolerationOpExists}}
				e.Sidecars = []corev1.Container{{Name: "logs", Image: "i", VolumeMounts: []corev1.VolumeMount{{Name: "spark-local-dir-1", MountPath: "/spill"}}}}
			}),
		},
		"Toleration": {
			reason: "A driver would ask for such executors for ever.", asked: true,
			app: executor(func(e *v1beta2.ExecutorSpec) {
				e.Tolerations = []corev1.Toleration{{Key: "spot", Operator: "nonsense"}}
			}),
			want: []string{"failed to run spark-submit", "refuse every executor", "spec.tolerations[0].operator", `"nonsense"`, "correct spec.executor"},
		},
		"Account": {
			reason: "A service account that is not there is the API server's to know.", asked: true,
			app:  executor(func(e *v1beta2.ExecutorSpec) { e.ServiceAccount = "nobody" }),
			want: []string{"refuse every executor", `"nobody" not found`},
		},
		"Quota": {
			reason: "What is used up now may be free when executors are made.", asked: true,
			app: executor(func(e *v1beta2.ExecutorSpec) {
				e.Memory, e.Tolerations = "8g", []corev1.Toleration{{Key: "spot", Operator: corev1.TolerationOpExists}}
			}),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, succeeds)
			if name == "Quota" {
				w.limitMemory("4Gi")
			}
			var asked atomic.Int32
			w.operate(func(c client.WithWatch) client.Client { return questions{Client: c, asked: &asked} })
			app := w.submit("pi", tt.app)
			state := v1beta2.ApplicationStateCompleted
			if len(tt.want) > 0 {
				state = v1beta2.ApplicationStateFailed
			}
			app = w.awaitState(app, state)
			for _, want := range tt.want {
				if message := app.Status.AppState.ErrorMessage; !strings.Contains(message, want) {
					t.Errorf("%s\n%q has no %q", tt.reason, message, want)
				}
			}
			if (asked.Load() > 0) != tt.asked {
				t.Errorf("%s\nasked %d times", tt.reason, asked.Load())
			}
			if len(tt.want) > 0 && app.Status.Run != 0 {
				t.Errorf("%s\nit took run %d", tt.reason, app.Status.Run)
			}
		})
	}
}

// limitMemory gives the namespace a quota, and waits until it counts.
func (w *world) limitMemory(most string) {
	w.T.Helper()
	quota := &corev1.ResourceQuota{
		ObjectMeta: w.Meta("memory"),
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourceRequestsMemory: resource.MustParse(most)}},
	}
	w.Create(quota)
	w.Eventually("the quota is counted", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(quota), quota)
		return len(quota.Status.Hard) > 0, err
	})
}
