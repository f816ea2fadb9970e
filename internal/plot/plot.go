// Package plot draws figures of values over time, as SVG and as PNG: lines, or areas on top of each other, in panels that
// share their time. It is pure but for the writer, and knows nothing of what it draws.
//
// It is not made with gonum's plot, which does much more: that and the typesetting, PDF and fonts that come with it add
// eight megabytes to a program of which one command in thirty draws anything, and this needs two kinds of panels. Glyphs and
// the filling of shapes are golang.org/x/image's.
package plot

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
)

// Figure is panels below each other.
type Figure struct {
	Title string
	// Span is how much time they show, from Begin on; where that is zero, times are told from the beginning.
	Span   time.Duration
	Begin  time.Time
	Panels []Panel
}

// Panel is lines on one scale.
type Panel struct {
	Title string
	Lines []Line
	// Stacked has each line stand on those before it.
	Stacked bool
	// Log has every power of ten take the same room, and zero be at the bottom.
	Log bool
	// Percent has 1 be shown as 100%, and is the whole scale where nothing is more.
	Percent bool
}

// Line is values in equal parts of the time.
type Line struct {
	Name   string
	Values []float64
}

// SVG writes the figure as SVG.
func (f *Figure) SVG(out io.Writer) error {
	width, height := f.size()
	c := newSheet(width, height)
	f.draw(c)
	return c.write(out)
}

// PNG writes it as PNG, of twice as many pixels, as screens have them.
func (f *Figure) PNG(out io.Writer) error {
	width, height := f.size()
	c, err := newPixels(width, height, 2)
	if err != nil {
		return err
	}
	f.draw(c)
	return c.write(out)
}

// point is a place on a canvas, from the upper left.
type point struct{ x, y float64 }

// side is which part of a text is at its point.
type side int

const (
	begin side = iota
	middle
	end
)

// canvas is what is drawn on.
type canvas interface {
	fill(points []point, in color.RGBA)
	stroke(points []point, in color.RGBA, width float64)
	text(at point, text string, size float64, of side, in color.RGBA)
}

// Measures, in pixels of a usual screen.
const (
	figureWidth  = 900.0
	panelHeight  = 170.0
	titleHeight  = 34.0
	panelTitle   = 24.0
	axisHeight   = 26.0
	leftMargin   = 58.0
	rightMargin  = 16.0
	letter       = 12.0
	legendGap    = 14.0
	legendSwatch = 12.0
	legendLine   = 17.0
)

var (
	white = color.RGBA{255, 255, 255, 255}
	ink   = color.RGBA{38, 38, 38, 255}
	faint = color.RGBA{110, 110, 110, 255}
	grid  = color.RGBA{226, 226, 226, 255}
)

// colours are told apart by people who do not see all of them too (Okabe and Ito, "Color Universal Design", 2008), less
// yellow, which white swallows; then lighter ones.
func colours(i int) color.RGBA {
	all := []color.RGBA{
		{0, 114, 178, 255},
		{230, 159, 0, 255},
		{0, 158, 115, 255},
		{204, 121, 167, 255},
		{86, 180, 233, 255},
		{213, 94, 0, 255},
		{110, 110, 110, 255},
		{140, 190, 214, 255},
		{245, 211, 139, 255},
		{140, 205, 188, 255},
		{231, 193, 214, 255},
		{238, 175, 140, 255},
	}
	return all[i%len(all)]
}

func (f *Figure) size() (width, height float64) {
	return figureWidth, titleHeight + float64(len(f.Panels))*(panelTitle+panelHeight+axisHeight) + 6
}

func (f *Figure) draw(c canvas) {
	width, height := f.size()
	c.fill([]point{{0, 0}, {width, 0}, {width, height}, {0, height}}, white)
	c.text(point{leftMargin, titleHeight - 12}, f.Title, letter+3, begin, ink)
	right := width - rightMargin - f.legendWidth()
	for i := range f.Panels {
		top := titleHeight + float64(i)*(panelTitle+panelHeight+axisHeight) + panelTitle
		p := placed{Panel: &f.Panels[i], figure: f, left: leftMargin, right: right, top: top, bottom: top + panelHeight}
		p.scale()
		p.draw(c)
	}
}

// legendWidth is what the longest name takes.
func (f *Figure) legendWidth() float64 {
	var longest float64
	for _, panel := range f.Panels {
		for _, line := range panel.Lines {
			longest = max(longest, float64(len([]rune(line.Name)))*letter*0.56)
		}
	}
	return min(longest, figureWidth/3) + legendSwatch + legendGap + 6
}

// placed is a panel in its place.
type placed struct {
	*Panel
	figure                   *Figure
	left, right, top, bottom float64
	most, step               float64
}

// scale chooses the largest value that is shown, and the step between two lines of the grid.
func (p *placed) scale() {
	if p.Percent {
		p.most, p.step = 1, 0.25
	}
	for _, value := range p.sums() {
		if value > p.most*1.0001 {
			p.most, p.step = value, 0
		}
	}
	if p.step == 0 {
		p.most = max(p.most, 1e-9)
		p.step = nice(p.most / 4)
		if !p.Percent {
			p.step = max(p.step, 1)
		}
		p.most = max(math.Ceil(p.most/p.step-1e-9), 1) * p.step
	}
}

// nice is a number such as people count in, no less than x.
func nice(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, times := range []float64{1, 2, 2.5, 5} {
		if times*power >= x*0.9999 {
			return times * power
		}
	}
	return 10 * power
}

