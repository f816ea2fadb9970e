package properties_test

import (
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/internal/properties"
)

func TestFormat(t *testing.T) {
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
			if diff := cmp.Diff(tt.want, properties.Format(tt.conf)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func FuzzRoundTrip(f *testing.F) {
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
		got, err := properties.Parse(properties.Format(want))
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(want, got) {
			t.Errorf("round trip of %q gave %q", want, got)
		}
	})
}

func TestParse(t *testing.T) {
	tests := map[string]struct {
		reason string
		text   string
		want   map[string]string
	}{
		"Separators": {
			reason: "A key ends at the first =, : or blank; blanks around the separator belong to neither.",
			text:   "a=1\nb:2\nc 3\nd = 4\ne\t:\t5\nf==6\ng :: 7\nh\n",
			want:   map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5", "f": "=6", "g": ": 7", "h": ""},
		},
		"Defaults": {
			reason: "spark-defaults.conf has columns of blanks, and values with = in them.",
			text:   "# Defaults\nspark.master                     yarn\nspark.executor.extraJavaOptions  -XX:+PrintGCDetails -Dkey=value -Dnumbers=\"one two\"\n",
			want: map[string]string{
				"spark.master": "yarn", "spark.executor.extraJavaOptions": `-XX:+PrintGCDetails -Dkey=value -Dnumbers="one two"`,
			},
		},
		"Comments": {
			reason: "A comment begins a line, behind blanks too, and no backslash continues it.",
			text:   "# a=1\n  ! b=2\\\nc=3\nd=4 # no comment\n",
			want:   map[string]string{"c": "3", "d": "4 # no comment"},
		},
		"Continued": {
			reason: "An odd number of backslashes joins the next line without its leading blanks, even one that looks like a comment.",
			text:   "a=1,\\\n    2,\\\r\n\t3\nb=x\\\\\nc=y\\\n#z\nd=end\\",
			want:   map[string]string{"a": "1,2,3", "b": `x\`, "c": "y#z", "d": "end"},
		},
		"ContinuedByNothing": {
			reason: "A blank line ends what was continued.",
			text:   "a=1\\\n\nb=2\n",
			want:   map[string]string{"a": "1", "b": "2"},
		},
		"Escapes": {
			reason: "Escaped separators are part of a key, letters stand for controls, and any other backslash is dropped.",
			text:   `a\ b\=\:c=\tx\n\r\f\q\"` + "\n",
			want:   map[string]string{"a b=:c": "\tx\n\r\fq\""},
		},
		"Unicode": {
			reason: "Four hex digits are a unit of UTF-16; two of them can be one character.",
			text:   `\u00e9=\u00FC \ud83d\ude00 \ud83d.` + "\n",
			want:   map[string]string{"é": "ü 😀 \ufffd."},
		},
		"LastWins":    {reason: "As in any table.", text: "a=1\na=2\n", want: map[string]string{"a": "2"}},
		"LineEndings": {reason: "Files come from everywhere.", text: "a=1\r\nb=2\rc=3", want: map[string]string{"a": "1", "b": "2", "c": "3"}},
		"Blanks":      {reason: "Blanks at the end of a value are part of it.", text: "a=1  \n", want: map[string]string{"a": "1  "}},
		"NoKey":       {reason: "Java takes a line without a key as one.", text: "=1\n", want: map[string]string{"": "1"}},
		"Empty":       {reason: "Nothing is nothing.", text: "\n\n  \n", want: map[string]string{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := properties.Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := map[string]string{
		"a=1\nb=\\u12\n":         `line 2: "\\u12" is no character; write \u and four hex digits, or \\ for a backslash`,
		"a=1,\\\n2\nb=\\u00zz\n": `line 3: "\\u00zz" is no character`,
		"path=C:\\users\\me\n":   `line 1: "\\users" is no character`,
		"\\uD83G=1":              `line 1: "\\uD83G" is no character`,
		"a=1\n# \\u\nb=2\n\\u=3": `line 4: "\\u" is no character`,
	}
	for text, want := range tests {
		if _, err := properties.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a=1\nb : 2\\\n  3\n#c\n\\u00e9=x")
	f.Add("\\\r\n=\\u")
	f.Fuzz(func(t *testing.T, text string) {
		conf, err := properties.Parse(text)
		if err != nil {
			return
		}
		again, err := properties.Parse(properties.Format(conf))
		if err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(text) && !maps.Equal(conf, again) {
			t.Errorf("%q was read as %q and, written and read again, as %q", text, conf, again)
		}
	})
}
