package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/localcluster"
	"brazier.sh/brazier/internal/localcluster/logs"
	"brazier.sh/brazier/internal/terminal"
)

// LogOptions say which log of the embedded cluster is shown.
type LogOptions struct {
	Streams terminal.Streams
	// Home is the cluster's folder; empty means where it is by default.
	Home string
	// Part is the part whose log it is.
	Part string
	// Follow goes on with what is written.
	Follow bool
	// Tail is how many of the last lines are shown; -1 shows all.
	Tail int
}

// PrintLog shows the log of a part of the embedded cluster.
func PrintLog(ctx context.Context, o LogOptions) error {
	cluster, err := localcluster.Open(o.Home)
	if err != nil {
		return err
	}
	if o.Part == "" {
		return exit.With(exit.Usage, fmt.Errorf("--system: name a part of the cluster: %s", known(cluster)))
	}
	if o.Part != filepath.Base(o.Part) {
		return exit.With(exit.Usage, fmt.Errorf("--system: %q is not the name of a part", o.Part))
	}
	err = logs.Print(ctx, o.Streams.Out, cluster.Layout.Log(o.Part), o.Tail, o.Follow)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the embedded cluster belongs to root; run it with sudo: %w", err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--system: %q has no log; there are those of %s", o.Part, known(cluster))
	}
	return err
}

// known are the parts that have a log.
func known(cluster *localcluster.Cluster) string {
	paths, _ := filepath.Glob(cluster.Layout.Log("*")) // The pattern is well-formed.
	if len(paths) == 0 {
		return "none; there is no embedded cluster yet (brazier up)"
	}
	for i, path := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(path), ".log")
	}
	return strings.Join(paths, ", ")
}
