package crds_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sparkConnects = "sparkoperator.k8s.io_sparkconnects.yaml"

// server is the least that a Connect server has.
const server = `
apiVersion: sparkoperator.k8s.io/v1alpha1
kind: SparkConnect
metadata: {name: notebooks, namespace: default}
spec: {sparkVersion: 4.3.0, server: {}, executor: {}}
`

func TestConnectServersThatAreTaken(t *testing.T) {
	tests := map[string]struct{ reason, change string }{
		"NoChange":    {reason: "This is the least that a server has.", change: `{}`},
		"NoExecutors": {reason: "They come with the work.", change: `{spec: {executor: {instances: 0}, dynamicAllocation: {enabled: true, minExecutors: 0}}}`},
		"LongestName": {reason: "Its Service's name is as long as one can be.", change: `{metadata: {name: ` + strings.Repeat("a", 56) + `}}`},
		"Service": {
			reason: "Clients of other networks need one of another type.",
			change: `{spec: {server: {service: {metadata: {creationTimestamp: null, annotations: {a: b}}, spec: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8]}, status: {loadBalancer: {}}}}}}`,
		},
		"TemplateWithoutContainers": {
			reason: "Spark adds its own.",
			change: `{spec: {server: {template: {spec: {serviceAccount: spark}}}, executor: {template: {metadata: {creationTimestamp: null}, spec: {containers: null}}}}}`,
		},
	}
	admission := newAdmission(t, sparkConnects)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if faults := admission.admit(t, merge(read(t, server), read(t, tt.change))); len(faults) > 0 {
				t.Errorf("%s\nfaults:\n%s", tt.reason, lines(faults))
			}
		})
	}
	t.Run("EveryField", func(t *testing.T) {
		if faults := admission.admit(t, readFile(t, "../v1alpha1/testdata/every-field.yaml")); len(faults) > 0 {
			t.Errorf("faults:\n%s", lines(faults))
		}
	})
}

func TestConnectServersThatAreRefused(t *testing.T) {
	const name = `metadata: Invalid value: the server's Service takes the name with "-server" behind it; write a letter, then lower-case letters, digits and '-', at most 56 in all`
	tests := map[string]struct{ reason, change, want string }{
		"NoVersion": {
			reason: "What is made depends on it.",
			change: `{spec: {sparkVersion: ""}}`,
			want:   `spec.sparkVersion: Invalid value: "": name the version of Spark in the image, such as 4.3.0`,
		},
		"LongName":    {reason: "Its Service could not be made.", change: `{metadata: {name: ` + strings.Repeat("a", 57) + `}}`, want: name},
		"NameWithDot": {reason: "Its Service could not be made.", change: `{metadata: {name: note.books}}`, want: name},
		"Memory": {
			reason: "Spark would not start.",
			change: `{spec: {executor: {memory: 1 GB}}}`,
			want:   `spec.executor.memory: Invalid value: "1 GB": not a size that Spark reads; write a whole number and a unit, such as 1g or 1024m`,
		},
		"Bounds": {
			reason: "Spark would not start.",
			change: `{spec: {dynamicAllocation: {enabled: true, minExecutors: 3, maxExecutors: 2}}}`,
			want:   `spec.dynamicAllocation.minExecutors: Invalid value: minExecutors is more than maxExecutors; write minExecutors <= initialExecutors <= maxExecutors`,
		},
		"Typo": {
			reason: "A typing error in a template is found when the server is created.",
			change: `{spec: {server: {template: {spec: {tolerationz: []}}}}}`,
			want:   `unknown field "spec.server.template.spec.tolerationz"`,
		},
	}
	admission := newAdmission(t, sparkConnects)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := lines(admission.admit(t, merge(read(t, server), read(t, tt.change))))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
