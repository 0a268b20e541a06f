package sheet

import (
	"fmt"
	"image/color"
	"testing"

	"lookalike/internal/sweeptest"
)

// Cells are as dark as their parts, in their places; names are written as long
// as there is room.
func TestConfusion(t *testing.T) {
	parts := [][]float64{{1, 0, 0}, {0, 0.5, 0.5}, {0.04, 0, 0.96}}
	m := Confusion([]string{"cat", "dog", "a name that is much too long to be written in full beside a cell"}, parts)
	tf := newType(0)
	cell := 3 * tf.line
	left := m.Rect.Dx() - tf.line - max(3*cell, tf.width("class of its nearest"))
	top := m.Rect.Dy() - tf.line - max(3*cell, tf.width("class of the picture"))
	for i, row := range parts {
		for j, part := range row {
			got := m.RGBAAt(left+j*cell+2, top+i*cell+2)
			if want := shade(part); got != want {
				t.Errorf("cell %d, %d is %v, want %v", i, j, got, want)
			}
			written := false
			for y := range cell - 1 {
				for x := range cell - 1 {
					written = written || m.RGBAAt(left+j*cell+x, top+i*cell+y) != got
				}
			}
			if written != (part > 0) {
				t.Errorf("cell %d, %d of %v: there is a number: %v", i, j, part, written)
			}
		}
	}
	if shade(0) != (color.RGBA{255, 255, 255, 255}) || shade(1) != (color.RGBA{8, 48, 107, 255}) {
		t.Errorf("from %v to %v", shade(0), shade(1))
	}
	inked := 0
	for x := range left {
		for y := top; y < top+3*cell; y++ {
			if m.RGBAAt(x, y).R < 128 {
				inked++
			}
		}
	}
	if inked < 100 {
		t.Errorf("%d dark pixels where the names of the rows are", inked)
	}
}

// Very many classes make a picture that can still be opened.
func TestConfusionOfMany(t *testing.T) {
	sweeptest.Slow(t, "draws 25 million squares")
	n := 5000
	names, parts := make([]string, n), make([][]float64, n)
	row := make([]float64, n)
	for i := range names {
		names[i], parts[i] = fmt.Sprint(i), row
	}
	if m := Confusion(names, parts); m.Rect.Dx() > 6000 || m.Rect.Dx() < n {
		t.Errorf("%v for %d classes", m.Rect, n)
	}
}
