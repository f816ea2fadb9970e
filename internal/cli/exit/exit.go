// Package exit lets a command choose the exit code of the process without ending the process itself. It knows nothing
// of commands or of output: main turns an error into a code with Of, in one place.
package exit

import (
	"errors"
	"fmt"
)

// Codes that Brazier gives itself. Every other code is somebody else's, most often a job's own.
const (
	// Success says that all went well.
	Success Code = 0
	// Failure is the code of an error that names no other.
	Failure Code = 1
	// Usage says that the command line was wrong and nothing was done.
	Usage Code = 2
	// Interrupted is the shell's convention for a process that Ctrl-C ended: 128 and SIGINT.
	Interrupted Code = 130
)

// Code is an error that says which code the process ends with and nothing more: whoever returns a bare Code has
// already told the user why.
type Code int

// Error implements error.
func (c Code) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// coded is an error that has something to say as well as a code.
type coded struct {
	error
	code Code
}

// Unwrap gives both, so that errors.AsType finds the code and errors.Is the cause.
func (c coded) Unwrap() []error { return []error{c.code, c.error} }

// With returns err with the code that the process is to end with, and nil for nil.
func With(code Code, err error) error {
	if err == nil {
		return nil
	}
	return coded{error: err, code: code}
}

// Of returns the code that the process ends with when err is what its command returned.
func Of(err error) Code {
	if err == nil {
		return Success
	}
	if code, ok := errors.AsType[Code](err); ok {
		return code
	}
	return Failure
}

// Silent reports whether err is a code alone, so that there is nothing left to print.
func Silent(err error) bool {
	_, ok := err.(Code) //nolint:errorlint // A wrapped code carries words, and those are to be printed.
	return ok
}
