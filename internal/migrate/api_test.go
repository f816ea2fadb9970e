package migrate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/operator"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/apiserver"
)

const (
	team      = "analytics"
	elsewhere = "spark-operator"
)

var brazierKey = client.ObjectKey{Namespace: "brazier-system", Name: "brazier-operator"}

// world is an API server in which the other operator was installed, and nodes are played.
type world struct {
	*apiserver.World
}

// TestHandover takes a real API server over, in steps that are broken off after every write, and gives it back.
func TestHandover(t *testing.T) {
	w := newWorld(t)
	w.leave()
	drivers := w.drivers()

	t.Run("ConnectServersAreNotHandedOver", func(t *testing.T) {
		inv, err := Read(t.Context(), w.Client, brazierKey)
		if err != nil {
			t.Fatal(err)
		}
		report := Check(inv)
		said := slices.ContainsFunc(report.Findings, func(f Finding) bool {
			return f.Severity == Lost && f.Object == "SparkConnect analytics/shell" && strings.Contains(f.Means, "not handed over")
		})
		if !said || report.Summary.Connects != 1 {
			t.Errorf("of a Connect server that will be made anew the report says:\n%s", report.Text())
		}
	})
	t.Run("Blocked", func(t *testing.T) {
		err := w.migration(w.Client).Apply(t.Context())
		if blocked, ok := errors.AsType[*Blocked](err); !ok || len(blocked.Findings) != 1 {
			t.Fatalf("a driver that runs for an application that has ended does not block: %v", err)
		}
		if got := w.replicasOf("spark-spark-operator-controller"); got != 2 {
			t.Errorf("a migration that is blocked left %d replicas", got)
		}
		w.delete(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "undead-driver"}})
	})
	t.Run("WebhooksBlockPods", func(t *testing.T) {
		w.tryPod(nil, false)
	})
	saved := w.webhooks()

	t.Run("ApplyBrokenOffAnywhere", func(t *testing.T) {
		w.brokenOff(func(m *Migration) error { return m.Apply(t.Context()) })
		for _, deployment := range []string{"spark-spark-operator-controller", "spark-spark-operator-webhook"} {
			if got := w.replicasOf(deployment); got != 0 {
				t.Errorf("Deployment %s has %d replicas, want none", deployment, got)
			}
		}
		if got := w.webhooks(); len(got) > 0 {
			t.Errorf("there are still webhooks: %v", got)
		}
		w.tryPod(nil, true)
		if owner := metav1.GetControllerOf(w.driver("running")); owner == nil || owner.Kind != v1beta2.SparkApplicationKind {
			t.Errorf("the driver without an owner has %v", owner)
		}
	})
	t.Run("BrazierTakesOver", func(t *testing.T) { w.takesOver(t, drivers) })
	t.Run("UndoBrokenOffAnywhere", func(t *testing.T) {
		// What Brazier has started runs on, and its pods are spared.
		w.brokenOff(func(m *Migration) error { return m.Undo(t.Context()) })
		want := slices.Clone(saved)
		for i := range want {
			if ofPods(want[i]) {
				sparing(&want[i])
			}
		}
		if diff := cmp.Diff(want, w.webhooks()); diff != "" {
			t.Errorf("webhooks\n-want +got:\n%s", diff)
		}
		for deployment, want := range map[string]int32{"spark-spark-operator-controller": 2, "spark-spark-operator-webhook": 1} {
			if got := w.replicasOf(deployment); got != want {
				t.Errorf("Deployment %s has %d replicas, want %d", deployment, got, want)
			}
		}
		if w.driver("fresh").DeletionTimestamp != nil {
			t.Error("Brazier's driver was told to go")
		}
		if err := w.migration(w.Client).Undo(t.Context()); err == nil {
			t.Error("what was undone was undone again")
		}
	})
	t.Run("WebhookStaysForThoseThatNeedIt", func(t *testing.T) {
		w.removeWebhooks() // which would refuse what is made here
		w.tryPod(nil, true)
		w.lead("mounting")
		w.apply("operator.yaml", mutatingKind, validatingKind)
		want := w.webhooks()
		m := w.migration(w.Client)
		m.Installer = nil // Brazier is there, at 0 replicas, after what was undone
		if err := m.Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.webhooks(); len(got) != 1 || !ofPods(got[0]) {
			t.Errorf("webhooks that are left: %v", got)
		}
		w.tryPod(map[string]string{v1beta2.LabelRun: "1"}, true) // Brazier's
		w.tryPod(nil, false)                                     // the other operator's
		deployment := new(appsv1.Deployment)
		w.get(brazierKey, deployment)
		if replicas(deployment) != 1 {
			t.Errorf("Brazier has %d replicas, want 1", replicas(deployment))
		}
		w.end("mounting")
		if err := m.Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.webhooks(); len(got) > 0 {
			t.Errorf("nobody needs the webhook any more: %v", got)
		}
		w.delete(w.driver("fresh")) // no driver of Brazier's is left to be spared
		if err := m.Undo(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, w.webhooks()); diff != "" {
			t.Errorf("webhooks after the way back\n-want +got:\n%s", diff)
		}
	})
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{apiserver.StartWithKinds(t).World(t, team, nil)}
	w.playNodes()
	return w
}

