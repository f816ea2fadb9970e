package queue

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/apiserver"
)

// server is the API server of these tests; nil with -short.
var server *apiserver.Server

func TestMain(m *testing.M) {
	os.Exit(apiserver.Run(m, func(s *apiserver.Server) error {
		server = s
		return nil
	}))
}

// admin is a client of the server that may do everything.
func admin(t *testing.T) client.WithWatch {
	t.Helper()
	if server == nil {
		t.Skip("this test needs an API server")
	}
	return server.Client(t)
}

// TestAPIServerTakesImports has a real API server take everything that the golden files say, strictly: the whole tree of each,
// its roles, and nothing that a field has no place for.
func TestAPIServerTakesImports(t *testing.T) {
	c := client.NewDryRunClient(client.WithFieldValidation(admin(t), "Strict"))
	for name, flags := range imports {
		t.Run(name, func(t *testing.T) {
			out, _, err := run(t, "", append([]string{"import", fileOf(name)}, flags...)...)
			if err != nil {
				t.Fatal(err)
			}
			taken := 0
			decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(out), 4096)
			for {
				object := &unstructured.Unstructured{}
				if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				if object.Object == nil {
					continue // what comes before the first is comments
				}
				if err := c.Create(t.Context(), object); err != nil {
					t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
				}
				taken++
			}
			if want := strings.Count(out, "\nkind: "); taken != want || taken == 0 {
				t.Errorf("the server took %d objects of %d", taken, want)
			}
		})
	}
}

