package simulation

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGenerate(t *testing.T) {
	o := world(t, 10_000, 0, `[{metadata: {name: night}, spec: {}}, {metadata: {name: people}, spec: {}}]`)
	day := Day{Seed: 3, Applications: 5000, Span: 24 * time.Hour, Load: 0.8}
	trace, err := Generate(o, day)
	if err != nil {
		t.Fatal(err)
	}
	var text, again bytes.Buffer
	if err := trace.Write(&text); err != nil {
		t.Fatal(err)
	}
	second, err := Generate(o, day)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Write(&again); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text.Bytes(), again.Bytes()) {
		t.Error("the same seed gives the same trace")
	}
	read, err := ReadTrace(&text)
	if err != nil {
		t.Fatalf("what is generated is read: %v", err)
	}
	var work, largest float64
	byDay := map[string]int{}
	for i := range read.Applications {
		app := &read.Applications[i]
		trace.Applications[i].Line = app.Line
		cpu := app.Work.Seconds() * float64(app.Executor.CPU) / 1000
		work += cpu
		largest = max(largest, cpu)
		if hour := app.Submit.Hours(); hour > 8 && hour < 20 {
			byDay[app.Queue]++
		}
	}
	if diff := cmp.Diff(trace, read); diff != "" {
		t.Errorf("what is read is what was generated\n%s", diff)
	}
	if load := work / (10_000 * 86_400); math.Abs(load-0.8) > 0.02 || len(read.Applications) != 5000 {
		t.Errorf("want 5000 applications of 0.8 of the cluster, got %d of %f", len(read.Applications), load)
	}
	if byDay["night"]*2 > 1000 || byDay["people"]*4 < 3*4000 {
		t.Errorf("of 1000 and 4000 many come by night and most by day, got by day %v", byDay)
	}
	if largest < 20*work/5000 {
		t.Errorf("the largest is many times the mean, got %f", largest*5000/work)
	}
}

func TestGenerateRefuses(t *testing.T) {
	o := world(t, 10, 0, `[]`)
	for _, day := range []Day{{}, {Applications: 1, Span: time.Second, Load: 1}, {Applications: 1, Span: time.Hour, Load: math.NaN()}} {
		if _, err := Generate(o, day); err == nil {
			t.Errorf("want an error of %v", day)
		}
	}
}

// BenchmarkDay is a day of 20,000 applications on 5,000 nodes.
func BenchmarkDay(b *testing.B) {
	o := world(b, 5000*64, 5000, `[{metadata: {name: night}, spec: {weight: 2}}, {metadata: {name: people}, spec: {}}, {metadata: {name: hours}, spec: {}}]`)
	trace, err := Generate(o, Day{Seed: 1, Applications: 20_000, Span: 24 * time.Hour, Load: 0.9})
	if err != nil {
		b.Fatal(err)
	}
	o.Trace = trace
	for _, name := range Engines() {
		engine, _ := EngineOf(name)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Run(name, engine, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
