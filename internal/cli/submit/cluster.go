package submit

import (
	"fmt"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"

	"brazier.sh/brazier/internal/kube"
)

// config returns the cluster's settings. A master k8s://URL has to be the cluster that the kubeconfig names: a job of
// production's must not end up on another cluster because of a context that somebody left behind.
func (o *options) config(master string) (*rest.Config, error) {
	config, err := o.cluster.Config()
	if err != nil || master == "" || kube.SameServer(config.Host, master) {
		return config, err
	}
	if inCluster(master) {
		fmt.Fprintf(o.streams.Err, "note: --master: k8s://%s is the name of the API server for pods; the cluster is the one at %s\n", master, config.Host)
		return config, nil
	}
	if o.cluster.Context != "" {
		fmt.Fprintf(o.streams.Err, "note: --master: k8s://%s is not the cluster of the context %q; the one at %s is used\n", master, o.cluster.Context, config.Host)
		return config, nil
	}
	contexts, err := o.cluster.Serving(master)
	if err != nil {
		return nil, err
	}
	if len(contexts) == 0 {
		return nil, fmt.Errorf("--master: k8s://%s is not the cluster that the kubeconfig names, %s; leave --master out to use that one, "+
			"or name the right one by --kubeconfig and --context", master, config.Host)
	}
	o.cluster.Context = contexts[0]
	fmt.Fprintf(o.streams.Err, "note: --master: k8s://%s is the cluster of the context %q, which is used\n", master, contexts[0])
	return o.cluster.Config()
}

// inCluster reports whether a URL is the name by which pods know the API server of their own cluster.
func inCluster(server string) bool {
	u, err := url.Parse(server)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return host == "kubernetes" || host == "kubernetes.default" || strings.HasPrefix(host, "kubernetes.default.svc")
}
