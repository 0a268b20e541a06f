package main

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"lookalike/picture"
)

// change makes a copy of a photograph.
type change struct {
	name string
	make func(m *picture.Image, r *rand.Rand) *picture.Image
}

// changes are the seventeen kinds of copies.
var changes = []change{
	{"half the size", func(m *picture.Image, _ *rand.Rand) *picture.Image { return scaled(m, 0.5) }},
	{"a third of the size", func(m *picture.Image, _ *rand.Rand) *picture.Image { return scaled(m, 1.0/3) }},
	{"twice the size", func(m *picture.Image, _ *rand.Rand) *picture.Image { return scaled(m, 2) }},
	{"JPEG, quality 50", func(m *picture.Image, _ *rand.Rand) *picture.Image { return saved(m, 50) }},
	{"JPEG, quality 20", func(m *picture.Image, _ *rand.Rand) *picture.Image { return saved(m, 20) }},
	{"half the size, JPEG 30", func(m *picture.Image, _ *rand.Rand) *picture.Image { return saved(scaled(m, 0.5), 30) }},
	{"blurred", func(m *picture.Image, _ *rand.Rand) *picture.Image { return blurred(blurred(m, 2), 2) }},
	{"noise", func(m *picture.Image, r *rand.Rand) *picture.Image {
		return each(m, func(v float64) float64 { return v + 10*r.NormFloat64() })
	}},
	{"darker, 0.8", func(m *picture.Image, _ *rand.Rand) *picture.Image {
		return each(m, func(v float64) float64 { return 0.8 * v })
	}},
	{"brighter, 1.2", func(m *picture.Image, _ *rand.Rand) *picture.Image {
		return each(m, func(v float64) float64 { return 1.2 * v })
	}},
	{"gray", func(m *picture.Image, _ *rand.Rand) *picture.Image { return gray(m) }},
	{"written on", written},
	{"cut by 2% at each side", func(m *picture.Image, _ *rand.Rand) *picture.Image { return cut(m, 0.02) }},
	{"cut by 5% at each side", func(m *picture.Image, _ *rand.Rand) *picture.Image { return cut(m, 0.05) }},
	{"cut by 12% at each side", func(m *picture.Image, _ *rand.Rand) *picture.Image { return cut(m, 0.12) }},
	{"turned by 2 degrees", func(m *picture.Image, _ *rand.Rand) *picture.Image { return turned(m, 2) }},
	{"mirrored", func(m *picture.Image, _ *rand.Rand) *picture.Image { return mirrored(m) }},
}

func scaled(m *picture.Image, by float64) *picture.Image {
	w, h := max(1, int(by*float64(m.Width)+0.5)), max(1, int(by*float64(m.Height)+0.5))
	if by < 1 {
		return picture.Area(m, w, h)
	}
	return picture.Bilinear(m, w, h)
}

func saved(m *picture.Image, quality int) *picture.Image {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m.On(255).RGBA(), &jpeg.Options{Quality: quality}); err != nil {
		panic(err)
	}
	out, err := picture.Decode(&b, picture.Options{})
	if err != nil {
		panic(err)
	}
	return out
}

func each(m *picture.Image, f func(float64) float64) *picture.Image {
	out := picture.New(m.Width, m.Height)
	for i, v := range m.Pix {
		out.Pix[i] = uint8(min(max(f(float64(v))+0.5, 0), 255))
	}
	return out
}

// blurred takes the mean over a square of 2r+1 pixels.
func blurred(m *picture.Image, r int) *picture.Image {
	pass := func(m *picture.Image, across bool) *picture.Image {
		out := picture.New(m.Width, m.Height)
		for y := range m.Height {
			for x := range m.Width {
				for c := range 3 {
					sum := 0
					for d := -r; d <= r; d++ {
						px, py := x, y
						if across {
							px = min(max(x+d, 0), m.Width-1)
						} else {
							py = min(max(y+d, 0), m.Height-1)
						}
						sum += int(m.Pix[3*(py*m.Width+px)+c])
					}
					out.Pix[3*(y*m.Width+x)+c] = uint8(sum / (2*r + 1))
				}
			}
		}
		return out
	}
	return pass(pass(m, true), false)
}

func gray(m *picture.Image) *picture.Image {
	out := picture.New(m.Width, m.Height)
	for i := 0; i < len(m.Pix); i += 3 {
		v := uint8(0.299*float64(m.Pix[i]) + 0.587*float64(m.Pix[i+1]) + 0.114*float64(m.Pix[i+2]) + 0.5)
		out.Pix[i], out.Pix[i+1], out.Pix[i+2] = v, v, v
	}
	return out
}

// written is the picture with a line of words in white, a twelfth of its height.
func written(m *picture.Image, r *rand.Rand) *picture.Image {
	c := blank(r, m.Width, m.Height, color.Black)
	copy(c.Pix, m.RGBA().Pix)
	size := max(6, m.Height/12)
	c.text(size/2, m.Height-size, size, c.words(3), paper)
	return picture.FromImage(c.NRGBA)
}

func cut(m *picture.Image, part float64) *picture.Image {
	x, y := int(part*float64(m.Width)+0.5), int(part*float64(m.Height)+0.5)
	return picture.FromImage(m.RGBA().SubImage(image.Rect(x, y, m.Width-x, m.Height-y)))
}

// turned is the picture turned about its middle; its edges are repeated.
func turned(m *picture.Image, degrees float64) *picture.Image {
	out := picture.New(m.Width, m.Height)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	mx, my := float64(m.Width-1)/2, float64(m.Height-1)/2
	for y := range m.Height {
		for x := range m.Width {
			dx, dy := float64(x)-mx, float64(y)-my
			sx, sy := mx+cos*dx-sin*dy, my+sin*dx+cos*dy
			x0, y0 := math.Floor(sx), math.Floor(sy)
			fx, fy := sx-x0, sy-y0
			at := func(x, y float64, c int) float64 {
				px, py := min(max(int(x), 0), m.Width-1), min(max(int(y), 0), m.Height-1)
				return float64(m.Pix[3*(py*m.Width+px)+c])
			}
			for c := range 3 {
				v := (1-fy)*((1-fx)*at(x0, y0, c)+fx*at(x0+1, y0, c)) + fy*((1-fx)*at(x0, y0+1, c)+fx*at(x0+1, y0+1, c))
				out.Pix[3*(y*m.Width+x)+c] = uint8(v + 0.5)
			}
		}
	}
	return out
}

func mirrored(m *picture.Image) *picture.Image {
	out := picture.New(m.Width, m.Height)
	for y := range m.Height {
		for x := range m.Width {
			copy(out.Pix[3*(y*m.Width+x):][:3], m.Pix[3*(y*m.Width+m.Width-1-x):][:3])
		}
	}
	return out
}
