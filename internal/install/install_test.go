package install_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/install"
	"brazier.sh/brazier/internal/localcluster/controlplane"
	"brazier.sh/brazier/internal/operator"
	"brazier.sh/brazier/internal/terminal"
)

const (
	applications = "analytics"
	// patience ends a test that hangs; nothing is measured by it.
	patience = 2 * time.Minute
)

// TestInstall installs Brazier on a real API server and runs the operator there with the rights that it was given, and
// no others.
func TestInstall(t *testing.T) {
	if testing.Short() {
		t.Skip("this test starts an API server")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	plane, err := controlplane.Start(ctx, controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plane.Stop)
	w := &world{t: t, config: plane.Config(), client: newClient(t, plane.Config())}

	opts := install.Options{
		Image: "brazier:test", Config: operator.Config{Image: "spark:{{SPARK_VERSION}}"}, Namespaces: []string{applications},
	}
	w.apply(ctx, opts)
	before := w.deployment(ctx)
	t.Run("AgainChangesNothing", func(t *testing.T) {
		w.apply(ctx, opts)
		if diff := cmp.Diff(before.Generation, w.deployment(ctx).Generation); diff != "" {
			t.Errorf("the Deployment's generation\n-want +got:\n%s", diff)
		}
	})
	t.Run("ConfigurationRestarts", func(t *testing.T) {
		opts.Config.SparkConf = map[string]string{"spark.ui.enabled": "true"}
		w.apply(ctx, opts)
		if w.deployment(ctx).Generation == before.Generation {
			t.Error("the operator would go on with its old configuration")
		}
	})
	t.Run("OperatorsRightsSuffice", func(t *testing.T) { w.operates(ctx, t) })
	t.Run("DriversRights", func(t *testing.T) { w.driverMay(ctx, t) })
	t.Run("Remove", func(t *testing.T) {
		if err := install.Remove(ctx, w.config, opts, quiet()); err != nil {
			t.Fatal(err)
		}
		err := w.client.Get(ctx, operatorKey(), new(appsv1.Deployment))
		if !apierrors.IsNotFound(err) {
			t.Errorf("the Deployment is still there: %v", err)
		}
	})
}

func TestNoImage(t *testing.T) {
	if err := install.Apply(t.Context(), &rest.Config{}, install.Options{}, quiet()); err == nil {
		t.Error("an operator without an image was installed")
	}
}

type world struct {
	t      *testing.T
	config *rest.Config
	client client.Client
}

func quiet() terminal.Streams {
	return terminal.Streams{In: new(bytes.Buffer), Out: io.Discard, Err: io.Discard}
}

func operatorKey() client.ObjectKey {
	return client.ObjectKey{Namespace: install.Namespace, Name: "brazier-operator"}
}

// apply installs while a played kubelet has every pod of the operator ready at once.
func (w *world) apply(ctx context.Context, opts install.Options) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		// It ends with ctx, which is no error.
		_ = wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
			w.readyPods(ctx)
			return false, nil
		})
	}()
	err := install.Apply(ctx, w.config, opts, quiet())
	cancel()
	<-done
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) readyPods(ctx context.Context) {
	var pods corev1.PodList
	if err := w.client.List(ctx, &pods, client.InNamespace(install.Namespace)); err != nil {
		return // asked again
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.Status.Phase == corev1.PodRunning {
			continue
		}
		pod.Status.Phase = corev1.PodRunning
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue})
		if err := w.client.Status().Update(ctx, pod); err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			w.t.Errorf("play kubelet: %v", err)
		}
	}
}

func (w *world) deployment(ctx context.Context) *appsv1.Deployment {
	w.t.Helper()
	deployment := new(appsv1.Deployment)
	if err := w.client.Get(ctx, operatorKey(), deployment); err != nil {
		w.t.Fatal(err)
	}
	return deployment
}

// as returns the connection of a service account.
func (w *world) as(ctx context.Context, t *testing.T, namespace, account string) *rest.Config {
	t.Helper()
	request := new(authenticationv1.TokenRequest)
	object := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: account}}
	if err := w.client.SubResource("token").Create(ctx, object, request); err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(w.config)
	config.BearerToken = request.Status.Token
	return config
}

