package crds_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	sparkApplications = "sparkoperator.k8s.io_sparkapplications.yaml"
	everyField        = "../v1beta2/testdata/every-field.yaml"
)

// refusal is a change to an application that is in order, and what the API server says to it.
type refusal struct {
	reason string
	change string
	want   string
}

// inOrder is the application that refusals change: their fields are merged into it.
const inOrder = `
apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {name: sales, namespace: default}
spec:
  type: Python
  sparkVersion: 4.3.0
  mainApplicationFile: local:///opt/spark/work-dir/job.py
  driver: {}
  executor: {}
`

var refusals = map[string]refusal{
	"MemoryWithSpace": {
		reason: "The message names the field, the value and the way out.",
		change: `{spec: {driver: {memory: 1 GB}}}`,
		want:   `spec.driver.memory: Invalid value: "1 GB": not a size that Spark reads; write a whole number and a unit, such as 1g or 1024m`,
	},
	"MemoryInKubernetesNotation": {
		reason: "Spark's units have no i.",
		change: `{spec: {executor: {memory: 2Gi}}}`,
		want:   `spec.executor.memory: Invalid value: "2Gi": not a size that Spark reads; write a whole number and a unit, such as 1g or 1024m`,
	},
}

func TestApplicationsThatAreRefused(t *testing.T) {
	admission := newAdmission(t, sparkApplications)
	for name, tt := range refusals {
		t.Run(name, func(t *testing.T) {
			object := merge(read(t, inOrder), read(t, tt.change))
			if diff := cmp.Diff(tt.want, lines(admission.admit(t, object))); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestEveryFieldIsTaken(t *testing.T) {
	if faults := newAdmission(t, sparkApplications).admit(t, readFile(t, everyField)); len(faults) > 0 {
		t.Errorf("%s is refused:\n%s", everyField, lines(faults))
	}
}

// merge returns object with change's fields in place of its own, as a JSON merge patch does.
func merge(object, change map[string]any) map[string]any {
	for name, value := range change {
		inner, isObject := value.(map[string]any)
		outer, hasObject := object[name].(map[string]any)
		switch {
		case isObject && hasObject:
			object[name] = merge(outer, inner)
		case value == nil:
			delete(object, name)
		default:
			object[name] = value
		}
	}
	return object
}
