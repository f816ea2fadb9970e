package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const checksum = "0000000000000000000000000000000000000000000000000000000000000000"

func TestParseLock(t *testing.T) {
	tests := map[string]struct {
		reason string
		text   string
		want   Lock
		fault  string
	}{
		"Lines": {
			reason: "Comments and empty lines say nothing.",
			text:   "# x\n\n" + checksum + " 7 pip numpy-2.1.3-cp311.whl\n" + checksum + " 8 jar a-1.jar\n",
			want:   Lock{{checksum, 7, "pip", "numpy-2.1.3-cp311.whl"}, {checksum, 8, "jar", "a-1.jar"}},
		},
		"Short":       {reason: "All four are needed.", text: checksum + " 7 pip", fault: "line 1"},
		"NoChecksum":  {reason: "A checksum is 64 digits.", text: "abc 7 pip a", fault: "is not a SHA-256 checksum"},
		"NoSize":      {reason: "A size is a number.", text: checksum + " -7 pip a", fault: "is not a size"},
		"UnknownKind": {reason: "Only what a recipe can name.", text: checksum + " 7 deb a", fault: "is not a kind"},
		"Path":        {reason: "A name does not lead elsewhere.", text: checksum + " 7 jar ../a", fault: "is not the name of a file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseLock([]byte(tt.text))
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Fatalf("%s\nwant an error with %q, got %v", tt.reason, tt.fault, err)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%s\n%v\n-want +got:\n%s", tt.reason, err, diff)
			}
		})
	}
}

func FuzzParseLock(f *testing.F) {
	f.Add("# x\n" + checksum + " 7 pip numpy-2.1.3.whl\n")
	f.Fuzz(func(t *testing.T, text string) {
		lock, err := ParseLock([]byte(text))
		if err != nil {
			return
		}
		again, err := ParseLock([]byte(lock.String()))
		if err != nil || again.String() != lock.String() {
			t.Errorf("what was read and written cannot be read the same: %v", err)
		}
	})
}

func TestVerify(t *testing.T) {
	locked := Lock{{checksum, 1, "jar", "a.jar"}, {checksum, 1, "jar", "b.jar"}}
	other := strings.Repeat("1", 64)
	tests := map[string]struct {
		reason  string
		fetched Lock
		fault   string
	}{
		"Same":    {reason: "What was locked was fetched.", fetched: locked},
		"Changed": {reason: "Another content under the same name is refused.", fetched: Lock{locked[0], {other, 1, "jar", "b.jar"}}, fault: "b.jar has the checksum"},
		"More":    {reason: "Nothing comes along that was not locked.", fetched: append(locked, Locked{other, 1, "jar", "c.jar"}), fault: "c.jar was fetched"},
		"Less":    {reason: "Nothing is missing.", fetched: locked[:1], fault: "b.jar is in the lock"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := locked.verify(tt.fetched)
			if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("%s\nwant an error with %q, got %v", tt.reason, tt.fault, err)
			}
		})
	}
}

func TestKeepRefusesOtherContent(t *testing.T) {
	fetched, cache := t.TempDir(), downloads{dir: filepath.Join(t.TempDir(), "downloads")}
	if err := os.WriteFile(filepath.Join(fetched, "a.jar"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cache.keep(fetched, Lock{{checksum, 1, "jar", "a.jar"}}, "jar"); err == nil {
		t.Error("a download of another checksum was kept")
	}
	right, err := lockFiles(fetched, "jar")
	if err != nil {
		t.Fatal(err)
	}
	if err := cache.keep(fetched, right, "jar"); err != nil || !cache.have(right) {
		t.Errorf("a download of the right checksum was not kept: %v", err)
	}
}
