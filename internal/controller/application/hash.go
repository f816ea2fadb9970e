package application

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"brazier.sh/brazier/api/v1beta2"
)

// specHash returns a hash of what a run depends on. What can change without a new run is left out: whether and how
// often there is a next one, how long the application is kept, and what only marks pods or is read by the next run.
func specHash(spec *v1beta2.SparkApplicationSpec) string {
	run := *spec
	run.Suspend = false
	run.TimeToLiveSeconds = nil
	run.RestartPolicy = v1beta2.RestartPolicy{}
	run.FailureRetries, run.RetryInterval = nil, nil
	// The number of executors of a running application cannot be changed from outside: it is for the next run.
	run.Executor.Instances = nil
	run.Driver.Labels, run.Driver.Annotations = nil, nil
	run.Executor.Labels, run.Executor.Annotations = nil, nil
	run.Driver.ServiceLabels, run.Driver.ServiceAnnotations = nil, nil

	text, err := json.Marshal(run)
	if err != nil {
		// The specification came out of JSON and every type in it goes back into it.
		panic(fmt.Sprintf("encode a decoded specification: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
