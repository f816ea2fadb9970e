package install

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/spark"
)

const (
	driverRole        = "spark-driver"
	metricsReaderRole = "brazier-metrics-reader"
)

// operatorRules are what the operator may do in every namespace, and all that it does.
func operatorRules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		// Deleting is for applications whose time to live is over; schedules make and remove them.
		rule(v1beta2.GroupName, "sparkapplications", "get", "list", "watch", "create", "delete"),
		rule(v1beta2.GroupName, "scheduledsparkapplications", "get", "list", "watch"),
		rule(v1beta2.GroupName, "scheduledsparkapplications/status", "patch"),
		rule(v1beta2.GroupName, "scheduledsparkapplications/finalizers", "update"),
		rule(v1beta2.GroupName, "sparkapplications/status", "patch"),
		// What belongs to an application blocks its deletion, which some clusters let only those do who may delete it.
		rule(v1beta2.GroupName, "sparkapplications/finalizers", "update"),
		rule(v1beta2.GroupName, "sparkconnects", "get", "list", "watch"),
		rule(v1beta2.GroupName, "sparkconnects/status", "patch"),
		rule(v1beta2.GroupName, "sparkconnects/finalizers", "update"),
		// Patching is for pods that sidecars keep running after their driver's end.
		rule("", "pods", "get", "list", "watch", "create", "patch", "delete", "deletecollection"),
		// A Connect server's Service, configuration and policy are changed when it is edited.
		rule("", "services", "get", "list", "watch", "create", "patch", "delete", "deletecollection"),
		rule("", "configmaps", "get", "create", "patch", "delete", "deletecollection"),
		rule("", "persistentvolumeclaims", "get", "create", "delete", "deletecollection"),
		rule("networking.k8s.io", "networkpolicies", "get", "create", "patch", "delete", "deletecollection"),
		rule("networking.k8s.io", "ingresses", "get", "create", "delete", "deletecollection"),
		// Executors' sets, where an application has them made so.
		rule("apps", "statefulsets", "list", "delete"),
		rule("apps", "deployments", "list", "delete"),
		// Where an application names a batch scheduler that groups its pods.
		rule("scheduling.volcano.sh", "podgroups", "get", "create", "delete", "deletecollection"),
		rule("scheduling.x-k8s.io", "podgroups", "get", "create", "delete", "deletecollection"),
		rule("policy", "poddisruptionbudgets", "get", "create", "delete", "deletecollection"),
		rule("events.k8s.io", "events", "create", "patch"),
		// Where namespaces are selected by their labels.
		rule("", "namespaces", "get", "list", "watch"),
		// Whoever reads the metrics is checked with the API server.
		rule("authentication.k8s.io", "tokenreviews", "create"),
		rule("authorization.k8s.io", "subjectaccessreviews", "create"),
	}
}

// operatorRBAC is what the operator may do.
func operatorRBAC() []runtime.Object {
	account := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: Namespace, Name: operatorName}
	return []runtime.Object{
		&rbacv1.ClusterRole{ObjectMeta: meta("", operatorName), Rules: operatorRules()},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: meta("", operatorName),
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: operatorName},
			Subjects:   []rbacv1.Subject{account},
		},
		&rbacv1.Role{
			ObjectMeta: meta(Namespace, operatorName),
			Rules: []rbacv1.PolicyRule{
				rule("coordination.k8s.io", "leases", "create"),
				named(rule("coordination.k8s.io", "leases", "get", "update"), operatorName),
				// The election tells of itself in the older kind of event.
				rule("", "events", "create", "patch"),
			},
		},
		&rbacv1.RoleBinding{
			ObjectMeta: meta(Namespace, operatorName),
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: operatorName},
			Subjects:   []rbacv1.Subject{account},
		},
	}
}

// kinds is a rule for all kinds of Brazier's.
func kinds(verbs []string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{
		APIGroups: []string{v1beta2.GroupName}, Resources: []string{"sparkapplications", "scheduledsparkapplications", "sparkconnects"}, Verbs: verbs,
	}
}

// userRoles extend the roles view, edit and admin that every cluster has, so that whoever may work in a namespace may
// work with the applications in it; and there is one to read the operator's metrics, for whoever is to be bound to it.
func userRoles() []runtime.Object {
	read := []string{"get", "list", "watch"}
	write := []string{"create", "update", "patch", "delete", "deletecollection"}
	return []runtime.Object{
		aggregated("brazier-view", "view", kinds(read)),
		aggregated("brazier-edit", "edit", kinds(write)),
		&rbacv1.ClusterRole{
			ObjectMeta: meta("", metricsReaderRole),
			Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
		},
	}
}

func aggregated(name, to string, rules ...rbacv1.PolicyRule) *rbacv1.ClusterRole {
	role := &rbacv1.ClusterRole{ObjectMeta: meta("", name), Rules: rules}
	role.Labels["rbac.authorization.k8s.io/aggregate-to-"+to] = "true"
	return role
}

// driverObjects are what drivers need in a namespace: an account, and the right to make executors with it.
func driverObjects(namespace string) []runtime.Object {
	all := []string{"get", "list", "watch", "create", "delete", "deletecollection"}
	withPatch := slices.Concat(all, []string{"patch"})
	return []runtime.Object{
		&corev1.ServiceAccount{ObjectMeta: meta(namespace, spark.DefaultServiceAccount)},
		&rbacv1.Role{
			ObjectMeta: meta(namespace, driverRole),
			Rules: []rbacv1.PolicyRule{
				// A driver patches its pod with how it ended, executors with what to delete first, and claims with their size.
				rule("", "pods", withPatch...),
				rule("", "persistentvolumeclaims", withPatch...),
				rule("", "services", all...),
				rule("", "configmaps", all...),
				// For spark.kubernetes.allocation.pods.allocator of statefulset and deployment.
				rule("apps", "statefulsets", "get", "create", "update", "patch", "delete"),
				rule("apps", "statefulsets/scale", "get", "update", "patch"),
				rule("apps", "deployments", "get", "create", "update", "patch", "delete"),
				rule("apps", "deployments/scale", "get", "update", "patch"),
			},
		},
		&rbacv1.RoleBinding{
			ObjectMeta: meta(namespace, driverRole),
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: driverRole},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: spark.DefaultServiceAccount}},
		},
	}
}

func namespaceObject(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func rule(group, resource string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}
}

func named(rule rbacv1.PolicyRule, name string) rbacv1.PolicyRule {
	rule.ResourceNames = []string{name}
	return rule
}
