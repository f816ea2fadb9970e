package install

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	release "helm.sh/helm/v4/pkg/release/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"brazier.sh/brazier/internal/operator"
)

// TestImageValues goes from a reference to values and, through the chart, back.
func TestImageValues(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	tests := map[string]struct{ ref, want string }{
		"Tag":            {ref: "registry.example.com/brazier:1.0", want: "registry.example.com/brazier:1.0"},
		"PortOfRegistry": {ref: "10.0.0.1:5000/data/brazier:1.0", want: "10.0.0.1:5000/data/brazier:1.0"},
		"ThisMachine":    {ref: "localhost/brazier:1.0", want: "localhost/brazier:1.0"},
		"NoRegistry":     {ref: "data/brazier:1.0", want: "data/brazier:1.0"},
		"NoTag":          {ref: "registry.example.com/brazier", want: "registry.example.com/brazier:latest"},
		"Digest":         {ref: "registry.example.com/brazier@" + digest, want: "registry.example.com/brazier@" + digest},
		"Both":           {ref: "registry.example.com/brazier:1.0@" + digest, want: "registry.example.com/brazier@" + digest},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, object := range objectsOf(t, ImageValues(tt.ref)) {
				if object.GetKind() != "Deployment" {
					continue
				}
				containers, _, err := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, containers[0].(map[string]any)["image"]); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
		})
	}
}

func TestConfigValues(t *testing.T) {
	config := operator.Config{Image: "spark", SparkConf: map[string]string{"a": "b"}, ClusterDomain: "cluster.local"}
	values, err := ConfigValues(config)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"config": map[string]any{"image": "spark", "sparkConf": map[string]any{"a": "b"}, "clusterDomain": "cluster.local"}}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestReleaseFitsIntoASecret counts what Helm stores, with as many certificates as a machine trusts: the API server takes no
// Secret above a mebibyte.
func TestReleaseFitsIntoASecret(t *testing.T) {
	const limit = 1 << 20
	certificates, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil {
		t.Skipf("there are no certificates here: %v", err)
	}
	values := MergeValues(ImageValues("brazier:1"), map[string]any{"config": map[string]any{"trustBundle": string(certificates)}})
	manifest, err := Render(DefaultNamespace, values)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := loadChart()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(release.Release{Name: releaseName, Chart: loaded, Config: values, Manifest: manifest})
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	size := base64.StdEncoding.EncodedLen(packed.Len())
	t.Logf("the release takes %d KiB", size>>10)
	if size > limit {
		t.Errorf("the release takes %d bytes, more than the %d that a Secret may hold", size, limit)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	secret := func(value string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "keys"}, "data": map[string]any{"key": value},
		}}
	}
	diff, err := Change{Action: Update, Before: secret("b25l"), After: secret("dHdv")}.Diff()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(diff, "b25l") || strings.Contains(diff, "dHdv") {
		t.Errorf("the difference tells the secret:\n%s", diff)
	}
	if !strings.Contains(diff, "-  key: (hidden") || !strings.Contains(diff, "+  key: (hidden") {
		t.Errorf("the difference does not tell that it changes:\n%s", diff)
	}
}
