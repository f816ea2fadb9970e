package program

import (
	"fmt"
	"regexp"

	"github.com/spf13/pflag"

	"brazier.sh/brazier/api/v1beta2"
)

// Defaults of the image that packages are brought to: those of Brazier's own images.
const (
	DefaultPython       = "3.11"
	DefaultArchitecture = "amd64"
)

// Requirements are Python packages that a job brings along.
type Requirements struct {
	// File is a requirements file of pip; empty means none.
	File string
	// Python and Architecture are those of the image.
	Python, Architecture string
}

// AddTo defines the flags on fs.
func (r *Requirements) AddTo(fs *pflag.FlagSet) {
	fs.StringVar(&r.File, "requirements", "", "a `file` of pip's requirements: the packages are brought along")
	fs.StringVar(&r.Python, "python-version", DefaultPython, "the `version` of Python in the image, for --requirements")
	fs.StringVar(&r.Architecture, "architecture", DefaultArchitecture, "the image's `architecture`, for --requirements: amd64 or arm64")
}

var pythonVersion = regexp.MustCompile(`^3\.[0-9]{1,2}$`)

// Check names the flag, the value and the way out of what is wrong with the requirements of a job in language.
func (r *Requirements) Check(language v1beta2.SparkApplicationType) error {
	switch {
	case r.File == "":
		return nil
	case language != v1beta2.SparkApplicationTypePython:
		return fmt.Errorf("--requirements: %q are packages of Python, and the job is %s; leave it out", r.File, language)
	case !pythonVersion.MatchString(r.Python):
		return fmt.Errorf("--python-version: %q is not a version of Python; write the first two numbers of the image's, such as 3.11", r.Python)
	case r.Architecture != "amd64" && r.Architecture != "arm64":
		return fmt.Errorf("--architecture: %q is not one that there are wheels for; write amd64 or arm64", r.Architecture)
	}
	return nil
}
