package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"brazier.sh/brazier/internal/invoices"
	"brazier.sh/brazier/internal/terminal"
)

// data is the file that the job is to read.
type data struct {
	path string
	// planted is what the generator put into it; nil for a user's own file.
	planted *invoices.Report
}

// input returns the user's file, or generates one.
func (s *session) input(ctx context.Context) (data, error) {
	if s.data != "" {
		return data{path: s.data}, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return data{}, fmt.Errorf("find a folder for generated invoices: %w; set XDG_CACHE_HOME, or give a file with --data", err)
	}
	return generated(ctx, s.streams, filepath.Join(cache, "brazier", "invoices"), invoices.Options{Lines: s.lines, Seed: s.seed})
}

// generated returns a file of generated invoices in folder, written before or now. The report beside it is written last,
// so that it stands for a complete file.
func generated(ctx context.Context, streams terminal.Streams, folder string, opts invoices.Options) (data, error) {
	name := fmt.Sprintf("invoices-v%d-%d-%d", invoices.Version, opts.Lines, opts.Seed)
	d := data{path: filepath.Join(folder, name+".csv")}
	report := filepath.Join(folder, name+".json")

	step := streams.Step("generating %s invoice lines with seed %d", thousands(opts.Lines), opts.Seed)
	planted, err := readPlanted(report, d.path)
	if err == nil {
		d.planted = planted
		step.Done("they are there already, in %s", d.path)
		return d, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		step.Fail(err)
		return data{}, err
	}
	opts.Progress = func(lines int64) { step.Progress(lines, opts.Lines, terminal.Items) }
	if d.planted, err = generate(ctx, d.path, report, opts); err != nil {
		step.Fail(err)
		return data{}, err
	}
	step.Done("%d MB in %s", d.planted.Bytes/1e6, d.path)
	return d, nil
}

// readPlanted reads the report of a file, and returns fs.ErrNotExist unless both are there and whole.
func readPlanted(report, path string) (*invoices.Report, error) {
	content, err := os.ReadFile(report)
	if err != nil {
		return nil, err //nolint:wrapcheck // The error names the file and what was tried.
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // As above.
	}
	planted := new(invoices.Report)
	if json.Unmarshal(content, planted) != nil || planted.Bytes != info.Size() {
		return nil, fs.ErrNotExist
	}
	return planted, nil
}

func generate(ctx context.Context, path, report string, opts invoices.Options) (*invoices.Report, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make a folder for generated invoices: %w", err)
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("write generated invoices: %w", err)
	}
	planted, err := invoices.Generate(ctx, file, opts)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	content, err := json.Marshal(planted)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", report, err)
	}
	if err := os.WriteFile(report, content, 0o644); err != nil {
		return nil, fmt.Errorf("write generated invoices: %w", err)
	}
	return &planted, nil
}

// thousands writes n as 1,000,000.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
