package picture

import (
	"image"
	"image/color"
	"image/draw"
	"slices"
	"testing"
)

// TestFromImage converts the same colours from each of the standard types, as
// part of a larger picture.
func TestFromImage(t *testing.T) {
	pixels := []color.NRGBA{{10, 200, 30, 255}, {255, 0, 127, 255}, {77, 77, 77, 255}, {0, 0, 0, 255}}
	want := []uint8{10, 200, 30, 255, 0, 127, 77, 77, 77, 0, 0, 0}
	whole, part := image.Rect(-1, -1, 4, 4), image.Rect(1, 1, 3, 3)
	palette := color.Palette{color.Black}
	for _, c := range pixels {
		palette = append(palette, c)
	}
	for _, m := range []draw.Image{
		image.NewRGBA(whole), image.NewRGBA64(whole), image.NewNRGBA(whole), image.NewNRGBA64(whole),
		image.NewPaletted(whole, palette), image.NewCMYK(whole),
	} {
		for i, c := range pixels {
			m.Set(1+i%2, 1+i/2, c)
		}
		got := FromImage(m.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(part))
		if got.Width != 2 || got.Height != 2 || !slices.Equal(got.Pix, want) {
			t.Errorf("%T: %v, want %v", m, got, want)
		}
	}
}

func TestFromImageAlphaAndDepth(t *testing.T) {
	at := image.Rect(0, 0, 1, 1)
	premultiplied := &image.RGBA{Pix: []uint8{50, 100, 25, 128}, Stride: 4, Rect: at}
	premultiplied64 := &image.RGBA64{Pix: []uint8{0x32, 0, 0x64, 0, 0x19, 0, 0x80, 0}, Stride: 8, Rect: at}
	for _, c := range []struct {
		src  image.Image
		want []uint8
	}{
		{&image.NRGBA{Pix: []uint8{50, 100, 25, 0}, Stride: 4, Rect: at}, []uint8{50, 100, 25}},
		{premultiplied, []uint8{99, 199, 49}},
		{premultiplied64, []uint8{99, 199, 49}},
		{&image.Gray{Pix: []uint8{9}, Stride: 1, Rect: at}, []uint8{9, 9, 9}},
		{&image.Gray16{Pix: []uint8{0x12, 0xff}, Stride: 2, Rect: at}, []uint8{0x12, 0x12, 0x12}},
	} {
		if got := FromImage(c.src); !slices.Equal(got.Pix, c.want) {
			t.Errorf("%T: %v, want %v", c.src, got.Pix, c.want)
		}
	}
}

func TestRGBA(t *testing.T) {
	m := noise(5, 3)
	out := m.RGBA()
	if !out.Opaque() || !equal(FromImage(out), m) {
		t.Error("RGBA and back is another picture")
	}
}
