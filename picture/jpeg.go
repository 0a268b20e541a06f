package picture

import (
	"image"

	"lookalike/internal/jpeg"
)

// wayOfJPEG decodes as libjpeg-turbo does. Small is at an eighth of the size.
func wayOfJPEG(data []byte, _ image.Config, small bool) way {
	h, err := jpeg.ReadHeader(data)
	if err != nil {
		return way{0, func([]byte) (*Image, error) { return nil, err }}
	}
	decode := jpeg.Decode
	if small {
		decode = jpeg.DecodeEighth
	}
	return way{h.Need(small), func(data []byte) (*Image, error) {
		m, err := decode(data)
		if err != nil {
			return nil, err
		}
		return &Image{Pix: m.Pix, Width: m.Width, Height: m.Height}, nil
	}}
}
