package sparksubmit

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"brazier.sh/brazier/internal/properties"
)

// setting is the value of a property and what the user calls the place where it was said.
type setting struct{ value, said string }

// settings are Spark's properties by key.
type settings map[string]setting

// take returns a property and removes it: what is left in the end is Spark's to understand.
func (s settings) take(key string) (setting, bool) {
	found, ok := s[key]
	delete(s, key)
	return found, ok
}

// under removes the properties whose keys begin with prefix and returns them without it.
func (s settings) under(prefix string) settings {
	found := settings{}
	for key, value := range s {
		if name, ok := strings.CutPrefix(key, prefix); ok && name != "" {
			found[name] = value
			delete(s, key)
		}
	}
	return found
}

func (s settings) keys() []string { return slices.Sorted(maps.Keys(s)) }

// fill takes over what s does not have.
func (s settings) fill(from settings) {
	for key, value := range from {
		if _, ok := s[key]; !ok {
			s[key] = value
		}
	}
}

// variables are the defaults that Spark takes from the environment: SparkSubmitArguments.loadEnvironmentArguments.
func variables() map[string]string {
	return map[string]string{
		"spark.master":            "MASTER",
		"spark.remote":            "SPARK_REMOTE",
		"spark.submit.deployMode": "DEPLOY_MODE",
		"spark.driver.memory":     "SPARK_DRIVER_MEMORY",
		"spark.executor.memory":   "SPARK_EXECUTOR_MEMORY",
		"spark.executor.cores":    "SPARK_EXECUTOR_CORES",
	}
}

// gather puts together what was said where. Spark's order of precedence: options, --conf, extra properties files, the
// properties file, spark-defaults.conf, the environment (SparkSubmitArguments.mergeDefaultSparkProperties,
// loadEnvironmentArguments and SparkSubmit.prepareSubmitEnvironment).
func (r *reader) gather(l *line) (settings, error) {
	all := settings{}
	for _, p := range l.conf {
		all[p.key] = setting{p.value, "--conf " + p.key}
	}
	extra := settings{}
	for _, file := range l.extra {
		found, err := r.file("--extra-properties-file", file)
		if err != nil {
			return nil, err
		}
		maps.Copy(extra, found) // Later files win over earlier ones.
	}
	all.fill(extra)
	if file := l.values["properties-file"]; file != "" {
		found, err := r.file("--properties-file", file)
		if err != nil {
			return nil, err
		}
		all.fill(found)
	}
	if !l.has("properties-file") || l.has("load-spark-defaults") {
		found, err := r.defaults()
		if err != nil {
			return nil, err
		}
		all.fill(found)
	}
	r.dropForeign(all)
	for _, option := range Options() {
		if value := l.values[option.Name]; option.key != "" && value != "" {
			all[option.key] = setting{value, "--" + option.Name}
		}
	}
	for key, name := range variables() {
		if value := r.env.Getenv(name); value != "" {
			all.fill(settings{key: {value, "$" + name}})
		}
	}
	return all, nil
}

// defaults reads spark-defaults.conf where SPARK_CONF_DIR names its folder. That of SPARK_HOME is left alone: it is the
// installation's, most often one for YARN, and not the user's word.
func (r *reader) defaults() (settings, error) {
	const name = "spark-defaults.conf"
	if dir := r.env.Getenv("SPARK_CONF_DIR"); dir != "" {
		file := filepath.Join(dir, name)
		if !r.exists(file) {
			return nil, nil
		}
		return r.file("$SPARK_CONF_DIR", file)
	}
	if home := r.env.Getenv("SPARK_HOME"); home != "" {
		if file := filepath.Join(home, "conf", name); r.exists(file) {
			r.note("%s: is not read, for it belongs to an installation of Spark; set SPARK_CONF_DIR=%s to have it", file, filepath.Dir(file))
		}
	}
	return nil, nil
}

func (r *reader) exists(file string) bool {
	_, err := r.env.ReadFile(file)
	return err == nil
}

// file reads a properties file as Spark does, blanks around values taken off: Utils.getPropertiesFromFile.
func (r *reader) file(said, file string) (settings, error) {
	content, err := r.env.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", said, err)
	}
	conf, err := properties.Parse(string(content))
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", said, file, err)
	}
	found := settings{}
	for key, value := range conf {
		found[key] = setting{strings.Trim(value, " \t\f"), key + " in " + file}
	}
	return found, nil
}

// dropForeign leaves out what is not Spark's, as SparkSubmitArguments.ignoreNonSparkProperties does.
func (r *reader) dropForeign(all settings) {
	for _, key := range all.keys() {
		if !strings.HasPrefix(key, "spark.") {
			r.note("%s: is not a property of Spark, whose keys begin with \"spark.\"; it is left out, as spark-submit does", all[key].said)
			delete(all, key)
		}
	}
}
