package install

import (
	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/install"
	"brazier.sh/brazier/internal/terminal"
)

// NewUpgradeCommand returns the command that changes what is installed.
func NewUpgradeCommand(streams terminal.Streams) *cobra.Command {
	flags := flagsOfInstall{streams: streams}
	var reset bool
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Upgrade the Brazier that is installed on a cluster, or change its values",
		Long: `Bring the Brazier of a cluster to this program's version, and its values to what is said here. Values that were given
before stay unless --reset-values is given. Applications go on meanwhile: the new operator takes over from the old one.

If the new operator does not come up, the objects of before are restored.`,
		Example: `  brazier upgrade --operator-image registry.example.com/brazier:1.1 --push
  brazier upgrade --set config.timeToLiveSeconds=86400 --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.do(cmd.Context(), !reset, (*install.Installer).Upgrade)
		},
	}
	flags.addTo(cmd)
	cmd.Flags().BoolVar(&reset, "reset-values", false, "forget the values of before; only those that are said here hold")
	return cmd
}
