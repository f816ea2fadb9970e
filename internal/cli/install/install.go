package install

import (
	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/install"
	"brazier.sh/brazier/internal/terminal"
)

// NewCommand returns the command that installs Brazier.
func NewCommand(streams terminal.Streams) *cobra.Command {
	flags := flagsOfInstall{streams: streams}
	cmd := &cobra.Command{
		Use:   "install --operator-image IMAGE",
		Short: "Install Brazier on a Kubernetes cluster",
		Long: `Install Brazier's kinds and its operator on the cluster of your kubeconfig, by the chart that this program carries:
"helm list -n brazier-system" shows it, and Helm itself can go on from there. What an earlier version installed without
Helm is taken over. If it fails, what was installed is removed again.

The cluster has to be able to pull the operator's image. With --push this very program is pushed there first, with
the credentials that "docker login" has stored.`,
		Example: `  brazier install --operator-image registry.example.com/brazier:1.0 --push --namespaces analytics,reports
  brazier install --operator-image registry.example.com/brazier:1.0 --values platform.yaml --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.do(cmd.Context(), false, (*install.Installer).Install)
		},
	}
	flags.addTo(cmd)
	return cmd
}
