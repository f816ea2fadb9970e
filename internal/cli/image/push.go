package image

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/terminal"
)

// registry is how the registry of an image is reached.
type registry struct {
	image.Registry
}

func (r *registry) flags(command *cobra.Command) {
	command.Flags().StringVar(&r.CA, "registry-ca", "", "`file` of authorities to trust for the registry, beside the machine's own")
	command.Flags().StringVar(&r.Cert, "registry-cert", "", "`file` of the client certificate for the registry")
	command.Flags().StringVar(&r.Key, "registry-key", "", "`file` of the client certificate's key")
	command.MarkFlagsRequiredTogether("registry-cert", "registry-key")
}

type pushOptions struct {
	registry registry
	file     string
	tag      string
	streams  terminal.Streams
}

func newPushCommand(streams terminal.Streams) *cobra.Command {
	opts := pushOptions{streams: streams}
	command := &cobra.Command{
		Use:     "push FILE TAG",
		Short:   "Push an image that was written to a file by image build --output",
		Example: `  brazier image push spark.tar registry.example.com/team/spark:4.3.0`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.file, opts.tag = args[0], args[1]
			return opts.run(cmd.Context())
		},
	}
	opts.registry.flags(command)
	return command
}

func (o pushOptions) run(ctx context.Context) error {
	loaded, done, err := image.Load(o.file)
	if err != nil {
		return err
	}
	defer done()
	return pushed(ctx, loaded, o.tag, o.registry, o.streams)
}

// pushed pushes an image and prints its reference by digest, which is what a manifest should name.
func pushed(ctx context.Context, built v1.Image, tag string, registry registry, streams terminal.Streams) error {
	ref, err := image.Push(ctx, built, tag, registry.Registry, streams)
	if err != nil {
		return err
	}
	fmt.Fprintln(streams.Out, ref)
	return nil
}
