package atlas

import (
	"image"
	"math"

	"lookalike/internal/sheet"
)

const (
	sheetSide   = 5000 // of a drawn map, about, in pixels: 100 MB while it is drawn
	largestSpot = 160  // longest side of a picture on it
	smallest    = 8
)

// Spot returns the longest side in pixels that pictures of a map of n have when
// it is drawn, more or less.
func Spot(n int) int { return spot(math.Sqrt(float64(n) * 0.8 / filled)) }

// spot is that side on a map as wide or high as so many pictures.
func spot(extent float64) int {
	return int(min(max(sheetSide/extent, smallest), largestSpot))
}

// Draw returns the map as one picture, with the names of classes.
func (m *Map) Draw() *image.RGBA {
	side := float64(spot(max(m.width, m.height)))
	pixel := func(v float64) int { return int(math.Round(v * side)) }
	spots := make([]sheet.Spot, len(m.boxes))
	for i, b := range m.boxes {
		corner := image.Pt(pixel(b.x-b.width/2), pixel(b.y-b.height/2))
		spots[i].Box = image.Rectangle{corner, corner.Add(image.Pt(max(1, pixel(b.width)), max(1, pixel(b.height))))}
		if p := m.places[i].Picture; p != nil {
			spots[i].Image = p
		}
	}
	var signs []sheet.Sign
	for _, t := range m.towns() {
		signs = append(signs, sheet.Sign{Text: t.label, At: image.Pt(pixel(t.x), pixel(t.y))})
	}
	size := image.Pt(pixel(m.width), pixel(m.height))
	return sheet.Scatter(size, max(size.X, size.Y)/12, spots, signs)
}
