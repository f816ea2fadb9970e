package evidence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// Keep says for how long records are kept. Zeros are the defaults.
type Keep struct {
	// Runs is how many records of an application are kept while it is there: those of its last runs. Default: 5.
	Runs int
	// For is how long a record is kept whose application is gone. Default: a week.
	For time.Duration
	// PerNamespace is how many there are at most in a namespace. Default: 500.
	PerNamespace int
}

// Defaults of Keep.
const (
	DefaultRuns         = 5
	DefaultFor          = 7 * 24 * time.Hour
	DefaultPerNamespace = 500
)

func (k Keep) withDefaults() Keep {
	return Keep{Runs: cmp.Or(k.Runs, DefaultRuns), For: cmp.Or(k.For, DefaultFor), PerNamespace: cmp.Or(k.PerNamespace, DefaultPerNamespace)}
}

const (
	// collectEvery is how often records are looked through.
	collectEvery = 10 * time.Minute
	// page is how many records are listed at once: their names and labels only.
	page = 500
)

// collector removes records whose time is over.
type collector struct {
	cached  client.Reader
	cluster client.Client
	// namespaces are where records are; none is everywhere.
	namespaces []string
	keep       Keep
	clock      clock.WithTicker
}

var _ manager.LeaderElectionRunnable = (*collector)(nil)

// NeedLeaderElection has the leader alone remove records.
func (*collector) NeedLeaderElection() bool { return true }

// Start looks through the records again and again until ctx ends.
func (c *collector) Start(ctx context.Context) error {
	ticker := c.clock.NewTicker(collectEvery)
	defer ticker.Stop()
	for {
		if err := c.collect(ctx); err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "remove records whose time is over; trying again", "after", collectEvery.String())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
		}
	}
}

// collect removes the records whose time is over.
func (c *collector) collect(ctx context.Context) error {
	namespaces := c.namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	var errs []error
	for _, namespace := range namespaces {
		kept, err := c.list(ctx, namespace)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, record := range expired(kept, c.keep, c.clock.Now()) {
			errs = append(errs, c.remove(ctx, record))
		}
	}
	return errors.Join(errs...)
}

// kept is a record as far as it is looked at.
type kept struct {
	types.NamespacedName
	uid     types.UID
	version string
	app     string
	run     int64
	written time.Time
	// living says that the record's application is there.
	living bool
}

func (c *collector) list(ctx context.Context, namespace string) ([]kept, error) {
	var all []kept
	records := new(metav1.PartialObjectMetadataList)
	records.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("RunRecordList"))
	for {
		err := c.cluster.List(ctx, records, client.InNamespace(namespace), client.Limit(page), client.Continue(records.Continue))
		if err != nil {
			return nil, fmt.Errorf("list records: %w", err)
		}
		for i := range records.Items {
			record, err := c.look(ctx, &records.Items[i])
			if err != nil {
				return nil, err
			}
			all = append(all, record)
		}
		if records.Continue == "" {
			return all, nil
		}
	}
}

func (c *collector) look(ctx context.Context, record *metav1.PartialObjectMetadata) (kept, error) {
	seen := kept{
		NamespacedName: client.ObjectKeyFromObject(record), uid: record.UID, version: record.ResourceVersion,
		written: record.CreationTimestamp.Time,
	}
	// The name is the application's, the run and a part of the application's UID.
	parts := strings.Split(record.Name, ".")
	uid := parts[len(parts)-1]
	seen.app = record.Labels[v1beta2.LabelAppName] + "." + uid
	seen.run, _ = strconv.ParseInt(record.Labels[v1beta2.LabelRun], 10, 64)
	if at, err := time.Parse(time.RFC3339, record.Annotations[v1alpha1.AnnotationWrittenAt]); err == nil {
		seen.written = at
	}
	app := new(v1beta2.SparkApplication)
	err := c.cached.Get(ctx, client.ObjectKey{Namespace: record.Namespace, Name: record.Labels[v1beta2.LabelAppName]}, app)
	if client.IgnoreNotFound(err) != nil {
		return seen, fmt.Errorf("read the application of record %s: %w", record.Name, err)
	}
	seen.living = err == nil && strings.HasPrefix(string(app.UID), uid)
	return seen, nil
}

// expired returns the records whose time is over by now: of an application that is there all but those of the last runs,
// of others what was written too long ago, and of what is left in a namespace the oldest where there are too many.
func expired(records []kept, keep Keep, now time.Time) []kept {
	type application struct{ namespace, app string }
	runs, inNamespace := make(map[application]int), make(map[string]int)
	latest := slices.SortedFunc(slices.Values(records), func(a, b kept) int {
		return cmp.Or(cmp.Compare(b.run, a.run), b.written.Compare(a.written))
	})
	var over, rest []kept
	for _, record := range latest {
		of := application{record.Namespace, record.app}
		runs[of]++
		if record.living && runs[of] > keep.Runs || !record.living && now.Sub(record.written) > keep.For {
			over = append(over, record)
			continue
		}
		rest = append(rest, record)
	}
	slices.SortFunc(rest, func(a, b kept) int { return cmp.Or(b.written.Compare(a.written), cmp.Compare(a.Name, b.Name)) })
	for _, record := range rest {
		if inNamespace[record.Namespace]++; inNamespace[record.Namespace] > keep.PerNamespace {
			over = append(over, record)
		}
	}
	return over
}

// remove removes a record, unless it was written since it was looked at.
func (c *collector) remove(ctx context.Context, record kept) error {
	object := &v1alpha1.RunRecord{ObjectMeta: metav1.ObjectMeta{Namespace: record.Namespace, Name: record.Name}}
	err := c.cluster.Delete(ctx, object, client.Preconditions{UID: &record.uid, ResourceVersion: &record.version})
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return fmt.Errorf("remove record %s: %w", record.Name, err)
}
