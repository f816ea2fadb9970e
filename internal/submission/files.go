package submission

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"brazier.sh/brazier/internal/program"
)

// local is a file or folder on this machine that an application names.
type local struct {
	// called is what the user calls the place that names it, and value that place.
	called string
	value  *string
	path   string
	// alias is what comes after "#": the name under which Spark unpacks or links the file.
	alias string
	// pack makes one file of a folder; it is nil for a file.
	pack packer
}

// packer writes the content of a folder to a file in another, and returns the file's path.
type packer func(folder, into string) (string, error)

// safeName is what a file may be called, so that its URL reads the same to Java, to Python and to the object store.
var safeName = regexp.MustCompile(`^[A-Za-z0-9._+=@-]+$`)

// files finds the files of this machine that the application names, and says of all at once which are not there.
func (j *Job) files() ([]local, error) {
	var errs []error
	deps := &j.App.Spec.Deps
	for field, list := range map[string]*[]string{program.FieldPyFiles: &deps.PyFiles, program.FieldFiles: &deps.Files, program.FieldJars: &deps.Jars, program.FieldArchives: &deps.Archives} {
		expanded, err := j.expand(field, *list)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		*list = expanded
	}
	var files []local
	for _, place := range []struct {
		field  string
		values []*string
	}{
		{program.FieldMain, []*string{&j.App.Spec.MainApplicationFile}},
		{program.FieldPyFiles, pointers(deps.PyFiles)},
		{program.FieldFiles, pointers(deps.Files)},
		{program.FieldJars, pointers(deps.Jars)},
		{program.FieldArchives, pointers(deps.Archives)},
	} {
		for _, value := range place.values {
			file, err := j.file(place.field, value)
			if err != nil {
				errs = append(errs, err)
			} else if file.path != "" {
				files = append(files, file)
			}
		}
	}
	if len(errs) > 0 {
		slices.SortStableFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(errs...)
	}
	return files, nil
}

func pointers(values []string) []*string {
	all := make([]*string, len(values))
	for i := range values {
		all[i] = &values[i]
	}
	return all
}

func (j *Job) called(field string) string {
	if name := j.Called[field]; name != "" {
		return name
	}
	return field
}

func (j *Job) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(j.Folder, name)
}

// expand puts the files that a pattern such as lib/*.jar matches in its place: DependencyUtils.resolveGlobPaths.
func (j *Job) expand(field string, values []string) ([]string, error) {
	var all []string
	for _, value := range values {
		name, onDisk := program.OnDisk(value)
		if _, err := os.Lstat(j.path(name)); !onDisk || err == nil || !strings.ContainsAny(name, "*?[") {
			all = append(all, value)
			continue
		}
		found, err := filepath.Glob(j.path(name))
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not a pattern of files: %w", j.called(field), value, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: no file on this machine matches %q", j.called(field), value)
		}
		for _, file := range found {
			if j.Folder != "" && !filepath.IsAbs(name) {
				file = strings.TrimPrefix(file, filepath.Clean(j.Folder)+string(filepath.Separator))
			}
			all = append(all, file)
		}
	}
	return all, nil
}

// file looks for what value names. A path that is not on this machine's disk gives an empty local.
func (j *Job) file(field string, value *string) (local, error) {
	name, onDisk := program.OnDisk(*value)
	if !onDisk {
		return local{}, nil
	}
	_, alias, _ := strings.Cut(*value, "#")
	file := local{called: j.called(field), value: value, path: j.path(name), alias: alias}
	info, err := os.Stat(file.path)
	if errors.Is(err, fs.ErrNotExist) {
		return local{}, fmt.Errorf("%s: there is no file %q on this machine; write local://%s for a file in the image, or a URL that the cluster can reach: %w",
			file.called, *value, path.Join("/", *value), err)
	}
	if err != nil {
		return local{}, fmt.Errorf("%s: look at %q: %w", file.called, *value, err)
	}
	absolute, err := filepath.Abs(file.path) // "." has no name of its own.
	if err != nil {
		return local{}, fmt.Errorf("%s: %w", file.called, err)
	}
	file.path = absolute
	if base := filepath.Base(absolute); !safeName.MatchString(base) {
		return local{}, fmt.Errorf("%s: %q cannot be part of a URL that Spark reads; rename it to letters, digits, '.', '_' and '-'", file.called, base)
	}
	if info.IsDir() {
		err := file.setPacker(field)
		return file, err
	}
	if !info.Mode().IsRegular() {
		return local{}, fmt.Errorf("%s: %q is not a file; name a file, or a folder of Python code", file.called, *value)
	}
	return file, nil
}

// setPacker says what becomes of a folder: Python code a zip, an archive a tar, and everything else is a mistake.
func (f *local) setPacker(field string) error {
	switch field {
	case program.FieldPyFiles:
		f.pack = zipPython
	case program.FieldArchives:
		f.pack = tarFolder
		if f.alias == "" {
			f.alias = filepath.Base(f.path) // Otherwise Spark would call the folder by the packed file's name.
		}
	case program.FieldJars:
		return fmt.Errorf("%s: %q is a folder; name the jars in it with %q", f.called, *f.value, path.Join(*f.value, "*.jar"))
	case program.FieldMain:
		return fmt.Errorf("%s: %q is a folder; name the file in it that is to be run, and the folder in --py-files", f.called, *f.value)
	default:
		return fmt.Errorf("%s: %q is a folder; name its files, or the folder in --archives, which unpacks it where the job runs", f.called, *f.value)
	}
	return nil
}
