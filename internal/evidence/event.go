package evidence

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// OfCoreEvents returns what is kept of events, the earliest first. Those that say the same of the same are one.
func OfCoreEvents(events []corev1.Event) []v1alpha1.Event {
	var kept []v1alpha1.Event
	for i := range events {
		kept = append(kept, ofCoreEvent(&events[i]))
	}
	return mergeEvents(kept)
}

// OfEvents is OfCoreEvents for the events of events.k8s.io.
func OfEvents(events []eventsv1.Event) []v1alpha1.Event {
	var kept []v1alpha1.Event
	for i := range events {
		kept = append(kept, ofEvent(&events[i]))
	}
	return mergeEvents(kept)
}

// ofCoreEvent reads all three ways in which an event says when and how often: its own fields, those of a series, and those
// of an event that happened once.
func ofCoreEvent(event *corev1.Event) v1alpha1.Event {
	kept := v1alpha1.Event{
		Object: event.InvolvedObject.Kind + "/" + event.InvolvedObject.Name, Type: event.Type, Reason: say(event.Reason, maxLine),
		Message: say(event.Message, maxMessage), From: cmp.Or(event.ReportingController, event.Source.Component),
		Count: max(event.Count, 1), First: event.FirstTimestamp, Last: event.LastTimestamp,
	}
	if series := event.Series; series != nil {
		kept.Count, kept.Last = max(kept.Count, series.Count), metav1.NewTime(series.LastObservedTime.Time)
	}
	return timed(kept, event.EventTime, event.CreationTimestamp)
}

func ofEvent(event *eventsv1.Event) v1alpha1.Event {
	kept := v1alpha1.Event{
		Object: event.Regarding.Kind + "/" + event.Regarding.Name, Type: event.Type, Reason: say(event.Reason, maxLine),
		Message: say(event.Note, maxMessage), From: cmp.Or(event.ReportingController, event.DeprecatedSource.Component),
		Count: max(event.DeprecatedCount, 1), First: event.DeprecatedFirstTimestamp, Last: event.DeprecatedLastTimestamp,
	}
	if series := event.Series; series != nil {
		kept.Count, kept.Last = max(kept.Count, series.Count), metav1.NewTime(series.LastObservedTime.Time)
	}
	return timed(kept, event.EventTime, event.CreationTimestamp)
}

// timed fills in times that an event does not say.
func timed(event v1alpha1.Event, happened metav1.MicroTime, made metav1.Time) v1alpha1.Event {
	if event.First.IsZero() {
		event.First = metav1.NewTime(happened.Time)
	}
	if event.First.IsZero() {
		event.First = made
	}
	if event.Last.Before(&event.First) {
		event.Last = event.First
	}
	return event
}

// eventKey is what events that say the same have in common.
type eventKey struct{ object, kind, reason, message, from string }

func keyOf(event *v1alpha1.Event) eventKey {
	return eventKey{event.Object, event.Type, event.Reason, event.Message, event.From}
}

// mergeEvents makes one of those that say the same, and sorts them by when they were told first.
func mergeEvents(events []v1alpha1.Event) []v1alpha1.Event {
	at := make(map[eventKey]int, len(events))
	var kept []v1alpha1.Event
	for _, event := range events {
		i, known := at[keyOf(&event)]
		if !known {
			at[keyOf(&event)] = len(kept)
			kept = append(kept, event)
			continue
		}
		kept[i].Count += event.Count
		kept[i].First, kept[i].Last = earlier(kept[i].First, event.First), later(kept[i].Last, event.Last)
	}
	slices.SortStableFunc(kept, func(a, b v1alpha1.Event) int { return a.First.Compare(b.First.Time) })
	return kept
}

func earlier(a, b metav1.Time) metav1.Time {
	if a.IsZero() || !b.IsZero() && b.Before(&a) {
		return b
	}
	return a
}

func later(a, b metav1.Time) metav1.Time {
	if a.Before(&b) {
		return b
	}
	return a
}
