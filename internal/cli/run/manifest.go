package run

import (
	"fmt"
	"path/filepath"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/manifest"
	"brazier.sh/brazier/internal/submission"
)

// application is what is to be created: the manifest's or the job's.
func (o *options) application() (*v1beta2.SparkApplication, error) {
	if o.manifest == "" {
		return o.job.application()
	}
	app, err := manifest.Read(o.manifest, o.streams.In)
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
