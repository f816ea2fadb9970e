package cli

import (
	"regexp"

	"github.com/spf13/cobra"
)

// nameAfter has every text of the commands call the program by another name: "kubectl brazier" for kubectl's plugin.
func nameAfter(root *cobra.Command, program string) {
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: program}
	var names string
	for _, cmd := range root.Commands() {
		names += "|" + regexp.QuoteMeta(cmd.Name())
	}
	call := regexp.MustCompile(`(?m)(^|[\s"(])` + regexp.QuoteMeta(root.Name()) + ` (` + names[1:] + `)\b`)
	rename(root, func(text string) string { return call.ReplaceAllString(text, "${1}"+program+" $2") })
}

func rename(cmd *cobra.Command, text func(string) string) {
	cmd.Short, cmd.Long, cmd.Example = text(cmd.Short), text(cmd.Long), text(cmd.Example)
	for _, child := range cmd.Commands() {
		rename(child, text)
	}
}
