package sparksubmit

import (
	"strings"
)

// master is the kind of cluster that a command line was written for.
type master string

const (
	noMaster   master = ""
	yarn       master = "yarn"
	kubernetes master = "k8s"
	standalone master = "spark"
	mesos      master = "mesos"
	onlyLocal  master = "local"
)

// cluster reads which cluster is meant: the master, and the properties that name a context and a namespace.
func (r *reader) cluster() {
	said, _ := r.settings.take("spark.master")
	url := said.value
	switch {
	case url == "":
		r.master = noMaster
	case url == "yarn":
		r.master = yarn
	case url == "yarn-client" || url == "yarn-cluster":
		r.fail("%s: %q is of Spark 1; write --master yarn --deploy-mode %s", said.said, url, strings.TrimPrefix(url, "yarn-"))
	case strings.HasPrefix(url, "k8s://"):
		r.master = kubernetes
		r.command.Master = apiServer(url)
	case strings.HasPrefix(url, "spark://"):
		r.master = standalone
		r.note("%s: %s is a standalone cluster; the job runs on the Kubernetes cluster of the kubeconfig", said.said, url)
	case strings.HasPrefix(url, "mesos://"):
		r.master = mesos
		r.note("%s: %s is a Mesos cluster; the job runs on the Kubernetes cluster of the kubeconfig", said.said, url)
	case url == "local" || strings.HasPrefix(url, "local[") || strings.HasPrefix(url, "local-cluster["):
		r.master = onlyLocal
		r.note("%s: %s would run in threads of this machine; the job runs on the Kubernetes cluster of the kubeconfig, in executors of its own", said.said, url)
	default:
		r.fail("%s: %q is no master that Spark knows; write yarn, k8s://https://host:port, or leave it out", said.said, url)
	}
	r.own("context", "spark.kubernetes.context", &r.command.Context)
	r.own("namespace", "spark.kubernetes.namespace", &r.command.Namespace)
}

// apiServer is the URL in k8s://URL: Utils.checkAndGetK8sMasterUrl takes https where there is no scheme.
func apiServer(url string) string {
	rest := strings.TrimPrefix(url, "k8s://")
	if !strings.Contains(rest, "://") {
		return "https://" + rest
	}
	return rest
}

// own settles a value that has an option of Brazier's and a property of Spark's. Two that differ are a mistake.
func (r *reader) own(option, key string, value *string) {
	said, ok := r.settings.take(key)
	switch {
	case !ok || said.value == "":
	case *value == "":
		*value = said.value
	case *value != said.value:
		r.fail("--%s: %q is not what %s says, %q; keep one of the two", option, *value, said.said, said.value)
	}
}
