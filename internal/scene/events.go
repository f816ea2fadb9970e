package scene

import (
	"context"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/evidence"
)

// maxEvents is how many events of a namespace are looked through.
const maxEvents = 20 * pageSize

// margin is how much later than a run's end there may be events about it.
const margin = 2 * time.Minute

// readEvents reads the namespace's events and keeps those about the run. One list costs the server less than one for each
// pod, and finds those about pods that are gone.
func (g *gathering) readEvents(ctx context.Context, scene *Scene) {
	belongs := g.aboutRun(scene)
	options := metav1.ListOptions{Limit: pageSize}
	var events []corev1.Event
	for read := 0; read < maxEvents; read += pageSize {
		list, err := g.source.cluster.CoreV1().Events(g.namespace).List(ctx, options)
		if err != nil {
			g.miss("events", err)
			break
		}
		for i := range list.Items {
			if belongs(&list.Items[i]) {
				events = append(events, list.Items[i])
			}
		}
		if options.Continue = list.Continue; options.Continue == "" {
			break
		}
	}
	g.live.Events = evidence.OfCoreEvents(events)
}

// generated is the end of the name of an executor that is called by Spark's default: KubernetesConf.getResourceNamePrefix
// has the application's name before it.
var generated = regexp.MustCompile(`^(.+)-[0-9a-f]{16}-exec-[0-9]+$`)

// aboutRun returns what tells whether an event is about the run: about one of its pods or their claims, or about the
// application in its time.
func (g *gathering) aboutRun(scene *Scene) func(*corev1.Event) bool {
	pods, claims := map[string]bool{}, map[string]bool{}
	for i := range g.pods {
		kept := evidence.OfPod(&g.pods[i])
		pods[kept.Name] = true
		for _, claim := range kept.Claims {
			claims[claim] = true
		}
	}
	if g.record != nil {
		for _, pod := range g.record.Evidence.Pods {
			pods[pod.Name] = true
			for _, claim := range pod.Claims {
				claims[claim] = true
			}
		}
	}
	within := g.time(scene)
	return func(event *corev1.Event) bool {
		about := event.InvolvedObject
		switch about.Kind {
		case "Pod":
			if !pods[about.Name] && !g.executor(about.Name) {
				return false
			}
		case "PersistentVolumeClaim":
			if !claims[about.Name] {
				return false
			}
		case v1beta2.SparkApplicationKind:
			if about.Name != g.name || g.app != nil && about.UID != g.app.UID {
				return false
			}
		default:
			return false
		}
		return within(event)
	}
}

// executor reports whether a pod's name is that of an executor of the application, by Spark's default.
func (g *gathering) executor(pod string) bool {
	match := generated.FindStringSubmatch(pod)
	// The application's name is cut so that the whole of it fits a label.
	return match != nil && (match[1] == g.name || len(match[1]) >= 28 && strings.HasPrefix(g.name, match[1]))
}

// time returns what tells whether an event is of the time of the run.
func (g *gathering) time(scene *Scene) func(*corev1.Event) bool {
	var from, to time.Time
	if g.app != nil && scene.Latest && !g.app.Status.RunSubmitTime.IsZero() {
		from = g.app.Status.RunSubmitTime.Time
	}
	if g.record != nil && g.record.Began != nil {
		from = g.record.Began.Time
	}
	if g.record != nil && g.record.Ended != nil {
		to = g.record.Ended.Add(margin)
	}
	return func(event *corev1.Event) bool {
		kept := evidence.OfCoreEvents([]corev1.Event{*event})[0]
		return !kept.Last.Time.Before(from.Truncate(time.Second)) && (to.IsZero() || kept.First.Time.Before(to))
	}
}
