// Package stay has a cluster up for as long as tests run, and leaves the machine as it was found. What the tests do there is
// no matter of its.
package stay

import (
	"fmt"
	"io"
)

// Stay is what there was before, and how that is changed.
type Stay struct {
	// Fresh says that there was nothing of a cluster, its data included.
	Fresh bool
	// WasUp says that the cluster was running.
	WasUp bool
	// Brazier runs the command line with args.
	Brazier func(args ...string) error
	// Errors is where it is said what failed.
	Errors io.Writer
}

// Run runs tests on a cluster and returns the code to exit with. A cluster that did not run before is taken down again in any
// case: one that did not come up has left the parts that did.
func (s Stay) Run(tests func() int) int {
	code := 1
	if err := s.Brazier("up"); err != nil {
		_, _ = fmt.Fprintln(s.Errors, "brazier up:", err)
	} else {
		code = tests()
	}
	if s.WasUp {
		return code
	}
	args := []string{"down"}
	if s.Fresh {
		args = append(args, "--purge")
	}
	if err := s.Brazier(args...); err != nil {
		_, _ = fmt.Fprintln(s.Errors, "brazier down:", err)
		return max(code, 1)
	}
	return code
}
