package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/cli/reference"
	"brazier.sh/brazier/internal/terminal"
)

func TestCommandsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(reference.Markdown(NewCommand(terminal.Streams{})), string(page)); diff != "" {
		t.Errorf("docs/commands.md is not what the commands say; run \"make docs\"\n-want +got:\n%s", diff)
	}
}

// every visits all commands that people see.
func every(cmd *cobra.Command, visit func(*cobra.Command)) {
	for _, child := range cmd.Commands() {
		if !child.Hidden {
			visit(child)
			every(child, visit)
		}
	}
}

func TestEveryCommandHasExamples(t *testing.T) {
	every(NewCommand(terminal.Streams{}), func(cmd *cobra.Command) {
		if cmd.Runnable() && cmd.Example == "" && len(cmd.Commands()) == 0 && !needsNone(cmd) {
			t.Errorf("%s --help has no example", cmd.CommandPath())
		}
	})
}

// needsNone are the commands whose name says all that there is to type.
func needsNone(cmd *cobra.Command) bool {
	return cmd.Parent().Name() == "completion" || cmd.Name() == "down" || cmd.Name() == "status" || cmd.Name() == "lock"
}

func TestPlugin(t *testing.T) {
	root := NewCommand(terminal.Streams{})
	nameAfter(root, "kubectl brazier")
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"ps", "--help"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"kubectl brazier ps [flags]", "  kubectl brazier ps --all-namespaces"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	every(root, func(cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Example) {
			if strings.HasPrefix(strings.TrimSpace(line), "brazier ") {
				t.Errorf("an example of %s does not work as kubectl's plugin: %s", cmd.CommandPath(), line)
			}
		}
	})
}

func TestWrongFlagsAreUsage(t *testing.T) {
	for _, line := range []string{
		"ps --nope", "get a --wait=never", "logs", "logs a executor", "logs a executor x", "logs a b", "logs a driver --all",
		"logs a --attempt 1 --previous", "logs --system kubelet --all", "logs --system kubelet etcd", "cancel", "cancel a -l b",
		"rerun", "rerun a --logs", "events", "ui", "schedule", "schedule suspend",
	} {
		args := strings.Fields(line)
		root := NewCommand(terminal.Streams{Out: new(bytes.Buffer), Err: new(bytes.Buffer)})
		root.SetArgs(args)
		if err := root.Execute(); exit.Of(err) != exit.Usage {
			t.Errorf("brazier %s: got %v, want an error of usage", line, err)
		}
	}
}
