package picture

import (
	"image"

	"lookalike/internal/gif"
)

func configGIF(data []byte) (image.Config, error) {
	f, err := gif.Open(data)
	if err != nil {
		return image.Config{}, err
	}
	return image.Config{Width: f.Width, Height: f.Height}, nil
}

func needGIF(data []byte, c image.Config) int64 {
	if f, err := gif.Open(data); err == nil && f.HasAlpha() {
		return pixels(c) * (rgb + 1)
	}
	return pixels(c) * rgb
}

func decodeGIF(data []byte) (*Image, error) {
	f, err := gif.Open(data)
	if err != nil {
		return nil, err
	}
	pix, alpha, err := f.Decode()
	if err != nil {
		return nil, err
	}
	return &Image{Width: f.Width, Height: f.Height, Pix: pix, Alpha: seen(alpha)}, nil
}
