package sheet

import (
	"image"
	"image/color"
	"testing"
)

// Pictures lie where they should; signs stand beside them, of two over pictures in one
// place the first is drawn, and one that would stick out is moved in.
func TestScatter(t *testing.T) {
	red, blue := color.RGBA{200, 30, 30, 255}, color.RGBA{30, 30, 200, 255}
	spots := []Spot{{plain(30, 20, red), image.Rect(0, 0, 300, 200)}, {plain(30, 20, blue), image.Rect(300, 0, 600, 200)}, {nil, image.Rect(0, 200, 60, 260)}}
	changed := func(m *image.RGBA, in image.Rectangle) (n int) {
		without := Scatter(m.Rect.Max, 140, spots, nil)
		for y := in.Min.Y; y < in.Max.Y; y++ {
			for x := in.Min.X; x < in.Max.X; x++ {
				if m.RGBAAt(x, y) != without.RGBAAt(x, y) {
					n++
				}
			}
		}
		return n
	}
	size := image.Pt(600, 400)
	m := Scatter(size, 140, spots, nil)
	if m.Rect.Max != size || m.RGBAAt(150, 100) != red || m.RGBAAt(450, 100) != blue || m.RGBAAt(30, 230) != (color.RGBA{0xee, 0xee, 0xee, 255}) || m.RGBAAt(300, 300) != (color.RGBA{255, 255, 255, 255}) {
		t.Error("a picture is not in its place")
	}
	beside := Scatter(size, 140, spots, []Sign{{"beside", image.Pt(300, 190)}, {"a second", image.Pt(300, 190)}})
	if over := changed(beside, image.Rect(0, 0, 600, 200)); over > 0 {
		t.Errorf("signs cover %d pixels of pictures that they could stand beside", over)
	}
	if below := changed(beside, image.Rect(150, 200, 450, 300)); below < 200 {
		t.Errorf("two signs below the pictures have %d pixels", below)
	}

	// A sheet that is full.
	spots = []Spot{{plain(30, 20, red), image.Rect(0, 0, 300, 400)}, {plain(30, 20, blue), image.Rect(300, 0, 600, 400)}}
	one := Scatter(size, 140, spots, []Sign{{"first", image.Pt(150, 100)}})
	two := Scatter(size, 140, spots, []Sign{{"first", image.Pt(150, 100)}, {"second", image.Pt(152, 104)}})
	if changed(one, image.Rect(100, 80, 200, 120)) < 100 || changed(one, image.Rect(300, 0, 600, 400)) != 0 {
		t.Error("the sign is not where it should be")
	}
	if string(one.Pix) != string(two.Pix) {
		t.Error("the second sign is drawn over the first")
	}
	corner := Scatter(size, 140, spots, []Sign{{"in the corner", size}})
	if changed(corner, image.Rect(450, 360, 600, 400)) < 100 || changed(corner, corner.Rect) != changed(corner, image.Rect(450, 360, 600, 400)) {
		t.Error("the sign in the corner is not whole")
	}
}
