package picture

import (
	"errors"
	"fmt"
	"image"

	"lookalike/internal/jpegplanes"
	"lookalike/internal/magic"
	"lookalike/internal/tiff"
)

func configTIFF(data []byte) (c image.Config, err error) {
	c.Width, c.Height, err = tiff.Size(data)
	return c, err
}

func waysOfTIFF(data []byte, _ image.Config, _ bool) []way {
	f, err := tiff.Open(data)
	if err != nil {
		return []way{{0, func([]byte) (*Image, error) { return nil, err }}}
	}
	return []way{{f.Need(), func([]byte) (*Image, error) {
		pix, err := f.Decode(tiff.Decoders{JPEG: inside(formatJPEG), WebP: inside(formatWebP)})
		if err != nil {
			return nil, err
		}
		return &Image{f.Width, f.Height, pix}, nil
	}}}
}

// inside decodes a file of another format that is part of a TIFF file, whose need counts
// for it.
func inside(f format) tiff.Inside {
	return func(file []byte, most image.Point) ([]uint8, image.Point, error) {
		if !magic.Matches(file, f.magic) {
			return nil, image.Point{}, fmt.Errorf("no %s inside", f.name)
		}
		c, err := f.size(file, Options{}.WithDefaults())
		if err != nil {
			return nil, image.Point{}, fmt.Errorf("%s inside: %w", f.name, err)
		}
		if c.Width > most.X || c.Height > most.Y {
			return nil, image.Point{}, fmt.Errorf("%s inside of %d x %d pixels, where %d x %d are expected", f.name, c.Width, c.Height, most.X, most.Y)
		}
		for _, w := range f.ways(file, c, false) {
			m, decodeErr := w.decode(file)
			if decodeErr == nil {
				return m.Pix, image.Pt(m.Width, m.Height), nil
			} else if err = decodeErr; !errors.Is(err, jpegplanes.ErrOther) {
				break
			}
		}
		return nil, image.Point{}, fmt.Errorf("%s inside: %w", f.name, cutShort(err))
	}
}
