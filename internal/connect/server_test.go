package connect

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/apiserver"
)

// buffer is written by a command while a test reads it.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// world is a real API server, on which the test plays the operator.
type world struct {
	t        *testing.T
	config   *rest.Config
	connects rest.Interface
	cluster  kubernetes.Interface
}

// TestAPIServer waits for servers on a real API server. What it forwards to needs a real pod: the end-to-end tests have one.
func TestAPIServer(t *testing.T) {
	server := apiserver.Start(t)
	var err error
	w := &world{t: t, config: server.Config()}
	if w.connects, err = kube.Connects(w.config); err != nil {
		t.Fatal(err)
	}
	if w.cluster, err = kubernetes.NewForConfig(w.config); err != nil {
		t.Fatal(err)
	}
	w.wantError("NoBrazier", "notebooks", `does not know SparkConnects; "brazier install" puts Brazier on it`)
	if err := server.Define(); err != nil {
		t.Fatal(err)
	}
	w.wantError("None", "notebooks", `there is no SparkConnect "notebooks" in namespace default, nor any other`)
	w.create("reports")
	w.wantError("Other", "notebooks", `there is no SparkConnect "notebooks" in namespace default; there are reports`)
	t.Run("Waits", w.testWaits)
	t.Run("Fails", w.testFails)
	t.Run("Deleted", w.testDeleted)
	t.Run("Replaced", w.testReplaced)
	t.Run("NoPod", w.testNoPod)
}

func (w *world) client(name string) (*Client, *buffer) {
	w.t.Helper()
	said := new(buffer)
	client, err := New(Options{Config: w.config, Namespace: metav1.NamespaceDefault, Name: name, Streams: terminal.Streams{Out: said, Err: said}})
	if err != nil {
		w.t.Fatal(err)
	}
	return client, said
}

func (w *world) wantError(test, name, want string) {
	w.t.Run(test, func(t *testing.T) {
		client, _ := w.client(name)
		if _, err := client.Address(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	})
}

func (w *world) create(name string) {
	w.t.Helper()
	connect := &v1alpha1.SparkConnect{ObjectMeta: metav1.ObjectMeta{Name: name}}
	connect.Spec.SparkVersion = "4.3.0"
	err := w.connects.Post().Namespace(metav1.NamespaceDefault).Resource(kube.ConnectsResource).Body(connect).Do(w.t.Context()).Error()
	if err != nil {
		w.t.Fatal(err)
	}
}

// tell plays the operator: it writes a status.
func (w *world) tell(name string, run int64, state v1alpha1.SparkConnectState, message string) {
	w.t.Helper()
	connect := w.get(name)
	connect.Status = v1alpha1.SparkConnectStatus{
		State: state, Run: run, ObservedGeneration: connect.Generation,
		Server: v1alpha1.SparkConnectServerStatus{PodName: name + "-server", ServiceName: name + "-server"},
		Conditions: []metav1.Condition{{
			Type: v1alpha1.ConditionServerPodReady, Status: metav1.ConditionUnknown, Reason: "Told", Message: message, LastTransitionTime: metav1.Now(),
		}},
	}
	err := w.connects.Put().Namespace(metav1.NamespaceDefault).Resource(kube.ConnectsResource).Name(name).SubResource("status").
		Body(connect).Do(w.t.Context()).Error()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(name string) *v1alpha1.SparkConnect {
	w.t.Helper()
	connect := new(v1alpha1.SparkConnect)
	err := w.connects.Get().Namespace(metav1.NamespaceDefault).Resource(kube.ConnectsResource).Name(name).Do(w.t.Context()).Into(connect)
	if err != nil {
		w.t.Fatal(err)
	}
	return connect
}

func (w *world) delete(name string) {
	w.t.Helper()
	err := w.connects.Delete().Namespace(metav1.NamespaceDefault).Resource(kube.ConnectsResource).Name(name).Do(w.t.Context()).Error()
	if err != nil {
		w.t.Fatal(err)
	}
}

type answer struct {
	address string
	err     error
}

// ask asks for the address of a server and returns where its answer comes.
func (w *world) ask(name string) (<-chan answer, *buffer) {
	w.t.Helper()
	client, said := w.client(name)
	answers := make(chan answer, 1)
	go func() {
		address, err := client.Address(w.t.Context())
		answers <- answer{address, err}
	}()
	return answers, said
}

func await(t *testing.T, answers <-chan answer) answer {
	t.Helper()
	select {
	case answer := <-answers:
		return answer
	case <-time.After(apiserver.Patience):
		t.Fatal("there is no answer")
		return answer{}
	}
}

func (w *world) says(t *testing.T, said *buffer, want string) {
	t.Helper()
	apiserver.Eventually(t, fmt.Sprintf("it says %q", want), func(context.Context) (bool, error) {
		return strings.Contains(said.String(), want), nil
	}, func() string { return fmt.Sprintf("it said %q", said.String()) })
}

func (w *world) testWaits(t *testing.T) {
	w.create("waits")
	answers, said := w.ask("waits")
	w.says(t, said, "waiting for SparkConnect waits: the operator has not seen it yet")
	w.tell("waits", 1, v1alpha1.SparkConnectStateProvisioning, "Unschedulable: no node has room")
	w.says(t, said, "waiting for SparkConnect waits: Unschedulable: no node has room")
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "waits-server"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "spark-ui", Port: 4040}, {Name: portName, Port: 15003}}},
	}
	if _, err := w.cluster.CoreV1().Services(metav1.NamespaceDefault).Create(t.Context(), service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.tell("waits", 1, v1alpha1.SparkConnectStateReady, "clients can connect")
	if got := await(t, answers); got.err != nil || got.address != "sc://waits-server.default.svc:15003" {
		t.Errorf("got %q, %v", got.address, got.err)
	}
}

