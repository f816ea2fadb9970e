//go:build bench

package coldstart

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brazier.sh/brazier/images/spark"
	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/terminal"
)

// most is the share of the time without the archive that a start with it may take.
const most = 0.7

// TestColdStart runs the same job in the same image with and without the archive, by turns, so that a machine that
// slows down slows both.
func TestColdStart(t *testing.T) {
	with, without := unpack(t, false), unpack(t, true)
	compare(t, "driver start to first finished task, in a chroot",
		func() time.Duration { return firstTask(t, without) },
		func() time.Duration { return firstTask(t, with) })
}

// compare measures both by turns, prints the medians and fails if the archive saves too little.
func compare(t *testing.T, what string, without, with func() time.Duration) {
	t.Helper()
	rounds, err := strconv.Atoi(os.Getenv("ROUNDS"))
	if err != nil {
		rounds = 3
	}
	var fast, slow []time.Duration
	for range rounds {
		slow = append(slow, without())
		fast = append(fast, with())
	}
	ratio := float64(median(fast)) / float64(median(slow))
	terminal.System().Table([]string{what, "median", "of it"}, [][]string{
		{"as shipped by Spark (no archive)", median(slow).Round(10 * time.Millisecond).String(), "1.00"},
		{"with the archive of loaded classes", median(fast).Round(10 * time.Millisecond).String(), fmt.Sprintf("%.2f", ratio)},
	})
	t.Logf("without %v, with %v", slow, fast)
	if ratio > most {
		t.Errorf("the archive saves too little: %.2f of the time without it, want at most %.2f", ratio, most)
	}
}

// started is a file system of the image to run jobs in.
type started struct {
	root image.Root
	env  []string
	dir  string
}

func unpack(t *testing.T, noArchive bool) started {
	t.Helper()
	built, err := image.Build(t.Context(), image.Options{
		Recipe: image.Recipe{Spark: image.DefaultSpark}, NoArchive: noArchive, Streams: terminal.System(),
	})
	if err != nil {
		t.Fatal(err)
	}
	file, err := built.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "root")
	root, err := image.Unpack(t.Context(), built, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "opt"), spark.Training); err != nil {
		t.Fatal(err)
	}
	s := started{root: root, env: file.Config.Env, dir: dir}
	if !noArchive {
		return s
	}
	// What the archive's layer brings beside the archive is in both: this measures the archive alone.
	compile := root.Command(t.Context(), "0:0", s.env, "python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash",
		"/usr/lib", "/opt/spark/python")
	if out, err := compile.CombinedOutput(); err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	return s
}

// firstTask runs pi.py with one executor and returns the time from the driver's start to the end of its first task.
func firstTask(t *testing.T, in started) time.Duration {
	t.Helper()
	scratch, err := os.MkdirTemp(filepath.Join(in.dir, "opt"), "run-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(scratch, 0o777); err != nil {
		t.Fatal(err)
	}
	command := in.root.Command(t.Context(), "185:0", in.env, "/bin/sh", "-c", `cd /opt/spark/work-dir && exec "$@"`, "sh",
		"python3", "/opt/training/run.py", "/opt/"+filepath.Base(scratch), "/opt/spark/examples/src/main/python/pi.py")
	out, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- command.Wait()
		_ = writer.Close() // A pipe has nothing to fail with.
	}()
	var begun, ended time.Time
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		fmt.Fprintln(&said, line)
		switch {
		case line == "driver starts":
			begun = time.Now()
		case ended.IsZero() && strings.Contains(line, "Finished task 0.0 in stage 0.0"):
			ended = time.Now()
		}
	}
	if err := <-done; err != nil || begun.IsZero() || ended.IsZero() {
		t.Fatalf("the job failed: %v\n%s", err, said.String())
	}
	return ended.Sub(begun)
}

func median(times []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(times))[len(times)/2]
}
