package plot

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"io"
	"strconv"
)

// sheet is a canvas that becomes SVG.
type sheet struct{ bytes.Buffer }

func newSheet(width, height float64) *sheet {
	v := new(sheet)
	fmt.Fprintf(v, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %g %g" font-family="Go, Helvetica, Arial, sans-serif">`+"\n", width, height, width, height)
	return v
}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func (v *sheet) list(points []point) {
	for i, p := range points {
		if i > 0 {
			v.WriteByte(' ')
		}
		v.WriteString(short(p.x) + "," + short(p.y))
	}
}

// short is a number to a tenth, which is as fine as anybody sees.
func short(x float64) string {
	text := strconv.FormatFloat(x, 'f', 1, 64)
	if len(text) > 2 && text[len(text)-2:] == ".0" {
		return text[:len(text)-2]
	}
	return text
}

func (v *sheet) fill(points []point, in color.RGBA) {
	fmt.Fprintf(v, `<polygon fill="%s" points="`, hex(in))
	v.list(points)
	v.WriteString("\"/>\n")
}

func (v *sheet) stroke(points []point, in color.RGBA, width float64) {
	fmt.Fprintf(v, `<polyline fill="none" stroke="%s" stroke-width="%g" stroke-linejoin="round" points="`, hex(in), width)
	v.list(points)
	v.WriteString("\"/>\n")
}

func (v *sheet) text(at point, text string, size float64, of side, in color.RGBA) {
	anchor := [...]string{begin: "start", middle: "middle", end: "end"}[of]
	fmt.Fprintf(v, `<text x="%s" y="%s" font-size="%g" text-anchor="%s" fill="%s">`, short(at.x), short(at.y), size, anchor, hex(in))
	_ = xml.EscapeText(v, []byte(text)) // a buffer takes everything
	v.WriteString("</text>\n")
}

func (v *sheet) write(out io.Writer) error {
	v.WriteString("</svg>\n")
	if _, err := v.WriteTo(out); err != nil {
		return fmt.Errorf("write SVG: %w", err)
	}
	return nil
}
