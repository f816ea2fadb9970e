package demo

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brazier.sh/brazier/examples/retail"
	"brazier.sh/brazier/internal/invoices"
)

const line = "1,A,Mug,2,2025-01-31 08:26:00,1.50,7,Germany\n"

func zipped(t *testing.T, text string) string {
	t.Helper()
	var content bytes.Buffer
	w := gzip.NewWriter(&content)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return content.String()
}

func TestCheckFile(t *testing.T) {
	tests := map[string]struct {
		reason  string
		name    string
		content string
		want    string // in the error; empty for a file that will do
	}{
		"Good":         {"The columns that the job knows.", "a.csv", invoices.Header + "\n" + line, ""},
		"Windows":      {"Other programs end lines otherwise and begin with a byte order mark.", "a.csv", "\ufeff" + invoices.Header + "\r\n" + line, ""},
		"Quoted":       {"Some quote every column's name.", "a.csv", `"` + strings.ReplaceAll(invoices.Header, ",", `","`) + "\"\n" + line, ""},
		"OtherEdition": {"The second edition of the well-known data set has other names.", "a.csv", "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n" + line, ""},
		"OtherOrder":   {"Order is free, and more columns do no harm.", "a.csv", "Country,Note,CustomerID,UnitPrice,InvoiceDate,Quantity,Description,StockCode,InvoiceNo\n" + line, ""},
		"Compressed":   {"Spark reads gzip.", "a.csv.gz", zipped(t, invoices.Header+"\n"+line), ""},
		"Missing":      {"Each missing column is named.", "a.csv", "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,Country\n", "has no column UnitPrice, CustomerID; its first line names InvoiceNo,"},
		"Semicolons":   {"A spreadsheet's export in many countries.", "a.csv", strings.ReplaceAll(invoices.Header, ",", ";") + "\n", "not separated by commas"},
		"Empty":        {"There is nothing to read.", "a.csv", "", "is empty; its first line has to name the columns InvoiceNo,"},
		"HeaderOnly":   {"There is nothing to count.", "a.csv", invoices.Header + "\n", "nothing after it"},
		"Spreadsheet":  {"Users take it for a CSV.", "a.csv", "PK\x03\x04", "save it as CSV"},
		"Disguised":    {"Spark would read a compressed file as text.", "a.csv", zipped(t, invoices.Header), "rename it to end in .csv.gz"},
		"Pretended":    {"Spark would fail to uncompress it.", "a.csv.gz", invoices.Header, "rename it to end in .csv"},
		"Damaged":      {"A download that was cut off.", "a.csv.gz", zipped(t, invoices.Header)[:12], "a.csv.gz: "},
		"Binary":       {"No end of line in sight.", "a.csv", strings.Repeat("x", 1<<20), "no end of line"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.name)
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			err := checkFile(path)
			if tt.want == "" && err != nil {
				t.Errorf("%s\nunexpected error: %v", tt.reason, err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%s\ngot error %v, want one with %q", tt.reason, err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), path) {
				t.Errorf("the error does not name the file: %v", err)
			}
		})
	}
	if err := checkFile(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a folder is no file: got %v", err)
	}
}

// TestAliasesAreTheJobs keeps the names that are checked here and those that the job knows the same.
func TestAliasesAreTheJobs(t *testing.T) {
	columns := `COLUMNS = ["` + strings.ReplaceAll(invoices.Header, ",", `", "`) + `"]`
	if !strings.Contains(retail.Job, columns) {
		t.Errorf("the job does not have %s", columns)
	}
	_, rest, _ := strings.Cut(retail.Job, "ALIASES = {")
	theirs, _, _ := strings.Cut(rest, "}")
	if got := strings.Count(theirs, ":"); got != len(aliases) {
		t.Errorf("the job has %d aliases, this package %d", got, len(aliases))
	}
	for alias, column := range aliases {
		if !strings.Contains(strings.ToLower(theirs), `"`+alias+`": "`+column+`"`) {
			t.Errorf("the job does not know that %q is %q", alias, column)
		}
	}
}