// playNodes has every pod of an operator ready at once.
func (w *world) playNodes() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	w.T.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		// It ends with ctx, which is no error.
		_ = wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
			for _, namespace := range []string{elsewhere, brazierKey.Namespace} {
				var pods corev1.PodList
				if err := w.Client.List(ctx, &pods, client.InNamespace(namespace)); err != nil {
					return false, nil // asked again
				}
				for i := range pods.Items {
					w.ready(ctx, &pods.Items[i])
				}
			}
			return false, nil
		})
	}()
}

func (w *world) ready(ctx context.Context, pod *corev1.Pod) {
	if pod.Status.Phase == corev1.PodRunning {
		return
	}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue})
	if err := w.Client.Status().Update(ctx, pod); err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		w.T.Errorf("play a node: %v", err)
	}
}

// leave has the API server as the other operator leaves it: its webhooks come last, as they refuse what comes after.
func (w *world) leave() {
	w.Create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: elsewhere}})
	w.Create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "spark"}})
	w.Create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: elsewhere, Name: "sh.helm.release.v1.spark.v3", Labels: map[string]string{"owner": "helm", "name": "spark", "version": "3"}},
		Type:       releaseType,
		Data:       map[string][]byte{"release": packed(w.T)},
	})
	w.lead("running")
	w.lead("undead")
	w.serve("shell")
	w.apply("operator.yaml", "Deployment", "ServiceAccount", mutatingKind, validatingKind)
}

// apply creates the objects of a file that are of the kinds.
func (w *world) apply(file string, kinds ...string) {
	w.T.Helper()
	for _, kind := range kinds {
		for _, object := range documents(w.T, file) {
			if object.GetKind() == kind {
				w.Create(&object)
			}
		}
	}
}

// lead creates an application of testdata as the other operator has led it, with a driver, an executor and a UI Service.
// The driver has no owner, as without a webhook.
func (w *world) lead(name string) {
	w.T.Helper()
	all := documents(w.T, "led.yaml")
	i := slices.IndexFunc(all, func(object unstructured.Unstructured) bool { return object.GetName() == name })
	app := all[i]
	app.SetUID("")
	status := app.Object["status"]
	w.Create(&app)
	app.Object["status"] = status
	if err := w.Client.Status().Update(w.T.Context(), &app); err != nil {
		w.T.Fatal(err)
	}
	pod := driver(&app, nil, isRunning)
	pod.OwnerReferences = nil
	w.pod(&pod, v1beta2.DriverContainerName)
	executor := driver(&app, map[string]string{v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor}, isRunning)
	executor.Name = name + "-exec-1"
	w.pod(&executor, v1beta2.ExecutorContainerName)
	w.Create(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: team, Name: name + "-ui-svc",
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(&app, v1beta2.GroupVersion.WithKind(v1beta2.SparkApplicationKind))},
		},
		Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 4040}}},
	})
}

