package capacityscheduler

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// everybody is the group of all who have said who they are.
const everybody = "system:authenticated"

// rolePrefix is what the roles' names begin with.
const rolePrefix = "brazier-queue-"

// rights makes a role of each queue that names users or groups. In YARN who may submit to a queue, or administer it, may
// submit to those below it; so a role is for a queue with all below it.
func (i *importer) rights() {
	for _, q := range i.queues {
		users, groups := i.allowed(q)
		if len(users)+len(groups) == 0 {
			continue
		}
		role := &rbacv1.ClusterRole{
			TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"},
			ObjectMeta: metav1.ObjectMeta{Name: rolePrefix + q.name},
			Rules:      []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"queues"}, Verbs: []string{"use"}}},
		}
		if q != i.root { // Without names it is for all.
			role.Rules[0].ResourceNames = q.names()
		}
		i.result.Roles = append(i.result.Roles, role)
		i.result.Bindings = append(i.result.Bindings, Binding{Role: role.Name, Users: users, Groups: groups})
	}
	if enabled, said := i.settings.take("yarn.acl.enable"); i.settings.site && (!said || enabled != "true") {
		i.changed(rootPath, "yarn.acl.enable is not true: YARN lets everybody use every queue, whatever the lists say; here they hold once they are bound")
	}
}

// names are those of q and all below it.
func (q *queue) names() []string {
	names := []string{q.name}
	for _, part := range q.parts {
		names = append(names, part.names()...)
	}
	return names
}

// allowed are the users and groups that may submit to q or administer it, and so submit. Without a word these are everybody
// at the root, and nobody more elsewhere: CapacitySchedulerConfiguration.getAcl.
func (i *importer) allowed(q *queue) (users, groups []string) {
	for _, setting := range []string{"acl_submit_applications", "acl_administer_queue"} {
		text, ok := i.settings.raw(q.key(setting))
		switch {
		case !ok && q != i.root:
			continue
		case !ok:
			text = "*"
		case setting == "acl_administer_queue" && strings.TrimSpace(text) != "":
			i.lost(q.key(setting)+" = "+text, "they may use the queue; the right to end what others run in it is one to delete applications in their namespaces")
		}
		if strings.TrimSpace(text) == "*" {
			i.open(q, setting, ok)
			groups = append(groups, everybody)
			continue
		}
		more, andGroups := members(text)
		users, groups = append(users, more...), append(groups, andGroups...)
	}
	return unique(users), unique(groups)
}

// open says that a queue is for everybody: most often nobody has meant it.
func (i *importer) open(q *queue, setting string, said bool) {
	if said {
		i.changed(q.key(setting)+" = *", "everybody may use %s and what is below it, whatever the lists there say", q.path)
		return
	}
	i.changed(q.key(setting), "it is not set, which is everybody in YARN: everybody may use every queue, whatever the lists below say")
}

// members reads an access control list: users, a space, groups (org.apache.hadoop.security.authorize.AccessControlList). A space
// first means that there are groups only.
func members(text string) (users, groups []string) {
	first, rest, _ := strings.Cut(text, " ")
	return words(flat(first), ", "), words(flat(rest), ", ")
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
