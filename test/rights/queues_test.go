package rights_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

func inQueue(name string) map[string]string {
	return map[string]string{brazierv1alpha1.LabelQueue: name}
}

func ofUser(name string) map[string]string {
	return map[string]string{brazierv1alpha1.AnnotationUser: name}
}

// grantCluster gives a user rights to things of the whole cluster.
func (w *world) grantCluster(user string, rules ...rbacv1.PolicyRule) {
	w.T.Helper()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: w.Namespace + "-queues"}, Rules: rules}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: role.ObjectMeta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	for _, object := range []client.Object{role, binding} {
		w.Create(object)
		w.T.Cleanup(func() {
			if err := client.IgnoreNotFound(w.Client.Delete(context.Background(), object)); err != nil {
				w.T.Error(err)
			}
		})
	}
}

// TestQueuesOfAuthors is about who may put applications and schedules into a queue, and in whose name.
func TestQueuesOfAuthors(t *testing.T) {
	w := newWorld(t, nil)
	user, c := w.author()
	w.grantCluster(user,
		rbacv1.PolicyRule{APIGroups: []string{brazierv1alpha1.GroupName}, Resources: []string{"queues"}, ResourceNames: []string{"etl", "reports"}, Verbs: []string{"use"}},
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"users"}, ResourceNames: []string{"bob"}, Verbs: []string{"impersonate"}},
	)
	w.awaitQueues(c)

	const notQueue, notUser = `metadata.labels[brazier.sh/queue]: "research": you may not put applications`, `metadata.annotations[brazier.sh/user]: "alice": you may not run`
	tests := map[string]struct {
		labels, annotations map[string]string
		want                string // in the refusal; "" is none
	}{
		"none":         {},
		"granted":      {labels: inQueue("etl")},
		"notgranted":   {labels: inQueue("research"), want: notQueue},
		"self":         {annotations: ofUser(user)},
		"impersonated": {annotations: ofUser("bob")},
		"other":        {annotations: ofUser("alice"), want: notUser},
		"otherinqueue": {labels: inQueue("etl"), annotations: ofUser("alice"), want: notUser},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			app := w.application(name)
			schedule := &v1beta2.ScheduledSparkApplication{ObjectMeta: w.Meta(name)}
			schedule.Spec.Schedule, schedule.Spec.Template = "@daily", app.Spec
			for _, object := range []client.Object{app, schedule} {
				object.SetLabels(tt.labels)
				object.SetAnnotations(tt.annotations)
				checkRefusal(t, client.NewDryRunClient(c).Create(t.Context(), object), tt.want)
			}
		})
	}

	app := w.application("theirs")
	app.Labels, app.Annotations = inQueue("research"), ofUser("alice")
	w.Create(app)
	for _, step := range []struct {
		name   string
		change func()
		want   string
	}{
		{"what was so before stays", func() { app.Spec.MainApplicationFile = "local:///opt/other.py" }, ""},
		{"into a queue that is granted", func() { app.Labels = inQueue("reports") }, ""},
		{"and back", func() { app.Labels = inQueue("research") }, notQueue},
		{"out of all", func() { app.Labels = nil }, ""},
		{"in one's own name", func() { app.Annotations = ofUser(user) }, ""},
		{"and back", func() { app.Annotations = ofUser("alice") }, notUser},
	} {
		t.Run(step.name, func(t *testing.T) {
			w.Get(app, app.Name)
			step.change()
			checkRefusal(t, c.Update(t.Context(), app), step.want)
		})
	}
}

// awaitQueues waits until the API server goes by the policies of queues and knows what was granted.
func (w *world) awaitQueues(c client.Client) {
	w.T.Helper()
	probe := func(queue, user string) func(context.Context) error {
		return func(ctx context.Context) error {
			app := w.application("probe")
			app.Labels, app.Annotations = inQueue(queue), ofUser(user)
			return client.NewDryRunClient(c).Create(ctx, app)
		}
	}
	refused, granted := probe("research", ""), probe("etl", "bob")
	w.Eventually("policies of queues hold, and what is granted is", func(ctx context.Context) (bool, error) {
		no, yes := refused(ctx), granted(ctx)
		if err := ignoreForbidden(no); err != nil {
			return false, err
		}
		return no != nil && yes == nil, ignoreForbidden(yes)
	})
}

