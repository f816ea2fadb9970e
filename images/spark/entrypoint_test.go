package spark

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// launcherSays is what Spark's launcher answers in these tests: words ended by NUL, after one that a shell drops. It is
// what Spark 4.3.0 answers, without most of the options for the JVM.
const launcherSays = `\0\nenv\0LD_LIBRARY_PATH=/native\0java\0-cp\0%s\0-Xmx700m\0-Dq=a b\0org.apache.spark.deploy.SparkSubmit\0-cp\0app\0`

// home makes a Spark that does nothing: its java answers as the launcher does, and its tini prints what it is to run.
func home(t *testing.T, classPath string, files ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	classPath = strings.ReplaceAll(classPath, "HOME", dir)
	programs := map[string]string{
		"bin/java": "#!/bin/sh\nprintf '" + strings.ReplaceAll(launcherSays, "%s", classPath) + "'\n",
		"bin/tini": "#!/bin/sh\nshift 2\nfor word; do printf '%s\\n' \"$word\"; done\n",
	}
	for _, name := range append(files, "jars/b.jar", "jars/a.jar", "jars/slf4j-api-2.jar", "jars/spark-launcher_2.13-4.3.0.jar") {
		programs[name] = ""
	}
	for name, text := range programs {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// enter runs the entrypoint and returns the words of the command that it would run, with HOME for Spark's folder.
func enter(t *testing.T, home string, env []string, args ...string) []string {
	t.Helper()
	entrypoint, err := filepath.Abs("entrypoint.sh")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("bash", append([]string{entrypoint}, args...)...)
	command.Dir = "/tmp"
	command.Env = append(slices.Clone(env), "PATH="+home+"/bin:/usr/bin:/bin", "JAVA_HOME="+home, "SPARK_HOME="+home, "HOME=/home/spark")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v", err, command.Stderr)
	}
	return strings.Split(strings.TrimSpace(strings.ReplaceAll(string(out), home, "HOME")), "\n")
}

const jars = "HOME/jars/slf4j-api-2.jar:HOME/jars/a.jar:HOME/jars/b.jar:HOME/jars/spark-launcher_2.13-4.3.0.jar"

func TestDriver(t *testing.T) {
	tests := map[string]struct {
		reason    string
		classPath string
		env       []string
		files     []string
		want      []string
	}{
		"Plain": {
			reason:    "The jars come one by one in a fixed order, the configuration after them; the launcher's other words stay.",
			classPath: "HOME/conf/:HOME/jars/slf4j-api-2.jar:HOME/jars/*",
			want:      []string{"-cp", jars + ":HOME/conf/"},
		},
		"Archive": {
			reason:    "The archive of classes is used where there is one.",
			classPath: "HOME/conf/:HOME/jars/*",
			files:     []string{"archive/classes.jsa"},
			want:      []string{"-XX:SharedArchiveFile=HOME/archive/classes.jsa", "-cp", jars + ":HOME/conf/"},
		},
		"ExtraClassPath": {
			reason:    "What the application puts first is first; the archive would not fit that class path.",
			classPath: "/extra/*:/more.jar:HOME/conf/:HOME/jars/*:/etc/hadoop/",
			files:     []string{"archive/classes.jsa"},
			env:       []string{"HADOOP_CONF_DIR=/etc/hadoop"},
			want:      []string{"-cp", "/extra/*:/more.jar:" + jars + ":HOME/conf/:/etc/hadoop/"},
		},
		"Distribution": {
			reason:    "What a distribution adds comes between the jars and the configuration.",
			classPath: "HOME/conf/:HOME/jars/*:/dist/x.jar",
			want:      []string{"-cp", jars + ":/dist/x.jar:HOME/conf/"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := enter(t, home(t, tt.classPath, tt.files...), tt.env, "driver", "--class", "x.Y", "local:///job.jar")
			want := slices.Concat([]string{"env", "LD_LIBRARY_PATH=/native", "java"}, tt.want,
				[]string{"-Xmx700m", "-Dq=a b", "org.apache.spark.deploy.SparkSubmit", "-cp", "app"})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestAddedJarsComeAfterTheArchive(t *testing.T) {
	dir := home(t, "HOME/conf/:HOME/jars/*", "archive/classes.jsa")
	if err := os.WriteFile(filepath.Join(dir, "archive/jars"), []byte("b.jar\nspark-launcher_2.13-4.3.0.jar\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "HOME/jars/b.jar:HOME/jars/spark-launcher_2.13-4.3.0.jar:HOME/jars/slf4j-api-2.jar:HOME/jars/a.jar:HOME/conf/"
	got := enter(t, dir, nil, "driver", "local:///job.jar")
	if !slices.Contains(got, want) {
		t.Errorf("an archive stays valid only if its class path is a beginning of the whole one; want %s in %v", want, got)
	}
}

func TestExecutor(t *testing.T) {
	env := []string{
		"SPARK_DRIVER_URL=spark://driver", "SPARK_EXECUTOR_ID=1", "SPARK_EXECUTOR_CORES=2", "SPARK_EXECUTOR_MEMORY=1024m",
		"SPARK_APPLICATION_ID=app", "SPARK_EXECUTOR_POD_IP=10.0.0.1", "SPARK_EXECUTOR_POD_NAME=pod", "SPARK_RESOURCE_PROFILE_ID=0",
		"SPARK_CONF_DIR=/conf", "SPARK_EXTRA_CLASSPATH=/extra", "SPARK_JAVA_OPT_10=-Dten=x y", "SPARK_JAVA_OPT_2=-Dtwo",
	}
	want := []string{
		"HOME/bin/java", "-XX:SharedArchiveFile=HOME/archive/classes.jsa", "-Dtwo", "-Dten=x y", "-Xms1024m", "-Xmx1024m",
		"-cp", jars + ":/extra:/conf:/tmp", "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend",
		"--driver-url", "spark://driver", "--executor-id", "1", "--cores", "2", "--app-id", "app", "--hostname", "10.0.0.1",
		"--resourceProfileId", "0", "--podName", "pod",
	}
	if diff := cmp.Diff(want, enter(t, home(t, "", "archive/classes.jsa"), env, "executor")); diff != "" {
		t.Errorf("the executor's command\n-want +got:\n%s", diff)
	}
	want[1] = "-Dtwo"
	got := enter(t, home(t, "", "archive/classes.jsa"), append(env, "SPARK_CLASSPATH=/first"), "executor")
	if got[1] != "-Dtwo" || !slices.Contains(got, "/first:"+jars+":/extra:/conf:/tmp") {
		t.Errorf("what spark.executor.extraClassPath puts first is first, and no archive fits it: %v", got)
	}
}

func TestAnythingElseIsRunAsItIs(t *testing.T) {
	got := enter(t, home(t, ""), nil, "echo", "a b")
	if diff := cmp.Diff([]string{"echo", "a b"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLauncherFails(t *testing.T) {
	dir := home(t, "")
	failing := "#!/bin/sh\nprintf 'no such option\\n' >&2\nexit 3\n"
	if err := os.WriteFile(filepath.Join(dir, "bin/java"), []byte(failing), 0o755); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("bash", "entrypoint.sh", "driver", "--nonsense")
	command.Env = []string{"PATH=" + dir + "/bin:/usr/bin:/bin", "JAVA_HOME=" + dir, "SPARK_HOME=" + dir}
	out, err := command.CombinedOutput()
	if command.ProcessState.ExitCode() != 3 || !strings.Contains(string(out), "no such option") {
		t.Errorf("the launcher's fault and exit code are the container's; got %v: %s", err, out)
	}
}
