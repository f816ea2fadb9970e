// Package retail carries the demonstration's job and its manifest, so that a brazier binary is all that a demonstration
// needs. How they are run is the business of internal/cli/demo.
package retail

import _ "embed"

// JobName is the file name of Job.
const JobName = "retail.py"

// Job is the PySpark program.
//
//go:embed retail.py
var Job string

// Manifest is the SparkApplication that runs Job, with places of input, output and job to be filled in.
//
//go:embed retail.yaml
var Manifest []byte