// TestQueuesOfSchedules has the operator make the runs of a schedule, whose author was asked.
func TestQueuesOfSchedules(t *testing.T) {
	w := newWorld(t, operated())
	schedule := &v1beta2.ScheduledSparkApplication{ObjectMeta: w.Meta("often")}
	schedule.Labels, schedule.Annotations = inQueue("research"), ofUser("alice")
	schedule.Spec.Schedule, schedule.Spec.Template = "@every 1s", w.application("").Spec
	w.Create(schedule)
	w.Eventually("a run of the schedule in its queue", func(ctx context.Context) (bool, error) {
		var runs v1beta2.SparkApplicationList
		err := w.Client.List(ctx, &runs, client.InNamespace(w.Namespace), client.MatchingLabels(inQueue("research")))
		return len(runs.Items) > 0 && runs.Items[0].Annotations[brazierv1alpha1.AnnotationUser] == "alice", err
	})
}

// queuedPod is a pod as Spark's driver makes it in a queue, changed by change.
func (w *world) queuedPod(name, role string, change func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: w.Meta(name)}
	pod.Labels = map[string]string{
		brazierv1alpha1.LabelQueue: "etl", v1beta2.LabelSparkRole: role, v1beta2.LabelAppName: "pi", v1beta2.LabelRun: "1",
	}
	amounts := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi")}
	pod.Spec.ServiceAccountName = driverAccount
	pod.Spec.Containers = []corev1.Container{
		{Name: "spark", Image: "i", Resources: corev1.ResourceRequirements{Requests: amounts, Limits: corev1.ResourceList{corev1.ResourceMemory: amounts[corev1.ResourceMemory]}}},
		{Name: "sidecar", Image: "i"},
	}
	if role == v1beta2.SparkRoleExecutor {
		pod.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "example.com/licence"}, {Name: brazierv1alpha1.SchedulingGate}}
	}
	if change != nil {
		change(pod)
	}
	return pod
}

func ungated(pod *corev1.Pod) {
	pod.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "example.com/licence"}}
}

// TestGate is about what a driver's program, or an administrator of the namespace, may do with pods in a queue.
func TestGate(t *testing.T) {
	w := newWorld(t, nil)
	admin := w.user("admin")
	w.grant(admin, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "admin"}, "create", "", "pods")
	_, author := w.author()
	w.awaitPolicies(author) // those of queues were made with them, and are awaited below
	program := apiserver.NewClient(t, as(accountName(w.Namespace, driverAccount)))
	w.Eventually("policies of queued pods hold", func(ctx context.Context) (bool, error) {
		err := client.NewDryRunClient(program).Create(ctx, w.queuedPod("probe", v1beta2.SparkRoleExecutor, ungated))
		return err != nil, ignoreForbidden(err)
	})

	t.Run("Create", func(t *testing.T) { w.gateOnCreate(t, program) })
	for name, c := range map[string]client.Client{"Program": program, "Admin": apiserver.NewClient(t, as(admin))} {
		t.Run(name, func(t *testing.T) { w.gateOnChange(t, c) })
	}
	t.Run("Operator", func(t *testing.T) {
		pod := w.queuedPod("lifted", v1beta2.SparkRoleExecutor, nil)
		w.Create(pod)
		operator := apiserver.NewClient(t, as(accountName(operatorNamespace, operatorAccount)))
		if err := operator.Patch(t.Context(), pod, lift); err != nil {
			t.Errorf("the operator lets an executor go: %v", err)
		}
	})
}

var lift = client.RawPatch(types.JSONPatchType, []byte(`[
	{"op": "test", "path": "/spec/schedulingGates/1/name", "value": "brazier.sh/queue"},
	{"op": "remove", "path": "/spec/schedulingGates/1"},
	{"op": "add", "path": "/spec/nodeSelector", "value": {"pool": "spot"}}
]`))

func (w *world) gateOnCreate(t *testing.T, program client.Client) {
	tests := map[string]struct {
		role   string
		change func(*corev1.Pod)
		want   string
	}{
		"gated":       {role: v1beta2.SparkRoleExecutor},
		"ungated":     {role: v1beta2.SparkRoleExecutor, change: ungated, want: `an executor in queue "etl" waits until the queue lets it go; add the gate`},
		"othersgate":  {role: v1beta2.SparkRoleExecutor, change: func(pod *corev1.Pod) { pod.Spec.SchedulingGates = nil }, want: "add the gate"},
		"driver":      {role: v1beta2.SparkRoleDriver, want: "executors have it, and drivers, which the operator makes"},
		"another":     {role: "", want: "executors have it"},
		"inno":        {role: v1beta2.SparkRoleExecutor, change: func(pod *corev1.Pod) { ungated(pod); delete(pod.Labels, brazierv1alpha1.LabelQueue) }},
		"ungatednode": {role: v1beta2.SparkRoleExecutor, change: func(pod *corev1.Pod) { pod.Spec.SchedulingGates, pod.Spec.NodeName = nil, "n1" }, want: "add the gate"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkRefusal(t, client.NewDryRunClient(program).Create(t.Context(), w.queuedPod(name, tt.role, tt.change)), tt.want)
		})
	}
	pinned := w.queuedPod("pinned", v1beta2.SparkRoleExecutor, func(pod *corev1.Pod) { pod.Spec.NodeName = "n1" })
	if err := client.NewDryRunClient(program).Create(t.Context(), pinned); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.nodeName") {
		t.Errorf("an executor that waits at the gate can have no node: %v", err)
	}
}

