package main

import (
	_ "time/tzdata" // the time zones of CronJobs, on a host that may have none

	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // the metrics of client-go
	_ "k8s.io/component-base/metrics/prometheus/version"  // the metric that holds the version
)

// kubernetes is the module that the five parts of Kubernetes come from.
const kubernetes = "k8s.io/kubernetes"
