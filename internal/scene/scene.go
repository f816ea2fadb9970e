// Package scene gathers what there is to see of an application and of one of its runs, for whoever asks why it fails or
// waits: pods, events and logs as they are, what the operator recorded of those that are gone, and the cluster around
// them. It reads with the rights that its user has, never needs more of them than what it finds, and says what it could
// not read. What follows from it is internal/diagnose's to tell.
package scene

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/diagnose"
	"brazier.sh/brazier/internal/evidence"
	"brazier.sh/brazier/internal/kube"
)

// Bound is how long gathering may take in all; what was not read by then is said to be unread.
const Bound = 5 * time.Second

// Scene is what is known of an application and of one of its runs.
type Scene struct {
	// Case is the evidence, recorded and live; its application is nil where that is gone or could not be read.
	Case diagnose.Case
	// Gone says that the application is not there any more.
	Gone bool
	// Run is the number of the run; 0 where there was none yet.
	Run int64
	// Latest says that there is no later run.
	Latest bool
	// Runs are the numbers of all runs that something is known of, the first first.
	Runs []int64
	// State is the application's state, or of a run that is over the state that it was in then.
	State v1beta2.ApplicationStateType
	// Began and Ended are when the run was submitted and when it ended; nil where that is not known, or not so.
	Began, Ended *time.Time
	// Record is what was recorded of the run; nil where nothing was.
	Record *v1alpha1.RunRecord
	// Executors are those that there are now.
	Executors Executors
}

// Executors counts executors by what they do.
type Executors struct {
	Running, Waiting int
}

// ErrNoSuch is part of the error for an application of which there is nothing, not even a record.
var ErrNoSuch = errors.New("there is no such application, nor a record of one")

// NoRunError says that an application has no run of a number.
type NoRunError struct {
	Name string
	Run  int64
	// Runs are the numbers of those that there are.
	Runs []int64
}

// Error implements error.
func (e *NoRunError) Error() string {
	if len(e.Runs) == 0 {
		return fmt.Sprintf("%s has no attempt %d, nor any other yet", e.Name, e.Run)
	}
	is := "is"
	if len(e.Runs) > 1 {
		is = "are"
	}
	return fmt.Sprintf("%s has no attempt %d of which anything is known; there %s %s", e.Name, e.Run, is, List(e.Runs))
}

// Source is a cluster, seen with somebody's rights.
type Source struct {
	apps, records rest.Interface
	cluster       kubernetes.Interface
	names         metadata.Interface
	now           func() time.Time
}

// Open returns the cluster that config is of.
func Open(config *rest.Config) (*Source, error) {
	config = rest.CopyConfig(config)
	config.WarningHandler = rest.NoWarnings{} // They are for those who write manifests.
	apps, err := kube.Applications(config)
	if err != nil {
		return nil, err
	}
	records, err := kube.Records(config)
	if err != nil {
		return nil, err
	}
	cluster, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	names, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client of metadata: %w", err)
	}
	return &Source{apps: apps, records: records, cluster: cluster, names: names, now: time.Now}, nil
}

// Gather returns what is known of a run of an application: of its latest where run is 0. The error is ErrNoSuch where
// there is nothing of that name, a NoRunError where there is no such run, and the server's where nothing at all could be
// read.
func (s *Source) Gather(ctx context.Context, namespace, name string, run int64) (*Scene, error) {
	ctx, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	found := &gathering{source: s, namespace: namespace, name: name}
	found.begin(ctx)
	if err := found.nothing(); err != nil {
		return nil, err
	}
	scene := &Scene{
		Case: diagnose.Case{Namespace: namespace, Name: name, Application: found.app, Now: s.now()},
		Gone: found.gone, Runs: found.runs(),
	}
	if err := scene.choose(run); err != nil {
		return nil, err
	}
	found.continued(ctx, scene)
	found.join(scene)
	return scene, nil
}

