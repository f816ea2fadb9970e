package scheduled

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"brazier.sh/brazier/api/v1beta2"
)

// newRun is the application that the schedule makes for a time of its own.
func newRun(s *v1beta2.ScheduledSparkApplication, due time.Time) *v1beta2.SparkApplication {
	labels := maps.Clone(s.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[v1beta2.LabelScheduledAppName] = s.Name
	annotations := maps.Clone(s.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	delete(annotations, v1beta2.AnnotationStartDeadline)
	annotations[v1beta2.AnnotationScheduledAt] = due.UTC().Format(time.RFC3339)
	return &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Namespace, Name: runName(s, due), Labels: labels, Annotations: annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(s, v1beta2.GroupVersion.WithKind(v1beta2.ScheduledSparkApplicationKind))},
		},
		Spec: *s.Spec.Template.DeepCopy(),
	}
}

// runName is the same for the same time of the same schedule, however often it is asked for, and fits into a label. A
// name that is too long for that is cut, and told from others that begin alike by a digest of it.
func runName(s *v1beta2.ScheduledSparkApplication, due time.Time) string {
	suffix := "-" + strconv.FormatInt(due.Unix(), 10)
	if room := validation.DNS1123LabelMaxLength - len(suffix); len(s.Name) > room {
		sum := sha256.Sum256([]byte(s.Name))
		digest := "-" + hex.EncodeToString(sum[:4])
		return strings.TrimRight(s.Name[:room-len(digest)], "-.") + digest + suffix
	}
	return s.Name + suffix
}
