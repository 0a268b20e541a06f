package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
	"golang.org/x/image/webp"

	"lookalike/internal/words"
)

// webP is a file whose first picture has been found: the only one, or the first frame of
// an animation.
type webP struct {
	size     image.Point // of the canvas
	frame    image.Rectangle
	lossless bool
	packed   []byte
	alpha    []byte // of a lossy picture; nil: it has none
}

// openWebP looks for the first picture. The flags of the extended header are not asked:
// some files have what they do not announce, or the other way round.
func openWebP(data []byte) (*webP, error) {
	const riff, canvas, frame = 12, 10, 16 // bytes of the headers of a file, a canvas, a frame
	if len(data) < riff || uint64(len(data)-8) < uint64(binary.LittleEndian.Uint32(data[4:])) {
		return nil, words.ErrCut
	}
	w := &webP{}
	chunks := data[riff:max(riff, 8+int(binary.LittleEndian.Uint32(data[4:])))]
	for len(chunks) >= 8 {
		name, size := string(chunks[:4]), uint64(binary.LittleEndian.Uint32(chunks[4:]))
		chunks = chunks[8:]
		if size > uint64(len(chunks)) {
			return nil, words.ErrCut
		}
		body := chunks[:size]
		switch {
		case name == "VP8X" && len(body) >= canvas && w.size == (image.Point{}):
			w.size = image.Pt(1+number24(body[4:]), 1+number24(body[7:]))
			w.frame.Max = w.size
		case name == "ANMF" && len(body) >= frame:
			at := image.Pt(2*number24(body), 2*number24(body[3:]))
			w.frame = image.Rectangle{at, at.Add(image.Pt(1+number24(body[6:]), 1+number24(body[9:])))}
			if !w.frame.In(image.Rectangle{Max: w.size}) {
				return nil, errors.New("a frame that reaches beyond the canvas")
			}
			chunks, w.alpha = body[frame:], nil // the first picture is in there
			continue
		case name == "ALPH":
			w.alpha = body
		case name == "VP8 " || name == "VP8L":
			w.lossless, w.packed = name == "VP8L", body
			size, err := w.packedSize()
			if err != nil {
				return nil, err
			}
			if w.size == (image.Point{}) {
				w.size, w.frame.Max = size, size
			}
			if size != w.frame.Size() {
				return nil, fmt.Errorf("a picture of %d x %d pixels where %d x %d are announced", size.X, size.Y, w.frame.Dx(), w.frame.Dy())
			}
			return w, nil
		}
		chunks = chunks[min(size+size&1, uint64(len(chunks))):]
	}
	return nil, words.ErrCut
}

func number24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// packedSize reads the size from the picture itself.
func (w *webP) packedSize() (image.Point, error) {
	if w.lossless {
		c, err := vp8l.DecodeConfig(bytes.NewReader(w.packed))
		return image.Pt(c.Width, c.Height), err
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(w.packed), len(w.packed))
	h, err := d.DecodeFrameHeader()
	if err == nil && (h.Width == 0 || h.Height == 0) {
		err = errors.New("no pixels")
	}
	return image.Pt(h.Width, h.Height), err
}

// decodeWebP takes the planes that x/image/vp8 decodes and brings them to RGB as libwebp
// does: chroma interpolated between its four neighbours, luma of the range 16 to 235
// (x/image takes it for JPEG's 0 to 255, which looks flat). What a frame does not cover of
// the canvas is black.
func decodeWebP(data []byte) (*Image, error) {
	w, err := openWebP(data)
	if err != nil {
		return nil, err
	}
	m, err := w.picture()
	if err != nil || w.frame.Size() == w.size {
		return m, err
	}
	whole := New(w.size.X, w.size.Y)
	whole.Alpha = make([]uint8, w.size.X*w.size.Y)
	for y := range m.Height {
		copy(whole.row(w.frame.Min.Y + y)[3*w.frame.Min.X:], m.row(y))
		alpha := whole.Alpha[(w.frame.Min.Y+y)*w.size.X+w.frame.Min.X:][:m.Width]
		for x := range alpha {
			alpha[x] = 255
		}
		if m.Alpha != nil {
			copy(alpha, m.Alpha[y*m.Width:])
		}
	}
	return whole, nil
}

func (w *webP) picture() (*Image, error) {
	if w.lossless {
		src, err := vp8l.Decode(bytes.NewReader(w.packed))
		if err != nil {
			return nil, err
		}
		return FromImage(src), nil
	}
	if w.alpha != nil {
		return w.withAlpha()
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(w.packed), len(w.packed))
	if _, err := d.DecodeFrameHeader(); err != nil {
		return nil, err
	}
	planes, err := d.DecodeFrame()
	if err != nil {
		return nil, err
	}
	return fromVP8(planes), nil
}

// withAlpha has x/image/webp decode a lossy picture and its alpha, from a file that has
// nothing else.
func (w *webP) withAlpha() (*Image, error) {
	le := binary.LittleEndian
	header := append([]byte("RIFF????WEBPVP8X"), 10, 0, 0, 0, 1<<4, 0, 0, 0)
	for _, v := range []int{w.frame.Dx() - 1, w.frame.Dy() - 1} {
		header = append(header, byte(v), byte(v>>8), byte(v>>16))
	}
	file := header
	for _, c := range []struct {
		name string
		body []byte
	}{{"ALPH", w.alpha}, {"VP8 ", w.packed}} {
		file = append(le.AppendUint32(append(file, c.name...), uint32(len(c.body))), c.body...)
		if len(c.body)%2 == 1 {
			file = append(file, 0)
		}
	}
	le.PutUint32(file[4:], uint32(len(file)-8))
	src, err := webp.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	planes, ok := src.(*image.NYCbCrA)
	if !ok {
		return nil, errors.New("no alpha beside the picture")
	}
	m := fromVP8(&planes.YCbCr)
	m.Alpha = alphaOf(planes)
	return m, nil
}

// configWebP reads the canvas of an extended header first: how large it claims to be is
// said even where there is nothing else.
func configWebP(data []byte) (image.Config, error) {
	const header = 30
	if len(data) >= header && string(data[12:16]) == "VP8X" && binary.LittleEndian.Uint32(data[16:]) >= header-20 {
		return image.Config{Width: 1 + number24(data[24:]), Height: 1 + number24(data[27:])}, nil
	}
	w, err := openWebP(data)
	if err != nil {
		return image.Config{}, err
	}
	return image.Config{Width: w.size.X, Height: w.size.Y}, nil
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

// farther returns which of the n halved rows is second nearest to row y.
func farther(y, n int) int {
	if y%2 == 0 {
		return max(y/2-1, 0)
	}
	return min(y/2+1, n-1)
}

// clamp brings v into 0..255.
func clamp(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^(v >> 31)) // 0 below, 255 above
	}
	return uint8(v)
}
