package plot

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// pixels is a canvas that becomes PNG.
type pixels struct {
	image  *image.RGBA
	raster *vector.Rasterizer
	shapes [][]point // that are to be filled at once
	times  float64   // pixels for each unit
	font   *opentype.Font
	faces  map[float64]font.Face
	err    error // the first that there was
}

func newPixels(width, height, times float64) (*pixels, error) {
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("read the font: %w", err)
	}
	bounds := image.Rect(0, 0, int(math.Ceil(width*times)), int(math.Ceil(height*times)))
	return &pixels{
		image: image.NewRGBA(bounds), raster: vector.NewRasterizer(bounds.Dx(), bounds.Dy()), times: times, font: parsed, faces: map[float64]font.Face{},
	}, nil
}

func (p *pixels) shape(points []point) { p.shapes = append(p.shapes, points) }

// paint fills the shapes, within no more of the picture than they take: most are lines of a few pixels' height.
func (p *pixels) paint(in color.RGBA) {
	var box image.Rectangle
	for _, points := range p.shapes {
		for _, at := range points {
			x, y := int(math.Floor(at.x*p.times)), int(math.Floor(at.y*p.times))
			box = box.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	box = box.Intersect(p.image.Bounds())
	p.raster.Reset(box.Dx(), box.Dy())
	for _, points := range p.shapes {
		for i, at := range points {
			x, y := float32(at.x*p.times-float64(box.Min.X)), float32(at.y*p.times-float64(box.Min.Y))
			if i == 0 {
				p.raster.MoveTo(x, y)
			} else {
				p.raster.LineTo(x, y)
			}
		}
		p.raster.ClosePath()
	}
	p.raster.Draw(p.image, box, image.NewUniform(in), image.Point{})
	p.shapes = p.shapes[:0]
}

func (p *pixels) fill(points []point, in color.RGBA) {
	p.shape(points)
	p.paint(in)
}

// stroke draws a line as what is no further from it than half its width: a strip for each piece, and a disc at each corner.
// All turn the same way round, so that where they meet nothing is cut out.
func (p *pixels) stroke(points []point, in color.RGBA, width float64) {
	half := width / 2
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		length := math.Hypot(b.x-a.x, b.y-a.y)
		if length == 0 {
			continue
		}
		dx, dy := (b.y-a.y)/length*half, -(b.x-a.x)/length*half
		p.shape([]point{{a.x + dx, a.y + dy}, {b.x + dx, b.y + dy}, {b.x - dx, b.y - dy}, {a.x - dx, a.y - dy}})
		if i < len(points)-1 {
			p.shape(disc(b, half))
		}
	}
	p.paint(in)
}

func disc(at point, radius float64) []point {
	const corners = 10
	points := make([]point, corners)
	for i := range points {
		angle := 2 * math.Pi * float64(i) / corners
		points[i] = point{at.x + radius*math.Cos(angle), at.y + radius*math.Sin(angle)}
	}
	return points
}

func (p *pixels) face(size float64) font.Face {
	if face, ok := p.faces[size]; ok {
		return face
	}
	face, err := opentype.NewFace(p.font, &opentype.FaceOptions{Size: size * p.times, DPI: 72, Hinting: font.HintingNone})
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("scale the font: %w", err)
	}
	p.faces[size] = face
	return face
}

func (p *pixels) text(at point, text string, size float64, of side, in color.RGBA) {
	face := p.face(size)
	if p.err != nil {
		return
	}
	drawer := font.Drawer{Dst: p.image, Src: image.NewUniform(in), Face: face}
	x := fixed.Int26_6(at.x * p.times * 64)
	switch width := drawer.MeasureString(text); of {
	case middle:
		x -= width / 2
	case end:
		x -= width
	}
	drawer.Dot = fixed.Point26_6{X: x, Y: fixed.Int26_6(at.y * p.times * 64)}
	drawer.DrawString(text)
}

func (p *pixels) write(out io.Writer) error {
	if p.err != nil {
		return p.err
	}
	if err := png.Encode(out, p.image); err != nil {
		return fmt.Errorf("write PNG: %w", err)
	}
	return nil
}
