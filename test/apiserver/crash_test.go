package apiserver_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"brazier.sh/brazier/test/apiserver"
)

// TestCrash creates three objects, changes nothing of one, and crashes at the second write.
func TestCrash(t *testing.T) {
	tests := map[string]struct {
		reason string
		after  bool
		want   []string
	}{
		"Before": {reason: "What it crashes at is not done, nor is what comes after.", want: []string{"a"}},
		"After":  {reason: "What it crashes at is done, and it does not know.", after: true, want: []string{"a", "b"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inner := fake.NewClientBuilder().Build()
			crash := apiserver.CrashAt(2, tt.after)
			c := crash.Wrap(inner)
			write := func(name string) (*corev1.ConfigMap, error) {
				object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "sales", Name: name}}
				return object, c.Create(t.Context(), object)
			}
			first, err := write("a")
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Patch(t.Context(), first, client.MergeFrom(first.DeepCopy())); err != nil {
				t.Fatalf("a patch that changes nothing is no write, got %v", err)
			}
			select {
			case <-crash.Crashed():
				t.Error("it has crashed before its time")
			default:
			}
			for _, name := range []string{"b", "c"} {
				if _, err := write(name); !errors.Is(err, apiserver.ErrCrashed) {
					t.Errorf("%s: got %v, want that it has crashed", name, err)
				}
			}
			<-crash.Crashed()
			var found corev1.ConfigMapList
			if err := inner.List(t.Context(), &found); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, object := range found.Items {
				got = append(got, object.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
