package sheet

import (
	"image"
	"image/color"
	"math"
	"testing"
)

// The hot part of a picture is red and the others are grey; parts that match have
// one colour on both sides and a line between them.
func TestCompare(t *testing.T) {
	grey := color.RGBA{128, 128, 128, 255}
	heat := []float64{0, 0, 0, 0, 0, 1, -1, 0, 0}
	c := Comparison{Title: "title",
		A:     Side{plain(44, 44, grey), "a", heat, 3, 3},
		B:     Side{plain(44, 22, grey), "b", heat, 3, 3},
		Links: []Link{{A: [2]float64{0.25, 0.25}, B: [2]float64{0.75, 0.75}, SizeA: [2]float64{0.1, 0.1}, SizeB: [2]float64{0.1, 0.1}}}}
	m := Compare(c)
	without := c
	without.Links = nil
	bare := Compare(without)
	if m.Rect != bare.Rect {
		t.Fatalf("sizes %v and %v", m.Rect, bare.Rect)
	}

	// Where the heat is, in the row of pictures above.
	red := func(p color.RGBA) bool { return int(p.R) > int(p.G)+60 && int(p.R) > int(p.B)+60 }
	var hot image.Rectangle
	for y := range m.Rect.Dy() / 2 {
		for x := range m.Rect.Dx() {
			if red(bare.RGBAAt(x, y)) {
				hot = hot.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	left := (m.Rect.Dx() - 2*compareSide - 56) / 2
	if hot.Min.X < left+compareSide/2 || hot.Max.X > left+2*compareSide+56 || hot.Dx() < compareSide {
		t.Errorf("it is red in %v", hot)
	}

	// What the link changes lies in the pictures below and between them.
	links := c.Links[0].colour()
	changed, coloured := image.Rectangle{}, 0
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			if m.RGBAAt(x, y) != bare.RGBAAt(x, y) {
				changed = changed.Union(image.Rect(x, y, x+1, y+1))
				if m.RGBAAt(x, y) == (color.RGBA{links.R, links.G, links.B, 255}) {
					coloured++
				}
			}
		}
	}
	want := image.Pt(left+compareSide/4, left+compareSide+56+compareSide*3/4)
	if math.Abs(float64(changed.Min.X-want.X)) > 30 || math.Abs(float64(changed.Max.X-want.Y)) > 30 || changed.Min.Y < m.Rect.Dy()/2 || coloured < compareSide {
		t.Errorf("the link changes %v, in %d pixels to its colour", changed, coloured)
	}

	// No heat at all, and pictures of one pixel, are drawn too.
	c.A.Heat, c.B.Heat = make([]float64, 9), make([]float64, 9)
	c.A.Image, c.B.Image = plain(1, 1, grey), plain(1, 3000, grey)
	if m := Compare(c); m.Rect.Empty() {
		t.Error("nothing is drawn")
	}
}

// Colours tell parts from left to right apart.
func TestLinkColours(t *testing.T) {
	seen := map[color.NRGBA]bool{}
	for i := range 10 {
		for j := range 3 {
			seen[(&Link{A: [2]float64{float64(i) / 9, float64(j) / 2}}).colour()] = true
		}
	}
	if len(seen) != 30 {
		t.Errorf("%d colours of 30 parts", len(seen))
	}
}

// Lines are drawn between few links, far from each other.
func TestSpaced(t *testing.T) {
	var links []Link
	for i := range 100 {
		p := [2]float64{float64(i%10) / 10, float64(i/10) / 10}
		links = append(links, Link{A: p, B: p})
	}
	chosen := spaced(links, 12)
	if len(chosen) != 12 || chosen[0] != links[0] {
		t.Fatalf("%d links, from %v", len(chosen), chosen[0])
	}
	for i, a := range chosen {
		for _, b := range chosen[:i] {
			if d := math.Hypot(a.A[0]-b.A[0], a.A[1]-b.A[1]); d < 0.2 {
				t.Errorf("%v and %v are %v apart", a.A, b.A, d)
			}
		}
	}
	if one := spaced([]Link{links[0], links[0], links[0]}, 12); len(one) != 1 {
		t.Errorf("%d lines in one place", len(one))
	}
}
