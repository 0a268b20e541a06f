package thumbnail

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	"lookalike/picture"
)

func TestFit(t *testing.T) {
	for _, c := range []struct{ w, h, width, height, wantW, wantH int }{
		{400, 300, 100, 100, 100, 75},
		{300, 400, 100, 100, 75, 100},
		{400, 300, 1000, 100, 133, 100},
		{40, 30, 100, 100, 40, 30},
		{5000, 2, 100, 100, 100, 1},
		{2, 5000, 100, 100, 1, 100},
		{100, 100, 100, 100, 100, 100},
	} {
		m := Fit(picture.New(c.w, c.h), c.width, c.height)
		if got := m.Rect.Size(); got != image.Pt(c.wantW, c.wantH) {
			t.Errorf("%dx%d into %dx%d is %v", c.w, c.h, c.width, c.height, got)
		}
		back, err := jpeg.Decode(bytes.NewReader(JPEG(m)))
		if err != nil || back.Bounds() != m.Rect {
			t.Errorf("its file: %v, %v", back, err)
		}
	}
}
