package queue_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/application"
	"brazier.sh/brazier/internal/controller/queue"
	"brazier.sh/brazier/internal/executors"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/test/apiserver"
)

// playedNode is the node that the played kubelets are of.
const playedNode = "played"

var (
	// server is the API server that the tests of this package share; nil with -short.
	server *apiserver.Server
	// auditLog is where it writes down who has patched pods.
	auditLog string
)

// auditPolicy has patches of pods themselves written down, which are lifted gates.
const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [patch]
  resources: [{group: "", resources: [pods]}]
- level: None
`

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "brazier-audit-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	policy := filepath.Join(folder, "policy.yaml")
	auditLog = filepath.Join(folder, "audit.log")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return apiserver.Run(m, func(s *apiserver.Server) error {
		server = s
		c, err := client.New(s.Config(), client.Options{})
		if err != nil {
			return err
		}
		return c.Create(context.Background(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: playedNode}})
	}, "--audit-policy-file="+policy, "--audit-log-path="+auditLog)
}

// world is a namespace of the API server with queues of its own, in which Spark and a node are played.
type world struct {
	*apiserver.World
	pods corev1client.PodInterface

	lock sync.Mutex
	// wants is how many executors the driver of an application wants.
	wants map[string]int
	// next is the number of its next executor.
	next map[string]int
	// made are all executors that there ever were.
	made map[string]bool
	// ends are the drivers that end when they run.
	ends map[string]bool
	// slow are applications whose executors do not go when they are told to.
	slow map[string]bool
}

// newWorld makes a namespace, and queues that are gone when the test ends. Only one test has queues at a time.
func newWorld(t *testing.T, queues ...*v1alpha1.Queue) *world {
	t.Helper()
	w := &world{
		World: server.World(t, "queues-", nil), wants: make(map[string]int), next: make(map[string]int), made: make(map[string]bool), ends: make(map[string]bool),
		slow: make(map[string]bool),
	}
	w.Create(&corev1.ServiceAccount{ObjectMeta: w.Meta(spark.DefaultServiceAccount)})
	w.pods = w.Pods()
	w.Watch(w.pods, w.play)
	for _, queue := range queues {
		w.Create(queue)
		t.Cleanup(func() {
			if err := w.Client.Delete(context.Background(), queue); client.IgnoreNotFound(err) != nil {
				t.Error(err)
			}
		})
	}
	return w
}

// cluster is the queue root, of a cluster with so much CPU.
func cluster(cpu string, change ...func(*v1alpha1.QueueSpec)) *v1alpha1.Queue {
	return newQueue(v1alpha1.RootQueue, append(change, func(spec *v1alpha1.QueueSpec) {
		spec.Cluster = &v1alpha1.ClusterShares{Flavours: []v1alpha1.Flavour{{
			Name: v1alpha1.DefaultFlavour, Capacity: corev1.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse("1Ti")},
		}}, ReclaimPercent: new(int32(100))}
	})...)
}

func newQueue(name string, change ...func(*v1alpha1.QueueSpec)) *v1alpha1.Queue {
	queue := &v1alpha1.Queue{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for _, change := range change {
		change(&queue.Spec)
	}
	return queue
}

func guaranteed(cpu string) func(*v1alpha1.QueueSpec) {
	return func(spec *v1alpha1.QueueSpec) {
		spec.Quotas = []v1alpha1.Quota{{Flavour: v1alpha1.DefaultFlavour, Guaranteed: corev1.ResourceList{"cpu": resource.MustParse(cpu)}}}
	}
}

func victims(what v1alpha1.Victims) func(*v1alpha1.QueueSpec) {
	return func(spec *v1alpha1.QueueSpec) {
		spec.Reclaim = &v1alpha1.Reclaim{Victims: what, Grace: &metav1.Duration{Duration: 77e9}, CoolDown: &metav1.Duration{}}
	}
}

// operate runs an operator until the returned function is called, or the test ends. Its writes go through wrap.
func (w *world) operate(wrap apiserver.Wrap) (stop func()) {
	w.T.Helper()
	stop, _ = w.operateQueues(wrap)
	return stop
}

// operateQueues is operate, and gives away the operator's controller of queues.
func (w *world) operateQueues(wrap apiserver.Wrap) (stop func(), queues *queue.Controller) {
	w.T.Helper()
	mgr, queues, err := newManager(w.Server.Config(), w.Namespace, wrap)
	if err != nil {
		w.T.Fatal(err)
	}
	return apiserver.Operate(w.T, mgr.Start), queues
}

func newManager(config *rest.Config, namespace string, wrap apiserver.Wrap) (ctrl.Manager, *queue.Controller, error) {
	mgr, err := apiserver.NewManager(config, namespace, wrap, func(options *ctrl.Options) {
		options.Cache.ByObject = application.CacheOptions()
	})
	if err != nil {
		return nil, nil, err
	}
	uncached, err := client.NewWithWatch(config, client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return nil, nil, err
	}
	watch, err := executors.Add(mgr, v1beta2.LabelAppName, []string{namespace}, nil)
	if err != nil {
		return nil, nil, err
	}
	queues := queue.New()
	metrics := prometheus.NewRegistry()
	if err := queue.Add(mgr, wrap(uncached), queues, queue.Options{Executors: watch, Metrics: metrics, Namespace: namespace}); err != nil {
		return nil, nil, err
	}
	return mgr, queues, application.Add(mgr, wrap(uncached), application.Options{
		Platform: spark.Platform{Image: "spark:{{SPARK_VERSION}}"}, CacheNamespaces: []string{namespace}, Workers: 2, Metrics: metrics,
		Watch: watch, Admissions: queues,
	})
}

// submit creates an application in a queue, of a driver with one CPU and as many executors with one each. It begins with
// least of them.
func (w *world) submit(name, queue string, least, most int, change ...func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	w.T.Helper()
	app := &v1beta2.SparkApplication{
		ObjectMeta: w.Meta(name),
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
		},
	}
	app.Labels = map[string]string{v1alpha1.LabelQueue: queue}
	app.Annotations = map[string]string{v1alpha1.AnnotationMinExecutors: strconv.Itoa(least)}
	app.Spec.Executor.Instances = new(int32(most))
	for _, change := range change {
		change(app)
	}
	w.lock.Lock()
	w.wants[name] = most
	w.lock.Unlock()
	w.Create(app)
	return app
}

// finish has the driver of an application end well, as soon as all executors that it wants have run.
func (w *world) finish(name string) {
	w.T.Helper()
	w.lock.Lock()
	w.ends[name] = true
	w.lock.Unlock()
	w.Eventually("the driver of "+name+" ends", func(ctx context.Context) (bool, error) {
		driver, err := w.pods.Get(ctx, name+"-driver", metav1.GetOptions{})
		if err != nil || driver.Status.Phase == corev1.PodSucceeded {
			return err == nil, err
		}
		err = w.play(ctx, watch.Modified, driver)
		if apierrors.IsConflict(err) {
			err = nil
		}
		return false, err
	})
}

// await waits until the application is as it should be, and returns it as it is then.
func (w *world) await(app *v1beta2.SparkApplication, what string, is func(*v1beta2.SparkApplication) bool) *v1beta2.SparkApplication {
	w.T.Helper()
	got := new(v1beta2.SparkApplication)
	w.Eventually(app.Name+" is "+what, func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(app), got)
		return err == nil && is(got), err
	}, func() string { return fmt.Sprintf("its status: %+v\nqueue: %+v", got.Status, got.Status.Queue) })
	return got
}

func (w *world) awaitState(app *v1beta2.SparkApplication, state v1beta2.ApplicationStateType) *v1beta2.SparkApplication {
	w.T.Helper()
	return w.await(app, string(state), func(app *v1beta2.SparkApplication) bool { return app.Status.AppState.State == state })
}

// awaitExecutors waits until so many executors of an application were let go, and so many are held by their gate.
func (w *world) awaitExecutors(app string, free, gated int) {
	w.T.Helper()
	var got [2]int
	w.Eventually(fmt.Sprintf("%d executors of %s are free and %d gated", free, app, gated), func(ctx context.Context) (bool, error) {
		got = [2]int{}
		for _, pod := range w.executors(ctx, app) {
			switch {
			case pod.DeletionTimestamp != nil:
			case len(pod.Spec.SchedulingGates) > 0:
				got[1]++
			default:
				got[0]++
			}
		}
		return got == [2]int{free, gated}, nil
	}, func() string { return fmt.Sprintf("free and gated are %v", got) })
}

func (w *world) executors(ctx context.Context, app string) []corev1.Pod {
	w.T.Helper()
	list, err := w.pods.List(ctx, metav1.ListOptions{
		LabelSelector: v1beta2.LabelAppName + "=" + app + "," + v1beta2.LabelSparkRole + "=" + v1beta2.SparkRoleExecutor,
	})
	if err != nil {
		w.T.Fatal(err)
	}
	slices.SortFunc(list.Items, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return list.Items
}

// play does what scheduler, kubelet and driver do about a pod that was added, has changed or is gone.
func (w *world) play(ctx context.Context, event watch.EventType, pod *corev1.Pod) (err error) {
	app, driver := pod.Labels[v1beta2.LabelAppName], pod.Labels[v1beta2.LabelSparkRole] == v1beta2.SparkRoleDriver
	switch {
	case event == watch.Deleted && !driver:
		return w.replace(ctx, app)
	case event == watch.Deleted:
	case pod.DeletionTimestamp != nil && !driver && w.isSlow(app):
		err = w.replace(ctx, app) // a driver does not wait for an executor that was told to go
	case pod.DeletionTimestamp != nil:
		err = apiserver.LetGo(ctx, w.pods, pod)
	case len(pod.Spec.SchedulingGates) > 0:
	case pod.Spec.NodeName == "":
		err = apiserver.Bind(ctx, w.pods, pod, playedNode)
	case pod.Status.Phase == corev1.PodPending:
		pod = pod.DeepCopy()
		pod.Status.Phase = corev1.PodRunning
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: pod.Spec.Containers[0].Name, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
		}}
		_, err = w.pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	case pod.Status.Phase == corev1.PodRunning && driver:
		err = w.drive(ctx, app, pod)
	case pod.Status.Phase == corev1.PodRunning:
		err = w.replace(ctx, app)
	}
	return err
}

func (w *world) isSlow(app string) bool {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.slow[app]
}

// replace has a driver make another executor in the place of one that is gone.
func (w *world) replace(ctx context.Context, app string) error {
	driver, err := w.pods.Get(ctx, app+"-driver", metav1.GetOptions{})
	if err != nil || driver.Status.Phase != corev1.PodRunning || driver.DeletionTimestamp != nil {
		return client.IgnoreNotFound(err)
	}
	return w.drive(ctx, app, driver)
}

// drive does what the driver of an application does next: make the executors that it wants, or end.
func (w *world) drive(ctx context.Context, app string, driver *corev1.Pod) error {
	w.lock.Lock()
	defer w.lock.Unlock()
	there := 0
	list, err := w.pods.List(ctx, metav1.ListOptions{LabelSelector: v1beta2.LabelAppName + "=" + app})
	if err != nil {
		return err
	}
	settled := true
	for i := range list.Items {
		if pod := &list.Items[i]; pod.Labels[v1beta2.LabelSparkRole] == v1beta2.SparkRoleExecutor && pod.DeletionTimestamp == nil {
			there++
			settled = settled && pod.Status.Phase == corev1.PodRunning
		}
	}
	if w.ends[app] && there >= w.wants[app] && settled {
		driver = driver.DeepCopy()
		driver.Status.Phase = corev1.PodSucceeded
		driver.Status.ContainerStatuses[0].State = corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", FinishedAt: metav1.Now()},
		}
		_, err := w.pods.UpdateStatus(ctx, driver, metav1.UpdateOptions{})
		return err
	}
	for ; there < w.wants[app]; there++ {
		w.next[app]++
		pod, err := w.pods.Create(ctx, executor(driver, w.next[app]), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		w.made[pod.Name] = true
	}
	return nil
}

// executor is a pod as the driver makes it from the template of its run.
func executor(driver *corev1.Pod, number int) *corev1.Pod {
	labels := map[string]string{v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor, v1beta2.LabelSparkProfileID: "0"}
	for _, label := range []string{
		v1beta2.LabelAppName, v1beta2.LabelRun, v1beta2.LabelLaunchedByOperator, v1beta2.LabelSubmissionID, v1beta2.LabelSparkAppSelector,
		v1alpha1.LabelQueue,
	} {
		labels[label] = driver.Labels[label]
	}
	requests := driver.Spec.Containers[len(driver.Spec.Containers)-1].Resources.Requests
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: driver.Namespace, Name: fmt.Sprintf("%s-%s-exec-%d", driver.Labels[v1beta2.LabelAppName], driver.Labels[v1beta2.LabelRun], number), Labels: labels,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: driver.Name, UID: driver.UID}},
		},
		Spec: corev1.PodSpec{
			SchedulingGates: []corev1.PodSchedulingGate{{Name: v1alpha1.SchedulingGate}},
			Containers: []corev1.Container{{
				Name: "spark-kubernetes-executor", Image: "spark", Resources: corev1.ResourceRequirements{Requests: requests},
			}},
		},
	}
}
