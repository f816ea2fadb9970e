package connect

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/spark"
)

// Observation is what was seen of a server.
type Observation struct {
	// Server is the server's pod, of whichever run; nil if there is none.
	Server *Server
	// Gone says that the current run's pod was made, and is not there any more.
	Gone bool
	// Executors counts the executors' pods by phase.
	Executors map[string]int
	// Orphans says that there are executors whose server does not run.
	Orphans bool
	// NoService says that the Service is not there.
	NoService bool
	// Invalid is why the specification cannot be followed; nil if it can.
	Invalid error
	// Warnings are what the owner should know of the specification.
	Warnings []string

	plan *spark.ConnectPlan
}

// Server is what was seen of a server's pod.
type Server struct {
	UID types.UID
	IP  string
	// Current tells the pod of the current run from those of earlier ones.
	Current bool
	// Edited says that the specification is not the one any more that the pod was made from.
	Edited bool
	// Deleting is a pod that was told to go.
	Deleting bool
	// Ready says that it takes connections.
	Ready bool
	// Waiting is why it does not run yet, where Kubernetes says so.
	Waiting string
	// Ended is how it ended; nil until then.
	Ended *Ending
}

// Ending is how a server ended.
type Ending struct {
	Message string
	// Lasted is how long it had run.
	Lasted time.Duration
}

// lives reports whether the pod is to stay as it is.
func (s *Server) lives() bool { return s != nil && s.Current && !s.Deleting && s.Ended == nil }

// observe reads the server's pods and its Service from the cache, and plans it.
func (r *Reconciler) observe(ctx context.Context, connect *v1alpha1.SparkConnect) (Observation, error) {
	own := []client.ListOption{
		client.InNamespace(connect.Namespace), client.MatchingLabels{v1alpha1.LabelConnectName: connect.Name}, client.UnsafeDisableDeepCopy,
	}
	var pods corev1.PodList
	if err := r.seen.List(ctx, &pods, own...); err != nil {
		return Observation{}, fmt.Errorf("list pods of the server: %w", err)
	}
	seen := Observation{}
	for i := range pods.Items {
		if pod := &pods.Items[i]; isServer(pod) && metav1.IsControlledBy(pod, connect) {
			seen.Server = observeServer(connect, pod)
		}
	}
	if err := r.observeMissing(ctx, connect, &seen); err != nil {
		return Observation{}, err
	}
	for i := range pods.Items {
		observeExecutor(connect, &pods.Items[i], &seen)
	}
	var services corev1.ServiceList
	if err := r.seen.List(ctx, &services, own...); err != nil {
		return Observation{}, fmt.Errorf("list Services of the server: %w", err)
	}
	seen.NoService = len(services.Items) == 0
	run := spark.Run{Number: connect.Status.Run, SubmittedAt: connect.Status.RunStartTime.Time}
	seen.plan, seen.Invalid = spark.NewConnect(connect, run, r.platform)
	if seen.plan != nil {
		seen.Warnings = seen.plan.Warnings
	}
	return seen, nil
}

// observeMissing looks for a pod that was made and is not in the cache: with the API server, as the cache may only be late.
func (r *Reconciler) observeMissing(ctx context.Context, connect *v1alpha1.SparkConnect, seen *Observation) error {
	if seen.Server != nil || connect.Status.Server.PodName == "" {
		return nil
	}
	pod := new(corev1.Pod)
	err := r.cluster.Get(ctx, client.ObjectKey{Namespace: connect.Namespace, Name: connect.Status.Server.PodName}, pod)
	switch {
	case apierrors.IsNotFound(err):
		seen.Gone = true
	case err != nil:
		return fmt.Errorf("look for the server that was made: %w", err)
	case metav1.IsControlledBy(pod, connect):
		seen.Server = observeServer(connect, pod)
	default:
		seen.Gone = true // another has its name by now
	}
	return nil
}

func observeServer(connect *v1alpha1.SparkConnect, pod *corev1.Pod) *Server {
	return &Server{
		UID:      pod.UID,
		IP:       pod.Status.PodIP,
		Current:  pod.Labels[v1beta2.LabelRun] == strconv.FormatInt(connect.Status.Run, 10),
		Edited:   pod.Annotations[v1alpha1.AnnotationSpecHash] != spark.ConnectHash(&connect.Spec),
		Deleting: !pod.DeletionTimestamp.IsZero(),
		Ready:    isTrue(pod, corev1.PodReady),
		Waiting:  waiting(pod),
		Ended:    ending(pod),
	}
}

// ending returns how the server's container ended, nil if it has not. A sidecar keeps a pod running whose server is done.
func ending(pod *corev1.Pod) *Ending {
	if status := serverContainer(pod); status != nil && status.State.Terminated != nil {
		end := status.State.Terminated
		message := fmt.Sprintf("the server ended with exit code %d", end.ExitCode)
		if end.Reason != "" {
			message += ", " + end.Reason
		}
		if words := strings.TrimSpace(end.Message); words != "" {
			message += "; its last words were: " + tail(words, maxLastWords)
		}
		return &Ending{Message: message, Lasted: end.FinishedAt.Sub(end.StartedAt.Time)}
	}
	if pod.Status.Phase != corev1.PodFailed && pod.Status.Phase != corev1.PodSucceeded {
		return nil
	}
	message := "the server's pod failed before the server started"
	for _, said := range []string{pod.Status.Reason, pod.Status.Message} {
		if said != "" {
			message += "; " + said
		}
	}
	return &Ending{Message: message}
}

// maxLastWords bounds what conditions repeat of a log.
const maxLastWords = 600

// tail returns the last whole lines of text that fit into length, or the end of its last line.
func tail(text string, length int) string {
	if len(text) <= length {
		return text
	}
	text = text[len(text)-length:]
	if _, lines, ok := strings.Cut(text, "\n"); ok {
		return lines
	}
	return strings.ToValidUTF8(text, "")
}

// waiting returns why the server does not run yet, in Kubernetes' own words; empty while all goes its way.
func waiting(pod *corev1.Pod) string {
	if pod.Status.Phase != corev1.PodPending {
		return ""
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return condition.Reason + ": " + condition.Message
		}
	}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		waits := status.State.Waiting
		if waits != nil && waits.Reason != "ContainerCreating" && waits.Reason != "PodInitializing" {
			return strings.TrimSuffix(waits.Reason+": "+waits.Message, ": ")
		}
	}
	return ""
}

func serverContainer(pod *corev1.Pod) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].Name == v1beta2.DriverContainerName {
			return &pod.Status.ContainerStatuses[i]
		}
	}
	return nil
}

func isTrue(pod *corev1.Pod, kind corev1.PodConditionType) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == kind {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// observeExecutor counts an executor, if pod is one that was not told to go.
func observeExecutor(connect *v1alpha1.SparkConnect, pod *corev1.Pod, seen *Observation) {
	if pod.Labels[v1beta2.LabelSparkRole] != v1beta2.SparkRoleExecutor || !pod.DeletionTimestamp.IsZero() {
		return
	}
	if seen.Executors == nil {
		seen.Executors = map[string]int{}
	}
	seen.Executors[phaseOf(pod)]++
	if !seen.Server.lives() || pod.Labels[v1beta2.LabelRun] != strconv.FormatInt(connect.Status.Run, 10) {
		seen.Orphans = true
	}
}

func phaseOf(pod *corev1.Pod) string {
	if pod.Status.Phase == "" {
		return strings.ToLower(string(corev1.PodPending))
	}
	return strings.ToLower(string(pod.Status.Phase))
}
