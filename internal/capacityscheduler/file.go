package capacityscheduler

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// prefix is what the keys of the CapacityScheduler begin with.
const prefix = "yarn.scheduler.capacity."

// settings are the properties of Hadoop's files, and which of them have been made something of.
type settings struct {
	values map[string]string
	// listed are the keys that are told of when nothing was made of them.
	listed map[string]bool
	taken  map[string]bool
	// site says that yarn-site.xml was at hand.
	site bool
}

// read reads the files. What capacity-scheduler.xml says wins over yarn-site.xml, which Hadoop reads before it.
func read(in Input) (*settings, error) {
	s := &settings{values: map[string]string{}, listed: map[string]bool{}, taken: map[string]bool{}, site: len(in.Site) > 0}
	site, err := parse(in.Site)
	if err != nil {
		return nil, fmt.Errorf("yarn-site.xml: %w", err)
	}
	scheduler, err := parse(in.Scheduler)
	if err != nil {
		return nil, fmt.Errorf("capacity-scheduler.xml: %w", err)
	}
	for key, value := range site {
		s.values[key] = value
		s.listed[key] = strings.HasPrefix(key, prefix) || strings.HasPrefix(key, preemption)
	}
	for key, value := range scheduler {
		s.values[key], s.listed[key] = value, true
	}
	return s, s.expand()
}

// property is one of a Hadoop file: elements, or since Hadoop 3 attributes (org.apache.hadoop.conf.Configuration.Parser).
type property struct {
	Name      string  `xml:"name"`
	Value     *string `xml:"value"`
	Final     string  `xml:"final"`
	NameAttr  string  `xml:"name,attr"`
	ValueAttr *string `xml:"value,attr"`
}

// parse reads a file of Hadoop's: the last of several properties of one name counts, unless one before it is final.
func parse(content []byte) (map[string]string, error) {
	values, final := map[string]string{}, map[string]bool{}
	if len(bytes.TrimSpace(content)) == 0 {
		return values, nil
	}
	decoder := xml.NewDecoder(bytes.NewReader(content))
	begun := false
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && !begun:
			return nil, errors.New("there is no <configuration> in it, as files of Hadoop have")
		case errors.Is(err, io.EOF):
			return values, nil
		case err != nil:
			return nil, err
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if element.Name.Local == "configuration" {
			begun = true
			continue
		}
		if element.Name.Local != "property" || !begun {
			return nil, fmt.Errorf("line %d: <%s> is none of Hadoop's <configuration> and <property>; a file that it includes has to be put in its place",
				line(decoder), element.Name.Local)
		}
		var one property
		if err := decoder.DecodeElement(&one, &element); err != nil {
			return nil, err
		}
		one.keep(values, final)
	}
}

func line(decoder *xml.Decoder) int {
	line, _ := decoder.InputPos()
	return line
}

func (p property) keep(values map[string]string, final map[string]bool) {
	name, value := strings.TrimSpace(p.Name+p.NameAttr), p.Value
	if value == nil {
		value = p.ValueAttr
	}
	if name == "" || value == nil || final[name] {
		return
	}
	values[name] = *value
	final[name] = strings.TrimSpace(p.Final) == "true"
}

// expansions is how often a value is looked at for ${key}: Configuration.MAX_SUBST.
const expansions = 20

// tooLong is how long a value may become by what is put into it: no queue says as much.
const tooLong = 1 << 20

// expand puts the values of other properties where a value has ${key}. What is defined nowhere stays as it is, as in Hadoop.
func (s *settings) expand() error {
	expanded := map[string]string{}
	for key, value := range s.values {
		for range expansions {
			before, rest, found := strings.Cut(value, "${")
			name, after, closed := strings.Cut(rest, "}")
			other, known := s.values[name]
			if !found || !closed || !known {
				break
			}
			if value = before + other + after; len(value) > tooLong {
				return fmt.Errorf("%s: it becomes too long when %q is put in; write the value", key, "${"+name+"}")
			}
		}
		expanded[key] = value
	}
	s.values = expanded
	return nil
}

// take returns the value of a key, which something is made of.
func (s *settings) take(key string) (string, bool) {
	value, ok := s.values[key]
	s.taken[key] = ok
	return strings.TrimSpace(value), ok
}

// raw is take, of a value in which spaces have a meaning.
func (s *settings) raw(key string) (string, bool) {
	value, ok := s.values[key]
	s.taken[key] = ok
	return value, ok
}

// keys are all keys, in order.
func (s *settings) keys() []string { return slices.Sorted(maps.Keys(s.values)) }

// words are the parts of a list, without what is empty.
func words(list, separators string) []string {
	var found []string
	for part := range strings.FieldsFuncSeq(list, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		if part = strings.TrimSpace(part); part != "" {
			found = append(found, part)
		}
	}
	return found
}
