package run

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/submission"
)

// application is what is to be created: the manifest's or the job's.
func (o *options) application() (*v1beta2.SparkApplication, error) {
	if o.manifest == "" {
		return o.job.application()
	}
	app, err := o.read()
	if err != nil {
		return nil, err
	}
	if o.job.name != "" {
		app.Name, app.GenerateName = o.job.name, ""
	}
	if app.Name == "" && app.GenerateName == "" {
		return nil, fmt.Errorf("metadata.name: %s names no application; write metadata.name or metadata.generateName, or add --name", o.manifest)
	}
	return app, nil
}

// read reads the manifest. A field that is misspelt is an error rather than a setting that has no effect.
func (o *options) read() (*v1beta2.SparkApplication, error) {
	content, err := o.open()
	if err != nil {
		return nil, fmt.Errorf("-f: %w", err)
	}
	app := new(v1beta2.SparkApplication)
	if err := yaml.UnmarshalStrict(content, app); err != nil {
		return nil, fmt.Errorf("-f: %s is not a SparkApplication: %w", o.manifest, err)
	}
	if app.APIVersion != v1beta2.GroupVersion.String() || app.Kind != v1beta2.SparkApplicationKind {
		return nil, fmt.Errorf("-f: %s is %q of %q; write a %s of %s, and create other kinds with kubectl",
			o.manifest, app.Kind, app.APIVersion, v1beta2.SparkApplicationKind, v1beta2.GroupVersion)
	}
	return app, nil
}

func (o *options) open() ([]byte, error) {
	if o.manifest == "-" {
		return io.ReadAll(o.streams.In)
	}
	return os.ReadFile(o.manifest)
}

// folder is what local paths are relative to: the manifest's own folder, or the current one.
func (o *options) folder() string {
	if o.manifest == "" || o.manifest == "-" {
		return ""
	}
	return filepath.Dir(o.manifest)
}

// print writes the manifest, and says what is not in it.
func (o *options) print(app *v1beta2.SparkApplication) error {
	if o.job.requirements.File != "" {
		fmt.Fprintf(o.streams.Err, "the packages of %s would be added to spec.deps.archives\n", o.job.requirements.File)
	}
	return submission.Print(o.streams.Out, app, o.output)
}
