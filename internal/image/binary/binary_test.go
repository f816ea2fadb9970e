package binary

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// source returns a source with a program and certificates of the given content.
func source(t *testing.T, program, certificates string) Source {
	t.Helper()
	dir := t.TempDir()
	s := Source{Executable: filepath.Join(dir, "brazier"), Certificates: filepath.Join(dir, "ca.crt")}
	for path, content := range map[string]string{s.Executable: program, s.Certificates: certificates} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func image(t *testing.T, s Source) v1.Image {
	t.Helper()
	image, err := s.Image()
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func TestImage(t *testing.T) {
	made := image(t, source(t, "program", "certificates"))
	layers, err := made.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range layers {
		if err := validate.Layer(layer); err != nil {
			t.Errorf("a layer is not what it says it is: %v", err)
		}
	}
	config, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		User: "65532:65532", WorkingDir: "/", Entrypoint: []string{"/brazier"},
		Labels: map[string]string{"org.opencontainers.image.title": "brazier"},
	}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("configuration\n-want +got:\n%s", diff)
	}
	wantFiles := map[string]int64{
		"etc": 0o755, "etc/group": 0o644, "etc/passwd": 0o644, "etc/ssl": 0o755, "etc/ssl/certs": 0o755,
		"etc/ssl/certs/ca-certificates.crt": 0o644, "brazier": 0o755,
	}
	if diff := cmp.Diff(wantFiles, files(t, made)); diff != "" {
		t.Errorf("files and their modes\n-want +got:\n%s", diff)
	}
}

func files(t *testing.T, image v1.Image) map[string]int64 {
	t.Helper()
	content := mutate.Extract(image)
	defer content.Close()
	found := make(map[string]int64)
	for in := tar.NewReader(content); ; {
		header, err := in.Next()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = header.Mode
	}
}

func TestSameFilesSameImage(t *testing.T) {
	one, two := source(t, "program", "certificates"), source(t, "program", "certificates")
	if diff := cmp.Diff(digest(t, one), digest(t, two)); diff != "" {
		t.Errorf("the same files gave two images\n-one +two:\n%s", diff)
	}
	if diff := cmp.Diff(tag(t, one), tag(t, two)); diff != "" {
		t.Errorf("the same files gave two tags\n-one +two:\n%s", diff)
	}
}

func TestTagTellsImagesApart(t *testing.T) {
	before := tag(t, source(t, "program", "certificates"))
	for what, s := range map[string]Source{
		"program":      source(t, "another", "certificates"),
		"certificates": source(t, "program", "others"),
		"boundary":     source(t, "programcert", "ificates"),
	} {
		if tag(t, s) == before {
			t.Errorf("another %s gave the same tag", what)
		}
	}
}

func TestNoCertificates(t *testing.T) {
	s := source(t, "program", "")
	s.Certificates = filepath.Join(t.TempDir(), "none")
	if _, found := files(t, image(t, s))[certificatesPath]; found {
		t.Error("there are certificates in an image that was given none")
	}
	tag(t, s)
}

func TestNoProgram(t *testing.T) {
	s := Source{Executable: filepath.Join(t.TempDir(), "none")}
	if _, err := s.Tag(); err == nil {
		t.Error("a program that is not there has a tag")
	}
	if _, err := s.Image(); err == nil {
		t.Error("a program that is not there has an image")
	}
}

func tag(t *testing.T, s Source) string {
	t.Helper()
	tag, err := s.Tag()
	if err != nil {
		t.Fatal(err)
	}
	return tag
}

func digest(t *testing.T, s Source) v1.Hash {
	t.Helper()
	digest, err := image(t, s).Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}
