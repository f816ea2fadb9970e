package evidence_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/test/apiserver"
)

// lastWords is what the driver of TestLogIsReadAgain has said.
const lastWords = "Traceback (most recent call last):\n  File \"/opt/job.py\", line 7, in <module>\nKeyError: 'rates'\n"

// TestLogIsReadAgain has kubelet fail as the log of a driver that has just ended is asked for: it is asked once more, before
// something is made of a run that nothing would be known of.
func TestLogIsReadAgain(t *testing.T) {
	w := newWorld(t)
	var asked atomic.Int32
	node := w.kubelet(func(response http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			http.Error(response, "not now", http.StatusInternalServerError)
			return
		}
		fmt.Fprint(response, lastWords)
	})
	w.operate(apiserver.Reliably)
	app, driver := w.submit("pi")
	if err := w.Client.SubResource("binding").Create(t.Context(), driver, &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: node}}); err != nil {
		t.Fatal(err)
	}
	if driver = w.driver(app, "1"); driver.Spec.NodeName != node {
		t.Fatalf("the driver is on node %q, want %q", driver.Spec.NodeName, node)
	}
	w.become(driver, corev1.PodFailed, ended(1, "Error", ""))
	record := w.record(app, 1, func(record *v1alpha1.RunRecord) bool { return record.Ended != nil })
	if len(record.Causes) == 0 || record.Causes[0].Code != "python-exception" {
		t.Errorf("want the exception, got causes %+v of logs %+v", record.Causes, record.Evidence.Logs)
	}
	if got := asked.Load(); got != 2 {
		t.Errorf("kubelet was asked %d times, want 2", got)
	}
}

// kubelet plays the kubelet of a node, whose name it returns, to who asks for logs.
func (w *world) kubelet(logs http.HandlerFunc) string {
	w.T.Helper()
	server := httptest.NewTLSServer(logs)
	w.T.Cleanup(server.Close)
	host, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		w.T.Fatal(err)
	}
	number, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		w.T.Fatal(err)
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: w.Namespace}}
	w.Create(node)
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: host}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(number)
	if err := w.Client.Status().Update(w.T.Context(), node); err != nil {
		w.T.Fatal(err)
	}
	return node.Name
}
