// Package output prints objects of a cluster in the form that their reader asked for: as a table for people, or as what
// programs read. It knows the forms, and nothing of what is in the objects; which columns there are is the command's word.
package output

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// Form is a form of output.
type Form string

// The forms that there are.
const (
	// Table is for people: what fits a line.
	Table Form = "table"
	// Wide is a table with all that there is.
	Wide Form = "wide"
	// JSON and YAML are the objects as the API has them.
	JSON Form = "json"
	YAML Form = "yaml"
	// Name is the kind and the name alone, as kubectl takes it.
	Name Form = "name"
)

// Flag is the flag -o.
type Flag struct {
	// Form is the form that was asked for; empty is the command's own.
	Form Form

	text  string
	forms []Form
}

// AddTo defines the flag on fs, with the forms that the command has. The first is what it prints without the flag.
func (f *Flag) AddTo(fs *pflag.FlagSet, forms ...Form) {
	f.forms = forms
	fs.StringVarP(&f.text, "output", "o", "", fmt.Sprintf("the `form` of what is printed: %s (default: %s)", f.list(), forms[0]))
}

func (f *Flag) list() string {
	words := make([]string, 0, len(f.forms))
	for _, form := range f.forms {
		words = append(words, string(form))
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// Forms are the words that the flag takes, for completion.
func (f *Flag) Forms() []string {
	words := make([]string, 0, len(f.forms))
	for _, form := range f.forms {
		words = append(words, string(form))
	}
	return words
}

// Check takes the flag's word, once it has been read.
func (f *Flag) Check() error {
	f.Form = Form(f.text)
	if f.text == "" {
		f.Form = f.forms[0]
	}
	if !slices.Contains(f.forms, f.Form) {
		return fmt.Errorf("--output: %q is not a form; write %s", f.text, f.list())
	}
	return nil
}

// Machine reports whether the form is one that programs read, which Object and List print.
func (f Form) Machine() bool { return f == JSON || f == YAML || f == Name }

// Thing is an object of the API.
type Thing interface {
	metav1.Object
	runtime.Object
}

// Object prints one object in a form for programs.
func Object(out io.Writer, form Form, kind schema.GroupVersionKind, object Thing) error {
	if form == Name {
		return names(out, kind, object)
	}
	fields, err := fieldsOf(kind, object)
	if err != nil {
		return err
	}
	return write(out, form, fields)
}

// List prints objects in a form for programs: as a list of the API, also where it is empty.
func List[T Thing](out io.Writer, form Form, kind schema.GroupVersionKind, objects []T) error {
	items := []any{}
	for _, object := range objects {
		if form == Name {
			if err := names(out, kind, object); err != nil {
				return err
			}
			continue
		}
		fields, err := fieldsOf(kind, object)
		if err != nil {
			return err
		}
		items = append(items, fields)
	}
	if form == Name {
		return nil
	}
	return write(out, form, map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
}

func names(out io.Writer, kind schema.GroupVersionKind, object Thing) error {
	name := strings.ToLower(kind.Kind)
	if kind.Group != "" {
		name += "." + kind.Group
	}
	_, err := fmt.Fprintln(out, name+"/"+object.GetName())
	return err
}

// fieldsOf are the fields of an object with its kind, which clients leave out, and without what says which program wrote
// which field.
func fieldsOf(kind schema.GroupVersionKind, object Thing) (map[string]any, error) {
	content, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("write %s %s: %w", kind.Kind, object.GetName(), err)
	}
	var fields map[string]any
	if err := json.Unmarshal(content, &fields); err != nil {
		return nil, fmt.Errorf("write %s %s: %w", kind.Kind, object.GetName(), err)
	}
	fields["apiVersion"], fields["kind"] = kind.GroupVersion().String(), kind.Kind
	if metadata, ok := fields["metadata"].(map[string]any); ok {
		delete(metadata, "managedFields")
	}
	return fields, nil
}

// Value prints something that is no object of the API, as JSON or YAML.
func Value(out io.Writer, form Form, value any) error { return write(out, form, value) }

func write(out io.Writer, form Form, fields any) error {
	var content []byte
	var err error
	if form == JSON {
		content, err = json.MarshalIndent(fields, "", "  ")
		content = append(content, '\n')
	} else {
		content, err = yaml.Marshal(fields)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", form, err)
	}
	_, err = out.Write(content)
	return err
}
