package application_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// remover notes of which kinds everything is removed, and how often.
type remover struct {
	client.Client
	removals *removals
}

type removals struct {
	lock  sync.Mutex
	kinds map[string]int
}

func (r *removals) wrap(c client.WithWatch) client.Client { return &remover{Client: c, removals: r} }

func (r *remover) DeleteAllOf(ctx context.Context, object client.Object, opts ...client.DeleteAllOfOption) error {
	r.removals.lock.Lock()
	if r.removals.kinds == nil {
		r.removals.kinds = make(map[string]int)
	}
	r.removals.kinds[fmt.Sprintf("%T", object)]++
	r.removals.lock.Unlock()
	return r.Client.DeleteAllOf(ctx, object, opts...)
}

// check compares the removals until app was released, of which there are none any more then.
func (r *removals) check(w *world, app *v1beta2.SparkApplication, reason string, want map[string]int) {
	w.T.Helper()
	w.awaitReleased(app)
	r.lock.Lock()
	defer r.lock.Unlock()
	if diff := cmp.Diff(want, r.kinds); diff != "" {
		w.T.Errorf("%s\n-want +got:\n%s", reason, diff)
	}
}

func TestEndRemovesWhatWasMade(t *testing.T) {
	w := newWorld(t, succeeds)
	asked := new(removals)
	w.operate(asked.wrap)
	asked.check(w, w.submit("pi"), "nothing else was made", map[string]int{
		"*v1.Pod": 1, "*v1.Service": 1, "*v1.ConfigMap": 2, "*v1.PersistentVolumeClaim": 1, "*v1.NetworkPolicy": 1,
	})
}

func TestEndAfterRestartRemovesEverything(t *testing.T) {
	play, end := ends()
	w := newWorld(t, play)
	stop := w.operate(apiserver.Reliably)
	app := w.awaitState(w.submit("pi"), v1beta2.ApplicationStateRunning)
	stop()
	asked := new(removals)
	w.operate(asked.wrap)
	end(0)
	w.touch(&corev1.Pod{ObjectMeta: w.Meta("pi-driver")})
	asked.check(w, app, "another process made it, who knows of what", map[string]int{
		"*v1.Pod": 1, "*v1.Service": 1, "*v1.ConfigMap": 2, "*v1.PersistentVolumeClaim": 1, "*v1.NetworkPolicy": 1,
		"*v1.Ingress": 1, "*v1.PodDisruptionBudget": 1,
	})
}

func TestEditDoesNotHideWhatWasMade(t *testing.T) {
	w := newWorld(t, keepsRunning)
	w.operate(apiserver.Reliably)
	app := w.submit("pi", func(app *v1beta2.SparkApplication) { app.Spec.DriverPodDisruptionBudget = true })
	app = w.awaitState(app, v1beta2.ApplicationStateRunning)
	apiserver.Edit(w.World, app, func(app *v1beta2.SparkApplication) {
		app.Spec.DriverPodDisruptionBudget = false
		app.Spec.Arguments = []string{"another"}
	})
	w.await(app, "running without a budget", func(app *v1beta2.SparkApplication) bool {
		return app.Status.Run == 2 && app.Status.AppState.State == v1beta2.ApplicationStateRunning
	})
	budgets := new(policyv1.PodDisruptionBudgetList)
	if err := w.Client.List(t.Context(), budgets, client.InNamespace(w.Namespace)); err != nil || len(budgets.Items) > 0 {
		t.Errorf("the budget of the run that was called off is left: %v %v", budgets.Items, err)
	}
}
