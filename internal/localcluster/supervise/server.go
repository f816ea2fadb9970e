package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"time"

	"brazier.sh/brazier/internal/localcluster/part"
)

// Report is what the supervisor answers when asked how things are.
type Report struct {
	// PID is the supervisor's own, Program the identity of the build that it runs.
	PID     int     `json:"pid"`
	Program string  `json:"program"`
	Parts   []State `json:"parts"`
}

// serve answers on a socket that only its owner can connect to.
func serve(ctx context.Context, s *Supervisor, socket string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the supervisor's program: %w", err)
	}
	program, err := Identity(executable)
	if err != nil {
		return fmt.Errorf("identify the supervisor's program: %w", err)
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the last supervisor's socket: %w", err)
	}
	// The folder is the owner's alone, so nobody can connect before the mode is set.
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return fmt.Errorf("protect the supervisor's socket: %w", err)
	}
	server := &http.Server{Handler: handler(s, program, cancel), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			s.log.Warn("requests were cut off", "error", err)
		}
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func handler(s *Supervisor, program string, leave func()) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /parts", func(w http.ResponseWriter, _ *http.Request) {
		report := Report{PID: os.Getpid(), Program: program, Parts: s.States()}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(report); err != nil {
			s.log.Warn("cannot answer", "error", err)
		}
	})
	mux.HandleFunc("PUT /parts", func(w http.ResponseWriter, r *http.Request) {
		var parts []part.Part
		if err := json.NewDecoder(r.Body).Decode(&parts); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := s.Apply(parts); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("POST /stop", func(_ http.ResponseWriter, r *http.Request) { s.Stop(r.URL.Query()["part"]...) })
	mux.HandleFunc("POST /leave", func(http.ResponseWriter, *http.Request) { leave() })
	return mux
}
