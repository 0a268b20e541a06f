package main

import (
	"math"

	"lookalike/picture"
)

// before is the description that dups went by alone until November 2026, up to a
// distance of 0.14: alpha dropped, and nothing of brightness.
func before(m *picture.Image) []float32 {
	const side, colours, leastSpan, span = 16, 6, 12.0, 120.0
	m = picture.Area(opaque(m), 48, 48)
	v := make([]float32, 0, side*side+2*colours*colours)
	ycc := func(rgb []uint8) (y, cb, cr float64) {
		r, g, b := float64(rgb[0]), float64(rgb[1]), float64(rgb[2])
		y = 0.299*r + 0.587*g + 0.114*b
		return y, 0.564 * (b - y), 0.713 * (r - y)
	}
	fine, luma, mean, square := picture.Area(m, side, side), make([]float64, side*side), 0.0, 0.0
	for i := range luma {
		luma[i], _, _ = ycc(fine.Pix[3*i:])
		mean += luma[i] / float64(len(luma))
	}
	for i := range luma {
		luma[i] -= mean
		square += luma[i] * luma[i] / float64(len(luma))
	}
	for _, y := range luma {
		v = append(v, float32(y/max(math.Sqrt(square), leastSpan)/side))
	}
	coarse := picture.Area(m, colours, colours)
	for part := range 2 {
		for i := range colours * colours {
			_, cb, cr := ycc(coarse.Pix[3*i:])
			v = append(v, float32([]float64{cb, cr}[part]/span/colours))
		}
	}
	return v
}

func opaque(m *picture.Image) *picture.Image {
	return &picture.Image{Width: m.Width, Height: m.Height, Pix: m.Pix}
}
