// Package install has the commands that put Brazier onto a cluster that is there already, change it there and remove it.
// "brazier up" brings a cluster of its own.
package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/image/binary"
	"brazier.sh/brazier/internal/install"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
)

// Target is the place of an operator: which namespace of which cluster.
type Target struct {
	Kubeconfig string
	Context    string
	// Namespace is the operator's.
	Namespace string
}

func (t *Target) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&t.Kubeconfig, "kubeconfig", "", "the cluster's kubeconfig `file` (default: $KUBECONFIG, ~/.kube/config, then the embedded cluster's)")
	flags.StringVar(&t.Context, "context", "", "the `context` of the kubeconfig to use")
	flags.StringVarP(&t.Namespace, "namespace", "n", install.DefaultNamespace, "the operator's `namespace`")
}

func (t *Target) installer(streams terminal.Streams) (*install.Installer, error) {
	flags := kube.Flags{Kubeconfig: t.Kubeconfig, Context: t.Context}
	config, err := flags.Config()
	if err != nil {
		return nil, err
	}
	return install.New(config, t.Namespace, streams)
}

// Operator is what is installed, as it is said on a command line.
type Operator struct {
	// Image is the operator's image, which the cluster can pull. Empty: the one that the values name.
	Image string
	// Push has this program pushed as Image first.
	Push bool
	// Values are files of values for the chart, Set single ones; Namespaces are those that applications are to run in.
	Values     []string
	Set        []string
	Namespaces []string
}

// flagsOfInstall are what install and upgrade share.
type flagsOfInstall struct {
	streams  terminal.Streams
	target   Target
	operator Operator
	dryRun   bool
	wait     bool
	timeout  time.Duration
}

func (f *flagsOfInstall) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.target.addTo(flags)
	flags.StringVar(&f.operator.Image, "operator-image", "", "the operator's `image`, which the cluster can pull")
	flags.BoolVar(&f.operator.Push, "push", false, "push this program as that image first")
	flags.StringArrayVarP(&f.operator.Values, "values", "f", nil, "a `file` of values for the chart (YAML); the last of several wins")
	flags.StringArrayVar(&f.operator.Set, "set", nil, "single `values`, such as replicas=3,logLevel=debug; they win over files")
	flags.StringSliceVar(&f.operator.Namespaces, "namespaces", nil,
		"the `namespaces` that applications are to run in; those that do not exist are made (default: default)")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the difference to what is there, object by object, and change nothing")
	flags.BoolVar(&f.wait, "wait", true, "wait until the new kinds are served and every replica of the operator is ready, and undo everything if it never is")
	flags.DurationVar(&f.timeout, "timeout", install.DefaultTimeout, "how long to wait for that, the image's download included")
}

// do runs what, install or upgrade, or shows what it would change.
func (f *flagsOfInstall) do(ctx context.Context, keepValues bool, what func(*install.Installer, context.Context, install.Options) error) error {
	installer, err := f.target.installer(f.streams)
	if err != nil {
		return err
	}
	values, err := f.operator.values(ctx, installer)
	if err != nil {
		return err
	}
	opts := install.Options{Values: values, KeepValues: keepValues}
	if f.wait {
		opts.Timeout = f.timeout
	}
	if f.dryRun {
		return installer.DryRun(ctx, opts)
	}
	if err := f.operator.push(ctx, f.streams); err != nil {
		return err
	}
	return what(installer, ctx, opts)
}

// Ensure installs the operator, or changes the one that is there, which keeps the values that it was given before.
func Ensure(ctx context.Context, target Target, operator Operator, streams terminal.Streams) error {
	f := flagsOfInstall{streams: streams, target: target, operator: operator, wait: true, timeout: install.DefaultTimeout}
	return f.do(ctx, true, (*install.Installer).Ensure)
}

// values are the chart's values, the flags' own over those of files.
func (o *Operator) values(ctx context.Context, installer *install.Installer) (map[string]any, error) {
	values, err := install.ReadValues(o.Values, o.Set)
	if err != nil {
		return nil, err
	}
	if o.Image != "" {
		values = install.MergeValues(values, install.ImageValues(o.Image))
	}
	if len(o.Namespaces) > 0 {
		namespaces, err := installer.NamespaceValues(ctx, o.Namespaces)
		if err != nil {
			return nil, err
		}
		values = install.MergeValues(values, namespaces)
	}
	return values, nil
}

// push pushes the running program as the operator's image, where that is asked for.
func (o *Operator) push(ctx context.Context, streams terminal.Streams) error {
	if !o.Push {
		return nil
	}
	if o.Image == "" {
		return errors.New("--push: as which image? Name it by --operator-image")
	}
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's file: %w", err)
	}
	made, err := binary.Source{Executable: executable, Certificates: binary.SystemCertificates}.Image()
	if err != nil {
		return fmt.Errorf("make the operator's image: %w", err)
	}
	_, err = image.Push(ctx, made, o.Image, image.Registry{}, streams)
	return err
}
