package demo

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"brazier.sh/brazier/internal/invoices"
)

// aliases are other names of columns that the job knows: ALIASES of examples/retail/retail.py.
var aliases = map[string]string{"invoice": "invoiceno", "price": "unitprice"}

// checkFile makes sure that the job can use a user's file, before anything is uploaded or created: what is wrong with
// the first line is better said now than by a driver a minute later.
func checkFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err //nolint:wrapcheck // The error names the file and what was tried.
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file; give a .csv or a .csv.gz", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return err //nolint:wrapcheck // As above.
	}
	defer file.Close()

	content, err := uncompressed(path, bufio.NewReader(file))
	if err != nil {
		return err
	}
	header, rest, err := firstLine(content)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := checkHeader(header); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !rest {
		return fmt.Errorf("%s: has a first line and nothing after it", path)
	}
	return nil
}

// uncompressed returns the file's text. Spark knows a compressed file by its name alone, so name and content must agree.
func uncompressed(path string, content *bufio.Reader) (*bufio.Reader, error) {
	magic, err := content.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	compressed, named := bytes.HasPrefix(magic, []byte{0x1f, 0x8b}), strings.HasSuffix(path, ".gz")
	switch {
	case bytes.HasPrefix(magic, []byte("PK")):
		return nil, fmt.Errorf("%s is a spreadsheet or a zip archive; save it as CSV", path)
	case compressed && !named:
		return nil, fmt.Errorf("%s is compressed with gzip, and its name does not say so; rename it to end in .csv.gz", path)
	case named && !compressed:
		return nil, fmt.Errorf("%s is not compressed with gzip, though its name says so; rename it to end in .csv", path)
	case !compressed:
		return content, nil
	}
	unzipped, err := gzip.NewReader(content)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return bufio.NewReader(unzipped), nil
}

// maxHeader bounds how much is read in search of the first line's end.
const maxHeader = 64 << 10

// firstLine returns the columns that the first line names, and whether something comes after it.
func firstLine(content *bufio.Reader) (header []string, rest bool, err error) {
	begin := bufio.NewReader(io.LimitReader(content, maxHeader))
	line, err := begin.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, fmt.Errorf("read the first line: %w", err)
	}
	if strings.TrimSpace(line) == "" {
		return nil, false, errors.New("is empty; its first line has to name the columns " + invoices.Header)
	}
	if len(line) == maxHeader {
		return nil, false, fmt.Errorf("has no end of line in its first %d kB, so it is no CSV with a line of column names", maxHeader>>10)
	}
	header, err = csv.NewReader(strings.NewReader(strings.TrimPrefix(line, "\ufeff"))).Read()
	if err != nil {
		return nil, false, fmt.Errorf("read the names of the columns: %w", err)
	}
	_, err = begin.Peek(1)
	return header, err == nil, nil
}

func checkHeader(header []string) error {
	var names []string
	for _, title := range header {
		name := strings.ToLower(strings.ReplaceAll(title, " ", ""))
		if alias, ok := aliases[name]; ok {
			name = alias
		}
		names = append(names, name)
	}
	var missing []string
	for column := range strings.SplitSeq(invoices.Header, ",") {
		if !slices.Contains(names, strings.ToLower(column)) {
			missing = append(missing, column)
		}
	}
	switch {
	case len(missing) == 0:
		return nil
	case len(header) == 1 && strings.ContainsAny(header[0], ";\t|"):
		return fmt.Errorf("the columns of %q are not separated by commas; save the file with commas", header[0])
	}
	return fmt.Errorf("has no column %s; its first line names %s", strings.Join(missing, ", "), strings.Join(header, ", "))
}
