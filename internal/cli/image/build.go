package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/terminal"
)

type buildOptions struct {
	source

	registry registry
	tag      string
	push     bool
	output   string
	streams  terminal.Streams
}

func newBuildCommand(streams terminal.Streams) *cobra.Command {
	opts := buildOptions{streams: streams}
	command := &cobra.Command{
		Use:   "build spark",
		Short: "Build an image of Spark, as it is or with what a team's recipe adds",
		Example: `  brazier image build spark --spark 4.3.0
  brazier image build spark --recipe team.yaml --tag registry.example.com/team/spark:1 --push
  brazier image build spark --output spark.tar`,
		Args: onlySpark,
		RunE: func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context()) },
	}
	opts.source.flags(command)
	opts.registry.flags(command)
	command.Flags().StringVar(&opts.tag, "tag", "", "`name` of the image (default spark:VERSION)")
	command.Flags().BoolVar(&opts.push, "push", false, "push the image to the registry that --tag names")
	command.Flags().StringVarP(&opts.output, "output", "o", "", "write the image to this tar `file` (OCI layout)")
	return command
}

func (o buildOptions) run(ctx context.Context) error {
	if o.push && o.tag == "" {
		return exit.With(exit.Usage, errors.New("--push needs --tag; write for example --tag registry.example.com/team/spark:4.3.0"))
	}
	opts, err := o.source.options(o.streams)
	if err != nil {
		return err
	}
	built, err := image.Build(ctx, opts)
	if err != nil {
		return err
	}
	tag := cmp.Or(o.tag, "spark:"+opts.Recipe.Spark)
	if o.output != "" {
		if err := o.save(built, tag); err != nil {
			return err
		}
	}
	if o.push {
		return pushed(ctx, built, tag, o.registry, o.streams)
	}
	digest, err := built.Digest()
	if err != nil {
		return err
	}
	fmt.Fprintf(o.streams.Out, "%s@%s\n", tag, digest)
	return nil
}

func (o buildOptions) save(built v1.Image, tag string) error {
	step := o.streams.Step("writing %s", o.output)
	if err := image.Save(built, tag, o.output); err != nil {
		step.Fail(err)
		return err
	}
	step.Done("")
	return nil
}
