package apiserver

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// World is a namespace of a test's own.
type World struct {
	T         *testing.T
	Server    *Server
	Namespace string
	// Client is the administrator's.
	Client client.WithWatch
}

// World makes a namespace with labels. Where name ends with a hyphen, the namespace's only begins with it.
func (s *Server) World(t *testing.T, name string, labels map[string]string) *World {
	t.Helper()
	if s == nil {
		t.Skip("this test needs an API server")
	}
	w := &World{T: t, Server: s, Client: s.Client(t)}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	if strings.HasSuffix(name, "-") {
		namespace.Name, namespace.GenerateName = "", name
	}
	w.Create(namespace)
	w.Namespace = namespace.Name
	return w
}

// Meta is the metadata of what has a name in the namespace.
func (w *World) Meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: w.Namespace, Name: name}
}

// Create creates object.
func (w *World) Create(object client.Object) {
	w.T.Helper()
	if err := w.Client.Create(w.T.Context(), object); err != nil {
		w.T.Fatalf("create %T %s: %v", object, object.GetName(), err)
	}
}

// Get reads what has a name in the namespace into object.
func (w *World) Get(object client.Object, name string) {
	w.T.Helper()
	if err := w.Client.Get(w.T.Context(), client.ObjectKey{Namespace: w.Namespace, Name: name}, object); err != nil {
		w.T.Fatal(err)
	}
}

// Edit changes object, as a user does.
func Edit[T client.Object](w *World, object T, change func(T)) {
	w.T.Helper()
	before := object.DeepCopyObject().(T)
	change(object)
	if err := w.Client.Patch(w.T.Context(), object, client.MergeFrom(before)); err != nil {
		w.T.Fatal(err)
	}
}

// Eventually waits until what is. Where it does not come, the test ends, and found tells what there was instead.
func (w *World) Eventually(what string, is wait.ConditionWithContextFunc, found ...func() string) {
	w.T.Helper()
	Eventually(w.T, what, is, found...)
}