// sums are the largest values there are: of all lines, or of their sums.
func (p *placed) sums() []float64 {
	var sums []float64
	for _, line := range p.Lines {
		for i, value := range line.Values {
			if i == len(sums) {
				sums = append(sums, 0)
			}
			if p.Stacked {
				sums[i] += value
			} else {
				sums[i] = max(sums[i], value)
			}
		}
	}
	return sums
}

func (p *placed) draw(c canvas) {
	c.text(point{p.left, p.top - 8}, p.Title, letter, begin, ink)
	if !p.Stacked {
		p.drawGrid(c)
		for i, line := range slices.Backward(p.Lines) {
			c.stroke(p.points(line.Values), colours(i), 1.6) // the first on top
		}
	} else {
		p.drawAreas(c)
		p.drawGrid(c)
	}
	p.drawTimes(c)
	p.drawLegend(c)
}

// drawAreas draws lines as areas, each on those before it.
func (p *placed) drawAreas(c canvas) {
	var below []float64
	for i, line := range p.Lines {
		if below == nil {
			below = make([]float64, len(line.Values))
		}
		above := slices.Clone(below)
		for at, value := range line.Values {
			above[at] += value
		}
		outline := p.points(above)
		base := p.points(below)
		slices.Reverse(base)
		c.fill(append(outline, base...), colours(i))
		below = above
	}
}

// points are values in their places; each is in the middle of its part of the time, and the first and last reach the ends.
func (p *placed) points(values []float64) []point {
	points := make([]point, 0, len(values)+2)
	for i, value := range values {
		at := point{p.left + (p.right-p.left)*(float64(i)+0.5)/float64(len(values)), p.height(value)}
		if i == 0 {
			points = append(points, point{p.left, at.y})
		}
		points = append(points, at)
		if i == len(values)-1 {
			points = append(points, point{p.right, at.y})
		}
	}
	return points
}

func (p *placed) height(value float64) float64 {
	part := value / p.most
	if p.Log {
		part = math.Log1p(value) / math.Log1p(p.most)
	}
	return p.bottom - (p.bottom-p.top)*part
}

// marks are the values at which the grid has lines.
func (p *placed) marks() []float64 {
	var marks []float64
	if p.Log {
		marks = append(marks, 0)
		for at := 1.0; at <= p.most; at *= 10 {
			marks = append(marks, at)
		}
		return marks
	}
	for i := 0; float64(i)*p.step <= p.most*1.0001; i++ {
		marks = append(marks, float64(i)*p.step)
	}
	return marks
}

func (p *placed) drawGrid(c canvas) {
	for i, mark := range p.marks() {
		y := p.height(mark)
		in := grid
		if i == 0 {
			in = faint
		}
		c.stroke([]point{{p.left, y}, {p.right, y}}, in, 1)
		c.text(point{p.left - 7, y + 4}, p.label(mark), letter-1, end, faint)
	}
}

func (p *placed) label(value float64) string {
	if p.Percent {
		return strconv.FormatFloat(math.Round(value*1000)/10, 'f', -1, 64) + "%"
	}
	return strconv.FormatFloat(value, 'f', -1, 64)
}

func (p *placed) drawTimes(c canvas) {
	step, offset := p.figure.ticks()
	// A mark that is just beyond the end is shown: a day's last submission is a little before midnight.
	for at := offset; at <= p.figure.Span+p.figure.Span/200; at += step {
		x := p.left + (p.right-p.left)*min(float64(at)/float64(p.figure.Span), 1)
		c.stroke([]point{{x, p.bottom}, {x, p.bottom + 4}}, faint, 1)
		c.text(point{x, p.bottom + 17}, p.figure.label(at), letter-1, middle, faint)
	}
}

// ticks are how far the times that are told are apart, and which is the first.
func (f *Figure) ticks() (step, offset time.Duration) {
	steps := []time.Duration{
		time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	}
	const most = 9
	step = 24 * time.Hour
	for _, one := range slices.Backward(steps) {
		if f.Span/one >= most {
			break
		}
		step = one
	}
	for f.Span/step >= most {
		step *= 2
	}
	if f.Begin.IsZero() {
		return step, 0
	}
	midnight := time.Date(f.Begin.Year(), f.Begin.Month(), f.Begin.Day(), 0, 0, 0, 0, f.Begin.Location())
	into := f.Begin.Sub(midnight) % step
	return step, (step - into) % step
}

func (f *Figure) label(at time.Duration) string {
	switch {
	case !f.Begin.IsZero() && f.Span > 48*time.Hour:
		return f.Begin.Add(at).Format("Jan 2 15:04")
	case !f.Begin.IsZero():
		return f.Begin.Add(at).Format("15:04")
	case at%time.Hour == 0:
		return fmt.Sprintf("%dh", at/time.Hour)
	case at%time.Minute == 0 && at > time.Hour:
		return fmt.Sprintf("%dh%02dm", at/time.Hour, at%time.Hour/time.Minute)
	case at%time.Minute == 0:
		return fmt.Sprintf("%dm", at/time.Minute)
	}
	return at.String()
}

// drawLegend names lines, those on top first where they are on top of each other.
func (p *placed) drawLegend(c canvas) {
	for i, line := range p.Lines {
		row := i
		if p.Stacked {
			row = len(p.Lines) - 1 - i
		}
		x, y := p.right+legendGap, p.top+float64(row)*legendLine
		c.fill([]point{{x, y}, {x + legendSwatch, y}, {x + legendSwatch, y + legendSwatch}, {x, y + legendSwatch}}, colours(i))
		c.text(point{x + legendSwatch + 6, y + legendSwatch - 1.5}, line.Name, letter, begin, ink)
	}
}
