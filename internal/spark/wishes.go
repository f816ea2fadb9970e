package spark

import (
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// Wishes are what an application says of itself to its queue, in its annotations.
type Wishes struct {
	// Priority is nil where the application does not say.
	Priority *int32
	// User is whose it is; "" where it does not say.
	User string
	// MinExecutors is with how many executors it can begin; 0 where it does not say.
	MinExecutors int64
	// MaxRunTime is how long it runs at most; 0 where it does not say.
	MaxRunTime time.Duration
}

// QueueWishes reads what app says of itself to its queue, and what is wrong with it. What is wrong is left out. Whether
// the application has as many executors as it wants to begin with its plan knows.
func QueueWishes(app *v1beta2.SparkApplication) (Wishes, field.ErrorList) {
	wishes := Wishes{User: app.Annotations[brazierv1alpha1.AnnotationUser]}
	var errs field.ErrorList
	read := func(name, why string, take func(said string) bool) {
		if said, ok := app.Annotations[name]; ok && !take(said) {
			errs = append(errs, field.Invalid(annotationPath(name), said, why))
		}
	}
	read(brazierv1alpha1.AnnotationPriority, "is not a priority; write a whole number such as 10 or -5, or leave it out for the queue's own", func(said string) bool {
		n, err := strconv.ParseInt(said, 10, 32)
		if err == nil {
			wishes.Priority = new(int32(n))
		}
		return err == nil
	})
	read(brazierv1alpha1.AnnotationMinExecutors, "is not a number of executors; write a whole number from 1 on, or leave it out for all of them", func(said string) bool {
		n, err := strconv.ParseInt(said, 10, 32)
		if err != nil || n < 1 {
			return false
		}
		wishes.MinExecutors = n
		return true
	})
	read(brazierv1alpha1.AnnotationMaxRunTime, "is not a length of time; write for example 20m or 1h30m, or leave it out", func(said string) bool {
		d, err := time.ParseDuration(said)
		if err != nil || d <= 0 {
			return false
		}
		wishes.MaxRunTime = d
		return true
	})
	return wishes, errs
}

func annotationPath(name string) *field.Path {
	return field.NewPath("metadata", "annotations").Key(name)
}
