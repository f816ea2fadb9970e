// Package conformance holds what Spark's own spark-submit makes of many configurations, release by release, so that
// Brazier's plans can be compared with it (internal/spark, TestAsSparkSubmit). It knows nothing of plans itself.
// record_test.go makes the recordings: make conformance.
package conformance

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

//go:embed cases.yaml recordings
var files embed.FS

// Case is one configuration, said twice.
type Case struct {
	// Name tells the case from others.
	Name string `json:"-"`
	// AppName is what the application is called. Default: pi.
	AppName string `json:"name,omitempty"`
	// Versions is "all" for a case that is recorded for every release; otherwise only the newest is.
	Versions string `json:"versions,omitempty"`
	// Since is the first release, such as 4.1, of those that the case is recorded for.
	Since string `json:"since,omitempty"`
	// Args are spark-submit's options.
	Args []string `json:"args,omitempty"`
	// Program is what follows them: the main resource and its arguments. Default: local:///pi.py.
	Program []string `json:"program,omitempty"`
	// Files are files of the submitter's, in /tmp/case.
	Files map[string]string `json:"files,omitempty"`
	// Spec is what a user of Brazier writes for the same, merged into the least that there is to write.
	Spec map[string]any `json:"spec,omitempty"`
}

// Cases returns all cases, sorted by name.
func Cases() ([]Case, error) {
	text, err := files.ReadFile("cases.yaml")
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	var named map[string]Case
	if err := yaml.UnmarshalStrict(text, &named); err != nil {
		return nil, fmt.Errorf("parse cases: %w", err)
	}
	cases := make([]Case, 0, len(named))
	for _, name := range slices.Sorted(maps.Keys(named)) {
		c := named[name]
		c.Name = name
		if c.AppName == "" {
			c.AppName = "pi"
		}
		if len(c.Program) == 0 {
			c.Program = []string{"local:///pi.py"}
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// IsFor reports whether the case is recorded for a release of Spark; newest is the newest of them all.
func (c Case) IsFor(version, newest string) bool {
	if c.Since != "" {
		return version >= c.Since // as text: no part of these has two digits
	}
	return c.Versions == "all" || version == newest
}

// Application returns the case as a user of Brazier writes it.
func (c Case) Application(version string) (*v1beta2.SparkApplication, error) {
	spec := map[string]any{
		"type": "Python", "sparkVersion": version, "image": "img", "mainApplicationFile": "local:///pi.py",
		"driver": map[string]any{}, "executor": map[string]any{},
	}
	maps.Copy(spec, c.Spec)
	text, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return nil, fmt.Errorf("write case %s: %w", c.Name, err)
	}
	app := new(v1beta2.SparkApplication)
	if err := yaml.UnmarshalStrict(text, app); err != nil {
		return nil, fmt.Errorf("read case %s: %w", c.Name, err)
	}
	app.Name, app.Namespace, app.UID = c.AppName, "default", "0d6d7a6e-3a8b-4f43-9b50-0d3c8ad0f8f1"
	return app, nil
}

// Versions returns the releases that there are recordings of, oldest first.
func Versions() ([]string, error) {
	entries, err := files.ReadDir("recordings")
	if err != nil {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	var versions []string
	for _, entry := range entries {
		if entry.IsDir() {
			versions = append(versions, entry.Name())
		}
	}
	return versions, nil
}

// Recording returns the objects that spark-submit of a release sent for the case, as a JSON list in its order.
func (c Case) Recording(version string) ([]byte, error) {
	text, err := files.ReadFile(path.Join("recordings", version, strings.ToLower(c.Name)+".json"))
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	return text, nil
}
