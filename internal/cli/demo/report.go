package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"brazier.sh/brazier/internal/invoices"
	"brazier.sh/brazier/internal/objectstore"
	"brazier.sh/brazier/internal/terminal"
)

// report is what the job has found: the document that examples/retail/retail.py writes into report/.
type report struct {
	Output string  `json:"output"`
	Lines  lines   `json:"lines"`
	Totals totals  `json:"totals"`
	Tables []table `json:"tables"`
}

type lines struct {
	Read       int64                     `json:"read"`
	Kept       int64                     `json:"kept"`
	Dropped    map[invoices.Reason]int64 `json:"dropped"`
	Duplicates int64                     `json:"duplicates"`
}

type totals struct {
	Customers int64  `json:"customers"`
	Orders    int64  `json:"orders"`
	Products  int64  `json:"products"`
	Countries int64  `json:"countries"`
	Revenue   string `json:"revenue"`
}

type table struct {
	Title   string     `json:"title"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
	Note    string     `json:"note"`
}

// readReport reads the report of the run whose results are under key.
func readReport(ctx context.Context, bucket *objectstore.Bucket, key string) (report, error) {
	keys, err := bucket.Keys(ctx, key+"/report/part-")
	if err != nil {
		return report{}, err
	}
	if len(keys) != 1 {
		return report{}, fmt.Errorf("the job has left no report in %s, though it ended well", bucket.URL(key+"/report"))
	}
	content, err := bucket.Read(ctx, keys[0])
	if err != nil {
		return report{}, err
	}
	text, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil {
		return report{}, fmt.Errorf("read %s: %w", bucket.URL(keys[0]), err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		return report{}, fmt.Errorf("read %s: %w", bucket.URL(keys[0]), err)
	}
	return r, nil
}

// print prints the tables.
func (r report) print(streams terminal.Streams) {
	for _, t := range r.Tables {
		fmt.Fprintf(streams.Out, "\n%s\n%s\n", t.Title, strings.Repeat("─", len([]rune(t.Title))))
		streams.Table(t.Columns, t.Rows)
		if t.Note != "" {
			fmt.Fprintln(streams.Out, t.Note)
		}
	}
	fmt.Fprintf(streams.Out, "\n%s lines read, %s kept, of %s customers\n",
		thousands(r.Lines.Read), thousands(r.Lines.Kept), thousands(r.Totals.Customers))
}
