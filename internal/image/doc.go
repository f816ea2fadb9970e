// Package image builds Spark's container images without Docker: a Debian base by mmdebstrap, Spark from its Python
// package, jars by Maven, an archive of loaded classes, and what a team adds by its recipe. It pushes them to any
// registry. It runs on the machine that it is called on, as root; it knows nothing of Kubernetes.
package image
