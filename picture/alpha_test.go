package picture

import (
	"bytes"
	"crypto/sha256"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"slices"
	"testing"
)

// drawing is a dark square on transparent ground, of the colour that is given under it.
func drawing(under color.NRGBA) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for y := range 30 {
		for x := range 40 {
			m.SetNRGBA(x, y, under)
			if x >= 10 && x < 20 && y >= 5 && y < 25 {
				m.SetNRGBA(x, y, color.NRGBA{20, 30, 40, 255})
			}
		}
	}
	return m
}

// What is stored under transparent pixels is not seen on any ground, at any size.
func TestAlphaHidesColours(t *testing.T) {
	var seen [][]uint8
	for _, under := range []color.NRGBA{{}, {255, 255, 255, 0}, {200, 10, 90, 0}} {
		var b bytes.Buffer
		if err := png.Encode(&b, drawing(under)); err != nil {
			t.Fatal(err)
		}
		m, err := Decode(&b, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]uint8(m.Pix[:3]); got != [3]uint8{under.R, under.G, under.B} {
			t.Errorf("the colour under alpha 0 is %v, stored %v", got, under)
		}
		light, dark := m.On(255), m.On(0)
		if light.Alpha != nil || [3]uint8(light.Pix[:3]) != [3]uint8{255, 255, 255} || [3]uint8(dark.Pix[:3]) != [3]uint8{} {
			t.Errorf("on light %v, on dark %v", light.Pix[:3], dark.Pix[:3])
		}
		if at := 3 * (10*40 + 15); [3]uint8(light.Pix[at:]) != [3]uint8{20, 30, 40} {
			t.Errorf("the square is %v", light.Pix[at:at+3])
		}
		small := Area(m, 7, 9)
		var all []uint8
		for _, v := range []*Image{light, dark, small.On(255), small.On(0), m.oriented(6).On(255), Nearest(m, 11, 5).On(0)} {
			all = append(all, v.Pix...)
		}
		seen = append(seen, all)
	}
	if !slices.Equal(seen[0], seen[1]) || !slices.Equal(seen[0], seen[2]) {
		t.Error("colours under alpha 0 are seen")
	}
}

// A picture made small is on any ground what the picture is on it, made small.
func TestAreaComposes(t *testing.T) {
	m := noise(61, 47)
	m.Alpha = noise(61, 47).Pix[:61*47]
	for i := range m.Alpha {
		m.Alpha[i] = uint8(i * 37)
	}
	for _, ground := range []uint8{0, 100, 255} {
		a, b := Area(m, 9, 8).On(ground), Area(m.On(ground), 9, 8)
		for i := range a.Pix {
			if d := int(a.Pix[i]) - int(b.Pix[i]); d < -2 || d > 2 {
				t.Fatalf("ground %d, value %d: %d and %d", ground, i, a.Pix[i], b.Pix[i])
			}
		}
	}
	m.Alpha = slices.Repeat([]uint8{255}, 61*47)
	opaque := Image{Width: m.Width, Height: m.Height, Pix: m.Pix}
	if !slices.Equal(Area(m, 9, 8).Pix, Area(&opaque, 9, 8).Pix) {
		t.Error("alpha of 255 is not opaque")
	}
}

// Of GIF the transparent colour and what the frame does not cover have no alpha, and the
// bytes are as they were: others take their hash.
func TestAlphaGIF(t *testing.T) {
	frame := image.NewPaletted(image.Rect(2, 1, 6, 5), color.Palette{color.NRGBA{9, 8, 7, 255}, color.Transparent, color.White})
	frame.Pix[0], frame.Pix[1] = 1, 2
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame}, Delay: []int{0}, Config: image.Config{Width: 8, Height: 6, ColorModel: frame.Palette}}); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	before := sha256.Sum256(data)
	m, err := DecodeBytes(data, Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if sha256.Sum256(data) != before {
		t.Error("decoding has changed the file's bytes")
	}
	for _, c := range []struct {
		x, y int
		want uint8
	}{{0, 0, 0}, {2, 1, 0}, {3, 1, 255}, {4, 2, 255}, {7, 5, 0}} {
		if got := m.Alpha[c.y*m.Width+c.x]; got != c.want {
			t.Errorf("alpha at %d,%d is %d, want %d", c.x, c.y, got, c.want)
		}
	}
}
