// Package queue is the command "brazier queue", with "brazier queue import" below it. What YARN's files come to is told by
// internal/capacityscheduler; what queues let in is decided by internal/queue, in the operator.
package queue

import (
	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/terminal"
)

// NewCommand returns the command, with those below it.
func NewCommand(streams terminal.Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "queue", Short: "Say what queues have, use and wait for"}
	cmd.AddCommand(newImportCommand(streams))
	return cmd
}