// operates runs the operator as its service account and has it lead an application from its creation to its removal.
func (w *world) operates(ctx context.Context, t *testing.T) {
	config, err := operator.ParseConfig(fmt.Appendf(nil, `
image: "spark:{{SPARK_VERSION}}"
leaderElectionNamespace: %s
healthAddress: %s
metricsAddress: %s
`, install.Namespace, freeAddress(t), freeAddress(t)))
	if err != nil {
		t.Fatal(err)
	}
	account := w.as(ctx, t, install.Namespace, "brazier-operator")
	ctx, cancel := context.WithCancel(ctx)
	var logs lockedBuffer
	ended := make(chan error, 1)
	go func() { ended <- operator.Run(ctx, account, config, &logs) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("operator: %v", err)
		}
		if bytes.Contains(logs.Bytes(), []byte("forbidden")) {
			t.Errorf("the operator was refused something:\n%s", logs.Bytes())
		}
	}()

	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Namespace: applications, Name: "pi"},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
		},
	}
	if err := w.client.Create(ctx, app); err != nil {
		t.Fatal(err)
	}
	driver := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: applications, Name: "pi-driver"}}
	await(ctx, t, "the driver's pod", func(ctx context.Context) (bool, error) {
		err := w.client.Get(ctx, client.ObjectKeyFromObject(driver), driver)
		return err == nil, client.IgnoreNotFound(err)
	})
	w.probes(ctx, t, config)

	end := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.Now()}}
	driver.Status.Phase = corev1.PodSucceeded
	driver.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: v1beta2.DriverContainerName, State: end}}
	if err := w.client.Status().Update(ctx, driver); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, "the application's end", func(ctx context.Context) (bool, error) {
		err := w.client.Get(ctx, client.ObjectKeyFromObject(app), app)
		return meta.IsStatusConditionTrue(app.Status.Conditions, v1beta2.ConditionReleased), err
	})
	before := app.DeepCopy()
	app.Spec.TimeToLiveSeconds = new(int64(0))
	if err := w.client.Patch(ctx, app, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, "the application to be deleted", func(ctx context.Context) (bool, error) {
		err := w.client.Get(ctx, client.ObjectKeyFromObject(app), app)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	await(ctx, t, "the events", func(ctx context.Context) (bool, error) {
		var events corev1.EventList
		err := w.client.List(ctx, &events, client.InNamespace(applications))
		seen := make(map[string]bool)
		for _, event := range events.Items {
			seen[event.Reason] = true
		}
		return seen["Submitted"] && seen["Completed"], err
	})
}

// probes checks the operator's own endpoints: its health, and its metrics for whom may read them.
func (w *world) probes(ctx context.Context, t *testing.T, config operator.Config) {
	for _, path := range []string{"/healthz", "/readyz"} {
		await(ctx, t, path, func(ctx context.Context) (bool, error) {
			return get(ctx, t, "http://"+config.HealthAddress+path, "") == http.StatusOK, nil
		})
	}
	metrics := "https://" + config.MetricsAddress + "/metrics"
	if diff := cmp.Diff(http.StatusUnauthorized, get(ctx, t, metrics, "")); diff != "" {
		t.Errorf("metrics without a token\n-want +got:\n%s", diff)
	}
	reader := w.as(ctx, t, applications, "spark")
	if diff := cmp.Diff(http.StatusForbidden, get(ctx, t, metrics, reader.BearerToken)); diff != "" {
		t.Errorf("metrics for somebody\n-want +got:\n%s", diff)
	}
	err := w.client.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "brazier-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: applications, Name: "default"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	token := w.as(ctx, t, applications, "default").BearerToken
	await(ctx, t, "the metrics for their reader", func(ctx context.Context) (bool, error) {
		return get(ctx, t, metrics, token) == http.StatusOK, nil
	})
}

// get returns the status of an answer, 0 where there is none.
func get(ctx context.Context, t *testing.T, url, token string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	// The operator signs its certificate itself; what is tested here is whom it answers.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// driverMay checks what a driver may do in its namespace.
func (w *world) driverMay(ctx context.Context, t *testing.T) {
	driver := newClient(t, w.as(ctx, t, applications, "spark"))
	executor := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: applications, Name: "exec", Labels: map[string]string{"spark-role": "executor"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "spark-kubernetes-executor", Image: "spark"}}},
	}
	if err := driver.Create(ctx, executor); err != nil {
		t.Errorf("a driver makes executors: %v", err)
	}
	err := driver.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(applications), client.MatchingLabels{"spark-role": "executor"})
	if err != nil {
		t.Errorf("a driver removes its executors: %v", err)
	}
	if err := driver.List(ctx, new(corev1.SecretList), client.InNamespace(applications)); !apierrors.IsForbidden(err) {
		t.Errorf("a driver reads Secrets: %v", err)
	}
	if err := driver.List(ctx, new(corev1.PodList), client.InNamespace(install.Namespace)); !apierrors.IsForbidden(err) {
		t.Errorf("a driver reads pods of another namespace: %v", err)
	}
}

func await(ctx context.Context, t *testing.T, what string, is wait.ConditionWithContextFunc) {
	t.Helper()
	if err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, is); err != nil {
		t.Fatalf("wait for %s: %v", what, err)
	}
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

func newClient(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := v1beta2.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lockedBuffer is a buffer that the operator writes its logs to while they are read.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

// Bytes returns what was written so far.
func (b *lockedBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buffer.Bytes())
}
