package picture

import (
	"bytes"
	"image"
	"image/color"
)

// FromImage converts an image of the standard library. Colours are not composed: a
// transparent pixel has the colour that is stored under it, and alpha of its own. Of 16
// bits a channel the upper 8 are kept, of gray ones too (where Decode, as
// Pillow's convert("RGB"), makes everything above 255 white).
func FromImage(src image.Image) *Image {
	if src == nil {
		panic("picture.FromImage: there is no picture")
	}
	b := src.Bounds()
	m := New(b.Dx(), b.Dy())
	var palette [256][3]uint8
	if s, ok := src.(*image.Paletted); ok {
		for i, c := range s.Palette[:min(len(s.Palette), 256)] {
			c := color.NRGBAModel.Convert(c).(color.NRGBA)
			palette[i] = [3]uint8{c.R, c.G, c.B}
		}
	}
	for y := range m.Height {
		convertRow(m.row(y), src, b.Min.X, b.Min.Y+y, &palette)
	}
	m.Alpha = alphaOf(src)
	return m
}

// seen returns alpha, nil if it is opaque everywhere.
func seen(alpha []uint8) []uint8 {
	if bytes.Count(alpha, []byte{255}) == len(alpha) {
		return nil
	}
	return alpha
}

// alphaOf returns the alpha of an image, nil if it is opaque.
func alphaOf(src image.Image) []uint8 {
	if s, ok := src.(interface{ Opaque() bool }); ok && s.Opaque() {
		return nil
	}
	b := src.Bounds()
	alpha := make([]uint8, b.Dx()*b.Dy())
	for y := range b.Dy() {
		row := alpha[y*b.Dx() : (y+1)*b.Dx()]
		alphaRow(row, src, b.Min.X, b.Min.Y+y)
	}
	return alpha
}

// alphaRow fills dst with the alpha of src from (x, y) on to the right.
func alphaRow(dst []uint8, src image.Image, x, y int) {
	pick := func(pix []uint8, step int) {
		for i := range dst {
			dst[i] = pix[i*step]
		}
	}
	switch s := src.(type) {
	case *image.NRGBA:
		pick(s.Pix[s.PixOffset(x, y)+3:], 4)
	case *image.RGBA:
		pick(s.Pix[s.PixOffset(x, y)+3:], 4)
	case *image.NRGBA64:
		pick(s.Pix[s.PixOffset(x, y)+6:], 8)
	case *image.RGBA64:
		pick(s.Pix[s.PixOffset(x, y)+6:], 8)
	case *image.NYCbCrA:
		pick(s.A[s.AOffset(x, y):], 1)
	default:
		for i := range dst {
			_, _, _, a := src.At(x+i, y).RGBA()
			dst[i] = uint8(a >> 8)
		}
	}
}

// convertRow fills dst with the pixels of src from (x, y) on to the right;
// palette has the colours of a paletted src.
func convertRow(dst []uint8, src image.Image, x, y int, palette *[256][3]uint8) {
	n := len(dst) / 3
	switch s := src.(type) {
	case *image.Gray:
		p := s.Pix[s.PixOffset(x, y):]
		for i, v := range p[:n] {
			dst[3*i], dst[3*i+1], dst[3*i+2] = v, v, v
		}
	case *image.Gray16:
		p := s.Pix[s.PixOffset(x, y):]
		for i := range n {
			v := p[2*i]
			dst[3*i], dst[3*i+1], dst[3*i+2] = v, v, v
		}
	case *image.NRGBA:
		takeRGB(dst, s.Pix[s.PixOffset(x, y):], 4, 1)
	case *image.NRGBA64:
		takeRGB(dst, s.Pix[s.PixOffset(x, y):], 8, 2)
	case *image.RGBA:
		p := s.Pix[s.PixOffset(x, y):]
		takeRGB(dst, p, 4, 1)
		for i := range n {
			if a := p[4*i+3]; a != 0 && a != 255 {
				for c := range 3 {
					dst[3*i+c] = uint8(min(255, 255*int(p[4*i+c])/int(a)))
				}
			}
		}
	case *image.RGBA64:
		for i := range n {
			c := s.RGBA64At(x+i, y)
			if c.A != 0 && c.A != 0xffff {
				c.R = uint16(min(0xffff, 0xffff*uint32(c.R)/uint32(c.A)))
				c.G = uint16(min(0xffff, 0xffff*uint32(c.G)/uint32(c.A)))
				c.B = uint16(min(0xffff, 0xffff*uint32(c.B)/uint32(c.A)))
			}
			dst[3*i], dst[3*i+1], dst[3*i+2] = uint8(c.R>>8), uint8(c.G>>8), uint8(c.B>>8)
		}
	case *image.Paletted:
		for i, v := range s.Pix[s.PixOffset(x, y):][:n] {
			c := palette[v]
			dst[3*i], dst[3*i+1], dst[3*i+2] = c[0], c[1], c[2]
		}
	default:
		for i := range n {
			c := color.NRGBAModel.Convert(src.At(x+i, y)).(color.NRGBA)
			dst[3*i], dst[3*i+1], dst[3*i+2] = c.R, c.G, c.B
		}
	}
}

// takeRGB copies the first three channels of pixels that are step bytes apart,
// the first byte of each channel of width bytes.
func takeRGB(dst, src []uint8, step, width int) {
	for i := range len(dst) / 3 {
		s := src[i*step : i*step+3*width]
		dst[3*i], dst[3*i+1], dst[3*i+2] = s[0], s[width], s[2*width]
	}
}
