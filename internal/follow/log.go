package follow

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// streamLog shows a driver's log from its first line to its last. A stream may break off at any time, with the API
// server or the kubelet; only one that was opened after the container had ended shows all that there is.
func (f *follower) streamLog(ctx context.Context, driver driver) {
	var shown cursor
	pause := backoff
	for ctx.Err() == nil {
		ended, err := f.driverEnded(ctx, driver)
		if apierrors.IsNotFound(err) || errors.Is(err, errReplaced) {
			return
		}
		if err == nil {
			err = f.copyLog(ctx, driver, &shown)
		}
		if err == nil && ended {
			return
		}
		if err == nil {
			pause = backoff
		}
		select {
		case <-time.After(pause.Step()):
		case <-ctx.Done():
		}
	}
}

var errReplaced = errors.New("another pod has the driver's name")

func (f *follower) driverEnded(ctx context.Context, driver driver) (bool, error) {
	pod, err := f.cluster.CoreV1().Pods(f.Namespace).Get(ctx, driver.pod, metav1.GetOptions{})
	if err != nil {
		return false, fmt.Errorf("look at the driver: %w", err)
	}
	if pod.UID != driver.uid {
		return false, errReplaced
	}
	return podExit(pod, driver.container) != nil, nil
}

func (f *follower) copyLog(ctx context.Context, driver driver, shown *cursor) error {
	options := &corev1.PodLogOptions{Container: driver.container, Follow: true, Timestamps: true}
	if since := shown.resume(); !since.IsZero() {
		options.SinceTime = &metav1.Time{Time: since}
	}
	stream, err := f.cluster.CoreV1().Pods(f.Namespace).GetLogs(driver.pod, options).Stream(ctx)
	if err != nil {
		return fmt.Errorf("read the driver's log: %w", err)
	}
	defer stream.Close()

	reader := bufio.NewReader(stream)
	for {
		text, err := reader.ReadString('\n')
		if text != "" && (err == nil || errors.Is(err, io.EOF)) {
			if line, fresh := shown.take(strings.TrimSuffix(text, "\n")); fresh {
				f.send(ctx, func(*model) { f.screen.log(line) })
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the driver's log: %w", err)
		}
	}
}

// tail returns the last lines of the driver's log, for those who did not ask for all of it.
func (f *follower) tail(ctx context.Context, driver driver, lines int64) ([]string, error) {
	options := &corev1.PodLogOptions{Container: driver.container, TailLines: &lines}
	text, err := f.cluster.CoreV1().Pods(f.Namespace).GetLogs(driver.pod, options).DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the driver's log: %w", err)
	}
	return slices.Collect(strings.Lines(string(text))), nil
}

// cursor remembers how far a log has been shown, so that a stream that begins anew repeats nothing. The API resumes at a
// whole second only (LogOptions.sinceTime); what it sends again is recognised by its time.
type cursor struct {
	last      time.Time
	same      int
	replaying bool
	again     int
}

// resume returns where a new stream is to begin; zero means at the log's beginning.
func (c *cursor) resume() time.Time {
	c.replaying, c.again = !c.last.IsZero(), 0
	return c.last
}

// take strips the time from a line and reports whether the line has not been shown yet.
func (c *cursor) take(line string) (text string, fresh bool) {
	stamp, text, _ := strings.Cut(line, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return line, true // Not a line of the log but of the server that sends it.
	}
	if c.replaying && !at.After(c.last) {
		if at.Before(c.last) {
			return text, false
		}
		if c.again++; c.again <= c.same {
			return text, false
		}
	}
	switch {
	case at.After(c.last):
		c.last, c.same, c.replaying = at, 1, false
	case at.Equal(c.last):
		c.same++
	}
	return text, true
}
