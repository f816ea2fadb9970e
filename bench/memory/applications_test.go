//go:build bench

package memory

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/test/operated"
)

// executorsEach is how many executors each application has.
const executorsEach = 5

//go:embed application.yaml
var manifest []byte

// player plays what the operator and a node would do.
type player struct {
	client client.Client
}

func nameOf(i int) string { return fmt.Sprintf("orders-enrich-scheduled-2026-11-24-%05d", i) }

// run makes an application whose driver and executors run.
func (p player) run(ctx context.Context, i int) error {
	app := &v1beta2.SparkApplication{}
	if err := yaml.UnmarshalStrict(manifest, app); err != nil {
		return err
	}
	app.Namespace, app.Name = operated.Namespace, nameOf(i)
	applied, err := json.Marshal(app)
	if err != nil {
		return err
	}
	app.Annotations[corev1.LastAppliedConfigAnnotation] = string(applied) // as kubectl does
	if err := p.client.Create(ctx, app); err != nil {
		return err
	}
	plan, err := spark.New(app, spark.Run{Number: 1, SubmittedAt: time.Now()}, spark.Platform{})
	if err != nil {
		return err
	}
	if err := p.start(ctx, plan.Driver); err != nil {
		return err
	}
	for number := 1; number <= executorsEach; number++ {
		if err := p.start(ctx, executorOf(plan, number)); err != nil {
			return err
		}
	}
	return p.submitted(ctx, app, plan)
}

// submitted writes what status tells of an application that runs.
func (p player) submitted(ctx context.Context, app *v1beta2.SparkApplication, plan *spark.Plan) error {
	now := metav1.Now()
	before := app.DeepCopy()
	app.Status = v1beta2.SparkApplicationStatus{
		Run: 1, RunSubmitTime: now, LastSubmissionAttemptTime: now, ExecutionAttempts: 1, SubmissionAttempts: 1,
		SparkApplicationID: plan.AppID, SubmissionID: plan.SubmissionID,
		DriverInfo: v1beta2.DriverInfo{PodName: plan.Driver.Name, WebUIServiceName: plan.UIService, WebUIPort: plan.UIPort},
		AppState:   v1beta2.ApplicationState{State: v1beta2.ApplicationStateRunning},
	}
	return p.client.Status().Patch(ctx, app, client.MergeFrom(before))
}

// start makes a pod and has it run.
func (p player) start(ctx context.Context, pod *corev1.Pod) error {
	if err := p.client.Create(ctx, pod); err != nil {
		return err
	}
	return p.change(ctx, pod, corev1.PodRunning)
}

// change moves a pod to a phase, with the statuses that kubelet writes.
func (p player) change(ctx context.Context, pod *corev1.Pod, phase corev1.PodPhase) error {
	before := pod.DeepCopy()
	pod.Status.Phase, pod.Status.PodIP, pod.Status.HostIP = phase, "10.20.30.40", "10.1.2.3"
	pod.Status.StartTime = new(metav1.Now())
	pod.Status.Conditions, pod.Status.ContainerStatuses = nil, nil
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now(),
		})
	}
	for _, container := range pod.Spec.Containers {
		status := corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, ImageID: container.Image + "@sha256:" + fmt.Sprintf("%064d", 0),
			ContainerID: "containerd://" + fmt.Sprintf("%064d", 0),
			State:       corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
		}
		if phase == corev1.PodFailed {
			status.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, FinishedAt: metav1.Now()}}
		}
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, status)
	}
	return p.client.Status().Patch(ctx, pod, client.MergeFrom(before))
}

// executorOf returns an executor's pod as the plan's driver would make it: it is much like the driver's own.
func executorOf(plan *spark.Plan, number int) *corev1.Pod {
	driver := plan.Driver
	pod := driver.DeepCopy()
	pod.ObjectMeta = metav1.ObjectMeta{
		Namespace: driver.Namespace, Name: executorName(driver, number),
		Labels: make(map[string]string), Annotations: driver.Annotations,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(driver, corev1.SchemeGroupVersion.WithKind("Pod"))},
	}
	for key, value := range driver.Labels {
		pod.Labels[key] = value
	}
	pod.Labels[v1beta2.LabelSparkRole], pod.Labels[v1beta2.LabelSparkExecutorID] = v1beta2.SparkRoleExecutor, strconv.Itoa(number)
	pod.Spec.Containers[0].Name, pod.Spec.Containers[0].Args = v1beta2.ExecutorContainerName, []string{"executor"}
	for name, value := range map[string]string{
		"SPARK_DRIVER_URL":       "spark://CoarseGrainedScheduler@" + driver.Name + "-svc." + driver.Namespace + ".svc:7078",
		"SPARK_EXECUTOR_CORES":   "4",
		"SPARK_EXECUTOR_MEMORY":  "8192m",
		"SPARK_APPLICATION_ID":   plan.AppID,
		"SPARK_EXECUTOR_ID":      strconv.Itoa(number),
		"SPARK_RESOURCE_PROFILE": "0",
		"SPARK_JAVA_OPT_0":       "-Dspark.driver.port=7078",
		"SPARK_JAVA_OPT_1":       "--add-opens=java.base/java.lang=ALL-UNNAMED",
	} {
		pod.Spec.Containers[0].Env = append(pod.Spec.Containers[0].Env, corev1.EnvVar{Name: name, Value: value})
	}
	return pod
}

func executorName(driver *corev1.Pod, number int) string {
	return fmt.Sprintf("%s-exec-%d", driver.Name[:len(driver.Name)-len("-driver")], number)
}
