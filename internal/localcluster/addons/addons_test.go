package addons_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/localcluster/addons"
	"brazier.sh/brazier/internal/localcluster/controlplane"
)

func TestApply(t *testing.T) {
	plane, err := controlplane.Start(t.Context(), controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plane.Stop)
	c, err := client.New(plane.Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := addons.Apply(t.Context(), c, plane.Config().CAData); err != nil {
			t.Fatalf("what is applied has to be applicable again: %v", err)
		}
	}
	objects, err := addons.Objects(plane.Config().CAData)
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
}
