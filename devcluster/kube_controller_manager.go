package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"

	"brazier.sh/brazier/devcluster/internal/dispatch"
)

// kubeControllerManager is upstream's command, with upstream's flags.
var kubeControllerManager = dispatch.Part{
	Name:   "kube-controller-manager",
	Module: kubernetes,
	Run: func([]string) error {
		return cli.RunNoErrOutput(app.NewControllerManagerCommand())
	},
}
