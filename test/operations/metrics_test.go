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
	"sigs.k8s.io/controller-runtime/pkg/metrics"

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
			Namespaces: []string{w.Namespace}, Workers: 1, LeaderElectionNamespace: "default", MetricsAddress: "0", HealthAddress: "0",
		}, io.Discard)
	})

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
