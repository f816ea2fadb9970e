package provisioner

import (
	"context"
	"flag"
	"fmt"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// options are what the command line says.
type options struct {
	kubeconfig string
	root       string
}

// Run provisions volumes until a signal says otherwise.
func Run(args []string) error {
	opts, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return run(ctx, opts)
}

func run(ctx context.Context, opts options) error {
	config, err := clientcmd.BuildConfigFromFlags("", opts.kubeconfig)
	if err != nil {
		return fmt.Errorf("--kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client of %s: %w", config.Host, err)
	}
	folders, err := open(opts.root)
	if err != nil {
		return err
	}

	// A node has one such process: it needs no election. Its metrics would be one more open port; zero is none.
	provisions := controller.NewProvisionController(ctx, client, Name, folders,
		controller.LeaderElection(false),
		controller.MetricsPort(0),
	)
	var workers sync.WaitGroup
	provisions.ControllerWaitGroup(&workers)
	provisions.Run(ctx)
	workers.Wait() // a worker may be removing a folder
	return folders.Close()
}

// parse reads the flags.
func parse(args []string) (options, error) {
	var opts options
	flags := flag.NewFlagSet("storage-provisioner", flag.ContinueOnError)
	flags.StringVar(&opts.kubeconfig, "kubeconfig", "", "how to reach the API server, a `file`")
	flags.StringVar(&opts.root, "root", "", "the `folder` that the volumes' folders are made in")
	if err := flags.Parse(args); err != nil {
		return options{}, fmt.Errorf("parse flags: %w", err)
	}
	switch {
	case flags.NArg() > 0:
		return options{}, fmt.Errorf("%q is not a flag; storage-provisioner takes flags only", flags.Arg(0))
	case opts.kubeconfig == "":
		return options{}, fmt.Errorf("--kubeconfig is empty; name the file that says how to reach the API server")
	case !filepath.IsAbs(opts.root):
		return options{}, fmt.Errorf("--root: %q is not an absolute path", opts.root)
	}
	opts.root = filepath.Clean(opts.root)
	return opts, nil
}
