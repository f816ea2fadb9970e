//go:build e2e

// Package image_test tests the Spark image itself, by running its programs: no cluster is needed. It needs root.
package image_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"brazier.sh/brazier/images/spark"
	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/terminal"
)

// fromArchive is how many classes a driver and an executor take, at least, from the archive of loaded classes. Those
// of the JDK alone, whose own archive they would have otherwise, are some 1,300.
const fromArchive = 8000

// sparkImage builds the default image of Spark, or takes it from the cache.
func sparkImage(t *testing.T) v1.Image {
	t.Helper()
	built, err := image.Build(t.Context(), image.Options{Recipe: image.Recipe{Spark: image.DefaultSpark}, Streams: terminal.System()})
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// unpacked returns the file system of an image, with the program beside it that runs a job as a cluster would.
func unpacked(t *testing.T, built v1.Image) (root image.Root, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "root")
	root, err := image.Unpack(t.Context(), built, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "opt"), spark.Training); err != nil {
		t.Fatal(err)
	}
	scratch := filepath.Join(dir, "opt/scratch")
	if err := os.Mkdir(scratch, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(scratch, 0o777); err != nil {
		t.Fatal(err)
	}
	return root, dir
}

// in runs a program in the image as user, with the image's environment, and returns what it wrote.
func in(ctx context.Context, t *testing.T, built v1.Image, root image.Root, user string, args ...string) (string, error) {
	t.Helper()
	file, err := built.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	shell := []string{"/bin/sh", "-c", `cd "$1" && shift && exec "$@"`, "sh", file.Config.WorkingDir}
	out, err := root.Command(ctx, user, file.Config.Env, append(shell, args...)...).CombinedOutput()
	return string(out), err
}

func TestSparkImage(t *testing.T) {
	built := sparkImage(t)
	root, dir := unpacked(t, built)
	for _, step := range []struct {
		name string
		do   func(t *testing.T, built v1.Image, root image.Root, dir string)
	}{
		{"Archive", testArchive},
		{"AnyUser", testAnyUser},
		{"Ownership", testOwnership},
		{"Python", testPython},
		{"Trust", testTrust},
	} {
		t.Run(step.name, func(t *testing.T) { step.do(t, built, root, dir) })
	}
}

// testArchive runs a driver and an executor and counts where their classes came from.
func testArchive(t *testing.T, built v1.Image, root image.Root, dir string) {
	note := "-Xlog:class+load:file=/opt/scratch/%p.log"
	out, err := in(t.Context(), t, built, root, "185:0", "python3", "/opt/training/run.py", "/opt/scratch", "/opt/training/job.py",
		"spark.driver.extraJavaOptions="+note, "spark.executor.extraJavaOptions="+note,
		// Other sizes and another collector than the archive was made with.
		"spark.driver.memory=600m", "spark.executor.memory=700m")
	if err != nil {
		t.Fatalf("the job failed: %v\n%s", err, out)
	}
	logs, err := filepath.Glob(filepath.Join(dir, "opt/scratch/*.log"))
	if err != nil || len(logs) != 2 {
		t.Fatalf("want the log of a driver and of an executor, got %v, %v", logs, err)
	}
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		role := "executor"
		if strings.Contains(string(text), "org.apache.spark.deploy.SparkSubmit ") {
			role = "driver"
		}
		shared := strings.Count(string(text), "source: shared objects file")
		all := strings.Count(string(text), " source: ")
		t.Logf("%s: %d of %d classes from the archive", role, shared, all)
		if shared < fromArchive {
			t.Errorf("%s: %d of %d classes came from the archive, want %d", role, shared, all, fromArchive)
		}
	}
}

// testAnyUser runs the driver as a user that no file knows, as some clusters want it, on a root that cannot be written.
func testAnyUser(t *testing.T, built v1.Image, root image.Root, _ string) {
	script := `mount --bind / /mnt && mount -o remount,ro,bind /mnt && for dir in tmp proc dev opt/spark/work-dir home/spark; do
		case $dir in proc|dev) mount --rbind /$dir /mnt/$dir ;; *) mount -t tmpfs -o mode=1777 tmpfs /mnt/$dir ;; esac; done
exec chroot --userspec=123456:0 /mnt /bin/sh -c 'cd /opt/spark/work-dir && exec /opt/entrypoint.sh "$@"' sh "$@"`
	out, err := in(t.Context(), t, built, root, "0:0", "env", "SPARK_LOCAL_IP=127.0.0.1", "SPARK_DRIVER_BIND_ADDRESS=127.0.0.1",
		"/bin/sh", "-c", script, "sh",
		"driver", "--master", "local[1]", "--conf", "spark.ui.enabled=false", "/opt/spark/examples/src/main/python/pi.py", "1")
	if err != nil || !strings.Contains(out, "Pi is roughly") {
		t.Errorf("a driver of an unknown user on a read-only root: %v\n%s", err, out)
	}
	out, err = in(t.Context(), t, built, root, "123456:0", "/opt/entrypoint.sh", "sh", "-c", "whoami; pwd")
	if want := "spark-123456\n/opt/spark/work-dir\n"; err != nil || out != want {
		t.Errorf("an unknown user gets a name: want %q, got %q, %v", want, out, err)
	}
}

