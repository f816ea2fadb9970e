package simulate

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocs: what the page shows as a trace and as a cluster is one, and its columns are those that there are.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../../docs/simulate.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string) string {
		found := regexp.MustCompile("(?s)```" + kind + "\n(.*?)```").FindSubmatch(page)
		if found == nil {
			t.Fatalf("the page shows no %s", kind)
		}
		return string(found[1])
	}
	dir := folder(t, map[string]string{
		"trace.csv": block("csv"), "cluster.yaml": block("yaml"),
		"queues.yaml": strings.ReplaceAll(queues, "name: sales", "name: nightly"),
	})
	out, _, err := brazier(dir, "", "--queues DIR/queues.yaml --cluster DIR/cluster.yaml DIR/trace.csv")
	if err != nil || !strings.Contains(out, "nightly") {
		t.Errorf("what the page shows does not work: %v\n%s", err, out)
	}
	for _, column := range strings.Split("id,queue,user,submit,driver_cpu,driver_memory,executor_cpu,executor_memory,gpus,executors_minimum,executors_maximum,work,duration,priority,max_run_time", ",") {
		if !strings.Contains(string(page), "`"+column+"`") {
			t.Errorf("the page does not explain the column %s", column)
		}
	}
}
