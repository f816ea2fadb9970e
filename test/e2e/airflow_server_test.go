//go:build e2e && airflow

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// airflowLimit is how long anything may take on a busy machine until the test gives up on it. Airflow is slow to start:
// each of its parts, and each task, loads all of it.
const airflowLimit = 6 * time.Minute

// airflow is an Airflow of its own: database, configuration, logs and keys are in a temporary folder, and it listens at
// one port of the loopback interface.
type airflow struct {
	home   string
	url    string
	token  string
	env    []string
	client http.Client
}

// startAirflow starts what an installation consists of, and waits until it knows the DAGs of examples/airflow.
func startAirflow(t *testing.T, kubeconfig string) *airflow {
	t.Helper()
	begun := time.Now()
	port := freePort(t)
	a := &airflow{home: t.TempDir(), url: "http://127.0.0.1:" + port, client: http.Client{Timeout: time.Minute}}
	a.env = append(os.Environ(), a.settings(t, port, kubeconfig)...)
	must(t, a.command(t.Context(), "db", "migrate"))
	t.Cleanup(func() { wantNoProcess(t, a.home) })
	for _, args := range [][]string{
		{"api-server"},
		{"scheduler", "--skip-serve-logs"}, // whose logs would be served to everybody; they are all in one folder here
		{"triggerer", "--skip-serve-logs"},
		{"dag-processor"},
	} {
		a.start(t, args...)
	}
	eventually(t, airflowLimit, "a healthy Airflow", a.healthy)
	t.Logf("Airflow is up after %s", time.Since(begun).Round(time.Second))
	return a
}

func (a *airflow) settings(t *testing.T, port, kubeconfig string) []string {
	t.Helper()
	dags, err := filepath.Abs("../../examples/airflow")
	if err != nil {
		t.Fatal(err)
	}
	connection, err := json.Marshal(map[string]any{
		"conn_type": "kubernetes", "extra": map[string]string{"kube_config_path": kubeconfig},
	})
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"AIRFLOW_HOME=" + a.home,
		"AIRFLOW_CONN_BRAZIER=" + string(connection),
		"AIRFLOW__API__HOST=127.0.0.1",
		"AIRFLOW__API__PORT=" + port,
		"AIRFLOW__API__BASE_URL=" + a.url,
		"AIRFLOW__API__WORKERS=1",
		"AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION=False",
		"AIRFLOW__CORE__DAGS_FOLDER=" + dags,
		"AIRFLOW__CORE__EXECUTION_API_SERVER_URL=" + a.url + "/execution/",
		"AIRFLOW__CORE__EXECUTOR=LocalExecutor",
		"AIRFLOW__CORE__LOAD_EXAMPLES=False",
		"AIRFLOW__CORE__PARALLELISM=4",
		"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS=True",
		"AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL=3600", // they do not change
		"AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False",
		"AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT=60", // 5 s are little on a busy machine
		"PYTHONDONTWRITEBYTECODE=1",                  // next to the examples
	}
}

func (a *airflow) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join("..", "..", ".cache", "airflow", "bin", "airflow"), args...)
	cmd.Env = a.env
	return cmd
}

// start runs a part of Airflow until the test is over, and shows the end of what it said if the test has failed.
func (a *airflow) start(t *testing.T, args ...string) {
	t.Helper()
	said, err := os.Create(filepath.Join(a.home, args[0]+".out"))
	if err != nil {
		t.Fatal(err)
	}
	part := a.command(context.WithoutCancel(t.Context()), args...)
	part.Stdout, part.Stderr = said, said
	part.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := part.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer said.Close()
		stop(t, part)
		if text, err := os.ReadFile(said.Name()); t.Failed() {
			t.Logf("%s: %v\n%s", args[0], err, text[max(0, len(text)-4000):])
		}
	})
}

// stop asks a part of Airflow to end. What of its process group is left after a while is killed.
func stop(t *testing.T, part *exec.Cmd) {
	t.Helper()
	if err := part.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("stop %s: %v", part.Args[1], err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = part.Wait() // It ends as one that was asked to.
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
	}
	if err := syscall.Kill(-part.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Errorf("kill %s: %v", part.Args[1], err)
	}
}

