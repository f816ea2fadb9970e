//go:build conformance

package conformance

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/apiserver"
)

// atOnce is how many spark-submits run at once.
const atOnce = 2

// TestRecord runs the real spark-submit of each release against a real API server and writes down what it sends. What
// the server does not accept is an error.
func TestRecord(t *testing.T) {
	server := apiserver.Start(t)
	addAccount(t, server.Config(), "acc")
	cases, err := Cases()
	if err != nil {
		t.Fatal(err)
	}
	versions := releases(t)
	for _, version := range versions { // SPARK=4.3 and CASE=Template,GPU record no more than that
		if only := os.Getenv("SPARK"); only != "" && !strings.HasPrefix(version, only) {
			continue
		}
		t.Run(version, func(t *testing.T) {
			root := unpack(t, version)
			todo := make(chan Case)
			var workers sync.WaitGroup
			for range atOnce {
				workers.Go(func() {
					for c := range todo {
						record(t, server.Config(), root, version, c)
					}
				})
			}
			for _, c := range cases {
				if only := os.Getenv("CASE"); c.IsFor(version, versions[len(versions)-1]) && (only == "" || slices.Contains(strings.Split(only, ","), c.Name)) {
					todo <- c
				}
			}
			close(todo)
			workers.Wait()
		})
	}
}

// releases are the versions that there are images of.
func releases(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../images/spark/[0-9]*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recipes of images: %v", err)
	}
	var versions []string
	for _, file := range files {
		versions = append(versions, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	slices.Sort(versions)
	return versions
}

// addAccount makes a service account that pods of a case may name; the API server refuses others.
func addAccount(t *testing.T, config *rest.Config, name string) {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := client.CoreV1().ServiceAccounts("default").Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// unpacked is the file system of an image of Spark.
type unpacked struct {
	root image.Root
	dir  string
	env  []string
}

func unpack(t *testing.T, version string) unpacked {
	t.Helper()
	built, err := image.Build(t.Context(), image.Options{Recipe: image.Recipe{Spark: version}, NoArchive: true, Streams: terminal.System()})
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
	return unpacked{root: root, dir: dir, env: file.Config.Env}
}

// record submits a case and writes what was sent.
func record(t *testing.T, config *rest.Config, in unpacked, version string, c Case) {
	server := &recorder{}
	proxy := httptest.NewServer(server.proxy(t, config))
	defer proxy.Close()

	script := "set -e; mkdir -p /tmp/case; "
	for name, text := range c.Files {
		script += "cat >/tmp/case/" + name + " <<'END'\n" + text + "\nEND\n"
	}
	args := []string{
		"--master", "k8s://" + proxy.URL, "--deploy-mode", "cluster", "--name", c.AppName,
		"--conf", "spark.kubernetes.submission.waitAppCompletion=false", "--conf", "spark.kubernetes.container.image=img",
	}
	args = slices.Concat(args, c.Args, c.Program)
	command := in.root.Command(t.Context(), "0:0", append(slices.Clone(in.env), "LANG=C.UTF-8"),
		append([]string{"bash", "-c", script + `exec /opt/spark/bin/spark-submit "$@"`, "bash"}, args...)...)
	out, err := command.CombinedOutput()
	if err != nil || server.refused != "" || len(server.objects) == 0 {
		t.Errorf("%s: %v: %s\n%s", c.Name, err, server.refused, out)
		return
	}
	folder := filepath.Join("recordings", version)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Error(err)
		return
	}
	text, err := json.Marshal(server.objects)
	if err != nil {
		t.Error(err)
		return
	}
	if err := os.WriteFile(filepath.Join(folder, strings.ToLower(c.Name)+".json"), append(text, '\n'), 0o644); err != nil {
		t.Error(err)
	}
	server.clear(t, config)
}

// recorder stands between spark-submit and the API server and keeps what is created or applied.
type recorder struct {
	mu      sync.Mutex
	objects []json.RawMessage
	pods    []string
	refused string
}

func (r *recorder) proxy(t *testing.T, config *rest.Config) http.Handler {
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(server) },
		ModifyResponse: func(response *http.Response) error {
			if response.StatusCode >= http.StatusBadRequest && response.Request.Method != http.MethodGet {
				text, err := io.ReadAll(response.Body)
				if err != nil {
					return err
				}
				response.Body = io.NopCloser(bytes.NewReader(text))
				r.mu.Lock()
				r.refused = response.Request.Method + " " + response.Request.URL.Path + ": " + string(text)
				r.mu.Unlock()
			}
			return nil
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodPost || request.Method == http.MethodPatch || request.Method == http.MethodPut {
			body, err := io.ReadAll(request.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			request.Body = io.NopCloser(bytes.NewReader(body))
			if err := r.keep(body); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
		}
		forward.ServeHTTP(w, request)
	})
}

// keep keeps an object, which may be sent as JSON or as YAML. One that is sent again replaces what was sent before.
func (r *recorder) keep(body []byte) error {
	text, err := yaml.YAMLToJSON(body)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.objects = append(r.objects, text)
	var object metav1.PartialObjectMetadata
	if err := json.Unmarshal(text, &object); err != nil {
		return err
	}
	if object.Kind == "Pod" {
		r.pods = append(r.pods, object.Name)
	}
	return nil
}

// clear removes the driver, and with it what it owns, so that its name is free.
func (r *recorder) clear(t *testing.T, config *rest.Config) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Error(err)
		return
	}
	for _, pod := range r.pods {
		if err := client.CoreV1().Pods("default").Delete(t.Context(), pod, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); err != nil {
			t.Error(err)
		}
	}
}
