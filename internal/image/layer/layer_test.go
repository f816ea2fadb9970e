package layer

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// write makes files below dir: name to content. A name that ends with a slash is a folder, a content that begins
// with "->" a link's target, and one that begins with "=" another name of the same file.
func write(t *testing.T, dir string, files map[string]string, when time.Time) {
	t.Helper()
	for _, name := range []string{"etc/", "usr/", "usr/bin/", "usr/bin/a", "usr/bin/b", "usr/bin/link", "etc/config"} {
		content, ok := files[name]
		if !ok {
			continue
		}
		path := filepath.Join(dir, name)
		var err error
		switch {
		case name[len(name)-1] == '/':
			err = os.Mkdir(path, 0o755)
		case len(content) > 2 && content[:2] == "->":
			err = os.Symlink(content[2:], path)
		case len(content) > 1 && content[0] == '=':
			err = os.Link(filepath.Join(dir, content[1:]), path)
		default:
			err = errors.Join(os.WriteFile(path, []byte(content), 0o755), os.Chtimes(path, when, when))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

var files = map[string]string{
	"etc/": "", "etc/config": "value", "usr/": "", "usr/bin/": "", "usr/bin/a": "program", "usr/bin/b": "=usr/bin/a", "usr/bin/link": "->a",
}

func layerOf(t *testing.T, tree Tree) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := tree.WriteTar(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSameTreeSameBytes(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	write(t, first, files, time.Unix(1, 0))
	write(t, second, files, time.Now())
	if !bytes.Equal(layerOf(t, Tree{Root: first}), layerOf(t, Tree{Root: second})) {
		t.Error("two folders with the same files gave different layers: the time or the place of a build is in them")
	}
}

func TestWriteTar(t *testing.T) {
	tests := map[string]struct {
		reason string
		tree   Tree
		want   []string
	}{
		"Everything": {
			reason: "Entries are sorted, a second name of a file is a link to the first, and a link stays a link.",
			want:   []string{"etc/", "etc/config", "usr/", "usr/bin/", "usr/bin/a", "usr/bin/b =usr/bin/a", "usr/bin/link =a"},
		},
		"KeepsNoFolder": {
			reason: "A folder that is not kept takes along what is in it.",
			tree:   Tree{Keep: func(name string, _ fs.FileInfo) bool { return name != "usr/bin" }},
			want:   []string{"etc/", "etc/config", "usr/"},
		},
		"Gone": {
			reason: "What was removed of a layer below is marked as the image format says.",
			tree:   Tree{Keep: func(string, fs.FileInfo) bool { return false }, Gone: []string{"usr/b", "etc/a"}},
			want:   []string{"etc/.wh.a", "usr/.wh.b"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.tree.Root = t.TempDir()
			write(t, tt.tree.Root, files, time.Now())
			tt.tree.Owner = func(string) Owner { return Owner{UID: 185} }
			var got []string
			for archive := tar.NewReader(bytes.NewReader(layerOf(t, tt.tree))); ; {
				header, err := archive.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				entry := header.Name
				if header.Linkname != "" {
					entry += " =" + header.Linkname
				}
				got = append(got, entry)
				if !header.ModTime.Equal(Epoch()) || header.Uname != "" {
					t.Errorf("%s: time %v and user %q would differ between machines", entry, header.ModTime, header.Uname)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestExtractGivesTheTreeBack(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	write(t, from, files, time.Now())
	packed := layerOf(t, Tree{Root: from})
	for range 2 { // the second time over what is there, as a layer over another
		if err := Extract(bytes.NewReader(packed), to); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(packed, layerOf(t, Tree{Root: to})) {
		t.Error("a layer that was unpacked and packed again is not the same")
	}
	removal := layerOf(t, Tree{Root: t.TempDir(), Gone: []string{"usr/bin"}})
	if err := Extract(bytes.NewReader(removal), to); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(to, "usr/bin")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a layer removes is still there: %v", err)
	}
}

func TestExtractStaysInside(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	for name, header := range map[string]tar.Header{
		"ParentPath":     {Typeflag: tar.TypeReg, Name: "../outside"},
		"HardLink":       {Typeflag: tar.TypeLink, Name: "inside", Linkname: "../outside"},
		"Device":         {Typeflag: tar.TypeChar, Name: "null"},
		"ThroughTheLink": {Typeflag: tar.TypeReg, Name: "link/outside"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.Symlink(filepath.Dir(outside), filepath.Join(root, "link")); err != nil {
				t.Fatal(err)
			}
			var packed bytes.Buffer
			archive := tar.NewWriter(&packed)
			if err := errors.Join(archive.WriteHeader(&header), archive.Close()); err != nil {
				t.Fatal(err)
			}
			if err := Extract(&packed, root); err == nil {
				t.Error("an entry that leads outside, or makes a device, was unpacked")
			}
		})
	}
}

func TestStore(t *testing.T) {
	store, err := OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	write(t, root, files, time.Now())
	if found, err := store.Find("key"); found != nil || err != nil {
		t.Fatalf("an empty store found %v, %v", found, err)
	}
	put, err := store.Put(t.Context(), "key", Tree{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	found, err := store.Find("key")
	if err != nil || found == nil {
		t.Fatalf("a layer that was put was not found: %v", err)
	}
	if diff := cmp.Diff(described(t, put), described(t, found)); diff != "" {
		t.Errorf("the layer that was found is not the one that was put\n-want +got:\n%s", diff)
	}
	plain, err := found.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(plain)
	if err := errors.Join(err, plain.Close()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content, layerOf(t, Tree{Root: root})) {
		t.Error("the layer's content is not that of its tree")
	}
	digest, _ := found.Digest()
	if err := os.Truncate(store.blob(digest), 3); err != nil {
		t.Fatal(err)
	}
	if found, err := store.Find("key"); found != nil || err != nil {
		t.Errorf("a layer whose blob was cut short was found: %v, %v", found, err)
	}
}

func described(t *testing.T, layer v1.Layer) map[string]any {
	t.Helper()
	digest, err1 := layer.Digest()
	content, err2 := layer.DiffID()
	size, err3 := layer.Size()
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"digest": digest, "content": content, "size": size}
}

func TestLockWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := OpenStore(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		unlock, err := store.Lock(t.Context(), "key")
		if err != nil {
			t.Fatal(err)
		}
		second := make(chan error, 1)
		go func() {
			unlock, err := store.Lock(t.Context(), "key")
			if err == nil {
				err = unlock()
			}
			second <- err
		}()
		synctest.Wait()
		select {
		case err := <-second:
			t.Fatalf("two builds had the same layer at once: %v", err)
		default:
		}
		if err := unlock(); err != nil {
			t.Fatal(err)
		}
		if err := <-second; err != nil {
			t.Errorf("the second build did not go on: %v", err)
		}
	})
}
