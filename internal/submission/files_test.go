package submission

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/program"
)

// tree writes files into a folder, each with its own name as content.
func tree(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	tree(t, dir, "job.py", "lib/a.jar", "lib/b.jar", "src/mod.py", "env/bin/python", "my file.csv")
	tests := map[string]struct {
		reason string
		deps   v1beta2.Dependencies
		main   string
		want   []string
		errs   []string
	}{
		"Found": {
			reason: "Paths are found beside the manifest; what the cluster can reach is left alone.",
			main:   "job.py",
			deps:   v1beta2.Dependencies{Jars: []string{"local:///a.jar", "lib/a.jar"}, Files: []string{"file:" + dir + "/job.py#renamed"}},
			want:   []string{"spec.mainApplicationFile job.py", "spec.deps.files job.py#renamed", "spec.deps.jars lib/a.jar"},
		},
		"Pattern": {
			reason: "A pattern stands for the files that it matches, as spark-submit has it.",
			main:   "local:///job.py",
			deps:   v1beta2.Dependencies{Jars: []string{"lib/*.jar"}},
			want:   []string{"spec.deps.jars lib/a.jar", "spec.deps.jars lib/b.jar"},
		},
		"Folders": {
			reason: "A folder of code or an environment is packed; an archive without a name gets the folder's.",
			main:   "local:///job.py",
			deps:   v1beta2.Dependencies{PyFiles: []string{"src"}, Archives: []string{"env", "env#environment"}},
			want:   []string{"spec.deps.pyFiles src packed", "spec.deps.archives env#env packed", "spec.deps.archives env#environment packed"},
		},
		"AllThatIsMissing": {
			reason: "Whoever forgot three files learns of all three at once.",
			main:   "no.py",
			deps:   v1beta2.Dependencies{Jars: []string{"lib/*.zip"}, Files: []string{"lib/c.txt#d"}},
			errs: []string{
				`spec.mainApplicationFile: there is no file "no.py" on this machine; write local:///no.py for a file in the image`,
				`spec.deps.jars: no file on this machine matches "lib/*.zip"`, `spec.deps.files: there is no file "lib/c.txt#d"`,
			},
		},
		"Mistakes": {
			reason: "What cannot be uploaded is named with what to do instead.",
			main:   "src",
			deps:   v1beta2.Dependencies{Jars: []string{"lib"}, Files: []string{"src", "my file.csv"}},
			errs: []string{
				`spec.mainApplicationFile: "src" is a folder; name the file in it that is to be run, and the folder in --py-files`,
				`spec.deps.jars: "lib" is a folder; name the jars in it with "lib/*.jar"`,
				`spec.deps.files: "src" is a folder; name its files`, `spec.deps.files: "my file.csv" cannot be part of a URL`,
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			app := &v1beta2.SparkApplication{Spec: v1beta2.SparkApplicationSpec{MainApplicationFile: tt.main, Deps: tt.deps}}
			files, err := (&Job{App: app, Folder: dir}).files()
			for _, want := range tt.errs {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s\ngot %v, want an error with %s", tt.reason, err, want)
				}
			}
			if len(tt.errs) == 0 && err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, file := range files {
				rel, err := filepath.Rel(dir, file.path)
				if err != nil {
					t.Fatal(err)
				}
				line := file.called + " " + withAlias(rel, file.alias)
				if file.pack != nil {
					line += " packed"
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// zipped lists a zip's files with their contents.
func zipped(t *testing.T, file string) map[string]string {
	t.Helper()
	archive, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	files := map[string]string{}
	for _, entry := range archive.File {
		content, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name] = string(text)
	}
	return files
}

// tarred lists a tar's entries: mode, name, and where a link leads.
func tarred(t *testing.T, file string) []string {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	compressed, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	var entries []string
	for archive := tar.NewReader(compressed); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, strings.TrimSpace(fmt.Sprintf("%o %s %s", header.Mode, header.Name, header.Linkname)))
	}
}

func TestZipPython(t *testing.T) {
	code, pkg := filepath.Join(t.TempDir(), "src"), filepath.Join(t.TempDir(), "helpers")
	tree(t, code, "mod.py", "sub/__init__.py", "sub/data.json", "__pycache__/mod.pyc", "sub/x.pyc", ".git/config", ".hidden")
	tree(t, pkg, "__init__.py", "a.py")
	if err := os.Symlink("mod.py", filepath.Join(code, "link.py")); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		reason, folder string
		want           map[string]string
	}{
		"Modules": {"The modules in a folder are imported by their names.", code, map[string]string{
			"mod.py": "mod.py", "link.py": "mod.py", "sub/__init__.py": "sub/__init__.py", "sub/data.json": "sub/data.json",
		}},
		"Package": {"A package is imported by its own name.", pkg, map[string]string{"helpers/__init__.py": "__init__.py", "helpers/a.py": "a.py"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			file, err := zipPython(tt.folder, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Base(file) != filepath.Base(tt.folder)+".zip" {
				t.Errorf("the zip is called %s", filepath.Base(file))
			}
			if diff := cmp.Diff(tt.want, zipped(t, file)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestPackingIsReproducible(t *testing.T) {
	for name, pack := range map[string]packer{"zip": zipPython, "tar": tarFolder} {
		t.Run(name, func(t *testing.T) {
			var contents []string
			for i, order := range [][]string{{"a.py", "b/c.py"}, {"b/c.py", "a.py"}} {
				dir := filepath.Join(t.TempDir(), "src")
				tree(t, dir, order...)
				when := time.Date(2020+i, 1, 2, 3, 4, 5, 0, time.UTC)
				if err := os.Chtimes(filepath.Join(dir, "a.py"), when, when); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(filepath.Join(dir, "a.py"), os.FileMode([]int{0o644, 0o600}[i])); err != nil {
					t.Fatal(err)
				}
				file, err := pack(dir, t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				contents = append(contents, string(content))
			}
			if contents[0] != contents[1] {
				t.Error("the same content must give the same file, whenever and wherever it was written")
			}
		})
	}
}

func TestTarFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "env")
	tree(t, dir, "bin/python3.11", "lib/a.py", ".hidden")
	if err := os.Chmod(filepath.Join(dir, "bin/python3.11"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("python3.11", filepath.Join(dir, "bin/python")); err != nil {
		t.Fatal(err)
	}
	file, err := tarFolder(dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"644 .hidden", "755 bin/python python3.11", "755 bin/python3.11", "644 lib/a.py"}
	if diff := cmp.Diff(want, tarred(t, file)); diff != "" {
		t.Errorf("an environment keeps its programs and links\n-want +got:\n%s", diff)
	}
}

// wheel writes a wheel with files, each with its own name as content.
func wheel(t *testing.T, dir, name string, files ...string) {
	t.Helper()
	out, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(out)
	for _, file := range files {
		entry, err := archive.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "/") {
			continue
		}
		if _, err := entry.Write([]byte(file)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestTarWheels(t *testing.T) {
	dir := t.TempDir()
	wheel(t, dir, "b-1-py3-none-any.whl", "b/__init__.py", "b-1.dist-info/METADATA", "b-1.data/scripts/b", "b-1.data/purelib/b/more.py", "b/empty/")
	wheel(t, dir, "a-1-py3-none-any.whl", "a.py")
	file, count, err := tarWheels(dir, filepath.Join(dir, "out.tar.gz"))
	if err != nil || count != 2 {
		t.Fatalf("got %d wheels and %v", count, err)
	}
	want := []string{"644 a.py", "644 b-1.dist-info/METADATA", "644 b/__init__.py", "644 b/more.py"}
	if diff := cmp.Diff(want, tarred(t, file)); diff != "" {
		t.Errorf("wheels are unpacked as they would be installed, without programs\n-want +got:\n%s", diff)
	}
	wheel(t, dir, "evil-1-py3-none-any.whl", "../outside.py")
	if _, _, err := tarWheels(dir, filepath.Join(dir, "out.tar.gz")); err == nil || !strings.Contains(err.Error(), "outside of it") {
		t.Errorf("a wheel that writes elsewhere must be refused, got %v", err)
	}
}

func TestBringAlong(t *testing.T) {
	app := &v1beta2.SparkApplication{}
	app.Spec.Driver.Env = []corev1.EnvVar{{Name: "PYTHONPATH", Value: "/own"}}
	if err := bringAlong(app, "s3a://b/requirements.tar.gz"); err != nil {
		t.Fatal(err)
	}
	want := v1beta2.SparkApplicationSpec{}
	want.Deps.Archives = []string{"s3a://b/requirements.tar.gz#brazier-python"}
	want.Driver.Env = []corev1.EnvVar{{Name: "PYTHONPATH", Value: "brazier-python:/own"}}
	want.Executor.Env = []corev1.EnvVar{{Name: "PYTHONPATH", Value: "brazier-python"}}
	if diff := cmp.Diff(want, app.Spec); diff != "" {
		t.Errorf("the packages come first on the path\n-want +got:\n%s", diff)
	}
	app.Spec.Driver.Env[0] = corev1.EnvVar{Name: "PYTHONPATH", ValueFrom: &corev1.EnvVarSource{}}
	if err := bringAlong(app, "s3a://b/r"); err == nil {
		t.Error("a path that is not known here cannot be added to")
	}
}

func TestMissingRequirements(t *testing.T) {
	job := Job{Folder: t.TempDir(), Requirements: program.Requirements{File: "none.txt"}}
	if err := job.checkRequirements(); err == nil || !strings.Contains(err.Error(), "--requirements: there is no file") {
		t.Errorf("got %v, want an error that names the file", err)
	}
}
