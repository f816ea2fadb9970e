package queue

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/test/apiserver"
)

// server is the API server of these tests; nil with -short.
var server *apiserver.Server

func TestMain(m *testing.M) {
	os.Exit(apiserver.Run(m, func(s *apiserver.Server) error {
		server = s
		return nil
	}))
}

// admin is a client of the server that may do everything.
func admin(t *testing.T) client.WithWatch {
	t.Helper()
	if server == nil {
		t.Skip("this test needs an API server")
	}
	return server.Client(t)
}

// TestAPIServerTakesImports has a real API server take everything that the golden files say, strictly: the whole tree of each,
// its roles, and nothing that a field has no place for.
func TestAPIServerTakesImports(t *testing.T) {
	c := client.NewDryRunClient(client.WithFieldValidation(admin(t), "Strict"))
	for name, flags := range imports {
		t.Run(name, func(t *testing.T) {
			out, _, err := run(t, "", append([]string{"import", fileOf(name)}, flags...)...)
			if err != nil {
				t.Fatal(err)
			}
			taken := 0
			decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(out), 4096)
			for {
				object := &unstructured.Unstructured{}
				if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				if object.Object == nil {
					continue // what comes before the first is comments
				}
				if err := c.Create(t.Context(), object); err != nil {
					t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
				}
				taken++
			}
			if want := strings.Count(out, "\nkind: "); taken != want || taken == 0 {
				t.Errorf("the server took %d objects of %d", taken, want)
			}
		})
	}
}