func (w *world) testFails(t *testing.T) {
	w.create("fails")
	w.tell("fails", 0, v1alpha1.SparkConnectStateFailed, "spec.image: Required value")
	answers, _ := w.ask("fails")
	if got := await(t, answers); got.err == nil || !strings.Contains(got.err.Error(), "SparkConnect default/fails cannot run: spec.image: Required value") {
		t.Errorf("got %q, %v", got.address, got.err)
	}
}

func (w *world) testDeleted(t *testing.T) {
	w.create("deleted")
	answers, said := w.ask("deleted")
	w.says(t, said, "waiting for SparkConnect deleted")
	w.delete("deleted")
	if got := await(t, answers); got.err == nil || !strings.Contains(got.err.Error(), "SparkConnect default/deleted was deleted") {
		t.Errorf("got %q, %v", got.address, got.err)
	}
}

// testReplaced sees that another server has taken the place of one, even where it was never seen not to be ready.
func (w *world) testReplaced(t *testing.T) {
	w.create("replaced")
	w.tell("replaced", 1, v1alpha1.SparkConnectStateReady, "clients can connect")
	client, _ := w.client("replaced")
	replaced := make(chan error, 1)
	go func() { replaced <- client.replaced(t.Context(), server{run: 1}) }()
	w.tell("replaced", 2, v1alpha1.SparkConnectStateReady, "clients can connect")
	select {
	case err := <-replaced:
		if err != nil {
			t.Errorf("got %v", err)
		}
	case <-time.After(apiserver.Patience):
		t.Fatal("it was not seen")
	}
}

// testNoPod gives up where forwarding never works: here there is no pod.
func (w *world) testNoPod(t *testing.T) {
	w.create("nopod")
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "nopod-server"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: portName, Port: 15002}}},
	}
	if _, err := w.cluster.CoreV1().Services(metav1.NamespaceDefault).Create(t.Context(), service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.tell("nopod", 1, v1alpha1.SparkConnectStateReady, "clients can connect")
	client, said := w.client("nopod")
	ctx, cancel := context.WithTimeout(t.Context(), apiserver.Patience)
	defer cancel()
	err := client.Forward(ctx, 0)
	if err == nil || !strings.Contains(err.Error(), "forward a port to pod default/nopod-server: ") || !strings.Contains(err.Error(), "not found") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(said.String(), "sc://") {
		t.Errorf("it prints an address that does not work: %s", said)
	}
}
