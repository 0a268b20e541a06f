package jpeg

import (
	"bytes"
	"errors"
	"image"
	stdjpeg "image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// notHere are the fixtures that image/jpeg has to decode: with chroma quartered,
// with four planes, and one whose scan has more blocks than its size asks for.
var notHere = []string{
	"411.jpg", "cmyk.jpg", "flat-410.jpg", "flat-411.jpg", "flat-cmyk-420.jpg", "flat-cmyk-no-marker.jpg", "flat-cmyk.jpg",
	"flat-gray-22.jpg", "flat-ycck-420.jpg", "flat-ycck.jpg", "ycck.jpg",
}

// TestPlanes holds the planes against image/jpeg's, which rounds otherwise. That
// they are libjpeg-turbo's to the bit, package picture tests with whole pictures.
func TestPlanes(t *testing.T) {
	files, err := filepath.Glob("../../picture/testdata/decode/*.jpg")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(data)
		if slices.Contains(notHere, name) {
			if !errors.Is(err, ErrOther) {
				t.Errorf("%s: %v, want %v", name, err, ErrOther)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, err := stdjpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		w, ok := want.(*image.YCbCr)
		if !ok { // grey, or RGB, whose planes image/jpeg does not give out
			if got.Bounds() != want.Bounds() {
				t.Errorf("%s: %v, want %v", name, got.Bounds(), want.Bounds())
			}
			continue
		}
		g, ok := got.(*image.YCbCr)
		if !ok || g.Rect != w.Rect || g.SubsampleRatio != w.SubsampleRatio {
			t.Errorf("%s: %T %v, want %v %v", name, got, got.Bounds(), w.Rect, w.SubsampleRatio)
			continue
		}
		for y := range w.Rect.Dy() {
			for x := range w.Rect.Dx() {
				a, b := g.YCbCrAt(x, y), w.YCbCrAt(x, y)
				if off(a.Y, b.Y) > 2 || off(a.Cb, b.Cb) > 2 || off(a.Cr, b.Cr) > 2 {
					t.Fatalf("%s: %v at (%d, %d), image/jpeg %v", name, a, x, y, b)
				}
			}
		}
	}
}

func off(a, b uint8) uint8 { return max(a, b) - min(a, b) }
