// Package install is the command that puts Brazier onto a cluster that is there already. "brazier up" brings its own.
package install

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/image/binary"
	"brazier.sh/brazier/internal/install"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/operator"
	"brazier.sh/brazier/internal/terminal"
)

type options struct {
	streams    terminal.Streams
	kube       kube.Flags
	image      string
	push       bool
	config     string
	namespaces []string
}

// NewCommand returns the command.
func NewCommand(streams terminal.Streams) *cobra.Command {
	opts := options{streams: streams}
	cmd := &cobra.Command{
		Use:   "install --operator-image IMAGE",
		Short: "Install Brazier on a Kubernetes cluster, or upgrade it there",
		Long: `Install the SparkApplication kind and the operator on the cluster of your kubeconfig, or upgrade them: doing it
again changes only what differs.

The cluster has to be able to pull the operator's image. With --push this very program is pushed there first, with
the credentials that "docker login" has stored.`,
		Example: `  brazier install --operator-image registry.example.com/brazier:1.0 --push --namespaces analytics,reports`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.kube.Kubeconfig, "kubeconfig", "", "the cluster's kubeconfig `file`")
	flags.StringVar(&opts.kube.Context, "context", "", "the `context` of the kubeconfig to use")
	flags.StringVar(&opts.image, "operator-image", "", "the operator's `image`, which the cluster can pull")
	flags.BoolVar(&opts.push, "push", false, "push this program as that image first")
	flags.StringVar(&opts.config, "operator-config", "", "the operator's configuration `file` (YAML)")
	flags.StringSliceVar(&opts.namespaces, "namespaces", []string{"default"}, "the `namespaces` that applications are to run in")
	if err := cmd.MarkFlagRequired("operator-image"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

func run(ctx context.Context, opts options) error {
	var config operator.Config
	if opts.config != "" {
		var err error
		if config, err = operator.ReadConfig(opts.config); err != nil {
			return err
		}
	}
	rest, err := opts.kube.Config()
	if err != nil {
		return err
	}
	if opts.push {
		if err := push(ctx, opts.image, opts.streams); err != nil {
			return err
		}
	}
	return install.Apply(ctx, rest, install.Options{Image: opts.image, Config: config, Namespaces: opts.namespaces}, opts.streams)
}

// push pushes the running program as the image ref.
func push(ctx context.Context, ref string, streams terminal.Streams) error {
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's file: %w", err)
	}
	made, err := binary.Source{Executable: executable, Certificates: binary.SystemCertificates}.Image()
	if err != nil {
		return fmt.Errorf("make the operator's image: %w", err)
	}
	_, err = image.Push(ctx, made, ref, image.Registry{}, streams)
	return err
}
