package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"

	"brazier.sh/brazier/devcluster/internal/dispatch"
)

// kubeScheduler is upstream's command, with upstream's flags.
var kubeScheduler = dispatch.Part{
	Name:   "kube-scheduler",
	Module: kubernetes,
	Run: func([]string) error {
		return cli.RunNoErrOutput(app.NewSchedulerCommand())
	},
}
