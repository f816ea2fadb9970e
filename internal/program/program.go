// Package program knows how authors of jobs name what is run and what it needs: files and languages, names, sizes, Maven's
// coordinates, requirements. It is pure: it looks at words, and never whether there is such a file.
package program

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"strings"

	"brazier.sh/brazier/api/v1beta2"
)

// PrefixLength is how long the beginning of a name may be: it leaves room for the random end and for what the names of pods and
// Services add to it.
const PrefixLength = 40

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// NamePrefix makes the beginning of an application's name of a file's: report_2026.py becomes report-2026.
func NamePrefix(file string) string {
	return AsName(strings.TrimSuffix(path.Base(file), path.Ext(file)))
}

// AsName makes the beginning of an application's name of any text.
func AsName(text string) string {
	name := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(text), "-"), "-")
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		name = "job-" + name // The names of Services begin with a letter.
	}
	return cmp.Or(strings.TrimRight(name[:min(len(name), PrefixLength)], "-"), "job")
}

// LanguageOf returns the language that a file's extension stands for; empty if none does.
func LanguageOf(file string) v1beta2.SparkApplicationType {
	switch strings.ToLower(path.Ext(file)) {
	case ".py":
		return v1beta2.SparkApplicationTypePython
	case ".jar":
		return v1beta2.SparkApplicationTypeJava
	case ".r":
		return v1beta2.SparkApplicationTypeR
	default:
		return ""
	}
}

// sizePattern is how Spark reads sizes: JavaUtils.byteStringAs.
var sizePattern = regexp.MustCompile(`^[0-9]+([kmgtpKMGTP]?[bB]|[kmgtpKMGTP])?$`)

// IsSize reports whether Spark reads text as a size of memory.
func IsSize(text string) bool { return sizePattern.MatchString(text) }

// coordinates is how Spark reads packages: MavenUtils.extractMavenCoordinates.
var coordinates = regexp.MustCompile(`^[^:/\s]+[:/][^:/\s]+:[^:\s]+$`)

// CheckPackages finds what is not the name of a jar in Maven's repositories; called is what the user calls the list.
func CheckPackages(called string, packages []string) error {
	for _, name := range packages {
		if !coordinates.MatchString(name) {
			return fmt.Errorf("%s: %q is not what Maven calls a jar; write group:artifact:version, such as org.postgresql:postgresql:42.7.7", called, name)
		}
	}
	return nil
}
