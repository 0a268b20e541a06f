package picture

import (
	"image"
	"image/color"

	"lookalike/internal/heif"
	"lookalike/internal/orientation"
)

func configHEIF(data []byte) (image.Config, error) {
	p, err := heif.Read(data)
	if err != nil {
		return image.Config{}, err
	}
	c := image.Config{ColorModel: color.YCbCrModel, Width: p.Size.X, Height: p.Size.Y}
	if p.HasAlpha() {
		c.ColorModel = color.NYCbCrAModel
	}
	return c, nil
}

// turnHEIF is how the file says that its picture is turned. EXIF repeats it there for
// other programs' sake.
func turnHEIF(data []byte) int {
	p, err := heif.Read(data)
	if err != nil {
		return orientation.Upright
	}
	return p.Orientation
}

func needHEIF(data []byte, _ image.Config) int64 {
	p, err := heif.Read(data)
	if err != nil {
		return 0
	}
	return p.Need()
}

// decodeHEIF has the picture decoded in a process of its own.
func decodeHEIF(data []byte) (*Image, error) {
	p, err := heif.Read(data)
	if err != nil {
		return nil, err
	}
	rgb, alpha, err := p.Decode()
	if err != nil {
		return nil, err
	}
	return &Image{Width: p.Size.X, Height: p.Size.Y, Pix: rgb, Alpha: alpha}, nil
}
