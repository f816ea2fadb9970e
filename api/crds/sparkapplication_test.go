package crds_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	sparkApplications = "sparkoperator.k8s.io_sparkapplications.yaml"
	everyField        = "../v1beta2/testdata/every-field.yaml"
)

func TestApplicationsThatAreRefused(t *testing.T) {
	admission := newAdmission(t, sparkApplications)
	for name, tt := range refused {
		t.Run(name, func(t *testing.T) {
			object := merge(read(t, inOrder), read(t, tt.change))
			if diff := cmp.Diff(tt.want, lines(admission.admit(t, object))); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestApplicationsThatAreTaken(t *testing.T) {
	admission := newAdmission(t, sparkApplications)
	for name, tt := range taken {
		t.Run(name, func(t *testing.T) {
			object := merge(read(t, inOrder), read(t, tt.change))
			if faults := admission.admit(t, object); len(faults) > 0 {
				t.Errorf("%s\nfaults:\n%s", tt.reason, lines(faults))
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
