package program

import (
	"regexp"
	"strings"
)

// The fields of an application that can name files.
const (
	FieldMain     = "spec.mainApplicationFile"
	FieldPyFiles  = "spec.deps.pyFiles"
	FieldFiles    = "spec.deps.files"
	FieldJars     = "spec.deps.jars"
	FieldArchives = "spec.deps.archives"
)

// CalledByFlags is what the fields are called on a command line.
func CalledByFlags() map[string]string {
	return map[string]string{
		FieldMain: "JOB", FieldPyFiles: "--py-files", FieldFiles: "--files", FieldJars: "--jars", FieldArchives: "--archives",
	}
}

// scheme is how a URL begins. One letter is a drive.
var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+:`)

// OnDisk returns the path of a file that is named as one of this machine, without what comes after "#", and whether it is.
func OnDisk(name string) (path string, ok bool) {
	name, _, _ = strings.Cut(name, "#")
	if rest, isFile := strings.CutPrefix(name, "file:"); isFile {
		if strings.HasPrefix(rest, "//") {
			rest = "/" + strings.TrimLeft(rest, "/")
		}
		return rest, rest != ""
	}
	return name, name != "" && name != "spark-internal" && !scheme.MatchString(name)
}
