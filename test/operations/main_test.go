// Package operations_test holds docs/operations to what it says: its procedures are carried out, its alerts and metrics are those
// that there are.
package operations_test

import (
	"os"
	"testing"

	"brazier.sh/brazier/test/apiserver"
)

// server is the API server of these tests; nil with -short.
var server *apiserver.Server

func TestMain(m *testing.M) {
	os.Exit(apiserver.Run(m, func(s *apiserver.Server) error {
		server = s
		return nil
	}))
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
