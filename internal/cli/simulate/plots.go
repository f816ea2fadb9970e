package simulate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"brazier.sh/brazier/internal/plot"
	"brazier.sh/brazier/internal/simulation"
)

// mostLines is how many queues have a line or an area of their own; what is beyond them is one.
const mostLines = 11

// draw writes plots into the folder.
func (o *options) draw(world *simulation.Options, results []*simulation.Result) error {
	if err := os.MkdirAll(o.plots, 0o755); err != nil {
		return fmt.Errorf("--plots: %w", err)
	}
	figures := map[string]*plot.Figure{
		"overview":    overview(results),
		"waiting":     waiting(results),
		"utilisation": utilisation(results),
	}
	for name, figure := range figures {
		figure.Span = time.Duration(results[0].Window * float64(time.Second))
		figure.Begin = world.Trace.Begin
		if err := errors.Join(o.save(name+".svg", figure.SVG), o.save(name+".png", figure.PNG)); err != nil {
			return err
		}
	}
	fmt.Fprintf(o.streams.Err, "plots are in %s: overview, utilisation and waiting, as SVG and PNG\n", o.plots)
	return nil
}

// save writes a file of the folder.
func (o *options) save(name string, write func(io.Writer) error) error {
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return fmt.Errorf("draw %s: %w", name, err)
	}
	if err := os.WriteFile(filepath.Join(o.plots, name), content.Bytes(), 0o644); err != nil {
		return fmt.Errorf("--plots: %w", err)
	}
	return nil
}

// overview is what each queue had with each engine, and how many applications waited with each.
func overview(results []*simulation.Result) *plot.Figure {
	figure := &plot.Figure{Title: "Shares of the cluster, and applications that wait"}
	for _, result := range results {
		figure.Panels = append(figure.Panels, plot.Panel{
			Title: "dominant share of each queue" + with(result, results), Stacked: true, Percent: true,
			Lines: byQueue(result, func(f *simulation.Figures) []float64 { return f.Shares }),
		})
	}
	figure.Panels = append(figure.Panels, plot.Panel{
		Title: "applications that wait", Log: len(results) > 1, // engines differ by powers of ten
		Lines: byEngine(results, func(r *simulation.Result) []float64 { return r.Queues[0].WaitingOverTime }),
	})
	return figure
}

func waiting(results []*simulation.Result) *plot.Figure {
	figure := &plot.Figure{Title: "Applications that wait, by queue"}
	for _, result := range results {
		figure.Panels = append(figure.Panels, plot.Panel{
			Title: "applications that wait" + with(result, results),
			Lines: byQueue(result, func(f *simulation.Figures) []float64 { return f.WaitingOverTime }),
		})
	}
	return figure
}

func utilisation(results []*simulation.Result) *plot.Figure {
	figure := &plot.Figure{Title: "Utilisation and fairness"}
	for _, name := range resources(results[0]) {
		figure.Panels = append(figure.Panels, plot.Panel{
			Title: titleOf(name) + " in use", Percent: true,
			Lines: byEngine(results, func(r *simulation.Result) []float64 { return r.Used[name] }),
		})
	}
	figure.Panels = append(figure.Panels, plot.Panel{
		Title: "fairness (Jain's index of what queues have, of what is due to them)", Percent: true,
		Lines: byEngine(results, func(r *simulation.Result) []float64 { return r.Fairness.OverTime }),
	})
	return figure
}

// titleOf is what a resource is called in a sentence.
func titleOf(resource string) string {
	if resource == "memory" {
		return resource
	}
	return short(resource)
}

// with says which engine it is, where there are several.
func with(result *simulation.Result, results []*simulation.Result) string {
	if len(results) == 1 {
		return ""
	}
	return ", " + result.Engine
}

func byEngine(results []*simulation.Result, of func(*simulation.Result) []float64) []plot.Line {
	lines := make([]plot.Line, len(results))
	for i, result := range results {
		lines[i] = plot.Line{Name: result.Engine, Values: of(result)}
	}
	return lines
}

// byQueue is a line for each queue without parts, in their order; the last is what is left where there are many.
func byQueue(result *simulation.Result, of func(*simulation.Figures) []float64) []plot.Line {
	var lines []plot.Line
	for i := range result.Queues {
		if i+1 < len(result.Queues) && result.Queues[i+1].Depth > result.Queues[i].Depth {
			continue // it has parts
		}
		f := &result.Queues[i]
		if len(lines) < mostLines {
			lines = append(lines, plot.Line{Name: f.Queue, Values: of(f)})
			continue
		}
		if len(lines) == mostLines {
			lines = append(lines, plot.Line{Name: "others", Values: make([]float64, len(of(f)))})
		}
		for at, value := range of(f) {
			lines[mostLines].Values[at] += value
		}
	}
	return lines
}
