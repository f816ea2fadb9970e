package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/localcluster"
	"brazier.sh/brazier/internal/localcluster/logs"
	"brazier.sh/brazier/internal/terminal"
)

type logsOptions struct {
	home    string
	system  string
	follow  bool
	tail    int
	streams terminal.Streams
}

// NewLogsCommand returns the command that shows the log of a part of the embedded cluster.
func NewLogsCommand(streams terminal.Streams) *cobra.Command {
	opts := logsOptions{streams: streams}
	command := &cobra.Command{
		Use:   "logs --system PART",
		Short: "Show the log of a part of the embedded cluster",
		Example: `  brazier logs --system kubelet --tail 50
  brazier logs --system kube-apiserver -f`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context()) },
	}
	addHome(command, &opts.home)
	flags := command.Flags()
	flags.StringVar(&opts.system, "system", "", "the `part`, as brazier status names it, or supervisor")
	flags.BoolVarP(&opts.follow, "follow", "f", false, "go on showing what is written")
	flags.IntVar(&opts.tail, "tail", -1, "show only the last `lines`; -1 shows all")
	return command
}

func (o logsOptions) run(ctx context.Context) error {
	cluster, err := localcluster.Open(o.home)
	if err != nil {
		return err
	}
	if o.system == "" {
		return exit.With(exit.Usage, fmt.Errorf("--system: name a part of the cluster: %s", o.known(cluster)))
	}
	if o.system != filepath.Base(o.system) {
		return exit.With(exit.Usage, fmt.Errorf("--system: %q is not the name of a part", o.system))
	}
	err = logs.Print(ctx, o.streams.Out, cluster.Layout.Log(o.system), o.tail, o.follow)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the embedded cluster belongs to root; run it with sudo: %w", err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--system: %q has no log; there are those of %s", o.system, o.known(cluster))
	}
	return err
}

// known are the parts that have a log.
func (o logsOptions) known(cluster *localcluster.Cluster) string {
	paths, _ := filepath.Glob(cluster.Layout.Log("*")) // The pattern is well-formed.
	if len(paths) == 0 {
		return "none; there is no embedded cluster yet (brazier up)"
	}
	for i, path := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(path), ".log")
	}
	return strings.Join(paths, ", ")
}
