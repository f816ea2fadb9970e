package kube_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"brazier.sh/brazier/internal/kube"
)

// machine is where a command looks for its cluster.
type machine struct {
	kubeconfigEnv, own, embedded *clientcmdapi.Config
}

// config has one cluster, reached at https://<name>, with two contexts: main and other, in the namespace of that name.
func config(name string) *clientcmdapi.Config {
	return &clientcmdapi.Config{
		Clusters:  map[string]*clientcmdapi.Cluster{name: {Server: "https://" + name}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{name: {Token: "t"}},
		Contexts: map[string]*clientcmdapi.Context{
			"main":  {Cluster: name, AuthInfo: name},
			"other": {Cluster: name, AuthInfo: name, Namespace: "other"},
		},
		CurrentContext: "main",
	}
}

func (m machine) set(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", filepath.Join(dir, "home"))
	t.Setenv(kube.EnvHome, filepath.Join(dir, "embedded"))
	t.Setenv("KUBECONFIG", "")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	write(t, m.own, filepath.Join(dir, "home", ".kube", "config"))
	write(t, m.embedded, filepath.Join(dir, "embedded", "kubeconfig"))
	if m.kubeconfigEnv != nil {
		path := filepath.Join(dir, "env")
		write(t, m.kubeconfigEnv, path)
		t.Setenv("KUBECONFIG", path)
	}
}

func write(t *testing.T, config *clientcmdapi.Config, path string) {
	t.Helper()
	if config == nil {
		return
	}
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
}

func TestFlags(t *testing.T) {
	explicit := filepath.Join(t.TempDir(), "explicit")
	write(t, config("explicit"), explicit)

	type chosen struct{ Host, Namespace string }
	tests := map[string]struct {
		reason  string
		machine machine
		flags   kube.Flags
		want    chosen
		wantErr string
	}{
		"Flag": {
			reason:  "The flag is the user's word and comes first.",
			machine: machine{kubeconfigEnv: config("env"), own: config("own"), embedded: config("embedded")},
			flags:   kube.Flags{Kubeconfig: explicit},
			want:    chosen{Host: "https://explicit", Namespace: "default"},
		},
		"Environment": {
			reason:  "KUBECONFIG beats the files that are merely there.",
			machine: machine{kubeconfigEnv: config("env"), own: config("own"), embedded: config("embedded")},
			want:    chosen{Host: "https://env", Namespace: "default"},
		},
		"Own": {
			reason:  "A user who has a cluster keeps it when an embedded one runs as well.",
			machine: machine{own: config("own"), embedded: config("embedded")},
			want:    chosen{Host: "https://own", Namespace: "default"},
		},
		"Embedded": {
			reason:  "With nothing else, the embedded cluster needs no setting.",
			machine: machine{embedded: config("embedded")},
			want:    chosen{Host: "https://embedded", Namespace: "default"},
		},
		"OwnIsEmpty": {
			reason:  "Tools leave kubeconfigs without a cluster behind; they must not hide the embedded one.",
			machine: machine{own: clientcmdapi.NewConfig(), embedded: config("embedded")},
			want:    chosen{Host: "https://embedded", Namespace: "default"},
		},
		"ContextBringsNamespace": {
			reason:  "A context's namespace is the default.",
			machine: machine{own: config("own")},
			flags:   kube.Flags{Context: "other"},
			want:    chosen{Host: "https://own", Namespace: "other"},
		},
		"NamespaceFlag": {
			reason:  "The namespace flag beats the context's.",
			machine: machine{own: config("own")},
			flags:   kube.Flags{Context: "other", Namespace: "mine"},
			want:    chosen{Host: "https://own", Namespace: "mine"},
		},
		"UnknownContext": {
			reason:  "A misspelt context is named, with those that there are.",
			machine: machine{own: config("own")},
			flags:   kube.Flags{Context: "mian"},
			wantErr: `--context: "mian" is not in the kubeconfig; it has main, other`,
		},
		"MissingFile": {
			reason:  "A flag that names no file is an error even where another file would do.",
			machine: machine{own: config("own")},
			flags:   kube.Flags{Kubeconfig: "/no/such/file"},
			wantErr: "--kubeconfig: stat /no/such/file",
		},
		"Nothing": {
			reason:  "A user without any cluster learns how to get one.",
			wantErr: `start the embedded cluster with "brazier up"`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.machine.set(t)
			config, err := tt.flags.Config()
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("%s\ngot error %v, want one with %q", tt.reason, err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s\n%v", tt.reason, err)
			}
			namespace, err := tt.flags.CurrentNamespace()
			if err != nil {
				t.Fatalf("%s\n%v", tt.reason, err)
			}
			if diff := cmp.Diff(tt.want, chosen{Host: config.Host, Namespace: namespace}); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestBrokenKubeconfigIsReported(t *testing.T) {
	machine{embedded: config("embedded")}.set(t)
	own := filepath.Join(os.Getenv("HOME"), ".kube", "config")
	if err := os.MkdirAll(filepath.Dir(own), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, []byte("{not yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := new(kube.Flags).Config(); err == nil || !strings.Contains(err.Error(), own) {
		t.Errorf("a kubeconfig that cannot be parsed must be named, not passed over; got %v", err)
	}
}

func TestServing(t *testing.T) {
	machine{own: config("own")}.set(t)
	for url, want := range map[string][]string{"https://OWN:443/": {"main", "other"}, "https://own:6443": nil, "http://own": nil} {
		got, err := new(kube.Flags).Serving(url)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("contexts whose API server is at %s\n-want +got:\n%s", url, diff)
		}
	}
}

func TestSameServer(t *testing.T) {
	tests := map[[2]string]bool{
		{"https://api.example.com", "https://API.example.com:443/"}:             true,
		{"http://10.0.0.1:80", "http://10.0.0.1"}:                               true,
		{"https://api:6443/k8s/clusters/a", "https://api:6443/k8s/clusters/a/"}: true,
		{"https://api:6443/k8s/clusters/a", "https://api:6443/k8s/clusters/b"}:  false,
		{"https://api:6443", "http://api:6443"}:                                 false,
		{"https://[::1]:443", "https://[::1]"}:                                  true,
		{"", ""}:                                                                false,
	}
	for urls, want := range tests {
		if got := kube.SameServer(urls[0], urls[1]); got != want {
			t.Errorf("%s and %s: got %v, want %v", urls[0], urls[1], got, want)
		}
	}
}
