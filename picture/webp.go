package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"io"

	"golang.org/x/image/webp"
)

// decodeWebP takes the planes that x/image/webp decodes and brings them to RGB
// as libwebp does: chroma interpolated between its four neighbours, luma of the
// range 16 to 235 (x/image takes it for JPEG's 0 to 255, which looks flat).
func decodeWebP(data []byte) (*Image, error) {
	// x/image/webp stops after the pixels; what follows may be EXIF.
	if len(data) < 8 || int64(len(data)-8) < int64(binary.LittleEndian.Uint32(data[4:])) {
		return nil, io.ErrUnexpectedEOF
	}
	src, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	switch s := src.(type) {
	case *image.YCbCr:
		return fromVP8(s), nil
	case *image.NYCbCrA:
		m := fromVP8(&s.YCbCr)
		m.Alpha = alphaOf(s)
		return m, nil
	}
	return FromImage(src), nil
}

// configWebP reads the canvas that an extended header claims itself: x/image/webp
// calls those of 2^31 pixels and more invalid without saying how large they are.
func configWebP(r io.Reader) (image.Config, error) {
	header := make([]byte, 30)
	n, err := io.ReadFull(r, header)
	if err == nil && string(header[12:16]) == "VP8X" {
		size := func(b []byte) int { return 1 + int(b[0]) + int(b[1])<<8 + int(b[2])<<16 }
		return image.Config{Width: size(header[24:]), Height: size(header[27:])}, nil
	}
	return webp.DecodeConfig(io.MultiReader(bytes.NewReader(header[:n]), r))
}

// fromVP8 converts planes with chroma halved in both directions.
func fromVP8(s *image.YCbCr) *Image {
	m := New(s.Rect.Dx(), s.Rect.Dy())
	w, h := (m.Width+1)/2, (m.Height+1)/2
	u, v := make([]uint8, 2*w), make([]uint8, 2*w)
	for y := range m.Height {
		near, far := y/2*s.CStride, farther(y, h)*s.CStride
		doubleRowsVP8(u, s.Cb[near:near+w], s.Cb[far:far+w])
		doubleRowsVP8(v, s.Cr[near:near+w], s.Cr[far:far+w])
		convertVP8(m.row(y), s.Y[y*s.YStride:], u, v)
	}
	return m
}

// doubleRowsVP8 weights four samples with 9, 3, 3 and 1 sixteenths, rounding
// the mean of two diagonals on the way as libwebp does.
func doubleRowsVP8(dst, near, far []uint8) {
	n := len(near)
	n0, f0 := int(near[0]), int(far[0])
	dst[0] = uint8((3*n0 + f0 + 2) >> 2)
	for i := 1; i < n; i++ {
		n1, f1 := int(near[i]), int(far[i])
		dst[2*i-1] = uint8(((n0+3*n1+3*f0+f1+8)>>3 + n0) >> 1)
		dst[2*i] = uint8(((3*n0+n1+f0+3*f1+8)>>3 + n1) >> 1)
		n0, f0 = n1, f1
	}
	dst[2*n-1] = uint8((3*n0 + f0 + 2) >> 2)
}

// convertVP8 is BT.601 in libwebp's fixed point: 14 bits of fraction in the
// factors, of which 6 remain before the last shift.
func convertVP8(dst, luma, u, v []uint8) {
	for i := range len(dst) / 3 {
		y, cb, cr := int32(luma[i])*19077>>8, int32(u[i]), int32(v[i])
		dst[3*i] = clamp((y + cr*26149>>8 - 14234) >> 6)
		dst[3*i+1] = clamp((y - cb*6419>>8 - cr*13320>>8 + 8708) >> 6)
		dst[3*i+2] = clamp((y + cb*33050>>8 - 17685) >> 6)
	}
}
