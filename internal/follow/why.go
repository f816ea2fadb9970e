package follow

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	brazier "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/kube"
)

const (
	// whyBound is how long the end is put off for the operator to say why, which it does when it has read the log.
	whyBound = 3 * time.Second
	whyEvery = 250 * time.Millisecond
)

// conditionDiagnosed is the condition in which the operator says what a run failed of.
const conditionDiagnosed = "Diagnosed"

// explain says what an application that has failed failed of, as soon as the operator knows, and how to learn more.
func (f *follower) explain(ctx context.Context) {
	if f.model.app.state != v1beta2.ApplicationStateFailed {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, whyBound)
	defer cancel()
	ticker := time.NewTicker(whyEvery)
	defer ticker.Stop()
	for {
		cause, settled := f.firstCause(ctx)
		if settled {
			f.model.cause = cause
			break
		}
		select {
		case <-ticker.C:
			continue
		case <-ctx.Done():
		}
		break
	}
	f.screen.tell(closing(&f.model, cmp.Or(f.Why, "brazier why "+f.Name)), time.Since(f.begun))
}

// firstCause is the first cause in the record of the run, or where records cannot be read in the application's condition.
// It is not settled while the operator may still say.
func (f *follower) firstCause(ctx context.Context) (cause string, settled bool) {
	app := new(v1beta2.SparkApplication)
	if err := f.applications.Get().Namespace(f.Namespace).Resource(kube.ApplicationsResource).Name(f.Name).Do(ctx).Into(app); err != nil {
		return "", ctx.Err() == nil // It cannot be followed any further.
	}
	options := metav1.ListOptions{LabelSelector: labels.Set{
		v1beta2.LabelAppName: f.Name, v1beta2.LabelRun: strconv.FormatInt(app.Status.Run, 10),
	}.String()}
	var list brazier.RunRecordList
	err := f.records.Get().Namespace(f.Namespace).Resource(kube.RecordsResource).
		VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(&list)
	if err != nil {
		return diagnosed(app), ctx.Err() == nil
	}
	at := slices.IndexFunc(list.Items, func(r brazier.RunRecord) bool { return r.Application.UID == app.UID && r.Ended != nil })
	switch {
	case at < 0:
		return "", false
	case len(list.Items[at].Causes) == 0:
		return "", true
	}
	return list.Items[at].Causes[0].Why, true
}

// diagnosed is what the application's condition says.
func diagnosed(app *v1beta2.SparkApplication) string {
	for _, condition := range app.Status.Conditions {
		if condition.Type == conditionDiagnosed && condition.Status == metav1.ConditionTrue {
			return condition.Message
		}
	}
	return ""
}

// closing is the last word about an application that has failed.
func closing(m *model, command string) []line {
	cause, _, _ := strings.Cut(m.cause, "\n")
	if cause == "" {
		return nil
	}
	return []line{{subject: "why", text: cause, tone: bad}, {text: "more of it: " + command}}
}
