package application

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

// made remembers which runs this operator has made a driver for. Without it a driver that somebody deletes before anybody
// saw it would be made again, as if its run had never begun. An operator that is restarted knows of drivers that ran, and
// of those that status said the waiting of; one that was deleted earlier than that, while it was restarted, is made again.
// To know of that one too would take one more write of status for each run.
type made struct {
	lock sync.Mutex
	runs map[types.NamespacedName]run
}

// run is a run of one application, and not of another of the same name.
type run struct {
	app    types.UID
	number int64
}

func (m *made) remember(app *v1beta2.SparkApplication) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.runs == nil {
		m.runs = map[types.NamespacedName]run{}
	}
	m.runs[client.ObjectKeyFromObject(app)] = run{app: app.UID, number: app.Status.Run}
}

func (m *made) forget(app types.NamespacedName) {
	m.lock.Lock()
	defer m.lock.Unlock()
	delete(m.runs, app)
}

func (m *made) has(app *v1beta2.SparkApplication) bool {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.runs[client.ObjectKeyFromObject(app)] == run{app: app.UID, number: app.Status.Run}
}

// observeMissing looks for a driver that was made and is not in the cache: with the API server, as the cache may only be
// late.
func (r *Reconciler) observeMissing(ctx context.Context, app *v1beta2.SparkApplication, seen *Observation) error {
	if state(app) != v1beta2.ApplicationStateSubmitted {
		r.made.forget(client.ObjectKeyFromObject(app))
	}
	if _, found := seen.Current(); found || !hadDriver(app) && !r.made.has(app) {
		return nil
	}
	pod := new(corev1.Pod)
	err := r.cluster.Get(ctx, client.ObjectKey{Namespace: app.Namespace, Name: app.Status.DriverInfo.PodName}, pod)
	switch {
	case apierrors.IsNotFound(err):
		seen.DriverGone = true
	case err != nil:
		return fmt.Errorf("look for the driver that was made: %w", err)
	case ofRun(app, pod):
		seen.Drivers = append(seen.Drivers, observeDriver(app, pod))
	default:
		seen.DriverGone = true // another has its name by now
	}
	return nil
}

// hadDriver reports whether status says that the run under way had a driver: that it ran, or what it waited for.
func hadDriver(app *v1beta2.SparkApplication) bool {
	switch state(app) {
	case v1beta2.ApplicationStateRunning, v1beta2.ApplicationStateUnknown:
		return true
	case v1beta2.ApplicationStateSubmitted:
		if foreign(app) {
			return true // another operator says so when the submission is done
		}
		running := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionRunning)
		return running != nil && running.Reason != reasonOf(v1beta2.ApplicationStateSubmitted)
	}
	return false
}
