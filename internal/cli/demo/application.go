package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/examples/retail"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
)

const (
	// label marks applications of the demonstration, so that they can be found again.
	label = "brazier.sh/demo"
	// prefix is where the demonstration keeps everything in the bucket.
	prefix = "demo"
)

// job is one run of the demonstration. Its name is made here, not by the server, since the place of its results follows
// from it.
type job struct {
	name                string
	program, input, out string // URLs
	key                 string // of out, in the bucket
}

// application fills the example's manifest in.
func (j job) application(namespace string) (*v1beta2.SparkApplication, error) {
	app := new(v1beta2.SparkApplication)
	if err := yaml.UnmarshalStrict(retail.Manifest, app); err != nil {
		return nil, fmt.Errorf("read the example's manifest: %w", err)
	}
	app.GenerateName, app.Name, app.Namespace = "", j.name, namespace
	app.Labels = map[string]string{label: "retail"}
	app.Spec.MainApplicationFile = j.program
	app.Spec.Arguments = []string{j.input, j.out}
	return app, nil
}

// upload puts the data and the program where the job can read them, unless the same content is there already.
func (s *session) upload(ctx context.Context, d data) (job, error) {
	input, err := s.uploadData(ctx, d.path)
	if err != nil {
		return job{}, err
	}
	sum := sha256.Sum256([]byte(retail.Job))
	program := path.Join(prefix, "jobs", hex.EncodeToString(sum[:]), retail.JobName)
	if err := s.bucket.Put(ctx, program, strings.NewReader(retail.Job), int64(len(retail.Job)), nil); err != nil {
		return job{}, err
	}
	name := "retail-" + rand.String(5)
	key := s.results(name)
	return job{name: name, program: s.bucket.URL(program), input: input, key: key, out: s.bucket.URL(key)}, nil
}

// unsafe is what may not stand in the name of an object: Spark would take some of it for a pattern.
var unsafe = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// uploadData uploads the file under a name that is safe in a URL, which a link in a folder of its own gives it.
func (s *session) uploadData(ctx context.Context, file string) (string, error) {
	step := s.streams.Step("uploading %s", filepath.Base(file))
	folder, err := os.MkdirTemp("", "brazier-demo-")
	if err != nil {
		step.Fail(err)
		return "", fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	absolute, err := filepath.Abs(file)
	if err != nil {
		step.Fail(err)
		return "", fmt.Errorf("find %s: %w", file, err)
	}
	link := filepath.Join(folder, unsafe.ReplaceAllString(filepath.Base(file), "-"))
	if err := os.Symlink(absolute, link); err != nil {
		step.Fail(err)
		return "", err //nolint:wrapcheck // The error names both files and what was tried.
	}
	done, err := s.bucket.PutFile(ctx, path.Join(prefix, "data"), link, func(done, total int64) {
		step.Progress(done, total, terminal.Bytes)
	})
	if err != nil {
		step.Fail(err)
		return "", err
	}
	if done.Present {
		step.Done("the same is there already: %s", s.bucket.URL(done.Key))
	} else {
		step.Done("to %s", s.bucket.URL(done.Key))
	}
	return s.bucket.URL(done.Key), nil
}

// create creates the application.
func (s *session) create(ctx context.Context, j job) error {
	app, err := j.application(s.namespace)
	if err != nil {
		return err
	}
	client, err := kube.Applications(s.config)
	if err != nil {
		return err
	}
	err = client.Post().Namespace(s.namespace).Resource(kube.ApplicationsResource).
		Param("fieldValidation", "Strict").Body(app).Do(ctx).Error()
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("the cluster at %s does not know SparkApplications; \"brazier install\" puts Brazier on it: %w", s.config.Host, err)
	}
	if err != nil {
		return fmt.Errorf("create SparkApplication %s/%s: %w", s.namespace, j.name, err)
	}
	fmt.Fprintf(s.streams.Err, "✓ created SparkApplication %s/%s\n", s.namespace, j.name)
	return nil
}

// removeEarlier removes the demonstration's runs that have ended, and their results.
func (s *session) removeEarlier(ctx context.Context) error {
	client, err := kube.Applications(s.config)
	if err != nil {
		return err
	}
	var earlier v1beta2.SparkApplicationList
	err = client.Get().Namespace(s.namespace).Resource(kube.ApplicationsResource).
		Param("labelSelector", label).Do(ctx).Into(&earlier)
	if err != nil {
		return fmt.Errorf("look for earlier runs: %w", err)
	}
	for _, app := range earlier.Items {
		if !app.Status.AppState.State.Ended() {
			continue
		}
		step := s.streams.Step("removing the earlier run %s", app.Name)
		if err := s.remove(ctx, client, app.Name); err != nil {
			step.Fail(err)
			return err
		}
		step.Done("--keep would have kept it")
	}
	return nil
}

func (s *session) remove(ctx context.Context, client rest.Interface, name string) error {
	if err := s.bucket.DeleteAll(ctx, s.results(name)+"/"); err != nil {
		return fmt.Errorf("remove the results of %s: %w", name, err)
	}
	err := client.Delete().Namespace(s.namespace).Resource(kube.ApplicationsResource).Name(name).Do(ctx).Error()
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("remove the earlier run %s: %w", name, err)
	}
	return nil
}

// results is the key below which the results of a run lie.
func (s *session) results(name string) string { return path.Join(prefix, "results", s.namespace, name) }
