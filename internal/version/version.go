// Package version knows which Brazier this is. It knows nothing of the versions of Spark or Kubernetes.
package version

// version is set by the linker (Makefile).
var version = "dev"

// String returns the version of this build, "dev" for one that was not made by the Makefile.
func String() string {
	return version
}
