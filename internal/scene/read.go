package scene

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	brazier "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/kube"
)

// pageSize is how many objects a list asks for at once.
const pageSize = 500

// miss notes that something could not be read.
func (g *gathering) miss(what string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unread = append(g.unread, what+": "+reason(err))
	g.failed[what] = fmt.Errorf("read %s: %w", what, err)
}

// reason is why something could not be read, in few words.
func reason(err error) string {
	switch {
	case apierrors.IsForbidden(err):
		return "forbidden"
	case apierrors.IsNotFound(err):
		return "not there"
	case errors.Is(err, context.DeadlineExceeded) || apierrors.IsTimeout(err):
		return fmt.Sprintf("not read within %s", Bound)
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}

func (g *gathering) readApplication(ctx context.Context) {
	app := new(v1beta2.SparkApplication)
	err := g.source.apps.Get().Namespace(g.namespace).Resource(kube.ApplicationsResource).Name(g.name).Do(ctx).Into(app)
	switch {
	case apierrors.IsNotFound(err):
		g.gone = true
	case err != nil:
		g.miss("application", err)
	default:
		g.app = app
		g.live.Refusals, g.live.Holds = refusals(app), holds(app)
	}
}

// stub is the name of a record, which tells whose it is.
type stub struct {
	name string
	run  int64
	made metav1.Time
}

// of reports whether the record is of the application with that UID: the end of its name is the beginning of the UID.
func (s stub) of(uid types.UID) bool {
	short := s.name[strings.LastIndexByte(s.name, '.')+1:]
	return short != "" && strings.HasPrefix(string(uid), short)
}

// readStubs reads which records there are of applications of that name. What is in them is not read: there may be many.
func (g *gathering) readStubs(ctx context.Context) {
	records := g.source.names.Resource(brazier.GroupVersion.WithResource(kube.RecordsResource)).Namespace(g.namespace)
	list, err := records.List(ctx, metav1.ListOptions{LabelSelector: labels.Set{v1beta2.LabelAppName: g.name}.String()})
	switch {
	case apierrors.IsNotFound(err):
		return // A cluster whose Brazier is older keeps none.
	case err != nil:
		g.miss("records", err)
		return
	}
	for i := range list.Items {
		object := &list.Items[i]
		run, err := strconv.ParseInt(object.Labels[v1beta2.LabelRun], 10, 64)
		if err != nil {
			continue // Not one of the operator's.
		}
		g.stubs = append(g.stubs, stub{name: object.Name, run: run, made: object.CreationTimestamp})
	}
}

// lastOfName are the records of the last application that had the name.
func lastOfName(stubs []stub) []stub {
	if len(stubs) == 0 {
		return nil
	}
	last := slices.MaxFunc(stubs, func(a, b stub) int { return a.made.Compare(b.made.Time) })
	uid := types.UID(last.name[strings.LastIndexByte(last.name, '.')+1:])
	return slices.DeleteFunc(stubs, func(s stub) bool { return !s.of(uid) })
}

func (g *gathering) readRecord(ctx context.Context, run int64) {
	at := slices.IndexFunc(g.stubs, func(s stub) bool { return s.run == run })
	if at < 0 {
		return
	}
	record := new(brazier.RunRecord)
	err := g.source.records.Get().Namespace(g.namespace).Resource(kube.RecordsResource).Name(g.stubs[at].name).Do(ctx).Into(record)
	if err != nil {
		g.miss("record "+g.stubs[at].name, err)
		return
	}
	g.record = record
}

func (g *gathering) readPods(ctx context.Context) {
	options := metav1.ListOptions{Limit: pageSize, LabelSelector: labels.Set{v1beta2.LabelAppName: g.name}.String()}
	for {
		list, err := g.source.cluster.CoreV1().Pods(g.namespace).List(ctx, options)
		if err != nil {
			g.miss("pods", err)
			return
		}
		g.pods = append(g.pods, list.Items...)
		if options.Continue = list.Continue; options.Continue == "" {
			return
		}
	}
}

// alien reports whether a pod is of an application that had the name before.
func (g *gathering) alien(pod *corev1.Pod) bool {
	return g.app != nil && pod.CreationTimestamp.Before(&g.app.CreationTimestamp)
}

func runOf(pod *corev1.Pod) int64 {
	run, err := strconv.ParseInt(pod.Labels[v1beta2.LabelRun], 10, 64)
	if err != nil {
		return 0 // Another operator's, which counts no runs.
	}
	return run
}

// runs are the numbers of all runs that something is known of.
func (g *gathering) runs() []int64 {
	var runs []int64
	if g.app != nil && g.app.Status.Run > 0 {
		runs = append(runs, g.app.Status.Run)
	}
	for _, stub := range g.stubs {
		runs = append(runs, stub.run)
	}
	for i := range g.pods {
		if run := runOf(&g.pods[i]); run > 0 && !g.alien(&g.pods[i]) {
			runs = append(runs, run)
		}
	}
	slices.Sort(runs)
	return slices.Compact(runs)
}
