// Package dispatch turns one binary into many commands: it finds the part that the first argument names and
// runs it. It knows nothing of what the parts do.
package dispatch

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
)

// A Part is one of the programs that the binary holds.
type Part struct {
	// Name is what the user types.
	Name string

	// Module is the path of the Go module that the part comes from; its version is the part's version.
	Module string

	// Run runs the part until it ends or is told to by a signal. It may end the process itself, as upstream's commands do.
	Run func(args []string) error
}

// versions is the name of the one command that is no part.
const versions = "versions"

// errNoPart is what a command line without a part gets.
var errNoPart = errors.New("no part named")

// Main runs the part that args names, args[0] being the program itself, and returns the exit code of the process.
func Main(parts []Part, args []string, stdout, stderr io.Writer) int {
	err := run(parts, args, stdout)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "brazier-cluster: %v\n", err)
	if usage, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(stderr, "usage: brazier-cluster PART [flags], where PART is one of %s\n", strings.Join(usage.known, ", "))
		return 2
	}
	return 1
}

func run(parts []Part, args []string, stdout io.Writer) error {
	if len(args) < 2 {
		return &usageError{err: errNoPart, known: names(parts)}
	}
	name, rest := args[1], args[2:]
	if name == versions {
		return writeVersions(parts, stdout)
	}
	i := slices.IndexFunc(parts, func(p Part) bool { return p.Name == name })
	if i < 0 {
		return &usageError{err: fmt.Errorf("%q is not a part", name), known: names(parts)}
	}
	part := parts[i]

	// Upstream's commands read their flags from os.Args, and print os.Args[0] in their usage.
	os.Args = append([]string{part.Name}, rest...)
	if err := part.Run(rest); err != nil {
		return fmt.Errorf("%s: %w", part.Name, err)
	}
	return nil
}

// writeVersions prints each part's version as the build recorded it, so that it cannot differ from what was linked.
func writeVersions(parts []Part, out io.Writer) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("the binary has no build information; build it with Go modules")
	}
	found := make(map[string]string, len(parts))
	for _, part := range parts {
		found[part.Name] = version(info, part.Module)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(found)
}

// version returns the version of the module at path, without the v, or "unknown" where the build has no such module.
func version(info *debug.BuildInfo, path string) string {
	for _, module := range info.Deps {
		if module.Path == path {
			return strings.TrimPrefix(cmp.Or(module.Replace, module).Version, "v")
		}
	}
	return "unknown"
}

func names(parts []Part) []string {
	known := make([]string, 0, len(parts)+1)
	for _, part := range parts {
		known = append(known, part.Name)
	}
	return append(known, versions)
}

// A usageError is a command line that names no part.
type usageError struct {
	err   error
	known []string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }
