package diagnose

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

var updateCluster = flag.Bool("update", false, "rewrite the golden files from what the rules say now")

// clusterRow is evidence of a run and what is to be made of it: a row of testdata/cluster/RULE.yaml. The run is sales/pi; it
// began at noon and is looked at ten minutes later. Pods without a creation time were made at noon, events without times told
// from then on.
type clusterRow struct {
	Name   string
	Reason string
	// State is the application's; one that has ended is over.
	State string
	// Error is what the application says that it failed of.
	Error string
	// Spec and Labels are the application's.
	Spec   v1beta2.SparkApplicationSpec
	Labels map[string]string
	// Queue is what the run has of a queue, and Admitted what the condition of that name says: "Reason: message".
	Queue    *v1beta2.QueuePlace
	Admitted string
	Evidence v1alpha1.Evidence
	Nodes    []Node
	Waiting  []corev1.Pod
	Quotas   []corev1.ResourceQuota
	Limits   []corev1.LimitRange
	Claims   []corev1.PersistentVolumeClaim
	// After is how long after noon the run is looked at.
	After string
	// Want are the causes, in their order, by "code: why".
	Want []string
}

var clusterNoon = metav1.NewTime(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))

func (r *clusterRow) toCase(t *testing.T) *Case {
	t.Helper()
	after := 10 * time.Minute
	if r.After != "" {
		var err error
		if after, err = time.ParseDuration(r.After); err != nil {
			t.Fatal(err)
		}
	}
	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Namespace: "sales", Name: "pi", CreationTimestamp: clusterNoon, Labels: r.Labels}, Spec: r.Spec,
	}
	app.Status.AppState = v1beta2.ApplicationState{State: v1beta2.ApplicationStateType(r.State), ErrorMessage: r.Error}
	app.Status.Queue = r.Queue
	if reason, message, said := strings.Cut(r.Admitted, ": "); said {
		app.Status.Conditions = []metav1.Condition{{
			Type: v1beta2.ConditionAdmitted, Status: metav1.ConditionFalse, Reason: reason, Message: message, LastTransitionTime: clusterNoon,
		}}
	}
	c := &Case{
		Namespace: "sales", Name: "pi", Application: app, Evidence: r.Evidence, Ended: app.Status.AppState.State.Ended(),
		Now:     clusterNoon.Add(after),
		Cluster: Cluster{Nodes: r.Nodes, Waiting: r.Waiting, Quotas: r.Quotas, Limits: r.Limits, Claims: r.Claims},
	}
	if c.Ended {
		app.Status.TerminationTime = metav1.NewTime(c.Now)
	}
	for i := range c.Evidence.Pods {
		if c.Evidence.Pods[i].Created.IsZero() {
			c.Evidence.Pods[i].Created = clusterNoon
		}
	}
	for i := range c.Evidence.Events {
		if e := &c.Evidence.Events[i]; e.First.IsZero() {
			e.First, e.Last = clusterNoon, metav1.NewTime(c.Now)
		}
	}
	return c
}

func clusterTables(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/cluster/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables of evidence: %v", err)
	}
	return files
}

func readClusterTable(t testing.TB, file string) []clusterRow {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []clusterRow
	if err := yaml.UnmarshalStrict(content, &rows); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return rows
}

// clusterCauses are those of all causes that the cluster's rules find.
func clusterCauses(c *Case) []v1alpha1.Cause {
	var codes []string
	for _, r := range clusterRules() {
		codes = append(codes, r.code)
	}
	var causes []v1alpha1.Cause
	for _, cause := range Causes(c) {
		if slices.Contains(codes, cause.Code) {
			causes = append(causes, cause)
		}
	}
	return causes
}

// TestClusterRules asks all rules of each row: a table is of one rule, but no other one may find something in it. What the
// rules say beside why is in golden files.
func TestClusterRules(t *testing.T) {
	for _, file := range clusterTables(t) {
		table := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(table, func(t *testing.T) {
			said := make(map[string][]v1alpha1.Cause)
			for _, row := range readClusterTable(t, file) {
				t.Run(row.Name, func(t *testing.T) {
					if _, twice := said[row.Name]; twice {
						t.Fatal("there are two rows of this name")
					}
					causes := clusterCauses(row.toCase(t))
					var got []string
					for _, cause := range causes {
						got = append(got, cause.Code+": "+cause.Why)
						checkClusterCause(t, cause)
					}
					if diff := cmp.Diff(row.Want, got); diff != "" {
						t.Errorf("%s\n-want +got:\n%s", row.Reason, diff)
					}
					if row.Reason == "" {
						t.Error("the row has no reason")
					}
					said[row.Name] = causes
				})
			}
			compareGolden(t, filepath.Join("testdata/cluster", table+".golden"), said)
		})
	}
}

func compareGolden(t *testing.T, file string, said map[string][]v1alpha1.Cause) {
	t.Helper()
	got, err := yaml.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	if *updateCluster {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (rewrite it with -update)\n-want +got:\n%s", file, diff)
	}
}

// checkClusterCause checks what holds of every cause.
func checkClusterCause(t *testing.T, cause v1alpha1.Cause) {
	t.Helper()
	if len(cause.Evidence) == 0 || len(cause.Fixes) == 0 || cause.Confidence == "" {
		t.Errorf("%s has no evidence, no fix or no confidence: %+v", cause.Code, cause)
	}
	if strings.Count(cause.Why, "\n") > 0 || !strings.HasSuffix(cause.Why, ".") && !strings.HasSuffix(cause.Why, "…") {
		t.Errorf("%s: why is not a sentence: %q", cause.Code, cause.Why)
	}
	for _, proof := range cause.Evidence {
		if proof.Object == "" || len(proof.Text) > maxText {
			t.Errorf("%s: evidence without an object, or too long: %+v", cause.Code, proof)
		}
	}
	for _, fix := range cause.Fixes {
		if fix.Say == "" || fix.Risk == v1alpha1.RiskInspect && fix.Command == "" {
			t.Errorf("%s: a fix says nothing: %+v", cause.Code, fix)
		}
		var into map[string]any
		if err := yaml.Unmarshal([]byte(fix.Change), &into); err != nil {
			t.Errorf("%s: the change is no YAML: %v\n%s", cause.Code, err, fix.Change)
		}
	}
}

// TestEveryRuleHasATable keeps the tables complete.
func TestEveryRuleHasATable(t *testing.T) {
	found := make(map[string]bool)
	for _, file := range clusterTables(t) {
		for _, row := range readClusterTable(t, file) {
			for _, want := range row.Want {
				code, _, _ := strings.Cut(want, ":")
				found[code] = true
			}
		}
	}
	for _, r := range clusterRules() {
		if !found[r.code] {
			t.Errorf("no row in testdata/cluster has the cause %s", r.code)
		}
	}
}
