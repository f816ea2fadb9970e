//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"brazier.sh/brazier/api/v1beta2"
)

// TestVerbs reads the logs and reaches the web interface of one application that runs, through its driver's death and up to
// its end by "brazier cancel".
func TestVerbs(t *testing.T) {
	createJobs(t)
	apply(t, "verbs", "waits.py", func(app *v1beta2.SparkApplication) {
		// The interface is elsewhere than usual, and its Service elsewhere again.
		app.Spec.SparkConf = map[string]string{"spark.ui.port": "4044"}
		app.Spec.SparkUIOptions = &v1beta2.SparkUIConfiguration{ServicePort: new(int32(80))}
		// Nobody has to be given time to say goodbye.
		app.Spec.Driver.TerminationGracePeriodSeconds, app.Spec.Executor.TerminationGracePeriodSeconds = new(int64(1)), new(int64(1))
		app.Spec.RestartPolicy = v1beta2.RestartPolicy{
			Type: v1beta2.RestartPolicyOnFailure, OnFailureRetries: new(int32(3)), OnFailureRetryInterval: new(int64(1)),
			OnSubmissionFailureRetries: new(int32(3)), OnSubmissionFailureRetryInterval: new(int64(1)),
		}
	})
	followed := background(t, "logs", "verbs", "--follow", "--all")
	if out := brazier(t, "get", "verbs", "--wait=running", "--timeout", lifeLimit.String()); !strings.Contains(out, "default/verbs is RUNNING") {
		t.Errorf("brazier get: %s", out)
	}
	reached := background(t, "ui", "verbs")
	var first string
	eventually(t, lifeLimit, "the web interface answers", func() (err error) {
		first, err = sparkID(reached.out.String())
		return err
	})
	logHas(t, "waiting", "logs", "verbs")
	logHas(t, "Successfully registered with driver", "logs", "verbs", "executor", "1", "--timestamps")
	logHas(t, "executor 1 │", "logs", "verbs", "--all", "--tail", "5")
	if out := brazier(t, "events", "verbs"); !strings.Contains(out, "Pod/verbs-driver") || !strings.Contains(out, "SparkApplication/verbs") {
		t.Errorf("brazier events:\n%s", out)
	}

	t.Log("the driver dies")
	kubectl(t, "delete", "pod", "verbs-driver", "--force", "--grace-period=0", "--wait=false")
	eventually(t, lifeLimit, "the same address leads to the next driver", func() error {
		next, err := sparkID(reached.out.String())
		if err == nil && next == first {
			return errors.New("it is the first one's still")
		}
		return err
	})
	eventually(t, lifeLimit, "the log goes on with the next attempt", func() error {
		if n := strings.Count(followed.out.String(), "│ waiting\n"); n < 2 || !strings.Contains(followed.out.String(), "executor 1 │") {
			return fmt.Errorf("it was begun %d times", n)
		}
		return nil
	})
	if said := followed.said.String(); !strings.Contains(said, "attempt 2: pod verbs-driver") {
		t.Errorf("the next attempt is not told of:\n%s", said)
	}

	t.Log("it is cancelled")
	if out := brazier(t, "cancel", "verbs", "--wait", "--timeout", lifeLimit.String()); out != "default/verbs is cancelled\n" {
		t.Errorf("brazier cancel: %s", out)
	}
	t.Log("what follows it ends")
	for _, command := range []*running{followed, reached} {
		command.wantEnd(t)
	}
}

// logHas polls a log until it has want in it.
func logHas(t *testing.T, want string, args ...string) {
	t.Helper()
	eventually(t, lifeLimit, "brazier "+strings.Join(args, " "), func() error {
		out, err := command(t.Context(), "brazier", args...).CombinedOutput()
		if err == nil && !strings.Contains(string(out), want) {
			err = fmt.Errorf("want %q", want)
		}
		if err != nil {
			return fmt.Errorf("%w in\n%s", err, out)
		}
		return nil
	})
}

// sparkID asks the REST API behind the address that brazier ui has printed for Spark's ID of the application.
func sparkID(printed string) (string, error) {
	address, _, whole := strings.Cut(printed, "\n")
	if !whole {
		return "", errors.New("no address is printed yet")
	}
	response, err := http.Get(address + "/api/v1/applications")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var applications []struct{ ID string }
	body, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(body, &applications)
	}
	if err != nil || len(applications) != 1 {
		return "", fmt.Errorf("%w: %s", err, body)
	}
	return applications[0].ID, nil
}

// running is a command that runs beside the test.
type running struct {
	cmd       *exec.Cmd
	out, said lines
	ended     chan error
}

// lines are written by a command while the test reads them.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// background runs the command line beside the test, at most until that is over.
func background(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithTimeout(context.WithoutCancel(t.Context()), 4*lifeLimit)
	r := &running{cmd: command(ctx, "brazier", args...), ended: make(chan error, 1)}
	r.cmd.Cancel = func() error { return r.cmd.Process.Signal(os.Interrupt) }
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.said
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.ended <- r.cmd.Wait()
	}()
	t.Cleanup(func() {
		stop()
		<-done
		if t.Failed() {
			t.Logf("%s said:\n%s", strings.Join(r.cmd.Args, " "), r.said.String())
			tail := bufio.NewScanner(strings.NewReader(r.out.String()))
			for n := 0; tail.Scan() && n < 40; n++ {
				t.Log(tail.Text())
			}
		}
	})
	return r
}

// wantEnd waits for a command to end by itself, and well.
func (r *running) wantEnd(t *testing.T) {
	t.Helper()
	select {
	case err := <-r.ended:
		if err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(r.cmd.Args, " "), err, r.said.String())
		}
	case <-time.After(lifeLimit):
		t.Errorf("%s goes on although the application has ended", strings.Join(r.cmd.Args, " "))
	}
}
