package operations_test

import (
	"context"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/operator"
	"brazier.sh/brazier/test/apiserver"
)

const metricsPage = "../../docs/metrics.md"

// documented finds a row of docs/metrics.md: name, type, labels and what the metric means, which of Brazier's own is its help.
var documented = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (counter|gauge|summary|histogram) \\| ([^|]*) \\| ([^|]+) \\|")

// description is what a row says: type, labels and help.
type description [3]string

// TestMetricsPage compares docs/metrics.md with what a whole operator shows: of Brazier's own metrics neither more nor less, of the
// libraries' all that the page names.
func TestMetricsPage(t *testing.T) {
	w := newCluster(t, "metrics")
	w.submit("held", func(spec *v1beta2.SparkApplicationSpec) { spec.Suspend = true }) // a queue has a depth once something was in it
	apiserver.Operate(t, func(ctx context.Context) error {
		return operator.Run(ctx, server.Config(), operator.Config{
			Namespaces: []string{w.Namespace}, Queues: new(true), Workers: 1, LeaderElectionNamespace: "default", MetricsAddress: "0", HealthAddress: "0",
		}, io.Discard)
	})

	w.submit("killed", func(spec *v1beta2.SparkApplicationSpec) { spec.Image = "spark" })
	w.kill("killed") // the count of causes begins with the first
	w.queue()        // what is told of queues begins with the first

	want := make(map[string]description)
	for _, row := range documented.FindAllStringSubmatch(read(t, metricsPage), -1) {
		want[row[1]] = description{row[2], strings.ReplaceAll(row[3], "`", ""), row[4]}
	}
	var diff string
	w.Eventually("the operator shows what the page has", func(context.Context) (bool, error) {
		got, err := shown()
		if err != nil {
			return false, nil // the cache is not filled yet
		}
		for name, description := range got {
			switch documented, named := want[name]; {
			case isOwn(name):
			case named:
				description[2] = documented[2] // the library's own words are not the page's
				got[name] = description
			default:
				delete(got, name)
			}
		}
		diff = cmp.Diff(want, got)
		return diff == "", nil
	}, func() string { return "types, labels and help of metrics\n-docs/metrics.md +operator:\n" + diff })
	w.lose() // what is left would be backed up by the next test
}

// queue makes a queue, in a cluster of which it is said what there is.
func (w *cluster) queue() {
	w.T.Helper()
	root := &v1alpha1.Queue{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.RootQueue}}
	root.Spec.Cluster = &v1alpha1.ClusterShares{Flavours: []v1alpha1.Flavour{{
		Name: v1alpha1.DefaultFlavour, Capacity: corev1.ResourceList{"cpu": resource.MustParse("8"), "memory": resource.MustParse("8Gi")},
	}}}
	w.Create(root)
	w.T.Cleanup(func() {
		if err := w.Client.Delete(context.Background(), root); err != nil {
			w.T.Error(err)
		}
	})
}

// kill plays a node whose kernel ends the driver of the application for want of memory.
func (w *cluster) kill(name string) {
	w.T.Helper()
	w.awaitState(name, v1beta2.ApplicationStateSubmitted)
	w.Eventually("the driver of "+name+" is killed", func(ctx context.Context) (bool, error) {
		driver := new(corev1.Pod)
		if err := w.Client.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: name + "-driver"}, driver); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		driver.Status.Phase = corev1.PodFailed
		driver.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name:  v1beta2.DriverContainerName,
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled", FinishedAt: metav1.Now()}},
		}}
		return true, w.Client.Status().Update(ctx, driver)
	})
}

func isOwn(name string) bool {
	return strings.HasPrefix(name, "brazier_") || strings.HasPrefix(name, "spark_")
}

// shown returns of each metric that the operator shows its type, its labels and its help.
func shown() (map[string]description, error) {
	families, err := metrics.Registry.Gather()
	if err != nil {
		return nil, err
	}
	all := make(map[string]description)
	for _, family := range families {
		labels := make(map[string]bool)
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = true
			}
		}
		all[family.GetName()] = description{
			strings.ToLower(family.GetType().String()), strings.Join(slices.Sorted(maps.Keys(labels)), ", "), family.GetHelp(),
		}
	}
	return all, nil
}