// wantNoProcess looks for processes of the Airflow of this home, whose environment they have inherited.
func wantNoProcess(t *testing.T, home string) {
	t.Helper()
	// Those that were killed take a moment to go. The test's own context has ended by now.
	deadline := time.Now().Add(10 * time.Second)
	for _, path := range glob(t, "/proc/[0-9]*/environ") {
		for left(path, home) {
			if time.Now().After(deadline) {
				t.Errorf("a process of Airflow is left: %s", path)
				break
			}
		}
	}
}

func left(path, home string) bool {
	env, err := os.ReadFile(path)
	return err == nil && bytes.Contains(env, []byte("AIRFLOW_HOME="+home))
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// healthy says what is missing until everything runs and both DAGs are known.
func (a *airflow) healthy() error {
	var parts map[string]struct{ Status string }
	if err := a.ask(http.MethodGet, "/api/v2/monitor/health", nil, &parts); err != nil {
		return err
	}
	for name, part := range parts {
		if part.Status != "healthy" {
			return fmt.Errorf("%s is %q", name, part.Status)
		}
	}
	var token struct {
		Access string `json:"access_token"`
	}
	if err := a.ask(http.MethodGet, "/auth/token", nil, &token); err != nil {
		return err
	}
	a.token = token.Access
	for _, dag := range []string{piDAG, waitDAG} {
		if err := a.ask(http.MethodGet, "/api/v2/dags/"+dag, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// ask asks Airflow's REST API, and reads the answer into answer if there is one.
func (a *airflow) ask(method, path string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, said)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(said, answer)
}

// task is a task of one run of a DAG.
type task struct {
	*airflow
	dag, run, id string
}

func (k task) path() string {
	return "/api/v2/dags/" + k.dag + "/dagRuns/" + k.run + "/taskInstances/" + k.id
}

// trigger has a DAG run with these parameters.
func (a *airflow) trigger(t *testing.T, dag, run string, params map[string]any) {
	t.Helper()
	question := map[string]any{"dag_run_id": run, "logical_date": nil, "conf": params}
	if err := a.ask(http.MethodPost, "/api/v2/dags/"+dag+"/dagRuns", question, nil); err != nil {
		t.Fatal(err)
	}
}

// await waits until the task is in the state. Every task has one try, so that one which has ended stays as it is.
func (k task) await(t *testing.T, state string) {
	t.Helper()
	eventually(t, airflowLimit, fmt.Sprintf("task %s of run %s: %s", k.id, k.run, state), func() error {
		var now struct{ State string }
		if err := k.ask(http.MethodGet, k.path(), nil, &now); err != nil {
			return err
		}
		if now.State != state && (now.State == "success" || now.State == "failed") {
			t.Fatalf("task %s of run %s: %s, want %s\n%s", k.id, k.run, now.State, state, k.log(t))
		}
		if now.State != state {
			return fmt.Errorf("it is %q", now.State)
		}
		return nil
	})
}

// markFailed is what somebody does who ends a task in Airflow's web interface.
func (k task) markFailed(t *testing.T) {
	t.Helper()
	if err := k.ask(http.MethodPatch, k.path(), map[string]string{"new_state": "failed"}, nil); err != nil {
		t.Fatal(err)
	}
}

// log returns the task's log as the web interface shows it, with what exceptions say.
func (k task) log(t *testing.T) string {
	t.Helper()
	var log struct {
		Content []struct {
			Event string
			Error []struct {
				Value string `json:"exc_value"`
			} `json:"error_detail"`
		}
	}
	if err := k.ask(http.MethodGet, k.path()+"/logs/1?full_content=true", nil, &log); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, line := range log.Content {
		fmt.Fprintln(&text, line.Event)
		for _, exception := range line.Error {
			fmt.Fprintln(&text, exception.Value)
		}
	}
	return text.String()
}
