package monitoring

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

const (
	alertsFile    = "../../charts/brazier/files/alerts.yaml"
	dashboardFile = "../../charts/brazier/files/dashboard.json"
	metricsPage   = "../../docs/metrics.md"
)

var update = flag.Bool("update", false, "rewrite the dashboard in the chart")

// TestDashboard compares the dashboard in the chart with what its rows make, and has Grafana's own schema read it: no field that it
// does not know, none missing that it needs, no value that it does not allow.
func TestDashboard(t *testing.T) {
	want, err := Dashboard()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(dashboardFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := read(t, dashboardFile)
	if !bytes.Equal(want, got) {
		t.Errorf("%s is not what rows.go makes; run go test -update here, and read the difference", dashboardFile)
	}
	plugins.RegisterDefaultPlugins()
	if err := strict(got); err != nil {
		t.Errorf("Grafana's schema refuses this: %v", err)
	}
	if err := strict(bytes.Replace(got, []byte(`"targets"`), []byte(`"tragets"`), 1)); err == nil {
		t.Error("want a field that the schema does not know to be refused")
	}
}

// strict reads a dashboard by Grafana's schema.
func strict(text []byte) error {
	var read dashboard.Dashboard //nolint:staticcheck // see Dashboard
	err := read.UnmarshalJSONStrict(text)
	if errs, ok := errors.AsType[cog.BuildErrors](err); !ok || len(errs) > 0 { // it returns an empty list for an error too
		return err
	}
	return read.Validate()
}

// TestMetricsExist looks up every metric that the alerts and the dashboard ask for in docs/metrics.md, which test/operations compares
// with a running operator; and every one of Brazier's own in what the dashboard shows, so that none is forgotten.
func TestMetricsExist(t *testing.T) {
	documented := documentedMetrics(t)
	onDashboard := make(map[string]bool)
	for _, expr := range dashboardExpressions(t) {
		maps.Copy(onDashboard, metricsOf(t, expr))
	}
	for _, asked := range []struct {
		file  string
		names map[string]bool
	}{{dashboardFile, onDashboard}, {alertsFile, alertMetrics(t)}} {
		if len(asked.names) == 0 {
			t.Errorf("%s: want expressions", asked.file)
		}
		for _, name := range slices.Sorted(maps.Keys(asked.names)) {
			if !documented[name] {
				t.Errorf("%s: %s is no metric of %s", asked.file, name, metricsPage)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		own := strings.HasPrefix(name, "brazier_") || strings.HasPrefix(name, "spark_")
		// What is a histogram too is not shown as a summary.
		if own && !onDashboard[name] && !documented[name+"_histogram"] {
			t.Errorf("%s: %s is nowhere on the dashboard", dashboardFile, name)
		}
	}
}

// documentedMetrics returns the names in the tables of docs/metrics.md.
func documentedMetrics(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (?:counter|gauge|summary|histogram) \\|").FindAllSubmatch(read(t, metricsPage), -1) {
		names[string(row[1])] = true
	}
	return names
}

func alertMetrics(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	for _, rule := range alerts(t) {
		maps.Copy(names, metricsOf(t, rule.Expr))
	}
	return names
}

func alerts(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(alertsFile, false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errors.Join(errs...))
	}
	var rules []rulefmt.Rule
	for _, group := range groups.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules
}

// dashboardExpressions returns every query of the dashboard, with a value for each of Grafana's variables.
func dashboardExpressions(t *testing.T) []string {
	t.Helper()
	var file struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(read(t, dashboardFile), &file); err != nil {
		t.Fatal(err)
	}
	var exprs []string
	for _, panel := range file.Panels {
		for _, target := range panel.Targets {
			exprs = append(exprs, strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
		}
	}
	return exprs
}

// metricsOf returns the metrics that an expression asks for, by the names of docs/metrics.md.
func metricsOf(t *testing.T, expr string) map[string]bool {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	names := make(map[string]bool)
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			name := strings.TrimSuffix(selector.Name, "_bucket")
			if name == selector.Name && strings.HasSuffix(name, "_histogram_count") {
				name = strings.TrimSuffix(name, "_count")
			}
			names[name] = true
		}
		return nil
	})
	return names
}

// TestEveryAlertIsTested looks for a test of each alert that fires, and one that does not.
func TestEveryAlertIsTested(t *testing.T) {
	files, err := filepath.Glob("alerts/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("want tests of alerts: %v", err)
	}
	var tests []byte
	for _, file := range files {
		tests = append(tests, read(t, file)...)
	}
	for _, rule := range alerts(t) {
		asked := regexp.MustCompile(`alertname: `+rule.Alert+`\b`).FindAllIndex(tests, -1)
		fires := regexp.MustCompile(`alertname: `+rule.Alert+`\b[^\n]*\n\s+exp_alerts:\n`).FindAllIndex(tests, -1)
		if len(fires) == 0 || len(asked) == len(fires) {
			t.Errorf("%s: want a test in which it fires and one in which it does not, got %d and %d", rule.Alert, len(fires), len(asked)-len(fires))
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