// testOwnership makes sure that what runs cannot be changed by whoever it runs as.
func testOwnership(t *testing.T, built v1.Image, root image.Root, _ string) {
	out, err := in(t.Context(), t, built, root, "185:0", "sh", "-c",
		`find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /opt/scratch \) -prune -o -writable ! -type l -print 2>/dev/null | sort || true`)
	if diff := cmp.Diff("/home/spark\n/opt/spark/work-dir\n/var/tmp\n", withoutJobFiles(out)); err != nil || diff != "" {
		t.Errorf("Spark's user can write elsewhere than where everybody can, and to its home and its working folder: %v\n-want +got:\n%s", err, diff)
	}
}

// withoutJobFiles leaves out what the jobs before have written to their working folder.
func withoutJobFiles(paths string) string {
	return regexp.MustCompile(`(?m)^/(opt/spark/work-dir|home/spark)/.*\n`).ReplaceAllString(paths, "")
}

func testPython(t *testing.T, built v1.Image, root image.Root, _ string) {
	out, err := in(t.Context(), t, built, root, "185:0", "python3", "-v", "-c", "import pyspark.sql, py4j.java_gateway; print(pyspark.__version__)")
	if err != nil || !strings.Contains(out, "\n"+image.DefaultSpark+"\n") {
		t.Fatalf("pyspark cannot be imported: %v\n%s", err, out)
	}
	if compiled := regexp.MustCompile(`# code object from '?/opt/spark\S*\.py\b`).FindString(out); compiled != "" {
		t.Errorf("Spark's Python was compiled as it was imported, although the image brings bytecode: %s", compiled)
	}
}

// testTrust has Java read the trusted certificates that the build wrote.
func testTrust(t *testing.T, built v1.Image, root image.Root, _ string) {
	out, err := in(t.Context(), t, built, root, "185:0", "sh", "-c",
		`"$JAVA_HOME/bin/keytool" -list -cacerts -storepass changeit | grep -c trustedCertEntry`)
	if err != nil || len(strings.TrimSpace(out)) < 3 {
		t.Errorf("Java trusts %q authorities, %v; Debian has more than a hundred", out, err)
	}
}

// TestSparkImageIsReproducible makes every layer anew, in another cache and at another time, and compares.
func TestSparkImageIsReproducible(t *testing.T) {
	cache, err := image.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	first := contents(t, sparkImage(t))
	other := t.TempDir()
	if err := os.CopyFS(filepath.Join(other, "downloads"), os.DirFS(filepath.Join(cache, "downloads"))); err != nil {
		t.Fatal(err)
	}
	again, err := image.Build(t.Context(), image.Options{
		Recipe: image.Recipe{Spark: image.DefaultSpark}, Cache: other, NoArchive: true, Streams: terminal.System(),
	})
	if err != nil {
		t.Fatal(err)
	}
	second := contents(t, again)
	if diff := cmp.Diff(first[:len(second)], second); diff != "" {
		t.Errorf("two builds of the same recipe differ in Debian, Spark or scripts\n-first +second:\n%s", diff)
	}
}

func contents(t *testing.T, built v1.Image) []string {
	t.Helper()
	layers, err := built.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var digests []string
	for _, layer := range layers {
		digest, err := layer.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest.String())
	}
	return digests
}

// TestTeamImage builds the example of a team's recipe, and runs what it adds.
func TestTeamImage(t *testing.T) {
	text, err := os.ReadFile("../../../images/spark/examples/data-science.yaml")
	if err != nil {
		t.Fatal(err)
	}
	recipe, err := image.ParseRecipe(text)
	if err != nil {
		t.Fatal(err)
	}
	recipe.Debs = []string{"libgomp1"}
	recipe.Files = []image.File{{From: "image_test.go", To: "/opt/job/test.go"}}
	built, err := image.Build(t.Context(), image.Options{Recipe: recipe, Dir: ".", Streams: terminal.System()})
	if err != nil {
		t.Fatal(err)
	}
	plain := contents(t, sparkImage(t))
	if diff := cmp.Diff(plain, contents(t, built)[:len(plain)]); diff != "" {
		t.Errorf("a team's image ships what Spark's own image already has\n-own +team:\n%s", diff)
	}
	root, _ := unpacked(t, built)
	out, err := in(t.Context(), t, built, root, "185:0", "sh", "-c", `python3 -c "import numpy, pandas, pyarrow" &&
dpkg-query -W -f '${Status}\n' libgomp1 && ls /opt/job /opt/spark/jars | grep -e test.go -e postgresql`)
	if want := "install ok installed\npostgresql-42.7.8.jar\ntest.go\n"; err != nil || !sameLines(want, out) {
		t.Errorf("what the recipe adds is not there: want %q, got %q, %v", want, out, err)
	}
}

func sameLines(a, b string) bool {
	return cmp.Equal(slices.Sorted(strings.Lines(a)), slices.Sorted(strings.Lines(b)))
}
