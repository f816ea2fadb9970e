//go:build e2e

package e2e

import (
	"archive/zip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"brazier.sh/brazier/api/v1beta2"
)

// scienceImage has what Python's MLlib and R need beside Spark.
const scienceImage = "10.97.0.1:5000/e2e/science:1"

// TestPrograms runs programs in every language that Spark has, those of the JVM compiled here.
func TestPrograms(t *testing.T) {
	createJobs(t)
	pki := filepath.Join(home, "pki")
	brazier(t, "image", "build", "spark", "--recipe", "testdata/science.yaml", "--tag", scienceImage, "--push",
		"--registry-ca", filepath.Join(pki, "ca.crt"),
		"--registry-cert", filepath.Join(pki, "registry-client.crt"), "--registry-key", filepath.Join(pki, "registry-client.key"))
	t.Run("Languages", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T){
			"Java":     testJava,
			"GraphX":   testGraphX,
			"Packages": testPackages,
			"MLlib":    testMLlib,
			"R":        testR,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
}

// compile compiles a file with the Java of the images, against Spark's own jars, and returns a jar of what matches the
// patterns.
func compile(t *testing.T, source string, patterns ...string) string {
	t.Helper()
	jars, err := filepath.Glob("../../.cache/venv/lib/python3*/site-packages/pyspark/jars")
	if err != nil || len(jars) != 1 {
		t.Fatalf("want Spark's jars, which make test-e2e installs with its Python package; found %v, %v", jars, err)
	}
	classes := t.TempDir()
	javac := exec.CommandContext(t.Context(), "javac", "--release", "17", "-implicit:class", "-proc:none", "-cp", jars[0]+"/*",
		"-sourcepath", "testdata/programs/greeting", "-d", classes, source)
	must(t, javac)
	return jar(t, classes, patterns...)
}

func jar(t *testing.T, classes string, patterns ...string) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "program.jar"))
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(file)
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(classes, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no classes %s: %v", pattern, err)
		}
		for _, class := range found {
			content, err := os.ReadFile(class)
			if err != nil {
				t.Fatal(err)
			}
			entry, err := archive.Create(strings.TrimPrefix(class, classes+"/"))
			if err == nil {
				_, err = entry.Write(content)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// runProgram runs a jar that lies on this machine and returns what it printed.
func runProgram(t *testing.T, class, jar string, flags ...string) string {
	t.Helper()
	args := []string{
		"run", "--logs", "--class", class, "--driver-memory", "600m", "--executor-memory", "600m",
		"--conf", "spark.kubernetes.driver.request.cores=50m", "--conf", "spark.kubernetes.executor.request.cores=50m",
	}
	out, err := command(t.Context(), "brazier", append(append(args, flags...), jar)...).CombinedOutput()
	if err != nil {
		t.Fatalf("brazier run: %v\n%s", err, out)
	}
	return string(out)
}

func wantPrinted(t *testing.T, out string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
}

func testJava(t *testing.T) {
	wantPrinted(t, runProgram(t, "Pi", compile(t, "../../examples/Pi.java", "Pi.class")), "Pi is roughly 3.1416")
}

func testGraphX(t *testing.T) {
	wantPrinted(t, runProgram(t, "Islands", compile(t, "testdata/programs/Islands.java", "Islands.class")), "islands: {1=3, 10=4, 20=2}")
}

// testPackages has a library resolved from a Maven repository in the cluster. It stands for Maven's own as well, which a
// cluster without a way out does not reach.
func testPackages(t *testing.T) {
	program := compile(t, "testdata/programs/Greets.java", "Greets.class")
	library := compile(t, "testdata/programs/Greets.java", "example/Greeting.class")
	repository := serveRepository(t, library)
	out := runProgram(t, "Greets", program, "--packages", "sh.brazier.example:greeting:1.0",
		"--conf", "spark.jars.repositories="+repository,
		"--conf", "spark.kubernetes.driverEnv.DEFAULT_ARTIFACT_REPOSITORY="+repository)
	wantPrinted(t, out, "hello driver", "[hello executor one, hello executor two]")
}

// serveRepository serves a Maven repository that has one library, and returns its URL.
func serveRepository(t *testing.T, library string) string {
	t.Helper()
	pom := filepath.Join(t.TempDir(), "greeting.pom")
	err := os.WriteFile(pom, []byte(`<project><modelVersion>4.0.0</modelVersion>
<groupId>sh.brazier.example</groupId><artifactId>greeting</artifactId><version>1.0</version></project>`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, "create", "configmap", "repository", "--from-file=jar="+library, "--from-file=pom="+pom)
	deleteAfter(t, "configmap/repository", "pod/repository", "service/repository")
	create := command(t.Context(), "kubectl", "apply", "-f", "-")
	create.Stdin = strings.NewReader(fmt.Sprintf(repositoryManifest, "sh/brazier/example/greeting/1.0/greeting-1.0"))
	must(t, create)
	kubectl(t, "wait", "--for=condition=Ready", "--timeout=3m", "pod/repository")
	return "http://repository.default.svc.cluster.local:8000"
}

const repositoryManifest = `
apiVersion: v1
kind: Pod
metadata: {name: repository, labels: {app: repository}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: server
      image: ` + scienceImage + `
      command: [python3, -m, http.server, --directory, /repository, "8000"]
      readinessProbe: {tcpSocket: {port: 8000}}
      volumeMounts: [{name: files, mountPath: /repository}]
  volumes:
    - name: files
      configMap:
        name: repository
        items: [{key: jar, path: %[1]s.jar}, {key: pom, path: %[1]s.pom}]
---
apiVersion: v1
kind: Service
metadata: {name: repository}
spec: {selector: {app: repository}, ports: [{port: 8000}]}
`

func testMLlib(t *testing.T) {
	apply(t, "mllib", "mllib.py", func(app *v1beta2.SparkApplication) { app.Spec.Image = scienceImage })
	awaitState(t, "mllib", v1beta2.ApplicationStateCompleted)
	wantInLog(t, "mllib", "area under the curve above 0.99: True", "it looks to the right and down: True")
}

// testR runs a program through Rscript that makes Spark compute.
func testR(t *testing.T) {
	apply(t, "sums", "sums.R", func(app *v1beta2.SparkApplication) {
		app.Spec.Type, app.Spec.Image = v1beta2.SparkApplicationTypeR, scienceImage
		app.Spec.Arguments = []string{"one", "two words"}
	})
	awaitState(t, "sums", v1beta2.ApplicationStateCompleted)
	wantInLog(t, "sums", "sum and count: [4999950000,100000]", "arguments: one two words", "mean of R's own: 3")
}