// serve creates a SparkConnect of testdata as the other operator has led it, with a server that runs and an executor.
func (w *world) serve(name string) {
	w.T.Helper()
	all := documents(w.T, "led.yaml")
	i := slices.IndexFunc(all, func(object unstructured.Unstructured) bool { return object.GetName() == name })
	connect := all[i]
	connect.SetUID("")
	status := connect.Object["status"]
	w.Create(&connect)
	connect.Object["status"] = status
	if err := w.Client.Status().Update(w.T.Context(), &connect); err != nil {
		w.T.Fatal(err)
	}
	owners := []metav1.OwnerReference{*metav1.NewControllerRef(&connect, v1alpha1.GroupVersion.WithKind(v1alpha1.SparkConnectKind))}
	of := map[string]string{v1alpha1.LabelConnectName: name, v1beta2.LabelSparkRole: v1alpha1.SparkRoleConnectServer}
	server := driver(&connect, of, isRunning)
	server.Name, server.OwnerReferences = name+"-server", owners
	w.pod(&server, v1beta2.DriverContainerName)
	w.Create(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: name + "-server", OwnerReferences: owners},
		Spec: corev1.ServiceSpec{
			// Brazier's pods have not all of them.
			Selector: map[string]string{
				v1alpha1.LabelConnectName: name, v1beta2.LabelSparkRole: v1alpha1.SparkRoleConnectServer, v1beta2.LabelLaunchedByOperator: "true",
				"sparkoperator.k8s.io/spark-version": "3.5.6",
			},
			Ports: []corev1.ServicePort{
				{Name: "driver-rpc", Port: 7078}, {Name: "blockmanager", Port: 7079}, {Name: "web-ui", Port: 4040}, {Name: "spark-connect-server", Port: 15002},
			},
		},
	})
	of[v1beta2.LabelSparkRole] = v1beta2.SparkRoleExecutor
	executor := driver(&connect, of, isRunning)
	executor.Name = name + "-exec-1"
	executor.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(&server, corev1.SchemeGroupVersion.WithKind("Pod"))}
	w.pod(&executor, v1beta2.ExecutorContainerName)
}

func (w *world) pod(pod *corev1.Pod, container string) {
	w.T.Helper()
	status := pod.Status
	pod.Spec = corev1.PodSpec{Containers: []corev1.Container{{Name: container, Image: "spark"}}}
	w.Create(pod)
	pod.Status = status
	if err := w.Client.Status().Update(w.T.Context(), pod); err != nil {
		w.T.Fatal(err)
	}
}

// migration is one whose Installer makes a Deployment and no more.
func (w *world) migration(c client.Client) *Migration {
	quiet := terminal.Streams{In: new(bytes.Buffer), Out: io.Discard, Err: io.Discard}
	return &Migration{Client: c, Operator: brazierKey, Installer: deployer{c}, Patience: apiserver.Patience, Streams: quiet}
}

// deployer is an Installer.
type deployer struct{ client client.Client }

// Install implements Installer.
func (d deployer) Install(ctx context.Context, values map[string]any) error {
	if values["logLevel"] != "debug" {
		return errors.New("the other chart's values were not handed on")
	}
	labels := map[string]string{"app": "brazier"}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: brazierKey.Namespace, Name: brazierKey.Name}}
	deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	deployment.Spec.Template.Labels = labels
	deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "operator", Image: "brazier"}}
	if err := d.client.Create(ctx, deployment); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return nil
}

var errBrokenOff = errors.New("broken off")

// brokenOff does it again and again, each time broken off after its first write, which by turns the API server has carried
// out and not, until there is nothing left to write.
func (w *world) brokenOff(do func(*Migration) error) {
	w.T.Helper()
	for turn := range 50 {
		if err := do(w.migration(breaking(w.Client, turn%2 == 0))); !errors.Is(err, errBrokenOff) {
			if err != nil {
				w.T.Fatal(err)
			}
			if turn < 5 {
				w.T.Errorf("it was broken off %d times only", turn)
			}
			return
		}
	}
	w.T.Fatal("it does not come to an end")
}

