// Package events gathers Kubernetes' events about an application: about itself, its pods and what else belongs to it, and
// those that were kept in its RunRecords after Kubernetes has forgotten them. It reads, and decides nothing.
package events

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	recordv1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
)

// pageSize is how many events are asked for at once.
const pageSize = 500

// Event is something that was told about an application.
type Event struct {
	recordv1.Event `json:",inline"`

	// Run is the run in whose record it was kept; 0 where Kubernetes still has it.
	Run int64 `json:"keptFromRun,omitempty"`
}

// Subject is the application that events are about, and the names of what belongs to it.
type Subject struct {
	app   *v1beta2.SparkApplication
	names map[string]bool
	made  *regexp.Regexp
}

// About returns the subject of an application and its pods, as far as they are known.
func About(app *v1beta2.SparkApplication, pods []*corev1.Pod) Subject {
	names := map[string]bool{app.Name + "-driver": true}
	info := app.Status.DriverInfo
	for _, name := range []string{info.PodName, info.WebUIServiceName, info.WebUIIngressName} {
		names[name] = true
	}
	for name := range app.Status.ExecutorState {
		names[name] = true
	}
	for _, pod := range pods {
		names[pod.Name] = true
	}
	delete(names, "")
	// Names of a run's objects are the application's, in letters that a label may have, and sixteen digits of a digest.
	label := regexp.MustCompile(`[^a-z0-9-]+`).ReplaceAllString(strings.ToLower(app.Name), "-")
	return Subject{app: app, names: names, made: regexp.MustCompile("^" + regexp.QuoteMeta(label) + "-[0-9a-f]{16}-")}
}

// Covers reports whether an event is about the subject, and not about another of its name before.
func (s Subject) Covers(event *corev1.Event) bool {
	object := event.InvolvedObject
	switch object.Kind {
	case v1beta2.SparkApplicationKind:
		return object.Name == s.app.Name && (object.UID == "" || object.UID == s.app.UID)
	case "PersistentVolumeClaim": // Claims of a pod's own are called after it.
		for name := range s.names {
			if strings.HasPrefix(object.Name, name+"-") {
				return s.recent(event)
			}
		}
	}
	return s.recent(event) && (s.names[object.Name] || s.made.MatchString(object.Name))
}

func (s Subject) recent(event *corev1.Event) bool {
	return !last(event).Before(s.app.CreationTimestamp.Time)
}

// From turns one of Kubernetes' events into one of ours.
func From(event *corev1.Event) Event {
	first := event.FirstTimestamp.Time
	if first.IsZero() {
		first = event.EventTime.Time
	}
	count := event.Count
	if event.Series != nil {
		count = event.Series.Count
	}
	return Event{Event: recordv1.Event{
		Object: event.InvolvedObject.Kind + "/" + event.InvolvedObject.Name,
		Type:   event.Type, Reason: event.Reason, Message: event.Message,
		From: cmp.Or(event.Source.Component, event.ReportingController), Count: max(count, 1),
		First: metav1.NewTime(first), Last: metav1.NewTime(last(event)),
	}}
}

// last is when an event was told last: the old API and the new one say it in fields of their own.
func last(event *corev1.Event) time.Time {
	at := event.LastTimestamp.Time
	if event.Series != nil && event.Series.LastObservedTime.After(at) {
		at = event.Series.LastObservedTime.Time
	}
	if at.IsZero() {
		at = event.EventTime.Time
	}
	if at.IsZero() {
		at = event.CreationTimestamp.Time
	}
	return at
}

// List returns the events that Kubernetes still has of a subject.
func List(ctx context.Context, client *applications.Client, subject Subject) ([]Event, error) {
	var events []Event
	options := metav1.ListOptions{Limit: pageSize}
	for {
		page, err := client.Cluster.CoreV1().Events(client.Namespace).List(ctx, options)
		if err != nil {
			return nil, fmt.Errorf("list events: %w", err)
		}
		for i := range page.Items {
			if event := &page.Items[i]; subject.Covers(event) {
				events = append(events, From(event))
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return events, nil
		}
	}
}

// Merge adds to events those that were kept in records and that are not among them any more, and sorts all by time.
func Merge(events []Event, records []*recordv1.RunRecord) []Event {
	known := map[string]bool{}
	key := func(e recordv1.Event) string { return e.Object + "\x00" + e.Reason + "\x00" + e.Message }
	for _, event := range events {
		known[key(event.Event)] = true
	}
	all := slices.Clone(events)
	for _, record := range records {
		for _, event := range record.Evidence.Events {
			if !known[key(event)] {
				all = append(all, Event{Event: event, Run: record.Run})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Event) int {
		return cmp.Or(a.Last.Compare(b.Last.Time), a.First.Compare(b.First.Time), strings.Compare(a.Object, b.Object))
	})
	return all
}
