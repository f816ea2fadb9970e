package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/localcluster"
	"brazier.sh/brazier/internal/terminal"
)

type statusOptions struct {
	home    string
	output  string
	streams terminal.Streams
}

// NewStatusCommand returns the command that shows what runs of the embedded cluster.
func NewStatusCommand(streams terminal.Streams) *cobra.Command {
	opts := statusOptions{streams: streams}
	command := &cobra.Command{
		Use:   "status",
		Short: "Show the embedded cluster: its parts, its node, where things are",
		Long:  "Show the embedded cluster: its parts, its node, where things are. The exit code is 1 unless all of it is healthy.",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context()) },
	}
	AddHome(command, &opts.home)
	command.Flags().StringVarP(&opts.output, "output", "o", "table", "the output's `format`: table or json")
	return command
}

func (o statusOptions) run(ctx context.Context) error {
	cluster, err := localcluster.Open(o.home)
	if err != nil {
		return err
	}
	switch o.output {
	case "table":
		status := cluster.Status(ctx)
		o.table(status)
		return o.verdict(status)
	case "json":
		status := cluster.Status(ctx)
		encoder := json.NewEncoder(o.streams.Out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(status); err != nil {
			return fmt.Errorf("write status: %w", err)
		}
		return o.verdict(status)
	default:
		return exit.With(exit.Usage, fmt.Errorf("--output: %q is not a format; write table or json", o.output))
	}
}

// verdict turns what is wrong into an exit code. The status itself has said it.
func (o statusOptions) verdict(status localcluster.Status) error {
	if status.Healthy {
		return nil
	}
	return exit.Failure
}

func (o statusOptions) table(status localcluster.Status) {
	if len(status.Parts) > 0 {
		var memory uint64
		var rows [][]string
		for _, part := range status.Parts {
			memory += part.Memory
			rows = append(rows, []string{
				part.Name, string(part.Phase), strconv.Itoa(part.PID), strconv.Itoa(part.Restarts), megabytes(part.Memory),
				part.Version, strings.Join(part.Listens, " "),
			})
		}
		o.streams.Table([]string{"PART", "STATE", "PID", "RESTARTS", "MEMORY", "VERSION", "ADDRESS"}, rows)
		fmt.Fprintf(o.streams.Out, "\nmemory        %s in all\n", megabytes(memory))
	}
	if status.Node != nil {
		fmt.Fprintf(o.streams.Out, "node          %s\n", node(status.Node))
		fmt.Fprintf(o.streams.Out, "registry      %s\n", status.Registry)
		fmt.Fprintf(o.streams.Out, "object store  %s\n", status.ObjectStore)
		fmt.Fprintf(o.streams.Out, "kubeconfig    %s\n", status.Kubeconfig)
	}
	if status.Problem != "" {
		fmt.Fprintf(o.streams.Err, "The cluster in %s is not healthy: %s\n", status.Home, status.Problem)
	}
}

func node(n *localcluster.Node) string {
	state := "ready"
	if !n.Ready {
		state = "not ready"
	}
	words := []string{state, n.Version}
	for _, phase := range slices.Sorted(maps.Keys(n.Pods)) {
		words = append(words, fmt.Sprintf("%d %s", n.Pods[phase], strings.ToLower(string(phase))))
	}
	if n.Pods[corev1.PodRunning] == 0 {
		words = append(words, "no pod running")
	}
	return strings.Join(words, ", ")
}

func megabytes(bytes uint64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }
