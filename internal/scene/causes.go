package scene

import (
	"slices"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// Causes joins the causes that follow from the evidence now with those that were recorded. The operator could read what its
// reader may not, and saw what is gone; but of a run that goes on, what it recorded may be over.
func (s *Scene) Causes(found []v1alpha1.Cause) []v1alpha1.Cause {
	if s.Record == nil || !s.Case.Ended {
		return found
	}
	joined := slices.Clone(found)
	for _, cause := range s.Record.Causes {
		if has(found, cause.Code) {
			continue
		}
		joined = append(joined, cause)
	}
	for i := range joined {
		if !has(joined, joined[i].Follows) {
			joined[i].Follows = ""
		}
	}
	return inOrder(joined)
}

func has(causes []v1alpha1.Cause, code string) bool {
	return slices.ContainsFunc(causes, func(c v1alpha1.Cause) bool { return c.Code == code })
}

// inOrder puts each cause behind the one that it follows from, and keeps the order otherwise.
func inOrder(causes []v1alpha1.Cause) []v1alpha1.Cause {
	ordered := make([]v1alpha1.Cause, 0, len(causes))
	var add func(after string)
	add = func(after string) {
		for _, cause := range causes {
			if cause.Follows == after && !has(ordered, cause.Code) {
				ordered = append(ordered, cause)
				add(cause.Code)
			}
		}
	}
	add("")
	return ordered
}
