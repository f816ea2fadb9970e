// Package reference writes the page of the documentation that lists all commands, from the commands themselves, so that it
// cannot say anything else than they do.
package reference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const introduction = `# Commands

Every command says the same with ` + "`--help`" + `. This page is made from the commands themselves by ` + "`make generate`" + `; do not edit it.

` + "`brazier`" + ` also works as kubectl's plugin: with a link to it called ` + "`kubectl-brazier`" + ` on the PATH, ` + "`kubectl brazier ps`" + ` does what ` + "`brazier ps`" + `
does. ` + "`brazier completion bash`" + ` (or ` + "`zsh`, `fish`" + `) prints what completes commands, flags and names of the cluster in a shell; for the plugin, put an
executable ` + "`kubectl_complete-brazier`" + ` with the line ` + "`exec brazier __complete \"$@\"`" + ` on the PATH.

**Which cluster.** Commands look for a kubeconfig in ` + "`--kubeconfig`, `$KUBECONFIG`, `~/.kube/config`" + ` and the embedded cluster's, in that order.

**Exit codes.** 0 is success, 1 a failure, 2 a command line that could not be meant, 130 Ctrl-C. Commands that follow a job end with the job's own.

**Colours** are for terminals: not where output goes elsewhere, not with ` + "`NO_COLOR`" + `, not with ` + "`TERM=dumb`" + `.
`

// Markdown returns the page of root and everything below it, but for what is hidden.
func Markdown(root *cobra.Command) string {
	var page strings.Builder
	page.WriteString(introduction)
	for _, group := range append(slices.Clone(root.Groups()), &cobra.Group{Title: "Others"}) {
		members := members(root, group.ID)
		if len(members) == 0 {
			continue
		}
		fmt.Fprintf(&page, "\n## %s\n\n| Command | |\n|---|---|\n", strings.TrimSuffix(group.Title, ":"))
		for _, cmd := range members {
			fmt.Fprintf(&page, "| [`%s`](#%s) | %s |\n", cmd.CommandPath(), anchor(cmd), cmd.Short)
		}
		for _, cmd := range members {
			write(&page, cmd)
		}
	}
	return page.String()
}

// members are the commands of a group that are shown; help and completion are the library's, and told of above.
func members(root *cobra.Command, group string) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(root.Commands()), func(cmd *cobra.Command) bool {
		return cmd.GroupID != group || cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion"
	})
}

// anchor is what a heading is called in a link.
func anchor(cmd *cobra.Command) string {
	return strings.ReplaceAll(cmd.CommandPath(), " ", "-")
}

func write(page *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(page, "\n### %s\n\n", cmd.CommandPath())
	if cmd.Long != "" {
		fmt.Fprintf(page, "%s\n\n", strings.TrimSpace(cmd.Long))
	} else {
		fmt.Fprintf(page, "%s.\n\n", cmd.Short)
	}
	if cmd.Runnable() {
		fmt.Fprintf(page, "```\n%s\n```\n", cmd.UseLine())
	}
	if len(cmd.Aliases) > 0 {
		fmt.Fprintf(page, "\nAlso called: %s.\n", "`"+strings.Join(cmd.Aliases, "`, `")+"`")
	}
	if cmd.Example != "" {
		fmt.Fprintf(page, "\nExamples:\n\n```\n%s\n```\n", unindented(cmd.Example))
	}
	flags(page, cmd.NonInheritedFlags())
	for _, child := range cmd.Commands() {
		if !child.Hidden && child.Name() != "help" {
			write(page, child)
		}
	}
}

func flags(page *strings.Builder, all *pflag.FlagSet) {
	if !all.HasAvailableFlags() {
		return
	}
	page.WriteString("\n| Flag | |\n|---|---|\n")
	all.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden || flag.Name == "help" {
			return
		}
		kind, usage := pflag.UnquoteUsage(flag)
		name := "--" + flag.Name
		if flag.Shorthand != "" {
			name = "-" + flag.Shorthand + ", " + name
		}
		if kind != "" {
			name += " " + kind
		}
		if shown := flag.DefValue; !strings.Contains(usage, "default") && !empty(shown) {
			usage += " (default: " + shown + ")"
		}
		fmt.Fprintf(page, "| `%s` | %s |\n", name, strings.ReplaceAll(usage, "|", `\|`))
	})
}

// empty reports whether a default is none worth telling.
func empty(value string) bool {
	return slices.Contains([]string{"", "0", "false", "[]", "0s", "-1"}, value)
}

// unindented is an example without the two columns that --help sets it off by.
func unindented(example string) string {
	lines := strings.Split(strings.Trim(example, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}
