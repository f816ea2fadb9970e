package submission

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"
)

func TestMainClass(t *testing.T) {
	tests := map[string]struct {
		reason   string
		manifest string
		want     string
	}{
		"Named":     {reason: "A jar names its main class.", manifest: "Manifest-Version: 1.0\r\nMain-Class: org.example.Report\r\n\r\n", want: "org.example.Report"},
		"Folded":    {reason: "Lines are folded at 72 bytes.", manifest: "Manifest-Version: 1.0\nMain-Class: org.example.a.very.long.pack\n age.Report\n", want: "org.example.a.very.long.package.Report"},
		"Unnamed":   {reason: "Most libraries have none.", manifest: "Manifest-Version: 1.0\r\n\r\n"},
		"NoNewline": {reason: "Some tools leave the last line open.", manifest: "Main-Class: A", want: "A"},
		"None":      {reason: "A jar needs no manifest."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			jar := filepath.Join(t.TempDir(), "a.jar")
			file, err := os.Create(jar)
			if err != nil {
				t.Fatal(err)
			}
			archive := zip.NewWriter(file)
			if tt.manifest != "" {
				entry, err := archive.Create("META-INF/MANIFEST.MF")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := entry.Write([]byte(tt.manifest)); err != nil {
					t.Fatal(err)
				}
			}
			if err := archive.Close(); err != nil {
				t.Fatal(err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := MainClass(jar)
			if err != nil || got != tt.want {
				t.Errorf("%s\ngot %q and %v, want %q", tt.reason, got, err, tt.want)
			}
		})
	}
}
