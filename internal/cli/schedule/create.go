package schedule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
	"brazier.sh/brazier/internal/cli/complete"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/manifest"
	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/schedule"
	"brazier.sh/brazier/internal/terminal"
)

// shown is how many of its next times a schedule is introduced by.
const shown = 3

type createOptions struct {
	streams     terminal.Streams
	cluster     kube.Flags
	app         string
	manifest    string
	cron        string
	zone        string
	name        string
	concurrency string
	set         []string
	dryRun      bool
}

func (o *createOptions) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	o.cluster.AddTo(flags)
	flags.StringVarP(&o.manifest, "filename", "f", "", "take the SparkApplication of this `file`, or - for standard input, in place of APP")
	flags.StringVar(&o.cron, "cron", "", "when: an `expression` such as \"30 2 * * *\", @daily or \"@every 90m\"")
	flags.StringVar(&o.zone, "zone", "", "the time `zone` of the expression, such as Europe/Berlin (default: UTC)")
	flags.StringVar(&o.name, "name", "", "the schedule's `name` (default: made of the application's)")
	flags.StringVar(&o.concurrency, "concurrency", string(v1beta2.ConcurrencyAllow),
		"what happens while an earlier run goes on, a `policy`: Allow starts another beside it, Forbid waits for its end, Replace ends it")
	flags.StringArrayVar(&o.set, "set", nil, "set a field of the specification, `key=value`; may be repeated")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the schedule as YAML; create nothing")
	complete.Flags(cmd, &o.cluster)
	complete.Words(cmd, "concurrency", policies()...)
}

func policies() []string {
	return []string{string(v1beta2.ConcurrencyAllow), string(v1beta2.ConcurrencyForbid), string(v1beta2.ConcurrencyReplace)}
}

func (o *createOptions) runE(cmd *cobra.Command, args []string) error {
	when, err := o.check(args)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	return exit.Interrupt(cmd.Context(), o.create(cmd.Context(), when))
}

// check refuses what cannot be meant, before anything is read or sent.
func (o *createOptions) check(args []string) (schedule.Schedule, error) {
	var none schedule.Schedule
	switch {
	case len(args) > 1:
		return none, fmt.Errorf("%q is neither an application nor a command of schedule; \"%s schedule --help\" has examples", strings.Join(args, " "), kube.Program())
	case len(args) == 0 && o.manifest == "":
		return none, fmt.Errorf("APP: name an application, or a manifest with -f; \"%s\" lists the schedules that there are", o.cluster.Command("schedule ls"))
	case len(args) == 1 && o.manifest != "":
		return none, fmt.Errorf("-f: %s is given as well as the application %s; leave out one of the two", o.manifest, args[0])
	case o.cron == "":
		return none, errors.New("--cron: say when, such as --cron \"30 2 * * *\", --cron @daily or --cron \"@every 90m\"")
	case o.name != "" && len(validation.IsDNS1123Label(o.name)) > 0:
		return none, fmt.Errorf("--name: %q cannot be a schedule's name; write up to 63 of a-z, 0-9 and '-'", o.name)
	}
	if len(args) == 1 {
		o.app = args[0]
	}
	known := false
	for _, policy := range policies() {
		if strings.EqualFold(policy, o.concurrency) {
			o.concurrency, known = policy, true
		}
	}
	if !known {
		return none, fmt.Errorf("--concurrency: %q is no policy; write Allow, Forbid or Replace", o.concurrency)
	}
	if _, err := schedule.Parse("@daily", cmp.Or(o.zone, "UTC")); err != nil {
		return none, fmt.Errorf("--zone: %w", err)
	}
	when, err := schedule.Parse(o.cron, cmp.Or(o.zone, "UTC"))
	if err != nil {
		return none, fmt.Errorf("--cron: %w", err)
	}
	if when.Next(time.Now()).IsZero() {
		return none, fmt.Errorf("--cron: %q is never due", o.cron)
	}
	return when, nil
}

func (o *createOptions) create(ctx context.Context, when schedule.Schedule) error {
	client, err := applications.Open(&o.cluster)
	if err != nil {
		return err
	}
	app, err := o.application(ctx, client)
	if err != nil {
		return err
	}
	made := o.scheduled(app)
	if err := manifest.Set(&made.Spec.Template, o.set); err != nil {
		return exit.With(exit.Usage, err)
	}
	fmt.Fprint(o.streams.Err, introduction(o.cron, when, time.Now()))
	if o.dryRun {
		return output.Object(o.streams.Out, output.YAML, v1beta2.GroupVersion.WithKind(v1beta2.ScheduledSparkApplicationKind), made)
	}
	created, err := client.CreateSchedule(ctx, made)
	if err != nil {
		return err
	}
	fmt.Fprintln(o.streams.Out, created.Name)
	fmt.Fprintf(o.streams.Err, "the schedule %s/%s is created; try it now with:\n  %s\n",
		created.Namespace, created.Name, o.cluster.Command("schedule run-now", created.Name))
	return nil
}

// application is what is to be run.
func (o *createOptions) application(ctx context.Context, client *applications.Client) (*v1beta2.SparkApplication, error) {
	if o.manifest == "" {
		return client.Get(ctx, o.app)
	}
	app, err := manifest.Read(o.manifest, o.streams.In)
	if err != nil {
		return nil, err
	}
	if app.Namespace != "" && o.cluster.Namespace != "" && app.Namespace != o.cluster.Namespace {
		return nil, fmt.Errorf("--namespace: %q is not the manifest's, %q; leave the flag out or change the manifest", o.cluster.Namespace, app.Namespace)
	}
	app.Namespace = cmp.Or(app.Namespace, client.Namespace)
	if app.Name == "" && app.GenerateName == "" && o.name == "" {
		return nil, fmt.Errorf("--name: %s names no application to call the schedule after; give it a name", o.manifest)
	}
	return app, nil
}

// scheduled makes a schedule of an application.
func (o *createOptions) scheduled(app *v1beta2.SparkApplication) *v1beta2.ScheduledSparkApplication {
	again := manifest.Again(app, "")
	return &v1beta2.ScheduledSparkApplication{
		TypeMeta: metav1.TypeMeta{APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.ScheduledSparkApplicationKind},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: app.Namespace, Name: cmp.Or(o.name, strings.TrimRight(again.GenerateName, "-.")),
			Labels: again.Labels, Annotations: again.Annotations,
		},
		Spec: v1beta2.ScheduledSparkApplicationSpec{
			Schedule: o.cron, TimeZone: cmp.Or(o.zone, "UTC"), Template: again.Spec, ConcurrencyPolicy: v1beta2.ConcurrencyPolicy(o.concurrency),
		},
	}
}

// introduction says when a schedule is due next.
func introduction(cron string, when schedule.Schedule, now time.Time) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%q is due next at\n", cron)
	for at, n := when.Next(now), 0; !at.IsZero() && n < shown; at, n = when.Next(at), n+1 {
		fmt.Fprintf(&text, "  %s  (in %s)\n", at.Format("Mon 2006-01-02 15:04 MST"), applications.Age(now, at))
	}
	return text.String()
}
