package install

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// announce says what is about to happen.
func (i *Installer) announce(p *plan) {
	if p.nothingToDo() {
		return
	}
	fmt.Fprintf(i.streams.Err, "%s%s in the namespace %s:\n", strings.ToUpper(p.title()[:1]), p.title()[1:], i.namespace)
	i.list(p.changes)
}

// list names every object that something happens to, and counts the others.
func (i *Installer) list(changes []Change) {
	same := 0
	for _, change := range changes {
		if change.Action == None {
			same++
			continue
		}
		fmt.Fprintf(i.streams.Err, "  %-6s  %s\n", change.Action, describe(change.object()))
	}
	if same > 0 {
		fmt.Fprintf(i.streams.Err, "  %d objects stay as they are\n", same)
	}
}

// conclude says what has happened.
func (i *Installer) conclude(p *plan) {
	if p.nothingToDo() {
		fmt.Fprintf(i.streams.Err, "Brazier %s is in the namespace %s as it should be; nothing was changed.\n", p.to, i.namespace)
		return
	}
	revision := ""
	if last, err := i.last(); err == nil && last != nil {
		revision = fmt.Sprintf(" (revision %d)", last.Version)
	}
	fmt.Fprintf(i.streams.Err, "Brazier %s is in the namespace %s%s: %d objects created, %d changed, %d removed.\n",
		p.to, i.namespace, revision, p.count(Create), p.count(Update), p.count(Delete))
}

// DryRun writes to the streams' Out what Install, Upgrade or Ensure with these options would change, object by object, and
// changes nothing.
func (i *Installer) DryRun(ctx context.Context, opts Options) error {
	last, err := i.last()
	if err != nil {
		return err
	}
	p, err := i.plan(ctx, last, opts)
	if err != nil {
		return err
	}
	for _, change := range p.changes {
		text, err := change.Diff()
		if err != nil {
			return err
		}
		fmt.Fprint(i.streams.Out, text)
	}
	fmt.Fprintf(i.streams.Err, "%s would create %d objects, change %d and remove %d. Nothing was changed.\n",
		strings.ToUpper(p.title()[:1])+p.title()[1:], p.count(Create), p.count(Update), p.count(Delete))
	return nil
}

// Diff returns the change as a unified difference. Of a Secret only the names of its entries are in it and whether they
// change; of a new definition only its name, as it is thousands of lines long.
func (c Change) Diff() (string, error) {
	name := describe(c.object())
	switch {
	case c.Action == None:
		return "", nil
	case c.Action == Keep:
		return fmt.Sprintf("# %s is kept\n", name), nil
	case c.Action == Create && c.After.GetKind() == "CustomResourceDefinition":
		return fmt.Sprintf("# %s is created\n", name), nil
	}
	before, err := text(c.Before)
	if err != nil {
		return "", err
	}
	after, err := text(c.After)
	if err != nil {
		return "", err
	}
	return udiff.Unified("before: "+name, "after: "+name, before, after), nil
}

// text returns what is meant by an object as YAML. What a Secret holds is hidden.
func text(object *unstructured.Unstructured) (string, error) {
	if object == nil {
		return "", nil
	}
	fields := meant(object)
	if object.GetKind() == "Secret" {
		hide(fields)
	}
	out, err := yaml.Marshal(fields)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", describe(object), err)
	}
	return string(out), nil
}

// hide puts a short digest, which tells nothing but whether it changes, in the place of each of a Secret's entries.
func hide(fields map[string]any) {
	for _, field := range []string{"data", "stringData"} {
		entries, ok := fields[field].(map[string]any)
		if !ok {
			continue
		}
		for key, value := range entries {
			sum := sha256.Sum256(fmt.Append(nil, value))
			entries[key] = "(hidden, " + hex.EncodeToString(sum[:4]) + ")"
		}
	}
}
