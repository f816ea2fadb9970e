package kube

import (
	"os"
	"path/filepath"
	"strings"
)

// Program returns the words by which this program was called, for texts that tell how to call it: "brazier", or
// "kubectl brazier" where it runs as kubectl's plugin, which is a link to it called kubectl-brazier.
func Program() string {
	if len(os.Args) == 0 {
		return "brazier"
	}
	return programOf(os.Args[0])
}

func programOf(path string) string {
	if strings.HasPrefix(filepath.Base(path), "kubectl-") {
		return "kubectl brazier"
	}
	return "brazier"
}

// Command returns a command line that does something on the cluster, and in the namespace, that the flags choose. Users
// copy it.
func (f *Flags) Command(verb string, args ...string) string {
	words := append([]string{Program(), verb}, f.Args()...)
	return strings.Join(append(words, args...), " ")
}

// In returns the flags with the namespace given, for hints about an object that is there.
func (f *Flags) In(namespace string) *Flags {
	in := *f
	in.Namespace = namespace
	return &in
}
