// Package thumbnail makes small pictures of large ones.
package thumbnail

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"

	"lookalike"
	"lookalike/internal/parallel"
	"lookalike/picture"
)

// Load reads a picture that is going to be brought into a box.
type Load func(box image.Point) (*picture.Image, error)

// Several reads pictures, several at a time, and makes them small. One that cannot be read
// is nil and has an error.
func Several(ctx context.Context, pictures []Load, width, height int) ([]*image.RGBA, []error, error) {
	small, errs := make([]*image.RGBA, len(pictures)), make([]error, len(pictures))
	parallel.For(len(pictures), func(i int) {
		if ctx.Err() != nil {
			return
		}
		m, err := pictures[i](image.Pt(width, height))
		if err != nil {
			errs[i] = err
			return
		}
		small[i] = Fit(m, width, height)
	})
	return small, errs, context.Cause(ctx)
}

// OfIndex makes small pictures of an index, by their rows. One that cannot be read is nil
// and has an error; it is one for all if there are no pictures where they should be.
func OfIndex(ctx context.Context, x *lookalike.Index, rows []int, width, height int) ([]*image.RGBA, []error, error) {
	if _, err := x.Source(); err != nil {
		return nil, nil, err
	}
	loads := make([]Load, len(rows))
	for i, row := range rows {
		loads[i] = func(box image.Point) (*picture.Image, error) { return x.Load(row, box) }
	}
	return Several(ctx, loads, width, height)
}

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
