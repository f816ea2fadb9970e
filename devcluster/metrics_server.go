package main

import (
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/logs"
	"sigs.k8s.io/metrics-server/cmd/metrics-server/app"

	"brazier.sh/brazier/devcluster/internal/dispatch"
)

// metricsServer is upstream's command, with upstream's flags.
var metricsServer = dispatch.Part{
	Name:   "metrics-server",
	Module: "sigs.k8s.io/metrics-server",
	Run: func([]string) error {
		logs.InitLogs()
		defer logs.FlushLogs()
		command := app.NewMetricsServerCommand(genericapiserver.SetupSignalHandler())
		command.SilenceUsage, command.SilenceErrors = true, true // dispatch prints the error
		return command.Execute()
	},
}
