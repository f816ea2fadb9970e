package operations_test

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const alertsPage = "../../docs/operations/alerts.md"

// alertRules is what these tests need to know of the chart's rules.
type alertRules struct {
	Groups []struct {
		Rules []struct {
			Alert       string            `json:"alert"`
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"rules"`
	} `json:"groups"`
}

// TestAlertsPage gives each alert a section, and each section an alert, in the same order, with the severity that the rule has.
func TestAlertsPage(t *testing.T) {
	var rules alertRules
	if err := yaml.Unmarshal([]byte(read(t, "../../charts/brazier/files/alerts.yaml")), &rules); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			want = append(want, rule.Alert+" ("+rule.Labels["severity"]+")")
			for _, annotation := range []string{"summary", "description"} {
				if rule.Annotations[annotation] == "" {
					t.Errorf("%s: want a %s", rule.Alert, annotation)
				}
			}
			if got, want := rule.Annotations["runbook_url"], "docs/operations/alerts.md#"+strings.ToLower(rule.Alert); got != want {
				t.Errorf("%s: runbook_url is %q, want %q", rule.Alert, got, want)
			}
		}
	}
	var got []string
	for _, section := range regexp.MustCompile(`(?m)^### (Brazier\w+)\n\*(\w+)\.\*`).FindAllStringSubmatch(read(t, alertsPage), -1) {
		got = append(got, section[1]+" ("+section[2]+")")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alerts and sections\n-charts/brazier/files/alerts.yaml +docs/operations/alerts.md:\n%s", diff)
	}
}

// TestMetricsInDocs looks up every metric that a page names in docs/metrics.md. Those that drivers show are Spark's, and in
// docs/monitoring.md.
func TestMetricsInDocs(t *testing.T) {
	known := make(map[string]bool)
	for _, row := range documented.FindAllStringSubmatch(read(t, metricsPage), -1) {
		known[row[1]] = true
	}
	named := regexp.MustCompile("`((?:brazier|spark)_[a-z_]+[a-z])(?:\\{[^}`]*\\})?`")
	found := 0
	err := filepath.WalkDir("../../docs", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" || filepath.Base(path) == "monitoring.md" {
			return err
		}
		for _, name := range named.FindAllStringSubmatch(read(t, path), -1) {
			found++
			if !known[name[1]] {
				t.Errorf("%s: there is no metric %s", path, name[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < len(known) {
		t.Errorf("want every metric to be named somewhere, found %d names of %d", found, len(known))
	}
}

// TestLinks follows the links of the pages, to files and to sections.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("../../docs/operations/*.md")
	if err != nil || len(pages) < 2 {
		t.Fatalf("want pages: %v", err)
	}
	for _, page := range slices.Concat(pages, []string{metricsPage}) {
		for _, link := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(read(t, page), -1) {
			file, section, _ := strings.Cut(link[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			text := read(t, target)
			if section != "" && !slices.Contains(anchors(text), section) {
				t.Errorf("%s: there is no section %s", page, link[1])
			}
		}
	}
}

// anchors returns the names by which a page's sections are linked to.
func anchors(page string) []string {
	var all []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
		name := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}
