package sheet

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
)

// Confusion draws a matrix of parts, from 0 to 1, as a grid: row i shows what the
// things of class i were taken for, the darker the more. Few classes have large
// cells with the part in percent. Classes are named at both sides as long as there
// are at most a few hundred; more make smaller cells without names. A matrix that
// is not square panics.
func Confusion(classes []string, parts [][]float64) *image.RGBA {
	n := len(classes)
	for i := range parts {
		if len(parts) != n || len(parts[i]) != n {
			panic(fmt.Sprintf("sheet.Confusion: %d classes, %d rows, row %d has %d values", n, len(parts), i, len(parts[i])))
		}
	}
	t := newType(0)
	cell, room, margin := max(t.line+1, min(readSide/max(n, 1), 3*t.line)), 0, t.line
	if n > mostNamed {
		cell = max(1, confusionSide/n)
	} else {
		for _, name := range classes {
			room = max(room, t.width(t.fit(name, nameRoom)))
		}
		room += t.line
	}
	const rowTitle, columnTitle = "class of the picture", "class of its nearest"
	left, top := margin+t.line+room, margin+t.line+room
	dst := image.NewRGBA(image.Rect(0, 0, left+max(n*cell, t.width(columnTitle))+margin, top+max(n*cell, t.width(rowTitle))+margin))
	draw.Draw(dst, dst.Rect, image.NewUniform(paper), image.Point{}, draw.Src)

	grid := image.Rect(left, top, left+n*cell, top+n*cell)
	draw.Draw(dst, grid.Inset(-1), image.NewUniform(outline), image.Point{}, draw.Src)
	gap := 0
	if n <= mostNamed {
		gap = 1
	}
	for i, row := range parts {
		for j, part := range row {
			box := image.Rect(0, 0, cell-gap, cell-gap).Add(image.Pt(left+j*cell, top+i*cell))
			draw.Draw(dst, box, image.NewUniform(shade(part)), image.Point{}, draw.Src)
			if percent := fmt.Sprintf("%.0f", 100*part); part > 0 && cell > t.width("100") {
				colour := color.Color(ink)
				if part > 0.25 {
					colour = paper
				}
				t.drawIn(colour, dst, percent, box.Min.Add(image.Pt((cell-t.width(percent))/2, (cell+t.ascent-t.descent)/2)))
			}
		}
	}
	t.draw(dst, columnTitle, image.Pt(left, margin+t.ascent))
	t.drawUpwards(dst, rowTitle, image.Pt(margin+t.ascent, top+t.width(rowTitle)))
	if n <= mostNamed {
		for i, name := range classes {
			name = t.fit(name, nameRoom)
			middle := (cell + t.ascent - t.descent) / 2
			t.draw(dst, name, image.Pt(left-t.line/2-t.width(name), top+i*cell+middle))
			t.drawUpwards(dst, name, image.Pt(left+i*cell+middle, top-t.line/2))
		}
	}
	return dst
}

const (
	mostNamed     = 300  // classes whose names are written
	nameRoom      = 160  // widest name, in pixels
	confusionSide = 4096 // of a grid without names, in pixels
	readSide      = 640  // of one with large cells
)

// shade is white for 0 and dark blue for 1. The root tells small parts from
// none, which is what one looks for outside the diagonal.
func shade(part float64) color.Color {
	f := math.Sqrt(min(max(part, 0), 1))
	mix := func(from, to float64) uint8 { return uint8(math.Round(from + f*(to-from))) }
	return color.RGBA{mix(255, 8), mix(255, 48), mix(255, 107), 255}
}

// drawUpwards writes s turned to the left, its baseline beginning at p.
func (t *typeface) drawUpwards(dst *image.RGBA, s string, p image.Point) {
	line := image.NewRGBA(image.Rect(0, -t.ascent, t.width(s), t.descent))
	t.draw(line, s, image.Point{})
	for y := line.Rect.Min.Y; y < line.Rect.Max.Y; y++ {
		for x := range line.Rect.Max.X {
			at := image.Pt(p.X+y, p.Y-x)
			draw.Draw(dst, image.Rectangle{at, at.Add(image.Pt(1, 1))}, line, image.Pt(x, y), draw.Over)
		}
	}
}
