package install

import (
	"context"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/install"
	"brazier.sh/brazier/internal/terminal"
)

type uninstallFlags struct {
	streams terminal.Streams
	target  Target
	opts    install.UninstallOptions
}

// NewUninstallCommand returns the command that removes Brazier.
func NewUninstallCommand(streams terminal.Streams) *cobra.Command {
	flags := uninstallFlags{streams: streams}
	cmd := &cobra.Command{
		Use: "uninstall",
		Example: `  brazier uninstall --dry-run
  brazier uninstall`,
		Short: "Remove Brazier from a cluster; applications and their kinds stay",
		Long: `Remove the operator with its namespace and its rights, and those of drivers. The definitions of the kinds stay, since
every application would go with them, and so do applications, Connect servers and the namespaces they run in. To remove
these too:

  kubectl get crd -o name | grep sparkoperator.k8s.io | xargs kubectl delete

It is refused while applications or Connect servers run: nobody would see applications end, retry them or tidy up after
them, nor start Connect servers again that end.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return flags.run(cmd.Context()) },
	}
	flags.target.addTo(cmd.Flags())
	cmd.Flags().BoolVar(&flags.opts.Unattended, "leave-running", false, "remove Brazier though applications or Connect servers run, and leave them to themselves")
	cmd.Flags().BoolVar(&flags.opts.DryRun, "dry-run", false, "show what would be removed, and remove nothing")
	cmd.Flags().DurationVar(&flags.opts.Timeout, "timeout", install.DefaultTimeout, "how long the operator's pods may take to end")
	return cmd
}

func (f uninstallFlags) run(ctx context.Context) error {
	installer, err := f.target.installer(f.streams)
	if err != nil {
		return err
	}
	return installer.Uninstall(ctx, f.opts)
}
