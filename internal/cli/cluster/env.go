package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/localcluster"
	"brazier.sh/brazier/internal/terminal"
)

type envOptions struct {
	home    string
	streams terminal.Streams
}

// NewEnvCommand returns the command that prints what lets other programs talk to the embedded cluster.
func NewEnvCommand(streams terminal.Streams) *cobra.Command {
	opts := envOptions{streams: streams}
	command := &cobra.Command{
		Use:     "env",
		Short:   "Print what lets kubectl and others talk to the embedded cluster",
		Example: `  eval "$(brazier env)" && kubectl get pods`,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return opts.run() },
	}
	AddHome(command, &opts.home)
	return command
}

func (o envOptions) run() error {
	cluster, err := localcluster.Open(o.home)
	if err != nil {
		return err
	}
	path := cluster.Layout.Kubeconfig()
	_, err = os.Stat(path)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the embedded cluster belongs to root; run it with sudo: %w", err)
	}
	if err != nil {
		return fmt.Errorf("there is no embedded cluster yet; start it with \"brazier up\": %w", err)
	}
	if o.home != "" {
		fmt.Fprintf(o.streams.Out, "export %s=%s\n", kube.EnvHome, quote(cluster.Layout.Home))
	}
	fmt.Fprintf(o.streams.Out, "export %s=%s\n", clientcmd.RecommendedConfigPathEnvVar, quote(path))
	return nil
}

// quote makes one word of text for a POSIX shell.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
