//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write into docs/tutorial.md what its commands print now")

const tutorial = "../../docs/tutorial.md"

// TestTutorial follows docs/tutorial.md as its reader does: it writes the files that are shown, runs the commands in their
// order in one folder, and wants each to print what is shown, but for times, names and figures that differ each time.
// With -update it writes down what they print.
func TestTutorial(t *testing.T) {
	text, err := os.ReadFile(tutorial)
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, "delete", "sparkapplications,scheduledsparkapplications,sparkconnects", "--all") // what other tests have left
	reader := newReader(t)
	var rewritten strings.Builder
	for _, part := range partsOf(string(text)) {
		switch {
		case part.file != "":
			if err := os.WriteFile(filepath.Join(reader.folder, part.file), []byte(part.body), 0o644); err != nil {
				t.Fatal(err)
			}
		case part.console:
			part.body = reader.follow(t, part.body)
		}
		rewritten.WriteString(part.String())
	}
	if !*update || t.Failed() {
		return
	}
	if err := os.WriteFile(tutorial, []byte(rewritten.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// part is a piece of the page: prose, a file (```python title=job.py), or what happens on a console (```console).
type part struct {
	opening, body, closing string
	file                   string
	console                bool
}

func (p part) String() string { return p.opening + p.body + p.closing }

var fileTitle = regexp.MustCompile("^```\\w+ title=(\\S+)")

func partsOf(text string) []part {
	var parts []part
	var now part
	inside := false
	for line := range strings.Lines(text) {
		switch {
		case !inside && strings.HasPrefix(line, "```"):
			parts = append(parts, now)
			now, inside = part{opening: line, console: strings.HasPrefix(line, "```console")}, true
			if title := fileTitle.FindStringSubmatch(line); title != nil {
				now.file = title[1]
			}
		case inside && strings.HasPrefix(line, "```"):
			now.closing = line
			parts = append(parts, now)
			now, inside = part{}, false
		default:
			now.body += line
		}
	}
	return append(parts, now)
}

// reader is somebody who follows the page.
type reader struct {
	folder string
	env    []string
}

func newReader(t *testing.T) *reader {
	t.Helper()
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	python, err := filepath.Abs("../../.cache/connect-venv/bin")
	if err != nil {
		t.Fatal(err)
	}
	return &reader{
		folder: t.TempDir(),
		env: append(os.Environ(), "KUBECONFIG="+filepath.Join(home, "kubeconfig"), "NO_COLOR=1", "COLUMNS=110",
			"PATH="+strings.Join([]string{bin, python, os.Getenv("PATH")}, ":")),
	}
}

// follow runs the commands of a console and returns the console as it is then.
func (r *reader) follow(t *testing.T, console string) string {
	t.Helper()
	var now strings.Builder
	for _, step := range stepsOf(console) {
		out := r.run(t, step.command)
		if !*update {
			wantShown(t, step, out)
		}
		fmt.Fprintf(&now, "$ %s\n%s", step.command, out)
	}
	return now.String()
}

// step is a command and what it is shown to print. One that has to fail ends in "# exit N"; one in "&" goes on in the
// background when it has said something.
type step struct{ command, shown string }

func stepsOf(console string) []step {
	var steps []step
	for line := range strings.Lines(console) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			steps = append(steps, step{command: strings.TrimSuffix(command, "\n")})
		} else if len(steps) > 0 {
			steps[len(steps)-1].shown += line
		}
	}
	return steps
}

var exits = regexp.MustCompile(`# exit (\d+)$`)

func (r *reader) run(t *testing.T, line string) string {
	t.Helper()
	if background, ok := strings.CutSuffix(line, " &"); ok {
		return r.start(t, background)
	}
	want := "0"
	if code := exits.FindStringSubmatch(line); code != nil {
		want = code[1]
	}
	ctx, cancel := context.WithTimeout(t.Context(), lifeLimit)
	defer cancel()
	out, err := r.shell(ctx, line).CombinedOutput()
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code, err = exit.ExitCode(), nil
	}
	if err != nil || fmt.Sprint(code) != want {
		t.Fatalf("$ %s\nwant exit code %s, got %d: %v\n%s", line, want, code, err, out)
	}
	return string(out)
}

func (r *reader) shell(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", line)
	cmd.Dir, cmd.Env = r.folder, r.env
	return cmd
}

// start runs a command in the background until the test ends, and returns what it has said when it has been quiet for a
// while.
func (r *reader) start(t *testing.T, line string) string {
	t.Helper()
	cmd := r.shell(t.Context(), "exec "+line)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	pipe, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait()     // it was told to go
		_ = writer.Close() // it cannot fail
	})
	var lock sync.Mutex
	var said strings.Builder
	heard := make(chan struct{}, 1000)
	go func() {
		for scanner := bufio.NewScanner(pipe); scanner.Scan(); {
			lock.Lock()
			said.WriteString(scanner.Text() + "\n")
			lock.Unlock()
			heard <- struct{}{}
		}
	}()
	const quiet = 10 * time.Second
	patience := time.NewTimer(lifeLimit)
	for {
		select {
		case <-heard:
			patience.Reset(quiet)
		case <-patience.C:
			lock.Lock()
			defer lock.Unlock()
			return said.String()
		}
	}
}

// passing are lines of progress and of logs: which of them are printed depends on how fast the machine is.
var passing = regexp.MustCompile(`(?i)^\s*\S*\s+(stage|executors?|driver|job)\b|^[•✓│]|%`)

// changing is what differs each time: figures, times and durations, generated names.
var changing = regexp.MustCompile(`(less than a second|\d+ (second|minute)s?) ago|\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b|\bCES?T\b|` +
	`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,}|\b[a-z0-9]{5}\b|(\d+(\.\d+)?(ms|s|m|h|d| MB| kB)?)+|\s+`)

// wantShown wants every line that is shown of a step to be printed, and none to be printed that is not shown.
func wantShown(t *testing.T, step step, printed string) {
	t.Helper()
	shown, got := lasting(step.shown), lasting(printed)
	for _, line := range shown {
		if !slices.Contains(got, line) {
			t.Errorf("$ %s\nis shown to print %q, and prints\n%s", step.command, line, printed)
		}
	}
	for _, line := range got {
		if !slices.Contains(shown, line) {
			t.Errorf("$ %s\nprints %q, which is not shown; run the test with -update, and read the difference", step.command, line)
		}
	}
}

// lasting are the lines of a text that are the same each time.
func lasting(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !passing.MatchString(line) {
			lines = append(lines, changing.ReplaceAllString(line, "_"))
		}
	}
	return lines
}
