package operator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
)

// freeAddress returns an address that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// serve serves an API server that answers with code.
func serve(t *testing.T, address string, code int) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": %d}`, code)
	}))
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
}

func status(address, path string) int {
	response, err := http.Get("http://" + address + path)
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode
}

func TestAwaitAPIServer(t *testing.T) {
	api, health := freeAddress(t), freeAddress(t)
	done := make(chan error, 1)
	go func() { done <- awaitAPIServer(t.Context(), &rest.Config{Host: "http://" + api}, health) }()
	err := wait.PollUntilContextTimeout(t.Context(), 10*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		return status(health, "/healthz") == http.StatusOK, nil
	})
	if err != nil {
		t.Fatalf("it does not say that it is alive while it waits: %v", err)
	}
	if got := status(health, "/readyz"); got == http.StatusOK {
		t.Error("it says that it is ready while it waits")
	}
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	serve(t, api, http.StatusForbidden) // which is an answer
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := status(health, "/healthz"); got != 0 {
		t.Errorf("it still listens for probes, where the operator is about to: %d", got)
	}
}

func TestAwaitAPIServerEnds(t *testing.T) {
	api := freeAddress(t)
	serve(t, api, http.StatusServiceUnavailable)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := awaitAPIServer(ctx, &rest.Config{Host: "http://" + api}, disabled); !errors.Is(err, context.Canceled) {
		t.Errorf("want it to end with its context, got %v", err)
	}
}