// breaking returns a client that carries one write out, and then fails: with that write itself if it is not to know that it
// was carried out, else with the next one.
func breaking(c client.WithWatch, unknown bool) client.Client {
	writes := 0
	do := func(write func() error) error {
		writes++
		if writes > 1 {
			return errBrokenOff
		}
		err := write()
		if err == nil && unknown {
			return errBrokenOff
		}
		if apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
			writes-- // nothing was written
		}
		return err
	}
	return apiserver.Writes(c, do)
}

// takesOver runs Brazier's operator: it follows the drivers that there were, and starts new ones.
func (w *world) takesOver(t *testing.T, before map[string]types.UID) {
	config, err := operator.ParseConfig([]byte(`{healthAddress: "0", metricsAddress: "0", image: spark, namespaces: [analytics]}`))
	if err != nil {
		t.Fatal(err)
	}
	stop := apiserver.Operate(t, func(ctx context.Context) error { return operator.Run(ctx, w.Server.Config(), config, io.Discard) })
	defer stop()
	w.Eventually("running is looked at", func(ctx context.Context) (bool, error) {
		app := w.application(ctx, "running")
		return app.Status.ObservedGeneration == app.Generation && app.Status.AppState.State == v1beta2.ApplicationStateRunning, nil
	})
	if diff := cmp.Diff(before["running-driver"], w.drivers()["running-driver"]); diff != "" {
		t.Errorf("the UID of the driver\n-want +got:\n%s", diff)
	}
	w.madeAnew("shell")
	w.end("running")
	w.Eventually("running has ended and was cleared away", func(ctx context.Context) (bool, error) {
		app := w.application(ctx, "running")
		return app.Status.AppState.State == v1beta2.ApplicationStateCompleted &&
			meta.IsStatusConditionTrue(app.Status.Conditions, v1beta2.ConditionReleased), nil
	})
	for _, object := range []client.Object{&corev1.Pod{}, &corev1.Service{}} {
		key := client.ObjectKey{Namespace: team, Name: map[bool]string{true: "running-exec-1", false: "running-ui-svc"}[isPod(object)]}
		w.Eventually(key.Name+" is gone", func(ctx context.Context) (bool, error) {
			err := w.Client.Get(ctx, key, object)
			return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
		})
	}
	w.Create(&v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "fresh"},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
		},
	})
	w.Eventually("Brazier makes a driver", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKey{Namespace: team, Name: "fresh-driver"}, new(corev1.Pod))
		return err == nil, client.IgnoreNotFound(err)
	})
	if _, again := w.drivers()["running-driver"]; !again {
		t.Error("the driver that has ended is gone, and its log with it")
	}
}

// madeAnew expects of a Connect server what the report says: it is another's, and so are its executors.
func (w *world) madeAnew(connect string) {
	w.T.Helper()
	w.Eventually("the Connect server is Brazier's", func(ctx context.Context) (bool, error) {
		server := new(corev1.Pod)
		err := w.Client.Get(ctx, client.ObjectKey{Namespace: team, Name: connect + "-server"}, server)
		return err == nil && server.DeletionTimestamp == nil && ours(server), client.IgnoreNotFound(err)
	})
	service, server := new(corev1.Service), new(corev1.Pod)
	w.Get(service, connect+"-server")
	w.Get(server, connect+"-server")
	if !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(server.Labels)) {
		w.T.Errorf("the Service leads to pods with labels %v, and the server has %v", service.Spec.Selector, server.Labels)
	}
	w.Eventually("the other operator's executor is gone", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKey{Namespace: team, Name: connect + "-exec-1"}, new(corev1.Pod))
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
}

func isPod(object client.Object) bool {
	_, is := object.(*corev1.Pod)
	return is
}

