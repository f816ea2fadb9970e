// Package ps is the command "brazier ps": it lists applications. What is said of each is internal/applications'.
package ps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/duration"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/terminal"
)

// saysLimit is how much of an explanation fits a line of a table; --output wide shows its whole first line.
const saysLimit = 60

type options struct {
	streams  terminal.Streams
	cluster  kube.Flags
	output   output.Flag
	all      bool
	selector string
	states   []string
	watch    bool
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:     "ps [flags]",
		Aliases: []string{"list", "ls"},
		Short:   "List applications, the newest first",
		Long: `List the applications of a namespace, the newest first: what each is doing, since when, with how many executors, and why
it does not run where it does not.

It reads applications only, so the right to list those is enough.`,
		Example: `  brazier ps
  brazier ps --all-namespaces --state RUNNING,SUBMITTED
  brazier ps --selector team=sales --output wide --watch
  brazier ps --state FAILED --output name`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.check(); err != nil {
				return exit.With(exit.Usage, err)
			}
			return exit.Interrupt(cmd.Context(), run(cmd.Context(), &opts))
		},
	}
	flags := cmd.Flags()
	opts.cluster.AddTo(flags)
	opts.output.AddTo(flags, output.Table, output.Wide, output.JSON, output.YAML, output.Name)
	flags.BoolVarP(&opts.all, "all-namespaces", "A", false, "list the applications of all namespaces")
	flags.StringVarP(&opts.selector, "selector", "l", "", "list those whose labels match the `selector`, such as team=sales,tier!=test")
	flags.StringSliceVar(&opts.states, "state", nil, "list those in one of these `states`, such as RUNNING,PENDING_RERUN")
	flags.BoolVarP(&opts.watch, "watch", "w", false, "go on with a line for each change, until Ctrl-C")
	complete.Flags(cmd, &opts.cluster)
	complete.Words(cmd, "output", opts.output.Forms()...)
	complete.Words(cmd, "state", applications.States()...)
	return cmd
}

func (o *options) check() error {
	if err := o.output.Check(); err != nil {
		return err
	}
	if _, err := labels.Parse(o.selector); err != nil {
		return fmt.Errorf("--selector: %q cannot be read; write for example team=sales or 'team in (sales, ops)': %w", o.selector, err)
	}
	if o.all && o.cluster.Namespace != "" {
		return fmt.Errorf("--namespace: %q is one of all that --all-namespaces asks for; leave out one of the two", o.cluster.Namespace)
	}
	for i, state := range o.states {
		o.states[i] = strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(state), "-", "_"))
		if !slices.Contains(applications.States(), o.states[i]) {
			return fmt.Errorf("--state: %q is not a state of applications; there are %s", state, strings.Join(applications.States(), ", "))
		}
	}
	return nil
}

func run(ctx context.Context, opts *options) error {
	client, err := applications.Open(&opts.cluster)
	if err != nil {
		return err
	}
	if opts.all {
		client.Namespace = ""
	}
	if opts.watch {
		return client.Known(opts.follow(ctx, client))
	}
	apps, err := client.List(ctx, opts.selector)
	if err != nil {
		return client.Known(err)
	}
	apps = slices.DeleteFunc(apps, func(app *v1beta2.SparkApplication) bool { return !opts.wants(app) })
	if opts.output.Form.Machine() {
		return output.List(opts.streams.Out, opts.output.Form, v1beta2.GroupVersion.WithKind(v1beta2.SparkApplicationKind), apps)
	}
	if len(apps) == 0 {
		fmt.Fprintln(opts.streams.Err, opts.none(client))
		return nil
	}
	table(opts.streams, opts.output.Form, opts.all, time.Now).Print(apps...)
	return nil
}

func (o *options) wants(app *v1beta2.SparkApplication) bool {
	return len(o.states) == 0 || slices.Contains(o.states, applications.State(app))
}

// none says that there is nothing to list, and where there may be something.
func (o *options) none(client *applications.Client) string {
	such := ""
	if o.selector != "" || len(o.states) > 0 {
		such = "such "
	}
	if o.all {
		return fmt.Sprintf("there are no %sapplications in any namespace", such)
	}
	return fmt.Sprintf("there are no %sapplications in namespace %s; --all-namespaces looks everywhere", such, client.Namespace)
}

