package manifest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

// Set changes fields of a specification as assignments say, such as executor.instances=4 or arguments=[in, out]. Keys are
// paths below spec. Those that begin with "spark." are properties of Spark. Below sparkConf, hadoopConf and other maps of
// text the rest of a path is one key, dots and all. The specification is not changed where one of them is wrong.
func Set(spec *v1beta2.SparkApplicationSpec, assignments []string) error {
	if len(assignments) == 0 {
		return nil
	}
	fields, err := fieldsOf(spec)
	if err != nil {
		return err
	}
	for _, assignment := range assignments {
		key, value, ok := strings.Cut(assignment, "=")
		key = strings.TrimPrefix(strings.TrimSpace(key), "spec.")
		if !ok || key == "" {
			return fmt.Errorf("--set: %q is no assignment; write a path below spec and a value, such as executor.instances=4 or spark.sql.shuffle.partitions=64", assignment)
		}
		if fields, err = assign(fields, assignment, pathOf(key), value); err != nil {
			return err
		}
	}
	changed, err := specOf(fields)
	if err != nil {
		return fmt.Errorf("--set: %w", err)
	}
	*spec = *changed
	return nil
}

// pathOf splits a key into the names of fields.
func pathOf(key string) []string {
	if strings.HasPrefix(key, "spark.") {
		return []string{"sparkConf", key}
	}
	path := strings.Split(key, ".")
	for i, name := range path {
		if isTextMap(name) && i+1 < len(path) {
			return append(path[:i+1:i+1], strings.Join(path[i+1:], "."))
		}
	}
	return path
}

// isTextMap reports whether a field is a map of text, whose keys may have dots in them.
func isTextMap(field string) bool {
	switch field {
	case "sparkConf", "hadoopConf", "nodeSelector", "labels", "annotations", "envVars", "serviceAnnotations", "serviceLabels", "ingressAnnotations":
		return true
	}
	return false
}

// assign sets one field. A value is read as YAML, so that numbers are numbers; where the field is a text it is taken as it is
// written.
func assign(fields map[string]any, assignment string, path []string, text string) (map[string]any, error) {
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		value = text // Such as a text that begins with '*'.
	}
	var first error
	for _, candidate := range []any{value, text} {
		tried, err := copied(fields)
		if err != nil {
			return nil, err
		}
		if err := put(tried, path, candidate); err != nil {
			return nil, fmt.Errorf("--set: %q: %w", assignment, err)
		}
		if _, err = specOf(tried); err == nil {
			return tried, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, fmt.Errorf("--set: %q does not fit a SparkApplication: %w", assignment, first)
}

// put sets the field at a path; what is missing on the way is made.
func put(fields map[string]any, path []string, value any) error {
	name, index, indexed, err := element(path[0])
	if err != nil {
		return err
	}
	if indexed {
		return putElement(fields, name, index, path[1:], value)
	}
	if len(path) == 1 {
		fields[name] = value
		return nil
	}
	child, ok := fields[name].(map[string]any)
	if !ok {
		if there, set := fields[name]; set && there != nil {
			return fmt.Errorf("%s is not a field that has others below it", name)
		}
		child = map[string]any{}
		fields[name] = child
	}
	return put(child, path[1:], value)
}

func putElement(fields map[string]any, name string, index int, rest []string, value any) error {
	list, ok := fields[name].([]any)
	if there := fields[name]; !ok && there != nil {
		return fmt.Errorf("%s is not a list", name)
	}
	if index > len(list) {
		return fmt.Errorf("%s has %d elements; write %s[%d] to add one", name, len(list), name, len(list))
	}
	if index == len(list) {
		list = append(list, nil)
	}
	if len(rest) == 0 {
		list[index] = value
	} else {
		child, ok := list[index].(map[string]any)
		if !ok {
			child = map[string]any{}
		}
		if err := put(child, rest, value); err != nil {
			return err
		}
		list[index] = child
	}
	fields[name] = list
	return nil
}

// element reads a name with an index behind it, such as arguments[0].
func element(name string) (field string, index int, indexed bool, err error) {
	field, rest, indexed := strings.Cut(name, "[")
	if !indexed || strings.Contains(name, ".") { // A property of Spark may have any name.
		return name, 0, false, nil
	}
	number, closed := strings.CutSuffix(rest, "]")
	index, err = strconv.Atoi(number)
	if err != nil || !closed || index < 0 {
		return "", 0, false, fmt.Errorf("%q is no element of a list; write for example arguments[0]", name)
	}
	return field, index, true, nil
}

func fieldsOf(spec *v1beta2.SparkApplicationSpec) (map[string]any, error) {
	content, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("read the specification: %w", err)
	}
	var fields map[string]any
	if err := json.Unmarshal(content, &fields); err != nil {
		return nil, fmt.Errorf("read the specification: %w", err)
	}
	return fields, nil
}

func copied(fields map[string]any) (map[string]any, error) {
	content, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("copy the specification: %w", err)
	}
	var copied map[string]any
	if err := json.Unmarshal(content, &copied); err != nil {
		return nil, fmt.Errorf("copy the specification: %w", err)
	}
	return copied, nil
}

// specOf turns fields into a specification; a field that there is not is an error.
func specOf(fields map[string]any) (*v1beta2.SparkApplicationSpec, error) {
	content, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("write the specification: %w", err)
	}
	spec := new(v1beta2.SparkApplicationSpec)
	if err := yaml.UnmarshalStrict(content, spec); err != nil {
		return nil, fmt.Errorf("spec: %w", err)
	}
	return spec, nil
}