// choose settles which run is meant: that of a number, or the latest for 0.
func (s *Scene) choose(run int64) error {
	latest := int64(0)
	if len(s.Runs) > 0 {
		latest = s.Runs[len(s.Runs)-1]
	}
	if run != 0 && !slices.Contains(s.Runs, run) {
		return &NoRunError{Name: s.Case.Name, Run: run, Runs: s.Runs}
	}
	if run == 0 {
		run = latest
	}
	s.Run, s.Latest = run, run == latest
	return nil
}

// gathering is what was read so far. Its parts are read at the same time.
type gathering struct {
	source          *Source
	namespace, name string

	mu     sync.Mutex
	unread []string
	// failed are the errors of what an application consists of: itself, its records, its pods.
	failed map[string]error

	app     *v1beta2.SparkApplication
	gone    bool
	stubs   []stub
	pods    []corev1.Pod
	record  *v1alpha1.RunRecord
	live    v1alpha1.Evidence
	cluster diagnose.Cluster
}

// all runs reads at the same time and waits for them.
func all(reads ...func()) {
	var group sync.WaitGroup
	for _, read := range reads {
		group.Go(read)
	}
	group.Wait()
}

// begin reads what says which runs there are.
func (g *gathering) begin(ctx context.Context) {
	g.failed = map[string]error{}
	all(
		func() { g.readApplication(ctx) },
		func() { g.readStubs(ctx) },
		func() { g.readPods(ctx) },
	)
	if !g.gone {
		g.stubs = slices.DeleteFunc(g.stubs, func(s stub) bool { return g.app != nil && !s.of(g.app.UID) })
		return
	}
	g.stubs = lastOfName(g.stubs)
}

// nothing returns an error where there is nothing to tell of.
func (g *gathering) nothing() error {
	switch {
	case g.app != nil || len(g.stubs) > 0:
		return nil
	case g.gone && len(g.pods) == 0:
		return errors.Join(ErrNoSuch, g.failed["records"])
	case !g.gone && len(g.pods) == 0:
		return errors.Join(g.failed["application"], g.failed["records"], g.failed["pods"])
	}
	return nil
}

// continued reads what belongs to the run, once that is known.
func (g *gathering) continued(ctx context.Context, scene *Scene) {
	g.pods = slices.DeleteFunc(g.pods, func(p corev1.Pod) bool { return runOf(&p) != scene.Run || g.alien(&p) })
	all(
		func() { g.readRecord(ctx, scene.Run) },
		func() { g.readLogs(ctx) },
		func() { g.readNamespace(ctx) },
		func() { g.readNodes(ctx) },
	)
	// Which events belong to the run follows from its record.
	g.readEvents(ctx, scene)
}

// join makes one case of what was recorded and what is there.
func (g *gathering) join(scene *Scene) {
	seen := g.live
	for i := range g.pods {
		pod := &g.pods[i]
		driver := pod.Labels[v1beta2.LabelSparkRole] == v1beta2.SparkRoleDriver
		if driver || evidence.Notable(pod) {
			kept := evidence.OfPod(pod)
			seen.Pods, seen.Holds = append(seen.Pods, kept), append(seen.Holds, gates(&kept)...)
		}
		if driver {
			continue
		}
		seen.Executors.Seen++
		switch {
		case evidence.Bad(pod):
			seen.Executors.Failed++
		case pod.DeletionTimestamp != nil:
		case pod.Status.Phase == corev1.PodRunning:
			scene.Executors.Running++
		case pod.Status.Phase == corev1.PodPending:
			scene.Executors.Waiting++
		}
	}
	if g.record == nil {
		scene.Case.Evidence = evidence.Merge(v1alpha1.Evidence{}, seen)
	} else {
		scene.Case.Evidence = evidence.Merge(g.record.Evidence, seen)
		scene.Record = g.record
	}
	scene.Case.Cluster = g.cluster
	slices.Sort(g.unread)
	scene.Case.Cluster.Unread = slices.Compact(g.unread)
	scene.settle()
}
