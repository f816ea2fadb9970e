package spark

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestFormatProperties(t *testing.T) {
	tests := map[string]struct {
		reason string
		conf   map[string]string
		want   string
	}{
		"Empty": {
			reason: "No properties give an empty file, without a comment that holds a date.",
		},
		"Sorted": {
			reason: "The order is fixed, so that the same application gives the same ConfigMap.",
			conf:   map[string]string{"b": "2", "a": "1", "a.b": "3"},
			want:   "a=1\na.b=3\nb=2\n",
		},
		"SeenFromSpark": {
			reason: "Lines as Spark 4.3's own spark-submit wrote them to the driver's ConfigMap.",
			conf: map[string]string{
				"spark.master":                  "k8s://http://127.0.0.1:18123",
				"spark.driver.extraJavaOptions": `-Dx=y -Dé="a b"`,
				"spark.archives":                "local:///a.tgz#env",
				"spark.submit.pyFiles":          "",
			},
			want: `spark.archives=local\:///a.tgz\#env` + "\n" +
				`spark.driver.extraJavaOptions=-Dx\=y -Dé\="a b"` + "\n" +
				`spark.master=k8s\://http\://127.0.0.1\:18123` + "\n" +
				"spark.submit.pyFiles=\n",
		},
		"Space": {
			reason: "A space ends a key, and leads a value only when it is escaped.",
			conf:   map[string]string{" a b": "  c d "},
			want:   `\ a\ b=\  c d ` + "\n",
		},
		"Controls": {
			reason: "Characters that end a line or have a letter of their own are written with it.",
			conf:   map[string]string{"k": "a\tb\nc\rd\fe\\f!g"},
			want:   `k=a\tb\nc\rd\fe\\f\!g` + "\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, formatProperties(tt.conf)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func FuzzFormatProperties(f *testing.F) {
	f.Add("spark.app.name", "Ü ber", " key", " value")
	f.Add("a\\", "b\\\n", "#c", "!d")
	f.Add("", "", "=", ":")
	f.Add("tab\t", "\f\r", "u0041", `\u0041`)
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string) {
		for _, s := range []string{k1, v1, k2, v2} {
			if !utf8.ValidString(s) {
				t.Skip("a ConfigMap holds text only")
			}
		}
		want := map[string]string{k1: v1, k2: v2}
		got, err := parseProperties(formatProperties(want))
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(want, got) {
			t.Errorf("round trip of %q gave %q", want, got)
		}
	})
}

// parseProperties reads the format of java.util.Properties.load, as its documentation describes it.
func parseProperties(text string) (map[string]string, error) {
	conf := map[string]string{}
	for _, line := range logicalLines(text) {
		key, rest := splitKey(line)
		k, err := unescape(key)
		if err != nil {
			return nil, err
		}
		v, err := unescape(rest)
		if err != nil {
			return nil, err
		}
		conf[k] = v
	}
	return conf, nil
}

const whitespace = " \t\f"

// logicalLines drops comments and blank lines and joins the lines that an odd number of backslashes continues.
func logicalLines(text string) []string {
	natural := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	var lines []string
	for i := 0; i < len(natural); i++ {
		line := strings.TrimLeft(natural[i], whitespace)
		if line == "" || strings.ContainsRune("#!", rune(line[0])) {
			continue
		}
		for continues(line) && i+1 < len(natural) {
			i++
			line = line[:len(line)-1] + strings.TrimLeft(natural[i], whitespace)
		}
		lines = append(lines, line)
	}
	return lines
}

func continues(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// splitKey ends the key at the first unescaped separator and drops the separator from the value.
func splitKey(line string) (key, value string) {
	end := len(line)
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
			continue
		}
		if strings.ContainsRune("=:"+whitespace, rune(line[i])) {
			end = i
			break
		}
	}
	rest := strings.TrimLeft(line[end:], whitespace)
	if rest != "" && (rest[0] == '=' || rest[0] == ':') {
		rest = strings.TrimLeft(rest[1:], whitespace)
	}
	return line[:end], rest
}

func unescape(text string) (string, error) {
	var b strings.Builder
	for runes := []rune(text); len(runes) > 0; runes = runes[1:] {
		if runes[0] != '\\' || len(runes) == 1 {
			b.WriteRune(runes[0])
			continue
		}
		runes = runes[1:]
		if at := slices.Index([]rune("tnrf"), runes[0]); at >= 0 {
			b.WriteByte("\t\n\r\f"[at])
			continue
		}
		if runes[0] != 'u' {
			b.WriteRune(runes[0])
			continue
		}
		if len(runes) < 5 {
			return "", fmt.Errorf("malformed escape in %q", text)
		}
		code, err := strconv.ParseUint(string(runes[1:5]), 16, 16)
		if err != nil {
			return "", fmt.Errorf("malformed escape in %q: %w", text, err)
		}
		b.WriteRune(rune(code))
		runes = runes[4:]
	}
	return b.String(), nil
}