// reader is a kubeconfig of somebody who may do with queues what verbs say, and nothing else.
func reader(t *testing.T, name string, verbs ...string) string {
	t.Helper()
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupName}, Resources: []string{"queues"}, Verbs: verbs}},
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
	}
	c := admin(t)
	for _, object := range []client.Object{role, binding} {
		if err := c.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	config, err := clientcmd.LoadFromFile(server.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	for user := range config.AuthInfos {
		config.AuthInfos[user].Impersonate = name
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// populate makes the company's queues, and plays the operator that says how they are.
func populate(t *testing.T, c client.Client) {
	t.Helper()
	for _, queue := range company() {
		status := queue.Status
		if err := c.Create(t.Context(), queue); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := client.IgnoreNotFound(c.Delete(context.WithoutCancel(t.Context()), queue)); err != nil {
				t.Error(err)
			}
		})
		queue.Status = status
		if err := c.Status().Update(t.Context(), queue); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAPIServerShowsQueues shows queues of a real API server to whoever may read queues and nothing else.
func TestAPIServerShowsQueues(t *testing.T) {
	c := admin(t)
	there := []string{"--kubeconfig", reader(t, "reads-queues", "get", "list", "watch")}
	if out, said, err := run(t, "", there...); err != nil || out != "" || !strings.HasPrefix(said, "there are no queues;") {
		t.Errorf("without queues: %v\n%s%s", err, out, said)
	}
	if _, _, err := run(t, "", append(there, "etl")...); err == nil || err.Error() != `there is no queue "etl", nor any other` {
		t.Errorf("without queues: %v", err)
	}
	populate(t, c)
	tests := map[string]struct {
		args []string
		want []string
	}{
		"Tree":  {nil, []string{"├─ eng       1064 cpu 4Ti 8 gpu  1200.5 cpu 4.3Ti  200.5 cpu 307Gi  2 gpu  3        14       12.5%  Yes\n", "└─ sales"}},
		"Wide":  {[]string{"-o", "wide"}, []string{"LEAVING", "etl,etl-test"}},
		"Names": {[]string{"-o", "name"}, []string{"queue.brazier.sh/adhoc\nqueue.brazier.sh/eng\nqueue.brazier.sh/etl\nqueue.brazier.sh/sales\n"}},
		"JSON":  {[]string{"-o", "json"}, []string{`"kind": "List"`, `"kind": "Queue"`, `"share": "12.5%"`}},
		"One":   {[]string{"etl"}, []string{"queue etl, part of eng, part of root\n", "eng    maxRunning      -        -         14      40     35%\n"}},
		"YAML":  {[]string{"etl", "-o", "yaml"}, []string{"kind: Queue\n", "  parent: eng\n"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out, _, err := run(t, "", append(there, tt.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("want %q in\n%s", want, out)
				}
			}
		})
	}
	for name, want := range map[string]string{"etll": `there is no queue "etll"; did you mean etl?`, "payroll": `there is no queue "payroll"; "brazier queue --kubeconfig`} {
		if _, _, err := run(t, "", append(there, name)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("queue %s: got %v, want an error with %q", name, err, want)
		}
	}
	t.Run("Completes", func(t *testing.T) {
		found, _ := complete.Queues(&kube.Flags{Kubeconfig: there[1]})(&cobra.Command{}, nil, "e")
		if diff := cmp.Diff([]string{"eng", "etl"}, found); diff != "" {
			t.Errorf("names that begin as what was typed\n-want +got:\n%s", diff)
		}
	})
	t.Run("Watches", func(t *testing.T) { watches(t, c, there) })
}

// screen is written by a command while a test reads it.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// watches has a line for each change of what a line says, and ends with Ctrl-C, or with the queue that was asked for.
func watches(t *testing.T, c client.Client, there []string) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	all, one := watch(ctx, append(there, "--watch")), watch(ctx, append(there, "sales", "--watch"))
	apiserver.Eventually(t, "what there is", func(context.Context) (bool, error) {
		return strings.Contains(all.out.String(), "sales") && strings.Contains(one.out.String(), "sales"), nil
	}, all.out.String, one.out.String)
	sales := &v1alpha1.Queue{ObjectMeta: metav1.ObjectMeta{Name: "sales"}}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(sales), sales); err != nil {
		t.Fatal(err)
	}
	sales.Status.Waiting = 7
	if err := c.Status().Update(t.Context(), sales); err != nil {
		t.Fatal(err)
	}
	apiserver.Eventually(t, "a line for the change", func(context.Context) (bool, error) {
		return strings.Count(all.out.String(), "sales") == 2 && strings.Count(one.out.String(), "sales") == 2, nil
	}, all.out.String, one.out.String)
	if err := c.Delete(t.Context(), sales); err != nil {
		t.Fatal(err)
	}
	if err := <-one.ended; err == nil || err.Error() != "queue sales: it was deleted" || strings.Contains(one.out.String(), "eng") {
		t.Errorf("one queue is watched to its end, and no other: %v\n%s", err, one.out)
	}
	apiserver.Eventually(t, "a line for the end", func(context.Context) (bool, error) {
		return strings.Contains(all.out.String(), "Deleted"), nil
	}, all.out.String)
	stop()
	if err := <-all.ended; exit.Of(err) != exit.Interrupted {
		t.Errorf("Ctrl-C: %v", err)
	}
}

// watched is a command that runs.
type watched struct {
	out   *screen
	ended chan error
}

func watch(ctx context.Context, args []string) watched {
	w := watched{out: &screen{}, ended: make(chan error, 1)}
	cmd := NewCommand(terminal.Streams{In: strings.NewReader(""), Out: w.out, Err: &screen{}})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	go func() { w.ended <- cmd.ExecuteContext(ctx) }()
	return w
}

// TestAPIServerRights says what is missing to whoever may not read queues.
func TestAPIServerRights(t *testing.T) {
	lists := []string{"--kubeconfig", reader(t, "lists-queues", "list")}
	if _, _, err := run(t, "", lists...); err != nil {
		t.Errorf("the right to list is enough: %v", err)
	}
	for name, args := range map[string][]string{
		"Watch":   append(lists, "--watch"),
		"Nothing": {"--kubeconfig", reader(t, "uses-queues", "use")},
	} {
		if _, _, err := run(t, "", args...); err == nil || !strings.Contains(err.Error(), "queues.brazier.sh is forbidden") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUsage(t *testing.T) {
	for name, args := range map[string][]string{"Names": {"a", "b"}, "Form": {"-o", "tree"}} {
		if _, _, err := run(t, "", args...); exit.Of(err) != exit.Usage {
			t.Errorf("%s: got %v, want an error of usage", name, err)
		}
	}
}
