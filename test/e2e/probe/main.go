// Command probe is what the end-to-end tests run in pods: it serves HTTP, looks names up and writes files, with no shell
// around it.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "serve":
		return serve()
	case len(args) == 2 && args[0] == "lookup":
		return lookup(args[1])
	case len(args) == 2 && args[0] == "get":
		return get(args[1])
	case len(args) == 3 && args[0] == "write":
		return os.WriteFile(args[1], []byte(args[2]), 0o600)
	case len(args) == 2 && args[0] == "read":
		content, err := os.ReadFile(args[1])
		fmt.Print(string(content))
		return err
	}
	return fmt.Errorf("%q: want serve, lookup NAME, get URL, write FILE TEXT or read FILE", args)
}

func serve() error {
	server := &http.Server{
		Addr:              ":8080",
		ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, "probe answers")
		}),
	}
	fmt.Println("probe serves")
	return server.ListenAndServe()
}

func lookup(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, name)
	fmt.Println(addresses)
	return err
}

func get(url string) error {
	client := &http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(url) //nolint:gosec // G704: the test says what to get
	if err != nil {
		return err
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	return nil
}
