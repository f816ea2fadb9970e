// Package cluster holds the commands of the embedded cluster: up, down, status, env, and the supervisor's process.
// Each is its options, its flags and a call; what they do is in package localcluster.
package cluster

import (
	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/kube"
)

// AddHome defines the flag that says where the cluster's folder is.
func AddHome(command *cobra.Command, home *string) {
	command.Flags().StringVar(home, "home", "",
		"the embedded cluster's `folder` (default: $"+kube.EnvHome+", then "+kube.DefaultHome+")")
}
