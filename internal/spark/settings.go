package spark

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// settings are Spark properties, each with the place that it was said in, so that a value that cannot be used is
// reported where its author wrote it. Reading a value of the wrong form records the mistake and returns the default.
type settings struct {
	values map[string]string
	said   map[string]*field.Path
	errs   field.ErrorList
}

func newSettings() *settings {
	return &settings{values: map[string]string{}, said: map[string]*field.Path{}}
}

// set gives key a value, whatever it had before.
func (s *settings) set(key, value string, said *field.Path) {
	s.values[key] = value
	s.said[key] = said
}

// setIf sets key unless value is empty, which is how the API says that a field is not used.
func (s *settings) setIf(key, value string, said *field.Path) {
	if value != "" {
		s.set(key, value, said)
	}
}

// setAll sets a property for each entry of a map, under a common prefix.
func (s *settings) setAll(prefix string, values map[string]string, said *field.Path) {
	for k, v := range values {
		s.set(prefix+k, v, said.Key(k))
	}
}

// fill gives key a value if it has none.
func (s *settings) fill(key, value string, said *field.Path) {
	if !s.has(key) {
		s.set(key, value, said)
	}
}

func (s *settings) has(key string) bool {
	_, ok := s.values[key]
	return ok
}

// get returns the value of the first of keys that has one.
func (s *settings) get(keys ...string) string {
	for _, key := range keys {
		if v, ok := s.values[key]; ok {
			return v
		}
	}
	return ""
}

// under returns the properties whose keys begin with prefix, without it.
func (s *settings) under(prefix string) map[string]string {
	found := map[string]string{}
	for key, value := range s.values {
		if rest, ok := strings.CutPrefix(key, prefix); ok && rest != "" {
			found[rest] = value
		}
	}
	return found
}

// invalid records that the value of key cannot be used, and why.
func (s *settings) invalid(key, why string) {
	s.errs = append(s.errs, field.Invalid(s.said[key], s.values[key], why))
}

// lacks records that key has to be set, and why.
func (s *settings) lacks(key, why string) {
	s.errs = append(s.errs, field.Required(field.NewPath("spec", "sparkConf").Key(key), why))
}

func (s *settings) integer(key string, otherwise int64) int64 {
	text, ok := s.values[key]
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		s.invalid(key, "is not a whole number")
		return otherwise
	}
	return n
}

func (s *settings) port(key string, otherwise int32) int32 {
	n := s.integer(key, int64(otherwise))
	if n < 1 || n > 65535 {
		s.invalid(key, "is not a port; write a number from 1 to 65535")
		return otherwise
	}
	return int32(n)
}

func (s *settings) number(key string, otherwise float64) float64 {
	text, ok := s.values[key]
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(n > 0) {
		s.invalid(key, "is not a number above zero; write for example 0.1")
		return otherwise
	}
	return n
}

func (s *settings) boolean(key string) bool {
	text, ok := s.values[key]
	if !ok {
		return false
	}
	b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(text)))
	if err != nil {
		s.invalid(key, "is neither true nor false")
	}
	return b
}

func (s *settings) miB(key string, otherwise int64) int64 {
	text, ok := s.values[key]
	if !ok {
		return otherwise
	}
	n, err := parseMiB(text)
	if err != nil {
		s.invalid(key, err.Error())
		return otherwise
	}
	return n
}

// quantity reads a number of CPUs, which Spark hands to Kubernetes as it is. It returns false if there is none.
func (s *settings) quantity(key string) (resource.Quantity, bool) {
	text, ok := s.values[key]
	if !ok {
		return resource.Quantity{}, false
	}
	q, err := resource.ParseQuantity(text)
	if err != nil || q.Sign() < 0 {
		s.invalid(key, "is not a Kubernetes quantity; write for example 500m or 2")
		return resource.Quantity{}, false
	}
	return q, true
}

// list reads values that commas separate.
func (s *settings) list(key string) []string {
	var items []string
	for item := range strings.SplitSeq(s.values[key], ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
