// Package applog reads the logs of an application's driver and executors: each from its first line to its last, through
// streams that break off, and many as one in the order of time. It knows containers and lines; what of an application is
// to be read, and who shows it, is for others to decide.
package applog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"brazier.sh/brazier/internal/applications"
)

// Source is the container of a pod whose log is read.
type Source struct {
	// Name is what readers know it by: driver, or executor 3.
	Name string
	// Pod and UID are the pod's, Container is the container's name.
	Pod       string
	UID       types.UID
	Container string
}

// Line is a line of a log.
type Line struct {
	// From is the log that it is from.
	From Source
	// At is when it was written, by the node's clock.
	At time.Time
	// Text is the line, without its end.
	Text string
}

// Bounds say where in a log reading begins.
type Bounds struct {
	// Since leaves out what was written before; zero means nothing.
	Since time.Time
	// Tail is how many of the last lines are read; negative means all.
	Tail int64
}

// All is the whole of a log.
func All() Bounds { return Bounds{Tail: -1} }

// Reader reads logs of pods in a namespace.
type Reader struct {
	Cluster   kubernetes.Interface
	Namespace string
}

// errReplaced says that another pod has the source's name.
var errReplaced = errors.New("another pod has its name")

// pauses are how long is waited before a stream that broke off is opened again: briefly, since somebody is looking.
func pauses() wait.Backoff {
	return wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 5, Cap: 4 * time.Second}
}

// Follow reads a log from where cursor is to its end: the container's. A stream may break off at any time, with the API
// server or the kubelet; only one that was opened after the container had ended gives all that there is. It ends early
// with ctx, and when the pod is gone.
func (r Reader) Follow(ctx context.Context, source Source, bounds Bounds, cursor *Cursor, take func(Line)) {
	pause := pauses()
	for ctx.Err() == nil {
		ended, err := r.ended(ctx, source)
		if apierrors.IsNotFound(err) || errors.Is(err, errReplaced) {
			return
		}
		if err == nil {
			err = r.Copy(ctx, source, bounds, true, cursor, take)
		}
		if err == nil && ended {
			return
		}
		if err == nil {
			pause = pauses()
		}
		select {
		case <-time.After(pause.Step()):
		case <-ctx.Done():
		}
	}
}

// ended reports whether the container has ended.
func (r Reader) ended(ctx context.Context, source Source) (bool, error) {
	pod, err := r.Cluster.CoreV1().Pods(r.Namespace).Get(ctx, source.Pod, metav1.GetOptions{})
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", source.Name, err)
	}
	if pod.UID != source.UID {
		return false, errReplaced
	}
	return applications.ExitOf(pod, source.Container) != nil, nil
}

// Copy reads a log once, from where cursor is, until what there is has been read, or, to follow it, until the stream ends.
func (r Reader) Copy(ctx context.Context, source Source, bounds Bounds, follow bool, cursor *Cursor, take func(Line)) error {
	options := &corev1.PodLogOptions{Container: source.Container, Follow: follow, Timestamps: true}
	if since := cursor.resume(); !since.IsZero() {
		options.SinceTime = &metav1.Time{Time: since}
	} else {
		bounds.set(options)
	}
	stream, err := r.Cluster.CoreV1().Pods(r.Namespace).GetLogs(source.Pod, options).Stream(ctx)
	if err != nil {
		return fmt.Errorf("read the log of %s: %w", source.Name, err)
	}
	defer stream.Close()

	reader := bufio.NewReader(stream)
	for {
		text, err := reader.ReadString('\n')
		if text != "" && (err == nil || errors.Is(err, io.EOF)) {
			if line, fresh := cursor.take(strings.TrimSuffix(text, "\n")); fresh {
				line.From = source
				take(line)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the log of %s: %w", source.Name, err)
		}
	}
}

func (b Bounds) set(options *corev1.PodLogOptions) {
	if !b.Since.IsZero() {
		options.SinceTime = &metav1.Time{Time: b.Since}
	}
	if b.Tail >= 0 {
		options.TailLines = &b.Tail
	}
}
