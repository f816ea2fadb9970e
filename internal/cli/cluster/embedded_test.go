package cluster

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/properties"
	"brazier.sh/brazier/internal/spark"
)

// TestRequests has applications that say nothing of cores, and those that do, run on small and large machines.
func TestRequests(t *testing.T) {
	// requests are what the driver's pod asks for, and what Spark is told for executors: "" is as many as it has cores.
	type requests struct{ Driver, Executor string }
	tests := map[string]struct {
		reason string
		cores  int
		change func(*v1beta2.SparkApplication)
		want   requests
	}{
		"Two": {reason: "Driver and executor find room on two cores, beside what runs there already.", cores: 2, want: requests{"250m", "500m"}},
		"Ten": {reason: "Where there is room it is as everywhere.", cores: 10, want: requests{"1", ""}},
		"TwoSaid": {
			reason: "What an application says goes before.", cores: 2, want: requests{"100m", "1"},
			change: func(app *v1beta2.SparkApplication) {
				app.Spec.Driver.CoreRequest = "100m"
				app.Spec.SparkConf = map[string]string{"spark.kubernetes.executor.request.cores": "1"}
			},
		},
		"TwoTasks": {
			reason: "Cores are how many tasks there are at once; they do not need as much set aside.", cores: 2, want: requests{"250m", "500m"},
			change: func(app *v1beta2.SparkApplication) { app.Spec.Executor.Cores = new(int32(2)) },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			app := &v1beta2.SparkApplication{Spec: v1beta2.SparkApplicationSpec{
				Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
			}}
			app.Namespace, app.Name, app.UID = "default", "pi", "0123456789"
			if tt.change != nil {
				tt.change(app)
			}
			run := spark.Run{Number: 1, SubmittedAt: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}
			plan, err := spark.New(app, run, spark.Platform{Image: "spark", SparkConf: sparkConf(tt.cores)})
			if err != nil {
				t.Fatal(err)
			}
			got := requests{
				Driver:   plan.Driver.Spec.Containers[0].Resources.Requests.Cpu().String(),
				Executor: propertiesOf(t, plan)["spark.kubernetes.executor.request.cores"],
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// propertiesOf reads the properties that the plan's driver is given.
func propertiesOf(t *testing.T, plan *spark.Plan) map[string]string {
	t.Helper()
	for _, c := range plan.ConfigMaps {
		if text, ok := c.Data["spark.properties"]; ok {
			conf, err := properties.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			return conf
		}
	}
	t.Fatal("the plan has no properties")
	return nil
}
