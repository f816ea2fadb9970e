package evidence

import (
	"cmp"
	"slices"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// Merge returns what is known of a run by what was kept of it before and what was seen of it since. It may be told the same
// again: nothing counts twice.
func Merge(kept, seen v1alpha1.Evidence) v1alpha1.Evidence {
	return v1alpha1.Evidence{
		Refusals: mergeRefusals(kept.Refusals, seen.Refusals),
		Holds:    mergeHolds(kept.Holds, seen.Holds),
		Pods:     mergePods(kept.Pods, seen.Pods),
		Events:   joinEvents(kept.Events, seen.Events),
		Logs:     mergeLogs(kept.Logs, seen.Logs),
		Executors: v1alpha1.ExecutorCount{
			Seen: max(kept.Executors.Seen, seen.Executors.Seen), Failed: max(kept.Executors.Failed, seen.Executors.Failed),
		},
		Dropped: max(kept.Dropped, seen.Dropped),
	}
}

func mergeRefusals(kept, seen []v1alpha1.Refusal) []v1alpha1.Refusal {
	merged := slices.Clone(kept)
	for _, refusal := range seen {
		if !slices.ContainsFunc(merged, func(r v1alpha1.Refusal) bool { return r.Message == refusal.Message }) {
			merged = append(merged, refusal)
		}
	}
	return merged
}

func mergeHolds(kept, seen []v1alpha1.Hold) []v1alpha1.Hold {
	merged := slices.Clone(kept)
	for _, hold := range seen {
		i := slices.IndexFunc(merged, func(h v1alpha1.Hold) bool {
			return h.By == hold.By && h.Object == hold.Object && h.Message == hold.Message
		})
		if i < 0 {
			merged = append(merged, hold)
			continue
		}
		merged[i].Since, merged[i].Until = earlier(merged[i].Since, hold.Since), hold.Until
	}
	return merged
}

// mergePods takes the later word about each pod, and keeps of the earlier one what a pod no longer says when it goes.
func mergePods(kept, seen []v1alpha1.Pod) []v1alpha1.Pod {
	merged := slices.Clone(kept)
	for i := range seen {
		at := slices.IndexFunc(merged, func(p v1alpha1.Pod) bool { return p.Name == seen[i].Name && p.UID == seen[i].UID })
		if at < 0 {
			merged = append(merged, seen[i])
			continue
		}
		merged[at] = MergePod(merged[at], seen[i])
	}
	slices.SortStableFunc(merged, func(a, b v1alpha1.Pod) int {
		return cmp.Or(cmp.Compare(order(a.Role), order(b.Role)), a.Created.Compare(b.Created.Time), cmp.Compare(a.Name, b.Name))
	})
	return merged
}

func order(role v1alpha1.Role) int {
	if role == v1alpha1.RoleDriver {
		return 0
	}
	return 1
}

// MergePod returns what is known of a pod by an earlier and a later word about it. Either may be of a copy that has only
// parts of the pod.
func MergePod(earlierWord, laterWord v1alpha1.Pod) v1alpha1.Pod {
	merged := laterWord
	if merged.Node == "" {
		merged.Node = earlierWord.Node
	}
	if merged.Started == nil {
		merged.Started = earlierWord.Started
	}
	if earlierWord.Deleted != nil && (merged.Deleted == nil || earlierWord.Deleted.Before(merged.Deleted)) {
		merged.Deleted = earlierWord.Deleted
	}
	if len(merged.Claims) == 0 {
		merged.Claims = earlierWord.Claims
	}
	if len(merged.Containers) == 0 {
		merged.Containers = earlierWord.Containers
	}
	for i := range merged.Containers {
		container := &merged.Containers[i]
		at := slices.IndexFunc(earlierWord.Containers, func(c v1alpha1.Container) bool { return c.Name == container.Name })
		if at < 0 {
			continue
		}
		container.Image = cmp.Or(container.Image, earlierWord.Containers[at].Image)
		if container.MemoryLimit == nil {
			container.MemoryLimit = earlierWord.Containers[at].MemoryLimit
		}
		if container.Terminated == nil && container.Running == nil && container.Restarts == earlierWord.Containers[at].Restarts {
			container.Terminated = earlierWord.Containers[at].Terminated
		}
		if container.Previous == nil {
			container.Previous = earlierWord.Containers[at].Previous
		}
	}
	for _, condition := range earlierWord.Conditions {
		if condition.Type != "DisruptionTarget" || slices.ContainsFunc(merged.Conditions, func(c v1alpha1.Condition) bool {
			return c.Type == condition.Type
		}) {
			continue
		}
		merged.Conditions = append(slices.Clip(merged.Conditions), condition)
	}
	return merged
}

// joinEvents merges two looks at the same events, in contrast to several events of one look, whose counts add up.
func joinEvents(kept, seen []v1alpha1.Event) []v1alpha1.Event {
	merged := slices.Clone(kept)
	for _, event := range seen {
		i := slices.IndexFunc(merged, func(e v1alpha1.Event) bool { return keyOf(&e) == keyOf(&event) })
		if i < 0 {
			merged = append(merged, event)
			continue
		}
		merged[i].Count = max(merged[i].Count, event.Count)
		merged[i].First, merged[i].Last = earlier(merged[i].First, event.First), later(merged[i].Last, event.Last)
	}
	slices.SortStableFunc(merged, func(a, b v1alpha1.Event) int { return a.First.Compare(b.First.Time) })
	return merged
}

// mergeLogs keeps of each container's log the reading that saw more of it: a later one of a container that is gone has
// none.
func mergeLogs(kept, seen []v1alpha1.Log) []v1alpha1.Log {
	merged := slices.Clone(kept)
	for i := range seen {
		at := slices.IndexFunc(merged, func(l v1alpha1.Log) bool {
			return l.Pod == seen[i].Pod && l.Container == seen[i].Container && l.Previous == seen[i].Previous
		})
		switch {
		case at < 0:
			merged = append(merged, seen[i])
		case seen[i].Total >= merged[at].Total:
			merged[at] = seen[i]
		}
	}
	return merged
}
