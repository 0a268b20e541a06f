package jpeg_test

import (
	"os"
	"path/filepath"
	"testing"

	"lookalike/internal/jpeg"
)

// FuzzDecode: whatever the bytes, an error or a picture of the size that the header gives.
func FuzzDecode(f *testing.F) {
	seeds, _ := filepath.Glob("../../picture/testdata/decode/*.jpg")
	own, _ := filepath.Glob("testdata/*.jpg")
	for _, file := range append(seeds, own...) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := jpeg.ReadHeader(data)
		if err != nil || h.Width*h.Height > 1<<16 || h.Need(false) > 1<<22 {
			return
		}
		for _, decode := range []func([]byte) (jpeg.Picture, error){jpeg.Decode, jpeg.DecodeEighth} {
			m, err := decode(data)
			if err == nil && len(m.Pix) != 3*m.Width*m.Height {
				t.Errorf("%d values for %dx%d", len(m.Pix), m.Width, m.Height)
			}
			if err == nil && m.Width != h.Width && m.Width != (h.Width+7)/8 {
				t.Errorf("%dx%d of %dx%d", m.Width, m.Height, h.Width, h.Height)
			}
		}
	})
}
