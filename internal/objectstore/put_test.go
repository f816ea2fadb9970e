package objectstore

import (
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestVerifier(t *testing.T) {
	sum := sha256.Sum256([]byte("before"))
	if _, err := io.ReadAll(&verifier{content: strings.NewReader("before"), got: sha256.New(), want: sum[:]}); err != nil {
		t.Errorf("content that is as it was: got %v", err)
	}
	if _, err := io.ReadAll(&verifier{content: strings.NewReader("after"), got: sha256.New(), want: sum[:]}); !errors.Is(err, errChanged) {
		t.Errorf("content that has changed: got %v, want errChanged", err)
	}
}
