package diagnose

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// Rule is a rule of a team's own: docs/why-rules.md.
type Rule struct {
	spec                ownRule
	when, why, evidence *program
}

// Code is what the rule's causes are called.
func (r Rule) Code() string { return r.spec.Code }

// ownFile is a file of rules, and ownRule one of them, as they are written.
type ownFile struct {
	Rules []json.RawMessage `json:"rules"`
}

type ownRule struct {
	Code          string              `json:"code"`
	When          string              `json:"when"`
	Why           string              `json:"why"`
	WhyExpression string              `json:"whyExpression"`
	Evidence      string              `json:"evidence"`
	Fixes         []ownFix            `json:"fixes"`
	Confidence    v1alpha1.Confidence `json:"confidence"`
	Transient     bool                `json:"transient"`
	Follows       []string            `json:"follows"`
}

type ownFix struct {
	Risk    v1alpha1.Risk `json:"risk"`
	Say     string        `json:"say"`
	Command string        `json:"command"`
	Change  string        `json:"change"`
}

// The most that is read of a team's rules.
const (
	mostOwnBytes = 256 << 10
	mostOwnRules = 100
)

// ParseRules reads a file of a team's own rules and compiles their expressions. Errors name rule, field and value, all
// that there are.
func ParseRules(data []byte) ([]Rule, error) {
	if len(data) > mostOwnBytes {
		return nil, fmt.Errorf("the file has %d bytes; %d are read at most", len(data), mostOwnBytes)
	}
	text, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	var file ownFile
	if err := strictly(text, &file); err != nil {
		return nil, fmt.Errorf("%w; write a list under \"rules\"", err)
	}
	if len(file.Rules) > mostOwnRules {
		return nil, fmt.Errorf("rules: %d are too many; %d are read at most", len(file.Rules), mostOwnRules)
	}
	if len(file.Rules) == 0 {
		return nil, nil
	}
	compiler, err := newCompiler()
	if err != nil {
		return nil, fmt.Errorf("prepare expressions: %w", err)
	}
	return parseOwn(file.Rules, compiler)
}

func parseOwn(texts []json.RawMessage, compiler *compiler) ([]Rule, error) {
	var errs []error
	all := make([]Rule, 0, len(texts))
	for i, text := range texts {
		rule, found := compiler.rule(text)
		for _, err := range found {
			errs = append(errs, fmt.Errorf("%s: %w", ruleName(i, rule), err))
		}
		all = append(all, rule)
	}
	errs = append(errs, checkCodes(all)...)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return all, nil
}

func ruleName(i int, r Rule) string {
	if r.spec.Code == "" {
		return fmt.Sprintf("rules[%d]", i)
	}
	return fmt.Sprintf("rules[%d] (%s)", i, shortened(r.spec.Code))
}

// strictly reads JSON into what, with every field known.
func strictly(text []byte, what any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(what)
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: is a %s, not a %s", mistyped.Field, mistyped.Value, mistyped.Type.Kind())
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

var codePattern = lazily(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

const longestCode = 63

// check finds what is wrong with the rule's fields, expressions aside.
func (r *ownRule) check() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !codePattern.MatchString(r.Code) || len(r.Code) > longestCode {
		wrong("code: %q is not a code; write lower-case words with hyphens between them, such as licence-server-down", shortened(r.Code))
	}
	if r.When == "" {
		wrong("when: is missing; write an expression that is true where the rule applies, such as lines('licence denied').size() > 0")
	}
	if (r.Why == "") == (r.WhyExpression == "") {
		wrong("why: write the cause in one sentence, or whyExpression for an expression that makes it, and not both")
	}
	if r.Confidence == "" {
		r.Confidence = v1alpha1.ConfidenceMedium
	}
	if confidences := []v1alpha1.Confidence{v1alpha1.ConfidenceHigh, v1alpha1.ConfidenceMedium, v1alpha1.ConfidenceLow}; !slices.Contains(confidences, r.Confidence) {
		wrong("confidence: %q is none; write high, medium or low", shortened(string(r.Confidence)))
	}
	for i, fix := range r.Fixes {
		risks := []v1alpha1.Risk{v1alpha1.RiskInspect, v1alpha1.RiskLow, v1alpha1.RiskChanges, v1alpha1.RiskDestructive}
		if !slices.Contains(risks, fix.Risk) {
			wrong("fixes[%d].risk: %q is none; write inspect, low-risk, changes or destructive", i, shortened(string(fix.Risk)))
		}
		if fix.Say == "" {
			wrong("fixes[%d].say: is missing; say what to do in one sentence", i)
		}
	}
	return errs
}

// checkCodes finds codes that are taken, and causes to follow from that there are not.
func checkCodes(all []Rule) []error {
	var errs []error
	builtIn, seen := map[string]bool{}, map[string]bool{}
	for _, r := range rules() {
		builtIn[r.code] = true
	}
	for i, r := range all {
		switch {
		case builtIn[r.spec.Code]:
			errs = append(errs, fmt.Errorf("%s: code: %q is the code of a built-in rule; choose another", ruleName(i, r), r.spec.Code))
		case seen[r.spec.Code] && r.spec.Code != "":
			errs = append(errs, fmt.Errorf("%s: code: %q is the code of an earlier rule; choose another", ruleName(i, r), r.spec.Code))
		}
		seen[r.spec.Code] = true
	}
	for i, r := range all {
		for j, code := range r.spec.Follows {
			if code == r.spec.Code || !builtIn[code] && !seen[code] {
				errs = append(errs, fmt.Errorf("%s: follows[%d]: %q is not the code of another rule", ruleName(i, r), j, shortened(code)))
			}
		}
	}
	return errs
}

// rule is the rule as the built-in ones are. One whose expressions fail on a case finds nothing in it.
func (r Rule) rule() rule {
	return rule{code: r.spec.Code, follows: r.spec.Follows, find: func(c *Case) (v1alpha1.Cause, bool) {
		cause, ok, err := r.Evaluate(c)
		return cause, ok && err == nil
	}}
}

// Evaluate tries the rule on a case: false if it does not apply, and an error if an expression fails, as on a field that
// is not there, or does more work than a rule may.
func (r Rule) Evaluate(c *Case) (v1alpha1.Cause, bool, error) {
	given, err := c.variables()
	if err != nil {
		return v1alpha1.Cause{}, false, r.failed("variables", err)
	}
	applies, err := r.when.boolean(given)
	if err != nil || !applies {
		return v1alpha1.Cause{}, false, r.failed("when", err)
	}
	cause := v1alpha1.Cause{Code: r.spec.Code, Why: r.spec.Why, Confidence: r.spec.Confidence, Transient: r.spec.Transient}
	if r.why != nil {
		if cause.Why, err = r.why.text(given); err != nil {
			return v1alpha1.Cause{}, false, r.failed("whyExpression", err)
		}
	}
	if r.evidence != nil {
		if cause.Evidence, err = r.evidence.proofs(given); err != nil {
			return v1alpha1.Cause{}, false, r.failed("evidence", err)
		}
	}
	for _, proof := range cause.Evidence {
		if proof.At != nil && (cause.At.IsZero() || proof.At.Time.Before(cause.At.Time)) {
			cause.At.Time = proof.At.Time
		}
	}
	for _, fix := range r.spec.Fixes {
		cause.Fixes = append(cause.Fixes, v1alpha1.Fix(fix))
	}
	return cause, true, nil
}

func (r Rule) failed(field string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("rule %s: %s: %w", r.spec.Code, field, err)
}
