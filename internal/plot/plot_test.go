package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/color"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func figure() *Figure {
	return &Figure{
		Title: "a <day>", Span: 24 * time.Hour,
		Panels: []Panel{
			{Title: "shares", Stacked: true, Percent: true, Lines: []Line{{"a", []float64{0.5, 0.25, 0}}, {"b", []float64{0.5, 0.25, 0}}}},
			{Title: "waiting", Lines: []Line{{"c & d", []float64{0, 130, 7}}}},
		},
	}
}

func TestSVG(t *testing.T) {
	var out bytes.Buffer
	if err := figure().SVG(&out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("it is not XML: %v", err)
		}
	}
	for _, want := range []string{"a &lt;day&gt;", "c &amp; d", ">100%<", ">150<", ">24h<", ">shares<"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
}

func TestPNG(t *testing.T) {
	var out bytes.Buffer
	f := figure()
	if err := f.PNG(&out); err != nil {
		t.Fatal(err)
	}
	image, err := png.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	at := func(share float64) color.Color {
		// A sixth of the time is the middle of the first value, of which a has the lower half.
		right := figureWidth - rightMargin - f.legendWidth()
		x, y := leftMargin+(right-leftMargin)/6, titleHeight+panelTitle+panelHeight*(1-share)
		return image.At(int(2*x), int(2*y))
	}
	if got := at(0.3); got != colours(0) {
		t.Errorf("a is below, got %v", got)
	}
	if got := at(0.7); got != colours(1) {
		t.Errorf("b is on top of it, got %v", got)
	}
}

func TestScale(t *testing.T) {
	tests := map[string]struct {
		reason     string
		panel      Panel
		most, step float64
	}{
		"Percent":     {"A part of everything is shown as that.", Panel{Percent: true, Lines: []Line{{"a", []float64{0.1}}}}, 1, 0.25},
		"MoreThanAll": {"What is more than everything is not cut off.", Panel{Percent: true, Lines: []Line{{"a", []float64{1.3}}}}, 1.5, 0.5},
		"Counts":      {"Steps are numbers that people count in.", Panel{Lines: []Line{{"a", []float64{7, 3700}}}}, 4000, 1000},
		"Few":         {"Nobody waits by half.", Panel{Lines: []Line{{"a", []float64{0.5}}}}, 1, 1},
		"Nothing":     {"Nothing has a scale too.", Panel{Lines: []Line{{"a", []float64{0}}}}, 1, 1},
		"NoLines":     {"So has a panel without lines.", Panel{}, 1, 1},
		"Stacked":     {"What is on top of each other is added up.", Panel{Stacked: true, Lines: []Line{{"a", []float64{6, 0}}, {"b", []float64{6, 9}}}}, 15, 5},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := placed{Panel: &tt.panel}
			if p.scale(); p.most != tt.most || p.step != tt.step {
				t.Errorf("%s got %g by %g, want %g by %g", tt.reason, p.most, p.step, tt.most, tt.step)
			}
		})
	}
}

func TestTimes(t *testing.T) {
	tests := map[string]struct {
		reason string
		figure Figure
		want   []string
	}{
		"Day":       {"A day is told by hours.", Figure{Span: 24 * time.Hour}, []string{"0h", "3h", "6h", "9h", "12h", "15h", "18h", "21h", "24h"}},
		"Minutes":   {"A short time by minutes.", Figure{Span: 20 * time.Minute}, []string{"0h", "5m", "10m", "15m", "20m"}},
		"Clock":     {"Where the time of day is known it is told, at round times.", Figure{Span: 4 * time.Hour, Begin: time.Date(2026, 1, 2, 8, 40, 0, 0, time.UTC)}, []string{"09:00", "09:30", "10:00", "10:30", "11:00", "11:30", "12:00", "12:30"}},
		"FourWeeks": {"Long times have few marks.", Figure{Span: 28 * 24 * time.Hour}, []string{"0h", "96h", "192h", "288h", "384h", "480h", "576h", "672h"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			step, offset := tt.figure.ticks()
			var got []string
			for at := offset; at <= tt.figure.Span; at += step {
				got = append(got, tt.figure.label(at))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestLog(t *testing.T) {
	panel := placed{Panel: &Panel{Log: true, Lines: []Line{{"a", []float64{0, 9, 3400}}}}, top: 0, bottom: 100}
	panel.scale()
	if diff := cmp.Diff([]float64{0, 1, 10, 100, 1000}, panel.marks()); diff != "" {
		t.Errorf("a line at each power of ten\n-want +got:\n%s", diff)
	}
	if bottom, top := panel.height(0), panel.height(panel.most); bottom != 100 || top != 0 {
		t.Errorf("from nothing to all is from bottom to top, got %g to %g", bottom, top)
	}
	if ten, hundred, thousand := panel.height(9), panel.height(99), panel.height(999); math.Abs(ten-2*hundred+thousand) > 1e-9 {
		t.Errorf("each power takes as much room, got %g, %g, %g", ten, hundred, thousand)
	}
}

// TestStroke: a line that turns back on itself has no holes.
func TestStroke(t *testing.T) {
	c, err := newPixels(40, 40, 1)
	if err != nil {
		t.Fatal(err)
	}
	c.stroke([]point{{5, 20}, {35, 20}, {5, 20.4}}, ink, 6)
	for x := 8; x < 32; x++ {
		if got := c.image.RGBAAt(x, 20); got != ink {
			t.Fatalf("at %d: got %v", x, got)
		}
	}
}