// gateOnChange tries to change a pod that waits, and one that was let go.
func (w *world) gateOnChange(t *testing.T, c client.Client) {
	const leave, charged, larger = "takes the gate brazier.sh/queue away when the queue lets the executor go", "tells what the pod is charged to", "make it no larger"
	merge := func(text string) client.Patch { return client.RawPatch(types.StrategicMergePatchType, []byte(text)) }
	resize := func(amounts string) client.Patch {
		return merge(`{"spec": {"containers": [{"name": "spark", "resources": ` + amounts + `}]}}`)
	}
	tests := map[string]struct {
		reason string
		role   string
		patch  client.Patch
		resize bool
		want   string
	}{
		"lift":        {reason: "Only the operator knows what the queue has.", patch: lift, want: leave},
		"othersgate":  {reason: "Of other gates others decide.", patch: client.RawPatch(types.JSONPatchType, []byte(`[{"op": "remove", "path": "/spec/schedulingGates/0"}]`))},
		"annotation":  {reason: "Nobody is charged by annotations.", patch: merge(`{"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "5"}}}`)},
		"label":       {reason: "Spark labels executors that it decommissions.", patch: merge(`{"metadata": {"labels": {"leaving": "yes"}}}`)},
		"unlabelled":  {reason: "Without the label nobody would look at the gate.", patch: merge(`{"metadata": {"labels": {"brazier.sh/queue": null}}}`), want: charged},
		"otherqueue":  {reason: "Applications move, pods do not.", patch: merge(`{"metadata": {"labels": {"brazier.sh/queue": "other"}}}`), want: charged},
		"asdriver":    {reason: "Drivers have no gate.", patch: merge(`{"metadata": {"labels": {"spark-role": "driver"}}}`), want: charged},
		"anothers":    {reason: "Another would pay for it.", patch: merge(`{"metadata": {"labels": {"sparkoperator.k8s.io/app-name": "other"}}}`), want: charged},
		"more":        {reason: "It was let go at its size.", resize: true, patch: resize(`{"requests": {"cpu": "1500m"}}`), want: larger},
		"ofanother":   {reason: "Each container counts.", resize: true, patch: merge(`{"spec": {"containers": [{"name": "sidecar", "resources": {"requests": {"cpu": "1m"}}}]}}`), want: larger},
		"limit":       {reason: "What it may use beyond what it requests is somebody else's.", resize: true, patch: resize(`{"limits": {"memory": "2Gi"}}`), want: larger},
		"less":        {reason: "Who wants less may have less.", resize: true, patch: resize(`{"requests": {"cpu": "0.5"}}`)},
		"same":        {reason: "A thousand thousandths are one.", resize: true, patch: resize(`{"requests": {"cpu": "1000m"}}`)},
		"moredriver":  {reason: "The driver was let in at its size, too.", role: v1beta2.SparkRoleDriver, resize: true, patch: resize(`{"requests": {"cpu": "2"}}`), want: larger},
		"lessandmore": {reason: "One amount does not pay for another.", resize: true, patch: resize(`{"requests": {"cpu": "0.5", "memory": "2Gi"}, "limits": {"memory": "2Gi"}}`), want: larger},
	}
	operator := apiserver.NewClient(t, as(accountName(operatorNamespace, operatorAccount)))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			role := tt.role
			if role == "" {
				role = v1beta2.SparkRoleExecutor
			}
			pod := w.queuedPod("", role, nil)
			pod.GenerateName = name + "-"
			w.createAs(operator, pod)
			var err error
			if tt.resize {
				// Not everybody has the right to; those who have meet the policy.
				err = w.Client.SubResource("resize").Patch(t.Context(), pod, tt.patch)
			} else {
				err = c.Patch(t.Context(), pod, tt.patch)
			}
			t.Log(tt.reason)
			checkRefusal(t, err, tt.want)
		})
	}
}
