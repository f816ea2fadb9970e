package main

import (
	"context"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kubelet/app"

	"brazier.sh/brazier/devcluster/internal/dispatch"
)

// kubelet is upstream's command, with upstream's flags.
var kubelet = dispatch.Part{
	Name:   "kubelet",
	Module: kubernetes,
	Run: func([]string) error {
		return cli.RunNoErrOutput(app.NewKubeletCommand(context.Background()))
	},
}
