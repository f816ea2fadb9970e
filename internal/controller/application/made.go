package application

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

// made remembers which runs this operator has made a driver for and not seen yet. Without it a driver that somebody
// deletes within that moment would be made again, as if its run had never begun. An operator that is restarted within
// that moment does make it again: there is nothing left then by which it could tell.
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

// observeMade looks for a driver that was made and is not in the cache: with the API server, as the cache may only be
// late.
func (r *Reconciler) observeMade(ctx context.Context, app *v1beta2.SparkApplication, seen *Observation) error {
	if state(app) != v1beta2.ApplicationStateSubmitted {
		r.made.forget(client.ObjectKeyFromObject(app))
		return nil
	}
	if _, found := seen.Current(); found || !r.made.has(app) {
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
