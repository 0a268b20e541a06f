package picture

import (
	"errors"
	"fmt"
	"image"

	"lookalike/internal/jpeg"
	"lookalike/internal/magic"
	"lookalike/internal/tiff"
	"lookalike/internal/words"
)

func configTIFF(data []byte) (c image.Config, err error) {
	c.Width, c.Height, err = tiff.Size(data)
	return c, err
}

func wayOfTIFF(data []byte, _ image.Config, _ bool) way {
	f, err := tiff.Open(data)
	if err != nil {
		return way{0, func([]byte) (*Image, error) { return nil, err }}
	}
	return way{f.Need(), func([]byte) (*Image, error) {
		p, err := f.Decode(tiff.Decoders{JPEG: inside(formatJPEG), WebP: inside(formatWebP)})
		if err != nil {
			return nil, err
		}
		return &Image{f.Width, f.Height, p.RGB, seen(p.Alpha), p.Upper}, nil
	}}
}

// inside decodes a file of another format that is part of a TIFF file, whose need counts
// for it.
func inside(f format) tiff.Inside {
	return func(file []byte, most image.Point, samples int) ([]uint8, image.Point, error) {
		if !magic.Matches(file, f.magic) {
			return nil, image.Point{}, fmt.Errorf("no %s inside", f.name)
		}
		c, err := f.size(file, Options{}.WithDefaults())
		if err != nil {
			return nil, image.Point{}, fmt.Errorf("%s inside: %w", f.name, err)
		}
		size := image.Pt(c.Width, c.Height)
		if size.X > most.X || size.Y > most.Y {
			return nil, image.Point{}, fmt.Errorf("%s inside of %d x %d pixels, where %d x %d are expected", f.name, size.X, size.Y, most.X, most.Y)
		}
		var pix []uint8
		if samples == 4 {
			pix, err = jpeg.DecodeStored(file)
		} else {
			pix, err = f.insideRGB(file, c)
		}
		if err == nil && len(pix)/size.X/size.Y != max(samples, 3) {
			err = errors.New("other colours than the directory says")
		}
		if err != nil {
			return nil, image.Point{}, fmt.Errorf("%s inside: %w", f.name, words.CutShort(err))
		}
		if samples == 1 {
			for i := range size.X * size.Y {
				pix[i] = pix[3*i]
			}
		}
		return pix, size, nil
	}
}

func (f format) insideRGB(file []byte, c image.Config) ([]uint8, error) {
	m, err := f.way(file, c, false).decode(file)
	if err != nil {
		return nil, err
	}
	return m.Pix, nil
}
