package submission

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

// Print writes the manifest as it would be created, in yaml or json, but for the local files, which keep their paths: what
// is printed can be run with "brazier run -f".
func Print(out io.Writer, app *v1beta2.SparkApplication, form string) error {
	content, err := json.Marshal(app)
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	var fields map[string]any
	if err := json.Unmarshal(content, &fields); err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	delete(fields, "status") // It is the operator's to write.
	if form == "json" {
		content, err = json.MarshalIndent(fields, "", "  ")
		content = append(content, '\n')
	} else {
		content, err = yaml.Marshal(fields)
	}
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	_, err = out.Write(content)
	return err
}
