package invoices

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// golden is the hash of 20,000 lines with seed 1. If it changes, Version has to change too.
const golden = "7fe8c53f9d715402bdb97575e517e0135bcc972962ce509bc31f19defd2bed6e"

func generate(t *testing.T, lines int64, seed uint64) (string, Report) {
	t.Helper()
	var file bytes.Buffer
	report, err := Generate(t.Context(), &file, Options{Lines: lines, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return file.String(), report
}

func TestGenerateWritesTheSameBytesForever(t *testing.T) {
	file, _ := generate(t, 20_000, 1)
	sum := sha256.Sum256([]byte(file))
	if got := hex.EncodeToString(sum[:]); got != golden {
		t.Errorf("20,000 lines with seed 1 have the hash %s, not %s: cached files and published numbers no longer hold; raise Version", got, golden)
	}
	if other, _ := generate(t, 20_000, 2); other == file {
		t.Error("another seed wrote the same bytes")
	}
}

func TestGenerateWritesAsManyLinesAsAsked(t *testing.T) {
	for _, lines := range []int64{1, 2, 99, 1_000, 12_345} {
		file, report := generate(t, lines, 7)
		if got := int64(strings.Count(file, "\n")) - 1; got != lines || report.Lines != lines {
			t.Errorf("asked for %d lines, %d were written and %d reported", lines, got, report.Lines)
		}
		if report.Bytes != int64(len(file)) {
			t.Errorf("%d bytes were written and %d reported", len(file), report.Bytes)
		}
	}
}

// TestReportIsTheTruth reads the lines back with nothing but the rules of the reasons, and has to find what was planted.
func TestReportIsTheTruth(t *testing.T) {
	file, want := generate(t, 50_000, 3)
	got := recount(t, file)
	want.Bytes, want.Affinities = 0, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was planted is not what is there\n-planted +found:\n%s", diff)
	}
	for _, reason := range Reasons() {
		if want.Dropped[reason] == 0 {
			t.Errorf("50,000 lines have none with the reason %q", reason)
		}
	}
}

// recount reads file as a stranger would.
func recount(t *testing.T, file string) Report {
	t.Helper()
	report := Report{Dropped: make(map[Reason]int64)}
	customers, orders, products, seen := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(strings.TrimPrefix(file, Header+"\n")) {
		report.Lines++
		if seen[line] {
			report.Duplicates++
		}
		seen[line] = true
		fields, reason, cents := read(line)
		if reason != "" {
			report.Dropped[reason]++
			continue
		}
		report.Kept++
		orders[fields[0]], products[fields[1]], customers[fields[6]] = true, true, true
		month, err := strconv.Atoi(fields[4][5:7])
		if err != nil {
			t.Fatalf("month of %q: %v", line, err)
		}
		report.RevenueCents += cents
		report.MonthCents[month-1] += cents
	}
	report.Customers, report.Invoices, report.Products = int64(len(customers)), int64(len(orders)), int64(len(products))
	return report
}

// read returns the columns of a line and why it does not count, or its amount in cents.
func read(line string) ([]string, Reason, int64) {
	fields, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil || len(fields) != 8 {
		return fields, BadColumns, 0
	}
	quantity, errQuantity := strconv.ParseInt(fields[3], 10, 64)
	cents, errPrice := strconv.ParseInt(strings.Replace(fields[5], ".", "", 1), 10, 64)
	_, errDate := time.Parse(time.DateTime, fields[4])
	switch {
	case errQuantity != nil || errPrice != nil:
		return fields, BadNumber, 0
	case errDate != nil:
		return fields, BadDate, 0
	case fields[6] == "":
		return fields, NoCustomer, 0
	case strings.HasPrefix(fields[0], "C"):
		return fields, Returned, 0
	case quantity <= 0:
		return fields, BadQuantity, 0
	case cents <= 0:
		return fields, BadPrice, 0
	}
	return fields, "", quantity * cents
}

func TestLinesAreInTheOrderOfTheirTime(t *testing.T) {
	file, _ := generate(t, 30_000, 4)
	last := ""
	for line := range strings.Lines(strings.TrimPrefix(file, Header+"\n")) {
		fields, reason, _ := read(line)
		if reason == BadColumns || reason == BadDate {
			continue
		}
		if fields[4] < last {
			t.Fatalf("%q comes after %s", line, last)
		}
		last = fields[4]
	}
}

// TestShopIsRealistic checks what the questions of the job are about, with wide margins.
func TestShopIsRealistic(t *testing.T) {
	file, report := generate(t, 200_000, 5)
	baskets, byCustomer := map[string]map[string]bool{}, map[string]map[string]bool{}
	for line := range strings.Lines(file) {
		fields, reason, _ := read(line)
		if reason != "" {
			continue
		}
		put(baskets, fields[0], fields[1])
		put(byCustomer, fields[6], fields[0])
	}
	once, orders := 0, 0
	for _, invoices := range byCustomer {
		orders += len(invoices)
		if len(invoices) == 1 {
			once++
		}
	}
	if share := float64(once) / float64(len(byCustomer)); share < 0.15 || share > 0.6 {
		t.Errorf("%.0f%% of the customers came only once", 100*share)
	}
	if mean := float64(orders) / float64(len(byCustomer)); mean < 3 || mean > 15 {
		t.Errorf("a customer has %.1f orders", mean)
	}
	if share := float64(report.Kept) / float64(report.Lines); share < 0.85 || share > 0.95 {
		t.Errorf("%.0f%% of the lines are kept", 100*share)
	}
	if november, february := report.MonthCents[10], report.MonthCents[1]; november < february*3/2 {
		t.Errorf("November sold for %d cents, February for %d: there is no season", november, february)
	}
	for _, pair := range report.Affinities {
		if lift := lift(baskets, pair); lift < 2 {
			t.Errorf("%s and %s are bought together only %.1f times as often as by chance", pair.Lead, pair.Partner, lift)
		}
	}
}

func put(sets map[string]map[string]bool, key, member string) {
	if sets[key] == nil {
		sets[key] = map[string]bool{}
	}
	sets[key][member] = true
}

func lift(baskets map[string]map[string]bool, pair Affinity) float64 {
	var lead, partner, both float64
	for _, basket := range baskets {
		if basket[pair.Lead] {
			lead++
		}
		if basket[pair.Partner] {
			partner++
		}
		if basket[pair.Lead] && basket[pair.Partner] {
			both++
		}
	}
	return both * float64(len(baskets)) / (lead * partner)
}

func TestGenerateTellsItsProgress(t *testing.T) {
	var told []int64
	opts := Options{Lines: 5_000, Seed: 1, Progress: func(lines int64) { told = append(told, lines) }}
	if _, err := Generate(t.Context(), io.Discard, opts); err != nil {
		t.Fatal(err)
	}
	if len(told) != 365 || told[364] != 5_000 {
		t.Errorf("progress was told %d times, the last time %d lines", len(told), told[len(told)-1])
	}
}

type fullDisk struct{ err error }

func (f fullDisk) Write([]byte) (int, error) { return 0, f.err }

func TestGenerateFails(t *testing.T) {
	full := errors.New("no space left")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := map[string]struct {
		reason string
		ctx    context.Context
		to     io.Writer
		lines  int64
		want   error
	}{
		"NoSpace":   {"The writer's error reaches the caller.", t.Context(), fullDisk{full}, 50_000, full},
		"Cancelled": {"A user who gives up does not wait for the last line.", cancelled, io.Discard, 50_000, context.Canceled},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Generate(tt.ctx, tt.to, Options{Lines: tt.lines}); !errors.Is(err, tt.want) {
				t.Errorf("%s\ngot %v, want %v", tt.reason, err, tt.want)
			}
		})
	}
	if _, err := Generate(t.Context(), io.Discard, Options{}); err == nil {
		t.Error("no lines were asked for, and nothing was said")
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		report, err := Generate(b.Context(), io.Discard, Options{Lines: 100_000, Seed: 1})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(report.Bytes)
	}
}