// follow prints what there is, the newest first, and then a line for each change of what a line says.
func (o *options) follow(ctx context.Context, client *applications.Client) error {
	apps, err := client.List(ctx, o.selector)
	if err != nil {
		return err
	}
	rows := table(o.streams, o.output.Form, o.all, time.Now)
	said := map[string]string{}
	tell := func(app *v1beta2.SparkApplication) error {
		if !o.wants(app) {
			return nil
		}
		key, news := string(app.UID), o.news(app)
		if said[key] == news {
			return nil
		}
		said[key] = news
		if o.output.Form.Machine() {
			return output.Object(o.streams.Out, o.output.Form, v1beta2.GroupVersion.WithKind(v1beta2.SparkApplicationKind), app)
		}
		rows.Print(app)
		return nil
	}
	for _, app := range apps {
		if err := tell(app); err != nil {
			return err
		}
	}
	return client.Watch(ctx, o.selector, func(change kube.Change[*v1beta2.SparkApplication]) (bool, error) {
		if change.None {
			return false, nil
		}
		if change.Gone {
			now := time.Now()
			change.Object.DeletionTimestamp = &metav1.Time{Time: now}
		}
		return false, tell(change.Object)
	})
}

// news is what has to change for another line: times do not count, they always change.
func (o *options) news(app *v1beta2.SparkApplication) string {
	if o.output.Form == output.JSON || o.output.Form == output.YAML {
		return app.ResourceVersion
	}
	return strings.Join([]string{applications.State(app), fmt.Sprint(applications.Attempt(app)), applications.ExecutorsCell(app), applications.Says(app)}, "\x00")
}

// table returns the table of applications; all adds their namespaces.
func table(streams terminal.Streams, form output.Form, all bool, now func() time.Time) *output.Rows[*v1beta2.SparkApplication] {
	type app = *v1beta2.SparkApplication
	limit := saysLimit
	if form == output.Wide {
		limit = 1000
	}
	columns := []output.Column[app]{
		{Header: "NAME", Cell: func(a app) string { return a.Name }},
		{Header: "STATE", Cell: applications.State, Tone: tone},
		{Header: "ATTEMPT", Cell: func(a app) string { return number(applications.Attempt(a)) }},
		{Header: "AGE", Cell: func(a app) string { return applications.Age(a.CreationTimestamp.Time, now()) }},
		{Header: "DURATION", Cell: func(a app) string { return took(a, now()) }},
		{Header: "EXECUTORS", Cell: applications.ExecutorsCell},
		{Header: "TYPE", Wide: true, Cell: func(a app) string { return string(a.Spec.Type) }},
		{Header: "SPARK", Wide: true, Cell: func(a app) string { return a.Spec.SparkVersion }},
		{Header: "DRIVER", Wide: true, Cell: func(a app) string { return a.Status.DriverInfo.PodName }},
		{Header: "SCHEDULE", Wide: true, Cell: func(a app) string { return a.Labels[v1beta2.LabelScheduledAppName] }},
		{Header: "SAYS", Cell: func(a app) string { return output.Cut(applications.Says(a), limit) }},
	}
	if all {
		columns = slices.Insert(columns, 0, output.Column[app]{Header: "NAMESPACE", Cell: func(a app) string { return a.Namespace }})
	}
	return output.NewRows(streams, form, columns)
}

// tone says at a glance how an application does.
func tone(app *v1beta2.SparkApplication) terminal.Tone {
	switch app.Status.AppState.State {
	case v1beta2.ApplicationStateFailed, v1beta2.ApplicationStateFailedSubmission, v1beta2.ApplicationStateFailing:
		return terminal.Bad
	case v1beta2.ApplicationStateCompleted, v1beta2.ApplicationStateSucceeding:
		return terminal.Good
	case v1beta2.ApplicationStateRunning:
		return terminal.Strong
	}
	return terminal.Plain
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func took(app *v1beta2.SparkApplication, now time.Time) string {
	took := applications.Took(app, now)
	if took == 0 {
		return ""
	}
	return duration.HumanDuration(took)
}
