package follow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/internal/applog"
)

// streamLog shows a driver's log from its first line to its last.
func (f *follower) streamLog(ctx context.Context, driver driver) {
	source := applog.Source{Name: "driver", Pod: driver.pod, UID: driver.uid, Container: driver.container}
	f.logs().Follow(ctx, source, applog.All(), new(applog.Cursor), func(line applog.Line) {
		f.send(ctx, func(*model) { f.screen.log(line.Text) })
	})
}

func (f *follower) logs() applog.Reader {
	return applog.Reader{Cluster: f.cluster, Namespace: f.Namespace}
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
