package follow

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
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

// firstCause is the first cause in the record of the run, or where that cannot be read what the application's condition says.
// It is not settled while the operator may still say.
func (f *follower) firstCause(ctx context.Context) (cause string, settled bool) {
	app := new(v1beta2.SparkApplication)
	if err := f.applications.Get().Namespace(f.Namespace).Resource(kube.ApplicationsResource).Name(f.Name).Do(ctx).Into(app); err != nil {
		return "", ctx.Err() == nil // It cannot be followed any further.
	}
	diagnosed := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionDiagnosed)
	if diagnosed != nil && diagnosed.Status != metav1.ConditionTrue {
		return "", true // It was looked at, and nothing was found.
	}
	record, err := f.record(ctx, app)
	switch {
	case record != nil && len(record.Causes) > 0:
		return record.Causes[0].Why, true
	case diagnosed != nil:
		return diagnosed.Message, true
	}
	return "", apierrors.IsNotFound(err) // A cluster whose Brazier is older keeps no records.
}

// record returns the record of the application's latest run if that has ended; nil if there is none yet.
func (f *follower) record(ctx context.Context, app *v1beta2.SparkApplication) (*brazier.RunRecord, error) {
	options := metav1.ListOptions{LabelSelector: labels.Set{
		v1beta2.LabelAppName: app.Name, v1beta2.LabelRun: strconv.FormatInt(app.Status.Run, 10),
	}.String()}
	var list brazier.RunRecordList
	err := f.records.Get().Namespace(f.Namespace).Resource(kube.RecordsResource).
		VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(&list)
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	for i := range list.Items {
		if record := &list.Items[i]; record.Application.UID == app.UID && record.Ended != nil {
			return record, nil
		}
	}
	return nil, nil
}

// closing is the last word about an application that has failed.
func closing(m *model, command string) []line {
	cause, _, _ := strings.Cut(m.cause, "\n")
	if cause == "" {
		return nil
	}
	return []line{{subject: "why", text: cause, tone: bad}, {text: "more of it: " + command}}
}
