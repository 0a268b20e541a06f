// Package thumbnail makes small pictures of large ones.
package thumbnail

import (
	"bytes"
	"image"
	"image/jpeg"

	"lookalike/picture"
)

// Fit returns a picture brought to at most width by height pixels, in its own
// shape but never thinner than a pixel, on white where it is transparent. One that
// is small enough stays as large as it is.
func Fit(m *picture.Image, width, height int) *image.RGBA {
	w, h := size(m.Width, m.Height, width, height)
	if w != m.Width || h != m.Height {
		m = picture.Area(m, w, h)
	}
	return m.On(255).RGBA()
}

// size is the size that Fit gives a picture of w by h pixels.
func size(w, h, width, height int) (int, int) {
	if w <= width && h <= height {
		return w, h
	}
	if w*height > h*width { // the width decides
		return width, max(1, (h*width+w/2)/w)
	}
	return max(1, (w*height+h/2)/h), height
}

// JPEG returns a thumbnail's file, of a quality that is good to look at and a
// tenth of the pixels' size.
func JPEG(m image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 85}); err != nil {
		panic("thumbnail: " + err.Error()) // a buffer takes everything, and thumbnails are small
	}
	return b.Bytes()
}
