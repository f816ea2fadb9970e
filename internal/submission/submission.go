// Package submission brings an application from this machine to a cluster: it finds the files that the application names,
// packs folders and Python packages, uploads each once by content, writes their addresses into the application and
// creates it. What a command line means is for the commands to say; what becomes of the application, for the operator.
package submission

import (
	"context"
	"fmt"
	"os"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/objectstore"
	"brazier.sh/brazier/internal/program"
	"brazier.sh/brazier/internal/terminal"
)

// Job is an application and what it needs of this machine.
type Job struct {
	// App is the application. Uploading changes it: the addresses of what was uploaded take the places of local paths.
	App *v1beta2.SparkApplication
	// Folder is what local paths are relative to; empty means the current one.
	Folder string
	// Called is what the user calls the fields that can name files, such as "--py-files" for spec.deps.pyFiles. A field
	// that is not in it is called by its path.
	Called map[string]string
	// Requirements are Python packages to bring along.
	Requirements program.Requirements
}

// Upload puts what the job needs of this machine where the cluster can reach it, and writes the addresses into the
// application. Everything is looked for before anything is sent.
func (j *Job) Upload(ctx context.Context, streams terminal.Streams, config *rest.Config) error {
	files, err := j.files()
	if err != nil {
		return err
	}
	if err := j.checkRequirements(); err != nil {
		return err
	}
	if len(files) == 0 && j.Requirements.File == "" {
		return nil
	}
	cluster, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	bucket, err := objectstore.OfNamespace(ctx, cluster, j.App.Namespace)
	if err != nil {
		return err
	}
	defer func() { _ = bucket.Close() }() // Every upload has been confirmed by then.

	temp, err := os.MkdirTemp("", "brazier-")
	if err != nil {
		return fmt.Errorf("make a folder for what is packed: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }() // The machine's own housekeeping takes what is left.

	u := uploader{streams: streams, bucket: bucket, namespace: j.App.Namespace, temp: temp}
	for _, file := range files {
		if err := u.send(ctx, file); err != nil {
			return fmt.Errorf("%s: %w", file.called, err)
		}
	}
	if j.Requirements.File == "" {
		return nil
	}
	if err := u.sendRequirements(ctx, j); err != nil {
		return fmt.Errorf("--requirements: %w", err)
	}
	return nil
}
