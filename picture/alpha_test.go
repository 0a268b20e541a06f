package picture

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"path/filepath"
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

// TestAlphaAsPillow: of each format that has alpha, in each of its ways. The numbers are
// the CRC-32 of Pillow's (testdata/alpha/make_alpha.py).
func TestAlphaAsPillow(t *testing.T) {
	for name, want := range map[string]uint32{
		"la.png":     0xfbcee84d,
		"p.png":      0x7d8137a4,
		"p1.png":     0xd36daabe,
		"l.png":      0x877142c5,
		"rgb.png":    0xc6669272,
		"one.png":    0x7b4ee916,
		"lossy.webp": 0xfbcee84d,
		"rgba.tiff":  0xfbcee84d,
		"la.tiff":    0xfbcee84d,
		"p.gif":      0x3cd7ab00,
	} {
		m, err := File(filepath.Join("testdata", "alpha", name), Options{})
		if err != nil {
			t.Error(err)
		} else if got := crc32.ChecksumIEEE(m.Alpha); got != want || len(m.Alpha) != m.Width*m.Height {
			t.Errorf("%s: %d values with the sum %#08x, want %#08x", name, len(m.Alpha), got, want)
		}
	}
}

// Gray of 16 bits has Pillow's pixels, which are cut at 255, and beside them what a person
// sees; both follow all changes of shape.
func TestUpper(t *testing.T) {
	deep := image.NewGray16(image.Rect(0, 0, 30, 20))
	for i := range deep.Pix {
		deep.Pix[i] = uint8(i * 7 / 3)
	}
	flat := image.NewGray(deep.Rect)
	for i := range flat.Pix {
		flat.Pix[i] = deep.Pix[2*i]
	}

	var b, want bytes.Buffer
	if err := errors.Join(png.Encode(&b, deep), png.Encode(&want, flat)); err != nil {
		t.Fatal(err)
	}
	m, err1 := DecodeBytes(b.Bytes(), Options{}, nil)
	w, err2 := DecodeBytes(want.Bytes(), Options{}, nil)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if m.Pix[3*299] != 255 || slices.Equal(m.Pix, w.Pix) {
		t.Errorf("a value above 255 is %d in Pillow's pixels", m.Pix[3*299])
	}
	for name, pair := range map[string][2]*Image{
		"whole": {m, w}, "turned": {m.oriented(6), w.oriented(6)}, "nearest": {Nearest(m, 7, 9), Nearest(w, 7, 9)}, "area": {Area(m, 7, 9), Area(w, 7, 9)},
	} {
		got, most := pair[0].On(255), 0
		for i, v := range got.Pix {
			d := int(v) - int(pair[1].Pix[i])
			most = max(most, d, -d)
		}
		if most > 1 || most > 0 && name != "area" || got.Upper != nil { // area's sums are rounded
			t.Errorf("%s: %d levels from what is seen", name, most)
		}
	}
}
