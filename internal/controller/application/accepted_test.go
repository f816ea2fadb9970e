package application_test

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/test/conformance"
)

// TestPlansAreAccepted has the API server look at the plan of every configuration that spark-submit was recorded with.
func TestPlansAreAccepted(t *testing.T) {
	w := newWorld(t, succeeds)
	w.Create(&corev1.ServiceAccount{ObjectMeta: w.Meta("acc")})
	dry := client.NewDryRunClient(w.Client)
	cases, err := conformance.Cases()
	if err != nil {
		t.Fatal(err)
	}
	versions, err := conformance.Versions()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range versions {
		for _, c := range cases {
			if !c.IsFor(version, slices.Max(versions)) {
				continue
			}
			app, err := c.Application(version)
			if err != nil {
				t.Fatal(err)
			}
			app.Namespace = w.Namespace
			plan, err := spark.New(app, spark.Run{Number: 1, SubmittedAt: time.Unix(1_764_000_000, 0)}, spark.Platform{})
			if err != nil {
				t.Fatal(err)
			}
			objects := plan.Objects()
			if plan.Executor != nil {
				objects = append(objects, plan.Executor)
			}
			for _, object := range objects {
				if err := dry.Create(t.Context(), object); err != nil {
					t.Errorf("%s, Spark %s: %v", c.Name, version, err)
				}
			}
		}
	}
}
