package queue

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/internal/capacityscheduler"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/terminal"
)

type importOptions struct {
	streams           terminal.Streams
	output            output.Flag
	site              string
	cpu, memory, gpus []string
}

func newImportCommand(streams terminal.Streams) *cobra.Command {
	opts := importOptions{streams: streams}
	cmd := &cobra.Command{
		Use:   "import [flags] FILE",
		Short: "Make queues of YARN's capacity-scheduler.xml",
		Long: `Print the Queues, and the roles for their use, that a capacity-scheduler.xml of YARN comes to. FILE may be - for standard
input. What cannot be kept, or not quite, is said on standard error and at the top of the manifests. Nothing is applied.

Percentages are of what the cluster has to share out: --cpu, --memory and --gpus say that, for the nodes of a node label as
LABEL=AMOUNT. What becomes of each key is in docs/queue-import.md.`,
		Example: `  brazier queue import capacity-scheduler.xml --cpu 4000 --memory 16Ti > queues.yaml
  brazier queue import capacity-scheduler.xml --yarn-site yarn-site.xml --cpu 4000 --memory 16Ti
  brazier queue import capacity-scheduler.xml --cpu 4000 --memory 16Ti --cpu gpu=512 --memory gpu=4Ti --gpus gpu=64
  brazier queue import capacity-scheduler.xml --cpu 4000 --memory 16Ti | kubectl apply --dry-run=server -f -`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exit.With(exit.Usage, fmt.Errorf("FILE: name one capacity-scheduler.xml, or - for standard input; there are %d names", len(args)))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			return opts.run(args[0])
		},
	}
	flags := cmd.Flags()
	opts.output.AddTo(flags, output.YAML, output.JSON)
	flags.StringVar(&opts.site, "yarn-site", "", "the yarn-site.xml, a `file` that says whether YARN takes back what is borrowed")
	flags.StringArrayVar(&opts.cpu, "cpu", nil, "the `cores` to share out, such as 4000, or gpu=512 for nodes of the label gpu")
	flags.StringArrayVar(&opts.memory, "memory", nil, "the `memory` to share out, such as 16Ti, or gpu=4Ti for nodes of the label gpu")
	flags.StringArrayVar(&opts.gpus, "gpus", nil, "the `GPUs` to share out, such as 64, or gpu=64 for nodes of the label gpu")
	complete.Words(cmd, "output", opts.output.Forms()...)
	return cmd
}

func (o *importOptions) run(file string) error {
	if err := o.output.Check(); err != nil {
		return exit.With(exit.Usage, err)
	}
	sizes, err := o.sizes()
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	in := capacityscheduler.Input{Sizes: sizes}
	if in.Scheduler, err = o.read(file); err != nil {
		return fmt.Errorf("FILE: %w", err)
	}
	if o.site != "" {
		if in.Site, err = o.read(o.site); err != nil {
			return fmt.Errorf("--yarn-site: %w", err)
		}
	}
	result, err := capacityscheduler.Import(in)
	if err != nil {
		return err
	}
	for _, line := range o.notes(result) {
		fmt.Fprintln(o.streams.Err, line)
	}
	return o.print(result)
}

func (o *importOptions) read(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(o.streams.In)
	}
	return os.ReadFile(file)
}

// sizes are the flags' amounts, by node label.
func (o *importOptions) sizes() (map[string]corev1.ResourceList, error) {
	sizes := map[string]corev1.ResourceList{}
	for _, flag := range []struct {
		name     string
		values   []string
		resource corev1.ResourceName
		example  string
	}{
		{"cpu", o.cpu, corev1.ResourceCPU, "4000"},
		{"memory", o.memory, corev1.ResourceMemory, "16Ti"},
		{"gpus", o.gpus, "nvidia.com/gpu", "64"},
	} {
		for _, value := range flag.values {
			label, amount, labelled := strings.Cut(value, "=")
			if !labelled {
				label, amount = "", value
			}
			quantity, err := resource.ParseQuantity(amount)
			if err != nil || quantity.Sign() < 0 || labelled && label == "" {
				return nil, fmt.Errorf("--%s: %q is no amount; write for example %s, or LABEL=%[3]s for the nodes of a node label", flag.name, value, flag.example)
			}
			if sizes[label] == nil {
				sizes[label] = corev1.ResourceList{}
			}
			if _, twice := sizes[label][flag.resource]; twice {
				return nil, fmt.Errorf("--%s: %q is a second amount of the same; leave out one of the two", flag.name, value)
			}
			sizes[label][flag.resource] = quantity
		}
	}
	return sizes, nil
}

// notes are what there is to know, a line each: what was not kept, and how rights are given to whom YARN gave them.
func (o *importOptions) notes(result *capacityscheduler.Result) []string {
	var lines []string
	for _, note := range result.Notes {
		lines = append(lines, note.String())
	}
	for _, binding := range result.Bindings {
		lines = append(lines, "bind, if they are called so here: "+command(binding))
	}
	return lines
}

// command is a command line that binds a role to those who had the rights in YARN.
func command(binding capacityscheduler.Binding) string {
	line := "kubectl create clusterrolebinding " + binding.Role + " --clusterrole=" + binding.Role
	for _, user := range binding.Users {
		line += " --user=" + quoted(user)
	}
	for _, group := range binding.Groups {
		line += " --group=" + quoted(group)
	}
	return line
}

// plain are characters that mean nothing to a shell.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:@"

// quoted is a word as a shell takes it.
func quoted(word string) string {
	if strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// print writes the manifests: as YAML one after the other, with the notes as comments, or as one list.
func (o *importOptions) print(result *capacityscheduler.Result) error {
	if o.output.Form == output.JSON {
		return output.Value(o.streams.Out, output.JSON, manifestList(result))
	}
	var text strings.Builder
	for _, line := range o.notes(result) {
		text.WriteString("# " + line + "\n")
	}
	for _, object := range objects(result) {
		content, err := yaml.Marshal(object)
		if err != nil {
			return fmt.Errorf("write a manifest: %w", err)
		}
		text.WriteString("---\n" + string(content))
	}
	_, err := io.WriteString(o.streams.Out, text.String())
	return err
}

func objects(result *capacityscheduler.Result) []any {
	all := []any{}
	for _, queue := range result.Queues {
		all = append(all, queue)
	}
	for _, role := range result.Roles {
		all = append(all, role)
	}
	return all
}

func manifestList(result *capacityscheduler.Result) map[string]any {
	return map[string]any{"apiVersion": "v1", "kind": "List", "items": objects(result)}
}
