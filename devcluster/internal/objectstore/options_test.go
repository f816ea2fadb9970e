package objectstore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	complete := []string{"--root", "/objects", "--address", "10.97.0.1:9000", "--tls-cert", "/c", "--tls-key", "/k"}
	with := func(more ...string) []string { return append(append([]string{}, complete...), more...) }
	tests := map[string]struct {
		reason  string
		args    []string
		want    options
		wantErr string
	}{
		"Least": {
			reason: "The region has a default, because Spark's clients need one; the rest has to be said.",
			args:   complete,
			want:   options{root: "/objects", address: "10.97.0.1:9000", certificate: "/c", key: "/k", region: "us-east-1"},
		},
		"Most": {
			reason: "Buckets add up.",
			args:   with("--region", "eu-central-1", "--credentials", "/s", "--bucket", "one", "--bucket", "two"),
			want: options{
				root: "/objects", address: "10.97.0.1:9000", certificate: "/c", key: "/k", region: "eu-central-1",
				credentials: "/s", buckets: []string{"one", "two"},
			},
		},
		"NoTLS":         {reason: "There is no plain HTTP.", args: with("--tls-key", ""), wantErr: "--tls-key is empty"},
		"NoRoot":        {reason: "There is no default folder.", args: with("--root", ""), wantErr: "--root is empty"},
		"RelativeRoot":  {reason: "The gateway changes its working folder.", args: with("--root", "objects"), wantErr: `--root: "objects"`},
		"EveryAddress":  {reason: "The store must not be reachable from outside.", args: with("--address", "0.0.0.0:9000"), wantErr: "every interface"},
		"EveryAddress6": {reason: "Nor over IPv6.", args: with("--address", "[::]:9000"), wantErr: "every interface"},
		"PortOnly":      {reason: "A port alone means every interface too.", args: with("--address", ":9000"), wantErr: "not an IP address"},
		"HostName":      {reason: "A name can have several addresses.", args: with("--address", "localhost:9000"), wantErr: "not an IP address"},
		"BucketPath":    {reason: "A bucket is a folder's name, not a way out of it.", args: with("--bucket", "../x"), wantErr: `--bucket: "../x"`},
		"Secret":        {reason: "Secrets are not taken as arguments.", args: with("--secret", "x"), wantErr: "flag provided but not defined"},
		"Argument":      {reason: "A forgotten dash must not go unseen.", args: with("bucket"), wantErr: `"bucket" is not a flag`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parse(tt.args)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Errorf("%s\ngot error %v, want one with %q", tt.reason, err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(options{})); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestReadKeys(t *testing.T) {
	const lines = "# made by hand\n\nAWS_ACCESS_KEY_ID=brazier\n AWS_SECRET_ACCESS_KEY = a=b/c+d \n"
	tests := map[string]struct {
		reason  string
		content string
		mode    os.FileMode
		want    keyPair
		wantErr string
	}{
		"File":     {reason: "A secret may hold an equals sign.", content: lines, mode: 0o600, want: keyPair{access: "brazier", secret: "a=b/c+d"}},
		"Readable": {reason: "A secret that others can read is none.", content: lines, mode: 0o640, wantErr: "chmod 600"},
		"Half":     {reason: "One key opens nothing.", content: "AWS_ACCESS_KEY_ID=brazier", mode: 0o600, wantErr: "no AWS_SECRET_ACCESS_KEY"},
		"Garbage":  {reason: "The line is not repeated: it may be the secret.", content: "\nhunter2", mode: 0o600, wantErr: "line 2 is not NAME=value"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys")
			if err := os.WriteFile(path, []byte(tt.content), tt.mode); err != nil {
				t.Fatal(err)
			}
			got, err := readKeys(path, func(string) string { return "from the environment" })
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("%s\ngot error %v, want one with %q", tt.reason, err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(keyPair{})); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestReadKeysOfTheEnvironment(t *testing.T) {
	values := map[string]string{"AWS_ACCESS_KEY_ID": "brazier", "AWS_SECRET_ACCESS_KEY": "secret"}
	got, err := readKeys("", func(name string) string { return values[name] })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(keyPair{access: "brazier", secret: "secret"}, got, cmp.AllowUnexported(keyPair{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if printed := fmt.Sprintf("%v %+v %s", got, got, got); strings.Contains(printed, "secret") {
		t.Errorf("the secret is printed: %s", printed)
	}
	if _, err := readKeys("", func(string) string { return "" }); err == nil {
		t.Error("got no error, want one: without keys the store would be open or shut to all")
	}
}

func FuzzParseLines(f *testing.F) {
	f.Add([]byte("A=b\n#c\n\n d = e=f \n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		values, err := parseLines(content)
		if err != nil {
			return
		}
		for name, value := range values {
			if strings.TrimSpace(name) != name || strings.TrimSpace(value) != value || strings.Contains(name, "=") {
				t.Errorf("%q=%q is not trimmed or cut at the first equals sign", name, value)
			}
		}
	})
}
