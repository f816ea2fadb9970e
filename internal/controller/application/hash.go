package application

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"brazier.sh/brazier/api/v1beta2"
)

// hashVersion begins every hash, and changes with what is hashed.
const hashVersion = "2-"

// specHash returns a hash of what a run depends on. What can change without a new run is left out: whether and how
// often there is a next one, how long the application is kept, and what only marks pods, leads to them from outside or
// is read by the next run.
func specHash(spec *v1beta2.SparkApplicationSpec) string {
	run := *spec
	if run.Mode == "" {
		run.Mode = v1beta2.DeployModeCluster
	}
	run.Suspend = false
	run.TimeToLiveSeconds = nil
	run.RestartPolicy = v1beta2.RestartPolicy{}
	run.FailureRetries, run.RetryInterval = nil, nil
	// The number of executors of a running application cannot be changed from outside: it is for the next run.
	run.Executor.Instances = nil
	run.Executor.DeleteOnTermination = nil
	run.DriverPodDisruptionBudget = false
	run.SparkUIOptions, run.DriverIngressOptions = nil, nil
	run.Driver.Labels, run.Driver.Annotations = nil, nil
	run.Executor.Labels, run.Executor.Annotations = nil, nil
	run.Driver.ServiceLabels, run.Driver.ServiceAnnotations = nil, nil

	text, err := json.Marshal(run)
	if err != nil {
		// The specification came out of JSON and every type in it goes back into it.
		panic(fmt.Sprintf("encode a decoded specification: %v", err))
	}
	sum := sha256.Sum256(text)
	return hashVersion + hex.EncodeToString(sum[:8])
}

// rehash brings a hash that an earlier version of the operator has written up to date, while the specification is still
// the one that it is of. With the next edit it would be too late: every edit would seem to need a new run.
func rehash(app *v1beta2.SparkApplication) {
	status := &app.Status
	if status.SpecHash != "" && !strings.HasPrefix(status.SpecHash, hashVersion) && status.ObservedGeneration == app.Generation {
		status.SpecHash = specHash(&app.Spec)
	}
}
