//go:build bench

package submission

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/terminal"
)

// mostWrites are what an application may cost until it is COMPLETED: a Pod, a Service, two ConfigMaps, a NetworkPolicy
// and three statuses.
const mostWrites = 8

// TestWrites plays the drivers of some applications to their end and counts what the API server was asked to write for
// them, by its own metrics. Events are not counted, nor what the player of the drivers writes.
func TestWrites(t *testing.T) {
	applications := number("APPLICATIONS", 100)
	c := newCluster(t)
	operator := c.operate(t)
	c.play(t)
	c.end(t, "warm")
	c.settle(t)
	before, cpu := c.writes(t), operator.cpu(t)
	statuses := 0
	for i := range applications {
		name := fmt.Sprintf("counted-%d", i)
		c.create(t, application(watched, name))
		statuses += c.end(t, name)
	}
	// The end of COMPLETED is followed by one status that says that nothing is left, and the deletions before it.
	c.settle(t)
	after := c.writes(t)
	spent := (operator.cpu(t) - cpu) / time.Duration(applications)

	each := func(n int) float64 { return float64(n) / float64(applications) }
	total, rows := each(statuses), [][]string{{"patch sparkapplications/status", fmt.Sprintf("%.2f", each(statuses))}}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		n := after[key] - before[key]
		if n == 0 || !byOperator.MatchString(key) {
			continue
		}
		rows = append(rows, []string{key, fmt.Sprintf("%.2f", each(n))})
		total += each(n)
	}
	rows = append(rows, []string{"all", fmt.Sprintf("%.2f", total)})
	terminal.System().Table([]string{fmt.Sprintf("writes from apply to COMPLETED, mean of %d applications", applications), "each"}, rows)
	t.Logf("operator CPU of the whole life, clearing away included: %v for each application", spent)
	if total > mostWrites {
		t.Errorf("%.2f writes for each application, want at most %d", total, mostWrites)
	}
	if spent > mostCPU {
		t.Errorf("%v CPU for each application, want at most %v", spent, mostCPU)
	}
}

// byOperator are writes that only the operator does here. The applications themselves are made by their users.
var byOperator = regexp.MustCompile(`^(POST|PUT|PATCH) (pods|services|configmaps|networkpolicies|persistentvolumeclaims)$|^(PUT|PATCH) sparkapplications$`)

// play plays the kubelet for the drivers of the watched namespace: each starts and ends well at once.
func (c *cluster) play(t *testing.T) {
	t.Helper()
	watcher, err := c.client.Watch(t.Context(), new(corev1.PodList), client.InNamespace(watched))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for event := range watcher.ResultChan() {
			pod, ok := event.Object.(*corev1.Pod)
			if !ok || pod.DeletionTimestamp != nil || event.Type == "DELETED" {
				continue
			}
			state, phase := next(pod)
			if phase == "" {
				continue
			}
			pod.Status.Phase = phase
			pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: v1beta2.DriverContainerName, State: state}}
			if err := c.client.Status().Update(t.Context(), pod); err != nil && t.Context().Err() == nil {
				t.Errorf("play a driver: %v", err)
			}
		}
	}()
}

// next is what a driver does next: start, then end.
func next(pod *corev1.Pod) (corev1.ContainerState, corev1.PodPhase) {
	switch pod.Status.Phase {
	case corev1.PodPending:
		return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}, corev1.PodRunning
	case corev1.PodRunning:
		time.Sleep(pause) // so that the operator sees it run
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.Now()}}, corev1.PodSucceeded
	}
	return corev1.ContainerState{}, ""
}

// end waits until an application is COMPLETED and returns how often its status was written until then.
func (c *cluster) end(t *testing.T, name string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	watcher, err := c.client.Watch(ctx, new(v1beta2.SparkApplicationList), client.InNamespace(watched), client.MatchingFields{"metadata.name": name})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	statuses := 0
	for event := range watcher.ResultChan() {
		app, ok := event.Object.(*v1beta2.SparkApplication)
		if !ok {
			t.Fatalf("watch %s: %v", name, event.Object)
		}
		// The watch may begin after the first writes: those before it have left their mark in the object.
		if event.Type == "ADDED" && app.Status.AppState.State != v1beta2.ApplicationStateNew || event.Type == "MODIFIED" {
			statuses++
		}
		if app.Status.AppState.State == v1beta2.ApplicationStateCompleted {
			return statuses
		}
	}
	t.Fatalf("%s was not completed", name)
	return 0
}

// settle waits until the operator has nothing more to write.
func (c *cluster) settle(t *testing.T) {
	t.Helper()
	for was := c.writes(t); ; {
		time.Sleep(time.Second)
		is := c.writes(t)
		if maps.Equal(was, is) {
			return
		}
		was = is
	}
}

var (
	requestTotal = regexp.MustCompile(`^apiserver_request_total\{(.*)\} ([0-9.e+]+)$`)
	label        = regexp.MustCompile(`([a-z]+)="([^"]*)"`)
)

// writes returns how often the API server was asked to write, by verb and resource.
func (c *cluster) writes(t *testing.T) map[string]int {
	t.Helper()
	clientset, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		t.Fatal(err)
	}
	text, err := clientset.RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int)
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		match := requestTotal.FindStringSubmatch(lines.Text())
		if match == nil {
			continue
		}
		labels := make(map[string]string)
		for _, pair := range label.FindAllStringSubmatch(match[1], -1) {
			labels[pair[1]] = pair[2]
		}
		switch labels["verb"] {
		case "POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION":
		default:
			continue
		}
		key := labels["verb"] + " " + labels["resource"]
		if labels["subresource"] != "" {
			key += "/" + labels["subresource"]
		}
		n, err := strconv.ParseFloat(match[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		counts[key] += int(n)
	}
	return counts
}