// end ends the driver of an application well.
func (w *world) end(app string) {
	w.T.Helper()
	pod := w.driver(app)
	pod.Status.Phase = corev1.PodSucceeded
	pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.Now()}}
	if err := w.Client.Status().Update(w.T.Context(), pod); err != nil {
		w.T.Fatal(err)
	}
}

func (w *world) driver(app string) *corev1.Pod {
	w.T.Helper()
	pod := new(corev1.Pod)
	w.get(client.ObjectKey{Namespace: team, Name: app + "-driver"}, pod)
	return pod
}

// drivers are the UIDs of all drivers.
func (w *world) drivers() map[string]types.UID {
	w.T.Helper()
	var pods corev1.PodList
	if err := w.Client.List(w.T.Context(), &pods, client.InNamespace(team), client.MatchingLabels{v1beta2.LabelSparkRole: v1beta2.SparkRoleDriver}); err != nil {
		w.T.Fatal(err)
	}
	found := map[string]types.UID{}
	for _, pod := range pods.Items {
		found[pod.Name] = pod.UID
	}
	return found
}

func (w *world) application(ctx context.Context, name string) *v1beta2.SparkApplication {
	app := new(v1beta2.SparkApplication)
	if err := w.Client.Get(ctx, client.ObjectKey{Namespace: team, Name: name}, app); err != nil {
		w.T.Error(err)
	}
	return app
}

// tryPod creates a pod as Spark's driver makes one, and takes it away again, until it is accepted, or refused as its webhook
// cannot be asked. The API server needs a moment to know of webhooks.
func (w *world) tryPod(labels map[string]string, accepted bool) {
	w.T.Helper()
	w.Eventually(fmt.Sprintf("a pod with labels %v is accepted: %t", labels, accepted), func(ctx context.Context) (bool, error) {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: team, GenerateName: "try-", Labels: map[string]string{v1beta2.LabelLaunchedByOperator: "true"},
		}}
		maps.Copy(pod.Labels, labels)
		pod.Spec.Containers = []corev1.Container{{Name: "spark", Image: "spark"}}
		err := w.Client.Create(ctx, pod)
		switch {
		case err == nil:
			return accepted, w.Client.Delete(ctx, pod)
		case strings.Contains(err.Error(), "failed calling webhook"):
			return !accepted, nil
		}
		return false, err
	})
}

// webhooks are those of pods and of applications that there are, without what the API server fills in.
func (w *world) webhooks() []admissionv1.MutatingWebhook {
	w.T.Helper()
	inv, err := Read(w.T.Context(), w.Client, brazierKey)
	if err != nil {
		w.T.Fatal(err)
	}
	var found []admissionv1.MutatingWebhook
	for _, configuration := range inv.Mutating {
		found = append(found, configuration.Webhooks...)
	}
	for _, configuration := range inv.Validating {
		for _, webhook := range configuration.Webhooks {
			found = append(found, admissionv1.MutatingWebhook{Name: webhook.Name, ClientConfig: webhook.ClientConfig, Rules: webhook.Rules})
		}
	}
	return found
}

func (w *world) removeWebhooks() {
	w.T.Helper()
	inv, err := Read(w.T.Context(), w.Client, brazierKey)
	if err != nil {
		w.T.Fatal(err)
	}
	for _, object := range configurations(inv) {
		w.delete(object)
	}
}

func (w *world) replicasOf(deployment string) int32 {
	w.T.Helper()
	found := new(appsv1.Deployment)
	w.get(client.ObjectKey{Namespace: elsewhere, Name: deployment}, found)
	return replicas(found)
}

func (w *world) get(key client.ObjectKey, object client.Object) {
	w.T.Helper()
	if err := w.Client.Get(w.T.Context(), key, object); err != nil {
		w.T.Fatal(err)
	}
}

func (w *world) delete(object client.Object) {
	w.T.Helper()
	if err := w.Client.Delete(w.T.Context(), object); err != nil {
		w.T.Fatal(err)
	}
}
