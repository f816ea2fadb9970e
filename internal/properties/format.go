package properties

import (
	"maps"
	"slices"
	"strings"
)

// Format renders conf as a Java properties file, one property a line, sorted by key.
//
// Spark reads the file with java.util.Properties.load from a UTF-8 reader (Utils.getPropertiesFromFile), and writes it
// with store(Writer), so that the escapes are those of Properties.saveConvert without Unicode escapes. Java also writes
// a comment with the date, and the properties in the order of their hashes; both are left out here, because the same
// application has to give the same ConfigMap each time it is planned.
func Format(conf map[string]string) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(conf)) {
		writeEscaped(&b, key, true)
		b.WriteByte('=')
		writeEscaped(&b, conf[key], false)
		b.WriteByte('\n')
	}
	return b.String()
}

// writeEscaped writes text with the escapes of java.util.Properties.saveConvert. A key has all its spaces escaped, a
// value only a leading one.
func writeEscaped(b *strings.Builder, text string, isKey bool) {
	for i, r := range text {
		switch r {
		case ' ':
			if isKey || i == 0 {
				b.WriteByte('\\')
			}
			b.WriteByte(' ')
		case '\t':
			b.WriteString(`\t`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\f':
			b.WriteString(`\f`)
		case '\\', '=', ':', '#', '!':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
}
