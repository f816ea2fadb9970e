package addons_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/localcluster/addons"
	"brazier.sh/brazier/test/apiserver"
)

func TestApply(t *testing.T) {
	server := apiserver.Start(t)
	c := server.Client(t)
	for range 2 {
		if err := addons.Apply(t.Context(), c, server.Config().CAData); err != nil {
			t.Fatalf("what is applied has to be applicable again: %v", err)
		}
	}
	objects, err := addons.Objects(server.Config().CAData)
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
}
