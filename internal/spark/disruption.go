package spark

import (
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"brazier.sh/brazier/api/v1beta2"
)

// disruptionBudget lets nobody evict the driver, if the application asks for that. Executors are not protected: Spark
// replaces those. A budget that can be met by no eviction holds a node's drain up until the run has ended, when the
// budget goes with it.
func (p *planner) disruptionBudget() *policyv1.PodDisruptionBudget {
	if !p.app.Spec.DriverPodDisruptionBudget {
		return nil
	}
	one := intstr.FromInt32(1) // of pods without a scalable owner Kubernetes can only count those that are to stay
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
		ObjectMeta: p.meta(p.names.driverBudget),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: &one,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{
				v1beta2.LabelSparkAppSelector: p.names.appID,
				v1beta2.LabelSparkRole:        v1beta2.SparkRoleDriver,
			}},
		},
	}
}
