package picture

import (
	"bytes"
	"image"
	"image/jpeg"
)

// decodeJPEG takes the planes that image/jpeg gives and brings them to RGB as
// libjpeg-turbo does.
func decodeJPEG(data []byte) (*Image, error) {
	src, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	switch s := src.(type) {
	case *image.YCbCr:
		return fromYCbCr(s), nil
	case *image.CMYK:
		return fromCMYK(s), nil
	}
	return FromImage(src), nil
}

// fromYCbCr converts planes whose rectangle begins at (0, 0).
func fromYCbCr(s *image.YCbCr) *Image {
	m := New(s.Rect.Dx(), s.Rect.Dy())
	up := newUpsampler(s)
	for y := range m.Height {
		cb, cr := up.row(y)
		convertYCbCr(m.row(y), s.Y[y*s.YStride:], cb, cr)
	}
	return m
}

// Parts of the YCbCr to RGB conversion of JFIF that depend on one chroma value,
// in libjpeg's fixed point: 16 bits of fraction, halves added before the shift.
var redOfCr, blueOfCb, greenOfCr, greenOfCb = func() (r, b, gr, gb [256]int32) {
	const half = 1 << 15
	fix := func(x float64) int32 { return int32(x*(1<<16) + 0.5) }
	for i := range 256 {
		x := int32(i) - 128
		r[i] = (fix(1.40200)*x + half) >> 16
		b[i] = (fix(1.77200)*x + half) >> 16
		gr[i] = -fix(0.71414) * x
		gb[i] = -fix(0.34414)*x + half
	}
	return
}()

func convertYCbCr(dst, luma, cb, cr []uint8) {
	n := len(dst) / 3
	luma, cb, cr = luma[:n], cb[:n], cr[:n]
	for i := range n {
		y, b, r := int32(luma[i]), cb[i], cr[i]
		d := dst[3*i : 3*i+3 : 3*i+3]
		d[0] = clamp(y + redOfCr[r])
		d[1] = clamp(y + (greenOfCb[b]+greenOfCr[r])>>16)
		d[2] = clamp(y + blueOfCb[b])
	}
}

// clamp brings v into 0..255.
func clamp(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^(v >> 31)) // 0 below, 255 above
	}
	return uint8(v)
}

// fromCMYK converts ink to light as Pillow does: each of cyan, magenta and
// yellow takes its share of what black leaves, rounded.
func fromCMYK(s *image.CMYK) *Image {
	m := New(s.Rect.Dx(), s.Rect.Dy())
	for y := range m.Height {
		src, dst := s.Pix[y*s.Stride:], m.row(y)
		for i := range m.Width {
			light := 255 - int32(src[4*i+3])
			for c := range 3 {
				t := int32(src[4*i+c])*light + 128
				dst[3*i+c] = clamp(light - (t>>8+t)>>8)
			}
		}
	}
	return m
}
