// Command generate writes invoices of a shop that does not exist to a file, and what it planted, as JSON, to standard
// output:
//
//	go run ./examples/retail/generate -lines 1000000 -seed 1 invoices.csv
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"brazier.sh/brazier/internal/invoices"
)

func main() {
	lines := flag.Int64("lines", 1_000_000, "how many lines")
	seed := flag.Uint64("seed", 1, "what decides their content")
	flag.Parse()
	if err := generate(flag.Arg(0), invoices.Options{Lines: *lines, Seed: *seed}); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate(path string, opts invoices.Options) error {
	if path == "" {
		return errors.New("name the file to write")
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	report, err := invoices.Generate(context.Background(), file, opts)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}
