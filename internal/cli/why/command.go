// Package why is the command "brazier why": it says why an application failed, what it waits for, or that it is well. What
// there is to see is gathered by internal/scene, and what follows from it told by internal/diagnose; here it is put into
// words.
package why

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/diagnose"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/scene"
	"brazier.sh/brazier/internal/terminal"
)

type options struct {
	streams terminal.Streams
	cluster kube.Flags
	name    string
	attempt int64
	rules   string
	output  string
	all     bool
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:   "why [flags] APP",
		Short: "Say why an application failed, or what it waits for",
		Long: `Say why an application failed or what it waits for, what that is known by, and what can be done about it: from its pods,
events and logs as they are, and from what the operator recorded of those that are gone. It works for applications that
were deleted too, for as long as their records are kept.

It reads with your rights and changes nothing. What it could not read it names.`,
		Example: `  brazier why report-x7k2p
  brazier why report-x7k2p --attempt 1
  brazier why report-x7k2p -o json | jq -r '.causes[0].code'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exit.With(exit.Usage, errors.New("APP: name one application; \"kubectl get sparkapplications\" lists them"))
			}
			opts.name = args[0]
			return opts.run(cmd.Context(), cmd.Flags().Changed("attempt"))
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return exit.With(exit.Usage, fmt.Errorf("%w; \"%s --help\" lists the flags and their values", err, cmd.CommandPath()))
	})
	opts.cluster.AddTo(cmd.Flags())
	cmd.Flags().Int64Var(&opts.attempt, "attempt", 0, "explain the attempt of this `number`, counted from 1 (default: the latest)")
	cmd.Flags().StringVar(&opts.rules, "rules", "", "a `file` of rules of your own, to be tried beside the built-in ones")
	cmd.Flags().StringVarP(&opts.output, "output", "o", "text", "the `form` of what is printed: text, json or yaml")
	cmd.Flags().BoolVar(&opts.all, "all", false, "show all evidence, and consequences in full")
	return cmd
}

func (o *options) run(ctx context.Context, attempt bool) error {
	switch o.output {
	case "text", "json", "yaml":
	default:
		return exit.With(exit.Usage, fmt.Errorf("--output: %q is not a form; write text, json or yaml", o.output))
	}
	if attempt && o.attempt < 1 {
		return exit.With(exit.Usage, fmt.Errorf("--attempt: %d is not the number of an attempt; write 1 or more", o.attempt))
	}
	own, err := o.own()
	if err != nil {
		return err
	}
	found, err := o.gather(ctx)
	if err != nil {
		return err
	}
	answer := newAnswer(found, own)
	if o.output != "text" {
		return o.print(answer)
	}
	words := writer{width: o.streams.Width(), colour: o.streams.ColourOut(), zone: time.Local, all: o.all, command: o.cluster.Command}
	_, err = o.streams.Out.Write([]byte(words.text(found, answer.Causes)))
	return err
}

// own reads the rules of the user's own.
func (o *options) own() ([]diagnose.Rule, error) {
	if o.rules == "" {
		return nil, nil
	}
	text, err := os.ReadFile(o.rules)
	if err != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("--rules: %w", err))
	}
	rules, err := diagnose.ParseRules(text)
	if err != nil {
		return nil, exit.With(exit.Usage, fmt.Errorf("--rules: %s: %w", o.rules, err))
	}
	return rules, nil
}

func (o *options) gather(ctx context.Context) (*scene.Scene, error) {
	config, err := o.cluster.Config()
	if err != nil {
		return nil, err
	}
	namespace, err := o.cluster.CurrentNamespace()
	if err != nil {
		return nil, err
	}
	source, err := scene.Open(config)
	if err != nil {
		return nil, err
	}
	found, err := source.Gather(ctx, namespace, o.name, o.attempt)
	_, noRun := errors.AsType[*scene.NoRunError](err)
	switch {
	case noRun:
		return nil, fmt.Errorf("--attempt: %w", err)
	case errors.Is(err, scene.ErrNoSuch):
		return nil, o.noSuch(ctx, source, namespace)
	case err != nil:
		return nil, fmt.Errorf("look at %s/%s: %w", namespace, o.name, err)
	}
	return found, nil
}

// answer is what the command says, for programs.
type answer struct {
	Application application                  `json:"application"`
	Run         int64                        `json:"run"`
	State       v1beta2.ApplicationStateType `json:"state"`
	Causes      []v1alpha1.Cause             `json:"causes"`
	Unread      []string                     `json:"unread"`
}

type application struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	UID       types.UID `json:"uid,omitempty"`
	// Deleted says that the application is gone, and that its record speaks.
	Deleted bool `json:"deleted,omitempty"`
}

func newAnswer(found *scene.Scene, own []diagnose.Rule) answer {
	a := answer{
		Application: application{Namespace: found.Case.Namespace, Name: found.Case.Name, Deleted: found.Gone},
		Run:         found.Run, State: found.State, Causes: found.Causes(diagnose.Causes(&found.Case, own...)),
		Unread: found.Case.Cluster.Unread,
	}
	switch {
	case found.Case.Application != nil:
		a.Application.UID = found.Case.Application.UID
	case found.Record != nil:
		a.Application.UID = found.Record.Application.UID
	}
	if a.Causes == nil {
		a.Causes = []v1alpha1.Cause{}
	}
	if a.Unread == nil {
		a.Unread = []string{}
	}
	return a
}

func (o *options) print(a answer) error {
	var text []byte
	var err error
	if o.output == "json" {
		text, err = json.MarshalIndent(a, "", "  ")
		text = append(text, '\n')
	} else {
		text, err = yaml.Marshal(a)
	}
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	_, err = o.streams.Out.Write(text)
	return err
}

// noSuch is the error for a name of which there is nothing. It names those that are near.
func (o *options) noSuch(ctx context.Context, source *scene.Source, namespace string) error {
	names, err := source.Names(ctx, namespace)
	said := fmt.Sprintf("there is no application %q in namespace %s, nor a record of one", o.name, namespace)
	near := applications.Near(o.name, names)
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("the cluster does not know SparkApplications; \"%s\" puts Brazier on it: %w", o.cluster.In("").Command("install"), err)
	case err != nil:
		return fmt.Errorf("%s; what there is cannot be listed: %w", said, err)
	case len(near) > 0:
		return fmt.Errorf("%s; did you mean %s?", said, strings.Join(near, " or "))
	case len(names) == 0:
		return fmt.Errorf("%s, nor any other; --namespace looks elsewhere", said)
	}
	return fmt.Errorf("%s; \"%s\" lists those that there are", said, o.cluster.Command("ps"))
}
