package connect

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1alpha1"
)

func TestMetrics(t *testing.T) {
	const (
		ready    = v1alpha1.SparkConnectStateReady
		notReady = v1alpha1.SparkConnectStateNotReady
		failed   = v1alpha1.SparkConnectStateFailed
	)
	tests := map[string]struct {
		reason string
		cached servers
		step   Step
		// want has the gauge by state, and the counter as "restarts".
		want map[string]float64
	}{
		"None": {
			reason: "Each state is shown before the first server comes to it.",
			want:   map[string]float64{"New": 0, "Provisioning": 0, "Ready": 0, "NotReady": 0, "Failed": 0, "restarts": 0},
		},
		"Each": {
			reason: "Servers are counted by state, and one that nobody has looked at is new.",
			cached: servers{states: []v1alpha1.SparkConnectState{"", v1alpha1.SparkConnectStateProvisioning, ready, ready, notReady, failed}},
			want:   map[string]float64{"New": 1, "Provisioning": 1, "Ready": 2, "NotReady": 1, "Failed": 1, "restarts": 0},
		},
		"Ended": {
			reason: "A server that ended by itself is started again.",
			cached: servers{states: []v1alpha1.SparkConnectState{notReady}},
			step:   Step{Action: Claim, Reason: reasonEnded},
			want:   map[string]float64{"New": 0, "Provisioning": 0, "Ready": 0, "NotReady": 1, "Failed": 0, "restarts": 1},
		},
		"Deleted": {
			reason: "A server that somebody deletes has done nothing wrong, as in status.restarts.",
			cached: servers{states: []v1alpha1.SparkConnectState{notReady}},
			step:   Step{Action: Claim, Reason: reasonDeleted},
			want:   map[string]float64{"New": 0, "Provisioning": 0, "Ready": 0, "NotReady": 1, "Failed": 0, "restarts": 0},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMetrics(tt.cached)
			registry := prometheus.NewRegistry()
			if err := m.register(registry); err != nil {
				t.Fatal(err)
			}
			m.count(tt.step)
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[string]float64)
			for _, family := range families {
				for _, metric := range family.GetMetric() {
					if family.GetName() == "brazier_connect_restarts_total" {
						got["restarts"] = metric.GetCounter().GetValue()
						continue
					}
					got[metric.GetLabel()[0].GetValue()] = metric.GetGauge().GetValue()
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestMetricsWithoutCache shows nothing rather than 0 where servers cannot be counted.
func TestMetricsWithoutCache(t *testing.T) {
	registry := prometheus.NewRegistry()
	if err := newMetrics(servers{err: errors.New("not filled yet")}).register(registry); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Gather(); err == nil {
		t.Error("want an error, as the servers cannot be counted")
	}
}

// servers is a cache that holds servers in these states, or cannot be read.
type servers struct {
	client.Reader
	states []v1alpha1.SparkConnectState
	err    error
}

func (s servers) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	for _, state := range s.states {
		all := list.(*v1alpha1.SparkConnectList)
		all.Items = append(all.Items, *notebooks(state))
	}
	return s.err
}
