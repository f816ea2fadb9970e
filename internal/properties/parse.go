// Package properties reads and writes Java's properties files, as java.util.Properties does. What the properties mean
// is nothing to it.
package properties

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// blanks are what surrounds keys and separators. An end of line is none.
const blanks = " \t\f"

// Parse reads a properties file as java.util.Properties.load does: its documentation is the description of the format.
func Parse(text string) (map[string]string, error) {
	conf := map[string]string{}
	for _, line := range logicalLines(text) {
		key, value := split(line.text)
		key, err := unescape(key)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line.number, err)
		}
		if value, err = unescape(value); err != nil {
			return nil, fmt.Errorf("line %d: %w", line.number, err)
		}
		conf[key] = value
	}
	return conf, nil
}

// line is a key and a value, perhaps from several lines of the file, and the number of the first of those.
type line struct {
	number int
	text   string
}

// logicalLines joins the lines that end in a backslash with those after them, and leaves out comments and what is blank.
func logicalLines(text string) []line {
	var lines []line
	natural := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
	for i := 0; i < len(natural); i++ {
		one := line{number: i + 1, text: strings.TrimLeft(natural[i], blanks)}
		if one.text == "" || one.text[0] == '#' || one.text[0] == '!' {
			continue
		}
		for goesOn(one.text) {
			one.text = one.text[:len(one.text)-1]
			if i+1 == len(natural) {
				break
			}
			i++
			more := strings.TrimLeft(natural[i], blanks)
			one.text += more
			if more == "" {
				break
			}
		}
		if one.text != "" {
			lines = append(lines, one)
		}
	}
	return lines
}

// goesOn reports whether the backslash at the end of a line is not itself escaped.
func goesOn(text string) bool {
	return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1
}

// split ends the key at the first separator that is not escaped.
func split(text string) (key, value string) {
	end := 0
	for end < len(text) && !strings.ContainsRune("=:"+blanks, rune(text[end])) {
		if text[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(text))
	value = strings.TrimLeft(text[end:], blanks)
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], blanks)
	}
	return text[:end], value
}

// unescape puts characters in the place of their escapes.
func unescape(text string) (string, error) {
	var b strings.Builder
	for text != "" {
		before, after, escaped := strings.Cut(text, `\`)
		b.WriteString(before)
		if !escaped || after == "" {
			break
		}
		if after[0] != 'u' {
			first := after[:1]
			if at := strings.IndexByte("tnrf", after[0]); at >= 0 {
				first = "\t\n\r\f"[at : at+1]
			}
			b.WriteString(first)
			text = after[1:]
			continue
		}
		r, rest, err := character(text[len(before):])
		if err != nil {
			return "", err
		}
		b.WriteRune(r)
		text = rest
	}
	return b.String(), nil
}

// character reads a \uXXXX from the front of text, or the two of them that UTF-16 needs for what is beyond them.
func character(text string) (r rune, rest string, err error) {
	first, err := unit(text)
	if err != nil {
		return 0, "", err
	}
	rest = text[unitLength:]
	if !utf16.IsSurrogate(first) || !strings.HasPrefix(rest, `\u`) {
		return first, rest, nil
	}
	second, err := unit(rest)
	if err != nil {
		return 0, "", err
	}
	if pair := utf16.DecodeRune(first, second); pair != '\uFFFD' {
		return pair, rest[unitLength:], nil
	}
	return first, rest, nil
}

const unitLength = len(`\u0000`)

func unit(text string) (rune, error) {
	digits := text[:min(unitLength, len(text))]
	code, err := strconv.ParseUint(strings.TrimPrefix(digits, `\u`), 16, 16)
	if err != nil || len(digits) < unitLength {
		return 0, fmt.Errorf(`%q is no character; write \u and four hex digits, or \\ for a backslash`, digits)
	}
	return rune(code), nil
}
