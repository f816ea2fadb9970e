// Package operator is the command that runs the operator. It runs in the operator's pod; users meet it only when they
// want to run an operator outside of the cluster.
package operator

import (
	"context"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/operator"
	"brazier.sh/brazier/internal/terminal"
)

type options struct {
	streams terminal.Streams
	kube    kube.Flags
	config  string
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:   "operator --config FILE",
		Short: "Run the operator: the process in the cluster that submits applications and follows them",
		Long: `Run the operator in the foreground. "brazier install" runs it in the cluster for you.

Outside of a cluster it needs no more than a kubeconfig; it logs to standard error as JSON.`,
		Args:   cobra.NoArgs,
		Hidden: true,
		// In the place of the root's, which silences the log.
		PersistentPreRun: func(*cobra.Command, []string) {},
		RunE:             func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
	opts.kube.AddTo(cmd.Flags())
	cmd.Flags().StringVar(&opts.config, "config", "", "the operator's configuration `file` (YAML)")
	return cmd
}

func run(ctx context.Context, opts options) error {
	config, err := readConfig(opts.config)
	if err != nil {
		return err
	}
	rest, err := opts.kube.Config()
	if err != nil {
		return err
	}
	return operator.Run(ctx, rest, config, opts.streams.Err)
}

// readConfig reads the file, or takes the defaults where there is none.
func readConfig(path string) (operator.Config, error) {
	if path == "" {
		return operator.ParseConfig(nil)
	}
	return operator.ReadConfig(path)
}
