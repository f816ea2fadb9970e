// Package cli is the command line: it puts the commands together, each of which lives in a package of its own,
// and turns their errors into exit codes. It holds no logic of any command.
package cli

import (
	"context"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"brazier.sh/brazier/internal/cli/cancel"
	"brazier.sh/brazier/internal/cli/cluster"
	"brazier.sh/brazier/internal/cli/connect"
	"brazier.sh/brazier/internal/cli/demo"
	"brazier.sh/brazier/internal/cli/events"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/cli/follow"
	"brazier.sh/brazier/internal/cli/get"
	"brazier.sh/brazier/internal/cli/image"
	"brazier.sh/brazier/internal/cli/incidents"
	"brazier.sh/brazier/internal/cli/install"
	"brazier.sh/brazier/internal/cli/logs"
	"brazier.sh/brazier/internal/cli/migrate"
	"brazier.sh/brazier/internal/cli/operator"
	"brazier.sh/brazier/internal/cli/ps"
	"brazier.sh/brazier/internal/cli/queue"
	"brazier.sh/brazier/internal/cli/rerun"
	"brazier.sh/brazier/internal/cli/run"
	"brazier.sh/brazier/internal/cli/schedule"
	"brazier.sh/brazier/internal/cli/simulate"
	"brazier.sh/brazier/internal/cli/submit"
	"brazier.sh/brazier/internal/cli/ui"
	"brazier.sh/brazier/internal/cli/why"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/internal/version"
)

// Main runs the command line with args and returns the process's exit code.
func Main(args []string, streams terminal.Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	root := NewCommand(streams)
	if program := kube.Program(); program != root.Name() {
		nameAfter(root, program)
	}
	root.SetArgs(args)
	return report(root.ExecuteContext(ctx), streams)
}

// NewCommand returns the root command with every other below it.
func NewCommand(streams terminal.Streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "brazier",
		Short:         "Run Apache Spark, and what lives around it, on Kubernetes",
		Version:       version.String(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return exit.With(exit.Usage, fmt.Errorf("%w; \"%s --help\" lists the flags and their values", err, cmd.CommandPath()))
	})
	// controller-runtime's clients log nothing that a user of the command line could use, and complain where nobody has
	// said so. The operator, which does log, comes with a hook of its own in the place of this one.
	root.PersistentPreRun = func(*cobra.Command, []string) { log.SetLogger(logr.Discard()) }
	group(root, "Applications",
		run.NewCommand(streams),
		submit.NewCommand(streams),
		ps.NewCommand(streams),
		get.NewCommand(streams),
		follow.NewCommand(streams),
		why.NewCommand(streams),
		incidents.NewCommand(streams),
		logs.NewCommand(streams),
		events.NewCommand(streams),
		ui.NewCommand(streams),
		cancel.NewCommand(streams),
		cancel.NewResumeCommand(streams),
		rerun.NewCommand(streams),
		schedule.NewCommand(streams),
		connect.NewCommand(streams),
		demo.NewCommand(streams),
	)
	group(root, "Queues",
		queue.NewCommand(streams),
		simulate.NewCommand(streams),
	)
	group(root, "The embedded cluster",
		cluster.NewUpCommand(streams),
		cluster.NewStatusCommand(streams),
		cluster.NewEnvCommand(streams),
		cluster.NewDownCommand(streams),
		cluster.NewSuperviseCommand(streams),
	)
	group(root, "Clusters and images",
		install.NewCommand(streams),
		install.NewUpgradeCommand(streams),
		install.NewUninstallCommand(streams),
		migrate.NewCommand(streams),
		image.NewCommand(streams),
		operator.NewCommand(streams),
	)
	return root
}

// group adds commands to root under a title in its help.
func group(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title + ":"})
	for _, cmd := range commands {
		cmd.GroupID = title
		root.AddCommand(cmd)
	}
}

// report prints what is left to say of err and returns the exit code that it stands for.
func report(err error, streams terminal.Streams) int {
	if err != nil && !exit.Silent(err) {
		fmt.Fprintf(streams.Err, "%s: %v\n", kube.Program(), err)
	}
	return int(exit.Of(err))
}
