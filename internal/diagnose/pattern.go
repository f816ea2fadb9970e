package diagnose

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first needed: most starts of the program diagnose nothing.
type pattern struct{ compiled func() *regexp.Regexp }

func lazily(expression string) *pattern {
	return &pattern{compiled: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })}
}

func (p *pattern) MatchString(text string) bool { return p.compiled().MatchString(text) }

func (p *pattern) FindString(text string) string { return p.compiled().FindString(text) }

func (p *pattern) FindStringIndex(text string) []int { return p.compiled().FindStringIndex(text) }

func (p *pattern) FindStringSubmatch(text string) []string {
	return p.compiled().FindStringSubmatch(text)
}

func (p *pattern) FindStringSubmatchIndex(text string) []int {
	return p.compiled().FindStringSubmatchIndex(text)
}

func (p *pattern) ReplaceAllString(text, by string) string {
	return p.compiled().ReplaceAllString(text, by)
}
