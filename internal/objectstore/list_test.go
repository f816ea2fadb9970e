package objectstore_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeysAndDeleteAll(t *testing.T) {
	bucket, _ := open(t)
	for _, key := range []string{"runs/a/report/part-0", "runs/a/_SUCCESS", "runs/b/_SUCCESS"} {
		if err := bucket.Put(t.Context(), key, strings.NewReader("x"), 1, nil); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want ...string) {
		t.Helper()
		got, err := bucket.Keys(t.Context(), "runs/")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	expect("runs/a/_SUCCESS", "runs/a/report/part-0", "runs/b/_SUCCESS")

	for range 2 { // The second time there is nothing left to delete.
		if err := bucket.DeleteAll(t.Context(), "runs/a/"); err != nil {
			t.Fatal(err)
		}
	}
	expect("runs/b/_SUCCESS")
}
