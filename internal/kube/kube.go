// Package kube decides which cluster a command talks to, and in which namespace. It loads connection settings and makes
// nothing of its own in a cluster; what is read or written there belongs to the packages that use it.
package kube

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// DefaultHome is where the embedded cluster keeps its state unless BRAZIER_HOME says otherwise.
const DefaultHome = "/var/lib/brazier"

// EnvHome names the environment variable that moves the embedded cluster's state.
const EnvHome = "BRAZIER_HOME"

// A command asks a few questions and follows a few streams; the server's own fairness guards it from more. These
// figures are kubectl's.
const (
	qps   = 50
	burst = 300
)

// Flags are the flags by which every command finds its cluster.
type Flags struct {
	// Kubeconfig is the file to use; empty means to look for one.
	Kubeconfig string
	// Context is the context of that file; empty means its current one.
	Context string
	// Namespace is the namespace to work in; empty means the context's.
	Namespace string
}

// AddTo defines the flags on fs.
func (f *Flags) AddTo(fs *pflag.FlagSet) {
	fs.StringVar(&f.Kubeconfig, "kubeconfig", f.Kubeconfig,
		"the cluster's kubeconfig `file` (default: $KUBECONFIG, ~/.kube/config, then the embedded cluster's)")
	fs.StringVar(&f.Context, "context", f.Context, "the `context` of the kubeconfig to use")
	fs.StringVarP(&f.Namespace, "namespace", "n", f.Namespace, "the `namespace` to work in (default: the context's)")
}

// Config returns the connection settings of the cluster that the flags and the environment choose.
func (f *Flags) Config() (*rest.Config, error) {
	loader, err := f.loader()
	if err != nil {
		return nil, err
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, explain(err)
	}
	config.QPS, config.Burst = qps, burst
	return config, nil
}

// CurrentNamespace returns the namespace to work in: the flag's, else the context's, else "default".
func (f *Flags) CurrentNamespace() (string, error) {
	loader, err := f.loader()
	if err != nil {
		return "", err
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return "", explain(err)
	}
	return namespace, nil
}

// Serving returns the names of the kubeconfig's contexts whose cluster has its API server at url, in order.
func (f *Flags) Serving(url string) ([]string, error) {
	loader, err := f.loader()
	if err != nil {
		return nil, err
	}
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, explain(err)
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(raw.Contexts)) {
		if cluster := raw.Clusters[raw.Contexts[name].Cluster]; cluster != nil && SameServer(cluster.Server, url) {
			names = append(names, name)
		}
	}
	return names, nil
}

// SameServer reports whether two URLs name the same API server: letters' case, a port that goes without saying and slashes at
// the end make no difference.
func SameServer(a, b string) bool {
	return normal(a) != "" && normal(a) == normal(b)
}

func normal(server string) string {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port) + strings.TrimRight(u.Path, "/")
}

// Args returns the flags as they would be written on a command line, for hints that the user can copy.
func (f *Flags) Args() []string {
	var args []string
	if f.Kubeconfig != "" {
		args = append(args, "--kubeconfig", f.Kubeconfig)
	}
	if f.Context != "" {
		args = append(args, "--context", f.Context)
	}
	if f.Namespace != "" {
		args = append(args, "--namespace", f.Namespace)
	}
	return args
}

// EmbeddedKubeconfig returns the path of the embedded cluster's kubeconfig, whether or not there is one.
func EmbeddedKubeconfig() string {
	home := os.Getenv(EnvHome)
	if home == "" {
		home = DefaultHome
	}
	return filepath.Join(home, "kubeconfig")
}

func (f *Flags) loader() (clientcmd.ClientConfig, error) {
	rules, err := f.rules()
	if err != nil {
		return nil, err
	}
	overrides := &clientcmd.ConfigOverrides{
		CurrentContext: f.Context,
		Context:        clientcmdapi.Context{Namespace: f.Namespace},
	}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, explain(err)
	}
	if _, ok := raw.Contexts[f.Context]; f.Context != "" && !ok {
		return nil, fmt.Errorf("--context: %q is not in the kubeconfig; it has %s",
			f.Context, strings.Join(slices.Sorted(maps.Keys(raw.Contexts)), ", "))
	}
	return loader, nil
}

// rules chooses the file: the flag's, those of KUBECONFIG, the user's own, the embedded cluster's. The embedded
// cluster's is never merged with another, so that a context of the same name cannot send a command to the wrong place.
func (f *Flags) rules() (*clientcmd.ClientConfigLoadingRules, error) {
	if f.Kubeconfig != "" {
		if _, err := os.Stat(f.Kubeconfig); err != nil {
			return nil, fmt.Errorf("--kubeconfig: %w", err)
		}
		return &clientcmd.ClientConfigLoadingRules{ExplicitPath: f.Kubeconfig}, nil
	}
	if list := os.Getenv(clientcmd.RecommendedConfigPathEnvVar); list != "" {
		return &clientcmd.ClientConfigLoadingRules{Precedence: filepath.SplitList(list)}, nil
	}
	// Without a home, as in some containers, there is no file of the user's own to look at.
	if home, err := os.UserHomeDir(); err == nil {
		own := filepath.Join(home, clientcmd.RecommendedHomeDir, clientcmd.RecommendedFileName)
		if namesCluster(own) {
			return &clientcmd.ClientConfigLoadingRules{ExplicitPath: own}, nil
		}
	}
	if embedded := EmbeddedKubeconfig(); readable(embedded) {
		return &clientcmd.ClientConfigLoadingRules{ExplicitPath: embedded}, nil
	}
	// Empty rules: in a pod the loader turns to the pod's own service account.
	return &clientcmd.ClientConfigLoadingRules{}, nil
}

// namesCluster reports whether the file has a cluster in it: tools leave empty kubeconfigs behind. A file that cannot be
// read or parsed counts, so that loading it reports what is wrong with it.
func namesCluster(path string) bool {
	config, err := clientcmd.LoadFromFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return err != nil || len(config.Clusters) > 0
}

// readable reports whether the file can be opened; another user's embedded cluster is none for this one.
func readable(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	_ = file.Close() // It was only read, and not even that.
	return true
}

// explain adds the way out to the errors that users meet first.
func explain(err error) error {
	if clientcmd.IsEmptyConfig(err) {
		return fmt.Errorf("no cluster to talk to: neither --kubeconfig nor $KUBECONFIG names one, and neither ~/.kube/config nor %s has one that you can read; "+
			"start the embedded cluster with \"brazier up\" or give --kubeconfig: %w", EmbeddedKubeconfig(), err)
	}
	return fmt.Errorf("load kubeconfig: %w", err)
}

// Contexts returns the names of the contexts that the kubeconfig has, in order.
func (f *Flags) Contexts() ([]string, error) {
	all := *f
	all.Context = "" // Half a name is none.
	loader, err := all.loader()
	if err != nil {
		return nil, err
	}
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, explain(err)
	}
	return slices.Sorted(maps.Keys(raw.Contexts)), nil
}
