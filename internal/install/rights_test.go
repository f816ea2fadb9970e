package install_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"testing"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/install"
	"brazier.sh/brazier/internal/operator"
	"brazier.sh/brazier/test/apiserver"
)

// asOperator names the variable that makes the test's program an operator. It has to be a process of its own, since there can
// be only one in a process in its life: it registers its metrics.
const asOperator = "BRAZIER_TEST_OPERATOR"

// operatorRun is what the process is told.
type operatorRun struct {
	Host, Token string
	Authority   []byte
	Config      operator.Config
}

func TestMain(m *testing.M) {
	if told := os.Getenv(asOperator); told != "" {
		if err := runOperator(told); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runOperator(told string) error {
	var run operatorRun
	if err := json.Unmarshal([]byte(told), &run); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	config := &rest.Config{Host: run.Host, BearerToken: run.Token, TLSClientConfig: rest.TLSClientConfig{CAData: run.Authority}}
	return operator.Run(ctx, config, run.Config, os.Stderr)
}

// startOperator runs an operator and returns the function that ends it and returns its logs.
func startOperator(t *testing.T, account *rest.Config, config operator.Config) (stop func() []byte) {
	t.Helper()
	if err := rest.LoadTLSFiles(account); err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(operatorRun{Host: account.Host, Token: account.BearerToken, Authority: account.CAData, Config: config})
	if err != nil {
		t.Fatal(err)
	}
	var logs bytes.Buffer
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), asOperator+"="+string(told))
	process.Stderr = &logs
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	return func() []byte {
		err := errors.Join(process.Process.Signal(os.Interrupt), process.Wait())
		if err != nil {
			t.Errorf("operator: %v", err)
		}
		return logs.Bytes()
	}
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

// operates runs the operator as its service account and has it lead an application from its creation to its removal: in all
// namespaces, or in those that are named.
func (w *world) operates(ctx context.Context, t *testing.T, namespaces []string) {
	config := operator.Config{
		Image: "spark:{{SPARK_VERSION}}", LeaderElectionNamespace: install.DefaultNamespace, Namespaces: namespaces,
		HealthAddress: freeAddress(t), MetricsAddress: freeAddress(t), Workers: 1,
	}
	stop := startOperator(t, w.as(ctx, t, install.DefaultNamespace, "brazier-operator"), config)
	defer func() {
		if logs := stop(); bytes.Contains(logs, []byte("forbidden")) {
			t.Errorf("the operator was refused something:\n%s", logs)
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
	if len(namespaces) == 0 {
		w.probes(ctx, t, config)
	}

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
	await(ctx, t, "the metrics' port", func(ctx context.Context) (bool, error) { return get(ctx, t, metrics, "") != 0, nil })
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
	driver := apiserver.NewClient(t, w.as(ctx, t, applications, "spark"))
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
	if err := driver.List(ctx, new(corev1.PodList), client.InNamespace(install.DefaultNamespace)); !apierrors.IsForbidden(err) {
		t.Errorf("a driver reads pods of another namespace: %v", err)
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
