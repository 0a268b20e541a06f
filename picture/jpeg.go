package picture

import (
	"image"
	"image/color"

	"lookalike/internal/jpeg"
)

func configJPEG(data []byte) (image.Config, error) {
	h, err := jpeg.ReadHeader(data)
	return image.Config{ColorModel: color.YCbCrModel, Width: h.Width, Height: h.Height}, err
}

// wayOfJPEG decodes as libjpeg-turbo does. Small is at an eighth of the size.
func wayOfJPEG(data []byte, _ image.Config, small bool) way {
	h, _ := jpeg.ReadHeader(data) // configJPEG had the error
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
