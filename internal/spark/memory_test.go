package spark

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMiB(t *testing.T) {
	tests := map[string]struct {
		reason string
		size   string
		want   int64
		fails  bool
	}{
		"Gibi":       {reason: "g counts in powers of two.", size: "1g", want: 1024},
		"GigabyteGB": {reason: "A trailing b changes nothing.", size: "2GB", want: 2048},
		"Mebi":       {reason: "m is the unit of the result.", size: "512m", want: 512},
		"Bare":       {reason: "A bare number is read in the property's own unit.", size: "1024", want: 1024},
		"Tebi":       {reason: "t is known.", size: "1t", want: 1 << 20},
		"Pebi":       {reason: "p is known.", size: "1pb", want: 1 << 30},
		"Kibi":       {reason: "What is smaller than a MiB is cut off.", size: "1536k", want: 1},
		"Bytes":      {reason: "b is bytes.", size: "1048576b", want: 1},
		"Spaces":     {reason: "Spark trims.", size: " 1G ", want: 1024},
		"Inner":      {reason: "A space inside is refused.", size: "1 g", fails: true},
		"Fraction":   {reason: "Fractions are refused.", size: "1.5g", fails: true},
		"Quantity":   {reason: "A Kubernetes quantity is not a Spark size.", size: "1Gi", fails: true},
		"Negative":   {reason: "A sign is refused.", size: "-1g", fails: true},
		"Empty":      {reason: "Nothing is refused.", size: "", fails: true},
		"TooLarge":   {reason: "More than a long is refused.", size: "99999999999999999999", fails: true},
		"Overflow":   {reason: "A product that does not fit is refused.", size: "9223372036854775807p", fails: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseMiB(tt.size)
			if (err != nil) != tt.fails {
				t.Fatalf("%s: parseMiB(%q): %v", tt.reason, tt.size, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func FuzzParseMiB(f *testing.F) {
	for _, seed := range []string{"1g", "512m", "1024", "0", "1.5g", "9223372036854775807", "1Gi", "k"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, size string) {
		miB, err := parseMiB(size)
		if err != nil {
			return
		}
		if miB < 0 {
			t.Errorf("parseMiB(%q) = %d, which is negative", size, miB)
		}
		again, err := parseMiB(heapSize(size, miB))
		if err != nil || again != miB {
			t.Errorf("parseMiB(heapSize(%q)) = %d, %v; want %d", size, again, err, miB)
		}
	})
}

func TestMemoryOverhead(t *testing.T) {
	tests := map[string]struct {
		reason string
		heap   int64
		factor float64
		floor  int64
		want   int64
	}{
		"JVM":    {reason: "The floor counts for small heaps: 1g of JVM gives 1408Mi.", heap: 1024, factor: 0.1, floor: 384, want: 384},
		"Python": {reason: "Python has a larger factor: 1g gives 1433Mi.", heap: 1024, factor: 0.4, floor: 384, want: 409},
		"Large":  {reason: "The factor counts for large heaps, cut to whole MiB.", heap: 10000, factor: 0.1, floor: 384, want: 1000},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, memoryOverhead(tt.heap, tt.factor, tt.floor)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
