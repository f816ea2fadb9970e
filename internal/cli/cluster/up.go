package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	cliinstall "brazier.sh/brazier/internal/cli/install"
	"brazier.sh/brazier/internal/install"
	"brazier.sh/brazier/internal/localcluster"
	"brazier.sh/brazier/internal/terminal"
)

type upOptions struct {
	home      string
	noInstall bool

	kubeconfig    string
	context       string
	operatorImage string
	push          bool

	sparkImage string

	streams terminal.Streams
}

// NewUpCommand returns the command that starts the embedded cluster.
func NewUpCommand(streams terminal.Streams) *cobra.Command {
	opts := upOptions{streams: streams}
	command := &cobra.Command{
		Use:   "up",
		Short: "Start Kubernetes on this machine, or mend it, with Brazier on it",
		Long: `Start a single-node Kubernetes made of the real parts, with a registry and an object store, and put Brazier on it. Do
it again at any time: what runs is left alone, what is broken is mended, also after a reboot.

With --kubeconfig no cluster is started: Brazier is installed on the one that is there, which has to be able to pull
the operator's image.`,
		Example: `  brazier up
  brazier up --kubeconfig ~/.kube/config --operator-image registry.example.com/brazier:1.0 --push`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return opts.run(cmd.Context()) },
	}
	AddHome(command, &opts.home)
	flags := command.Flags()
	flags.BoolVar(&opts.noInstall, "no-install", false, "do not install missing packages of the system, only name them")
	flags.StringVar(&opts.kubeconfig, "kubeconfig", "", "install on the cluster of this kubeconfig `file` instead of starting one")
	flags.StringVar(&opts.context, "context", "", "the `context` of --kubeconfig to use")
	flags.StringVar(&opts.operatorImage, "operator-image", "", "with --kubeconfig: the operator's `image`, which that cluster can pull")
	flags.StringVar(&opts.sparkImage, "spark-image", "",
		"the `image` of applications that name none, such as apache/spark:{{SPARK_VERSION}} (default: built on this machine)")
	flags.BoolVar(&opts.push, "push", false, "with --kubeconfig: push this program as --operator-image first")
	return command
}

func (o upOptions) run(ctx context.Context) error {
	if o.kubeconfig != "" {
		return o.install(ctx)
	}
	if o.context != "" || o.operatorImage != "" || o.push {
		return errors.New("--context, --operator-image and --push are for a cluster that is there already; name its --kubeconfig too")
	}
	cluster, err := localcluster.Open(o.home)
	if err != nil {
		return err
	}
	brazier := onEmbedded{cluster: cluster, sparkImage: o.sparkImage, streams: o.streams}
	err = cluster.Up(ctx, localcluster.UpOptions{
		NoInstall: o.noInstall,
		Then: []localcluster.Action{
			{Name: "storing the operator's image", Do: brazier.storeImage},
			{Do: brazier.install},
			{Do: brazier.storeSparkImage},
		},
	}, o.streams)
	if err != nil {
		return err
	}
	o.next()
	return nil
}

// install leaves the work to `brazier install`.
func (o upOptions) install(ctx context.Context) error {
	if o.operatorImage == "" {
		return errors.New("--operator-image: the cluster of --kubeconfig has to pull the operator's image from somewhere; " +
			"name an image in a registry that it reaches, and add --push to put this program there")
	}
	target := cliinstall.Target{Kubeconfig: o.kubeconfig, Context: o.context, Namespace: install.DefaultNamespace}
	return cliinstall.Ensure(ctx, target, cliinstall.Operator{Image: o.operatorImage, Push: o.push}, o.streams)
}

// next says what to do now.
func (o upOptions) next() {
	home := ""
	if o.home != "" {
		home = " --home " + o.home
	}
	fmt.Fprintln(o.streams.Err, "\nKubernetes and Brazier run on this machine. Next:")
	hints := [][2]string{
		{"brazier demo", "run a Spark job on a million invoices"},
		{"brazier status" + home, "see what runs"},
		{`eval "$(brazier env` + home + `)"`, "let kubectl and others talk to this cluster"},
		{"brazier down" + home, "stop it; the data stays"},
	}
	width := len(hints[2][0])
	for _, hint := range hints {
		fmt.Fprintf(o.streams.Err, "  %-*s  %s\n", width, hint[0], hint[1])
	}
}
