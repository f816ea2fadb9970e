package run

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/objectstore"
	"brazier.sh/brazier/internal/terminal"
)

// reference is a place in an application that names a file.
type reference struct {
	field string
	value *string
}

// references are all places in app that may name a file of the user's, called as the user wrote them: as the flags of
// a JOB or as the fields of a manifest.
func references(app *v1beta2.SparkApplication, manifest bool) []reference {
	deps := &app.Spec.Deps
	places := []struct {
		flag, field string
		values      []*string
	}{
		{"JOB", "spec.mainApplicationFile", []*string{&app.Spec.MainApplicationFile}},
		{"--py-files", "spec.deps.pyFiles", pointers(deps.PyFiles)},
		{"--files", "spec.deps.files", pointers(deps.Files)},
		{"--jars", "spec.deps.jars", pointers(deps.Jars)},
		{"", "spec.deps.archives", pointers(deps.Archives)},
	}
	var refs []reference
	for _, place := range places {
		name := place.flag
		if manifest {
			name = place.field
		}
		for _, value := range place.values {
			refs = append(refs, reference{name, value})
		}
	}
	return refs
}

func pointers(values []string) []*string {
	all := make([]*string, len(values))
	for i := range values {
		all[i] = &values[i]
	}
	return all
}

// local is a file on this machine that an application names.
type local struct {
	reference
	path string
	// alias is what comes after "#": the name under which Spark unpacks or links the file.
	alias string
}

// safeName is what a file may be called, so that its URL reads the same to Java, to Python and to the object store.
var safeName = regexp.MustCompile(`^[A-Za-z0-9._+=@-]+$`)

// locals finds the files of this machine that the application names, and checks that they are there before anything is
// sent.
func (o *options) locals(app *v1beta2.SparkApplication) ([]local, error) {
	var files []local
	for _, ref := range references(app, o.manifest != "") {
		name, alias, _ := strings.Cut(*ref.value, "#")
		name, onDisk := strings.CutPrefix(name, "file://")
		if !onDisk && strings.Contains(name, "://") || name == "" {
			continue
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(o.folder(), name)
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("%s: there is no file %q on this machine; write local://%s for a file in the image, or a URL that the cluster can reach: %w",
				ref.field, *ref.value, path.Join("/", *ref.value), err)
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s: %q is not a file; name a file, and pack a folder into a .zip", ref.field, *ref.value)
		}
		if !safeName.MatchString(filepath.Base(name)) {
			return nil, fmt.Errorf("%s: %q cannot be part of a URL that Spark reads; rename the file to letters, digits, '.', '_' and '-'", ref.field, filepath.Base(name))
		}
		files = append(files, local{reference: ref, path: name, alias: alias})
	}
	return files, nil
}

// upload puts the local files that app names where the cluster can reach them, and writes their URLs into app.
func (o *options) upload(ctx context.Context, config *rest.Config, app *v1beta2.SparkApplication) error {
	files, err := o.locals(app)
	if err != nil || len(files) == 0 {
		return err
	}
	cluster, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	bucket, err := objectstore.OfNamespace(ctx, cluster, app.Namespace)
	if err != nil {
		return err
	}
	defer func() { _ = bucket.Close() }() // Every upload has been confirmed by then.

	for _, file := range files {
		if err := o.send(ctx, bucket, app.Namespace, file); err != nil {
			return fmt.Errorf("%s: %w", file.field, err)
		}
	}
	return nil
}

// send uploads one file. The namespace is in the key, so that a store can grant each team its own files.
func (o *options) send(ctx context.Context, bucket *objectstore.Bucket, namespace string, file local) error {
	step := o.streams.Step("uploading %s", filepath.Base(file.path))
	upload, err := bucket.PutFile(ctx, path.Join("uploads", namespace), file.path, func(done, total int64) {
		step.Progress(done, total, terminal.Bytes)
	})
	if err != nil {
		step.Fail(err)
		return err
	}
	if upload.Present {
		step.Done("is there already")
	} else {
		step.Done("to %s", bucket.URL(upload.Key))
	}
	*file.value = bucket.URL(upload.Key)
	if file.alias != "" {
		*file.value += "#" + file.alias
	}
	return nil
}
