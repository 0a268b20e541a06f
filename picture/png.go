package picture

import (
	"image"

	"lookalike/internal/png"
)

func configPNG(data []byte) (c image.Config, err error) {
	c.Width, c.Height, err = png.Size(data)
	return c, err
}

func wayOfPNG(data []byte, _ image.Config, _ bool) way {
	f, err := png.Open(data)
	if err != nil {
		return way{0, func([]byte) (*Image, error) { return nil, err }}
	}
	return way{f.Need(), func([]byte) (*Image, error) {
		p, err := f.Decode()
		if err != nil {
			return nil, err
		}
		return &Image{f.Width, f.Height, p.RGB, seen(p.Alpha), p.Upper}, nil
	}}
}
