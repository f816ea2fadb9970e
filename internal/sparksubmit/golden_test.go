package sparksubmit_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/internal/sparksubmit"
)

var update = flag.Bool("update", false, "write the golden files anew")

// stub takes spark-submit's place: it tells how many arguments it got, those, and the environment.
const stub = "#!/bin/sh\nprintf '%s\\0' \"$#\" \"$@\"\nenv -0\n"

// TestScripts has a shell run scripts that call spark-submit and compares what their command lines mean with golden files.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.sh")
	if err != nil || len(scripts) < 30 {
		t.Fatalf("want 30 scripts or more, got %d and %v", len(scripts), err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".sh"), func(t *testing.T) {
			args, env := called(t, filepath.Base(script))
			command, err := sparksubmit.Read(args, environment(env))
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(script, ".sh") + ".yaml"
			got := shown(t, command)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// called runs a script with nothing but spark-submit in reach, and returns what that was called with.
func called(t *testing.T, script string) (args []string, env map[string]string) {
	t.Helper()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "spark-submit"), []byte(stub), 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("testdata", script))
	if err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("sh", "-eu", "-c", "EXTRA_JARS= QUEUE= NOTHING=\n"+strings.ReplaceAll(string(text), "./bin/", ""))
	shell.Dir, shell.Env = "testdata", []string{"PATH=" + bin + ":/usr/bin:/bin"}
	var problems bytes.Buffer
	shell.Stderr = &problems
	out, err := shell.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
	words := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	count, err := strconv.Atoi(words[0])
	if err != nil {
		t.Fatal(err)
	}
	env = map[string]string{}
	for _, word := range words[count+1:] {
		name, value, _ := strings.Cut(word, "=")
		env[name] = value
	}
	return words[1 : count+1], env
}

// environment is a machine whose current folder is testdata.
func environment(env map[string]string) sparksubmit.Environment {
	return sparksubmit.Environment{
		Getenv:       func(name string) string { return env[name] },
		ReadFile:     func(file string) ([]byte, error) { return os.ReadFile(filepath.Join("testdata", file)) },
		SparkVersion: "4.3.0",
		MainClass: func(jar string) (string, error) {
			switch jar {
			case "target/etl.jar":
				return "com.example.etl.Manifest", nil
			case "target/library.jar":
				return "", nil
			default:
				return "", errors.New("open " + jar + ": no such file or directory")
			}
		},
	}
}

// shown is a command as a golden file has it: what is to be done as comments, and the manifest.
func shown(t *testing.T, c *sparksubmit.Command) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s", c.Action)
	for name, on := range map[string]bool{"detached": c.Detach} {
		if on {
			fmt.Fprintf(&b, " %s", name)
		}
	}
	if c.Logs {
		b.WriteString(" with logs")
	}
	for _, value := range []struct{ name, value string }{{"context", c.Context}, {"at", c.Master}} {
		if value.value != "" {
			fmt.Fprintf(&b, " %s %s", value.name, value.value)
		}
	}
	if c.Requirements.File != "" {
		fmt.Fprintf(&b, " requirements %+v", c.Requirements)
	}
	b.WriteString("\n")
	for _, note := range c.Notes {
		fmt.Fprintf(&b, "# note: %s\n", note)
	}
	for _, property := range c.Properties {
		fmt.Fprintf(&b, "# property: %s\n", property)
	}
	manifest, err := yaml.Marshal(c.App)
	if err != nil {
		t.Fatal(err)
	}
	beforeStatus, _, _ := strings.Cut(string(manifest), "\nstatus:\n") // That is the operator's to write.
	b.WriteString(strings.TrimSuffix(beforeStatus, "\n") + "\n")
	return b.String()
}
