// Package sparksubmit reads a command line of spark-submit, of any Spark from 3.5 to 4.3, and says which SparkApplication
// it means, and what of it has no meaning on Kubernetes. It speaks to no cluster and uploads nothing; of this machine it
// sees what its Environment shows it.
package sparksubmit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/program"
)

// Environment is what of this machine a command line refers to.
type Environment struct {
	// Getenv returns an environment variable, empty if it is not set.
	Getenv func(name string) string
	// ReadFile returns the content of a file.
	ReadFile func(file string) ([]byte, error)
	// MainClass returns the class that a jar names as its main one, empty if it names none.
	MainClass func(jar string) (string, error)
	// SparkVersion is the version of Spark of a line that does not say it.
	SparkVersion string
}

// Action is what a command line asks for.
type Action string

// What a command line can ask for.
const (
	Submit     Action = "submit"
	Kill       Action = "kill"
	Status     Action = "status"
	Help       Action = "help"
	UsageError Action = "usage-error"
	Version    Action = "version"
)

// Command is a command line that has been understood.
type Command struct {
	Action Action
	// ID is the submission ID of Kill and Status.
	ID string

	// Kubeconfig, Context and Namespace say which cluster is meant, as far as they were named.
	Kubeconfig, Context, Namespace string
	// Master is the API server's URL where the master is k8s://URL.
	Master string

	// App is the application of Submit.
	App *v1beta2.SparkApplication
	// Called is what the user calls the fields that name files: submission.Job.
	Called map[string]string
	// Requirements are Python packages to bring along.
	Requirements program.Requirements
	// Detach, Logs, DryRun and Output say how it is carried out and shown.
	Detach, Logs, DryRun bool
	Output               string

	// Notes are what the user should know, among it what was left out and why.
	Notes []string
	// Properties are what was found where, for --verbose, without secrets; nil otherwise.
	Properties []string
}

// Read understands a command line. Its error names every mistake, with the value and the way out.
func Read(args []string, env Environment) (*Command, error) {
	l, err := parse(args)
	if err != nil {
		return nil, err
	}
	r := &reader{env: env, line: l}
	c := &Command{
		Action: action(l), Kubeconfig: l.values["kubeconfig"], Context: l.values["context"], Namespace: l.values["namespace"],
	}
	if c.Action == Help || c.Action == UsageError || c.Action == Version {
		return c, nil
	}
	all, err := r.gather(l)
	if err != nil {
		return nil, err
	}
	if l.has("verbose") {
		c.Properties = listed(all)
	}
	r.settings, r.command = all, c
	r.cluster()
	if c.Action == Kill || c.Action == Status {
		c.ID = l.values[string(c.Action)]
		if l.has("dry-run") {
			r.fail("--dry-run: there is no manifest to print for --%s; --status shows which applications an ID means", c.Action)
		}
	} else {
		r.submission()
	}
	c.Notes = r.notes
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	return c, nil
}

func action(l *line) Action {
	for _, name := range actions() {
		if l.has(name) {
			return Action(name)
		}
	}
	return Submit
}

// secret is how Spark knows what is not to be shown: spark.redaction.regex.
func secret(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc([]string{"secret", "password", "token", "access.key", "accesskey", "credential"}, func(part string) bool {
		return strings.Contains(key, part)
	})
}

func listed(all settings) []string {
	lines := make([]string, 0, len(all))
	for _, key := range all.keys() {
		value := all[key].value
		if secret(key) {
			value = "(not shown)"
		}
		lines = append(lines, fmt.Sprintf("%s=%s (%s)", key, value, all[key].said))
	}
	return lines
}

// reader turns a command line into a command, and keeps what is to be said on the way.
type reader struct {
	env      Environment
	line     *line
	settings settings
	command  *Command
	notes    []string
	errs     []error

	master master
	// clusterMode says that the deploy mode is cluster.
	clusterMode bool
	app         *v1beta2.SparkApplication
}

func (r *reader) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *reader) fail(format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf(format, args...))
}
