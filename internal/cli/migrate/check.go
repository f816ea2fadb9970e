package migrate

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/migrate"
	"brazier.sh/brazier/internal/terminal"
)

type checkOptions struct {
	streams terminal.Streams
	cluster cluster
	output  string
	values  string
}

func newCheckCommand(streams terminal.Streams) *cobra.Command {
	opts := checkOptions{streams: streams}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what a migration would keep, change and lose; change nothing",
		Long: `Read the other operator's applications, schedules, Helm values and webhook configurations, and say of each what
would become of it. Nothing is changed. The exit code is 1 where something stands in the way of "brazier migrate apply".`,
		Example: `  brazier migrate check
  brazier migrate check --values-out values.yaml
  brazier migrate check -o json | jq '.findings[] | select(.severity == "cannot be kept")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context()) },
	}
	opts.cluster.addTo(cmd.Flags())
	cmd.Flags().StringVarP(&opts.output, "output", "o", "text", "the `format`: text, json or yaml")
	cmd.Flags().StringVar(&opts.values, "values-out", "", "write the values of Brazier's chart that the other's come to into this `file`")
	return cmd
}

func (o *checkOptions) run(ctx context.Context) error {
	switch o.output {
	case "text", "json", "yaml":
	default:
		return exit.With(exit.Usage, fmt.Errorf("--output: %q is not a format; write text, json or yaml", o.output))
	}
	_, connected, err := o.cluster.connect()
	if err != nil {
		return err
	}
	inv, err := o.cluster.inventory(ctx, connected, o.streams)
	if err != nil {
		return err
	}
	report := migrate.Check(inv)
	if o.values != "" {
		text, err := yaml.Marshal(report.Values)
		if err != nil {
			return fmt.Errorf("write values: %w", err)
		}
		if err := os.WriteFile(o.values, text, 0o644); err != nil {
			return fmt.Errorf("--values-out: %w", err)
		}
	}
	if err := o.print(report); err != nil {
		return err
	}
	if len(report.Blockers()) > 0 {
		return exit.Failure // the report says why
	}
	return nil
}

func (o *checkOptions) print(report migrate.Report) error {
	var text []byte
	var err error
	switch o.output {
	case "json":
		text, err = json.MarshalIndent(report, "", "  ")
		text = append(text, '\n')
	case "yaml":
		text, err = yaml.Marshal(report)
	default:
		text = []byte(report.Text())
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	_, err = o.streams.Out.Write(text)
	return err
}
