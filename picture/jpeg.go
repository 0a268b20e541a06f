package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	stdjpeg "image/jpeg"
	"io"
	"strings"

	"lookalike/internal/jpeg"
)

// waysOfJPEG are package jpeg, which decodes most files as libjpeg-turbo does, and
// image/jpeg for the others, which gives damage its name. Small is at an eighth of the
// size.
func waysOfJPEG(data []byte, c image.Config, small bool) []way {
	h := scanJPEG(data)
	ours, eighth, others := needJPEG(h, c)
	first := way{ours, joined(h, jpeg.Decode)}
	if small {
		first = way{eighth, joined(h, jpeg.DecodeEighth)}
	}
	return []way{first, {others, joined(h, func(data []byte) (image.Image, error) { return otherPlanes(data, h) })}}
}

// joined makes a decoder of one of planes: it brings them to RGB as libjpeg-turbo and
// Pillow do.
func joined(h jpegHeader, planes func([]byte) (image.Image, error)) func([]byte) (*Image, error) {
	return func(data []byte) (*Image, error) {
		src, err := planes(data)
		if err != nil {
			return nil, err
		}
		switch s := src.(type) {
		case *image.YCbCr:
			if h.isRGB() {
				return fromPlanes(s, interleave), nil
			}
			return fromPlanes(s, convertYCbCr), nil
		case *image.CMYK:
			return fromCMYK(s, h), nil
		}
		return FromImage(src), nil
	}
}

// otherPlanes has image/jpeg decode the planes.
func otherPlanes(data []byte, h jpegHeader) (image.Image, error) {
	// Where a file holds RGB, YCCK or CMYK, image/jpeg combines the planes
	// itself and repeats chroma. Told just before the scan that they are YCbCr
	// or plain CMYK, it hands them out as they are.
	var told string
	switch {
	case h.components == 3 && !h.jfif:
		told = jfifSegment
	case h.components == 4:
		told = adobeSegment
	}
	r := io.MultiReader(bytes.NewReader(data[:h.scan]), strings.NewReader(told), bytes.NewReader(data[h.scan:]))
	return stdjpeg.Decode(r)
}

const (
	jfifSegment  = "\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
	adobeSegment = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00" // transform 0
)

// jpegHeader is what a JPEG says about the meaning of its components.
type jpegHeader struct {
	components int
	names      [3]byte
	halved     bool // the second component has half the samples of the first in a row
	jfif       bool
	adobe      bool
	transform  byte // of the Adobe segment
	scan       int  // where the first scan's segment begins

	progressive bool
	padded      int64 // pixels of the picture in whole units of blocks
	samples     int64 // of all components in these
}

// isRGB and isYCCK decide as libjpeg does.
func (h *jpegHeader) isRGB() bool {
	switch {
	case h.jfif:
		return false
	case h.adobe:
		return h.transform == 0
	}
	return h.names == [3]byte{'R', 'G', 'B'}
}

func (h *jpegHeader) isYCCK() bool { return h.adobe && h.transform != 0 }

// scanJPEG reads the segments before the first scan. Damage is left for the
// decoder to report.
func scanJPEG(data []byte) (h jpegHeader) {
	for h.scan = 2; h.scan+4 <= len(data); {
		segment := data[h.scan:]
		marker := segment[1]
		switch {
		case segment[0] != 0xff, marker == 0xff, marker == 0: // stray and fill bytes
			h.scan++
			continue
		case 0xd0 <= marker && marker <= 0xd7: // restart markers stand alone
			h.scan += 2
			continue
		}
		end := 2 + int(segment[2])<<8 + int(segment[3])
		if marker == 0xd9 || marker == 0xda || end < 4 || end > len(segment) {
			break
		}
		h.read(marker, segment[4:end])
		h.scan += end
	}
	return h
}

// read takes in the body of one segment.
func (h *jpegHeader) read(marker byte, body []byte) {
	switch {
	case marker == 0xe0 && bytes.HasPrefix(body, []byte("JFIF\x00")):
		h.jfif = true
	case marker == 0xee && bytes.HasPrefix(body, []byte("Adobe")) && len(body) >= 12:
		h.adobe, h.transform = true, body[11]
	case 0xc0 <= marker && marker <= 0xc2 && len(body) == 6+3:
		h.components = 1
		h.frame(marker == 0xc2, body)
	case 0xc0 <= marker && marker <= 0xc2 && len(body) >= 6+3*3:
		h.components = int(body[5])
		h.names = [3]byte{body[6], body[9], body[12]}
		h.halved = body[7]>>4 == 2*(body[10]>>4)
		h.frame(marker == 0xc2, body)
	}
}

// frame takes in how many samples there are.
func (h *jpegHeader) frame(progressive bool, body []byte) {
	high, wide := int64(binary.BigEndian.Uint16(body[1:])), int64(binary.BigEndian.Uint16(body[3:]))
	across, down, blocks := int64(1), int64(1), int64(0)
	for i := 6; i+2 < len(body); i += 3 {
		x, y := int64(body[i+1]>>4), int64(body[i+1]&15)
		if h.components == 1 { // is a block at a time, whatever the file says
			x, y = 1, 1
		}
		across, down, blocks = max(across, x), max(down, y), blocks+x*y
	}
	units := ((wide + 8*across - 1) / (8 * across)) * ((high + 8*down - 1) / (8 * down))
	h.progressive, h.padded, h.samples = progressive, units*across*down*64, units*blocks*64
}

// fromPlanes joins planes whose rectangle begins at (0, 0).
func fromPlanes(s *image.YCbCr, join func(dst, a, b, c []uint8)) *Image {
	m := New(s.Rect.Dx(), s.Rect.Dy())
	up := newUpsampler(s)
	for y := range m.Height {
		b, c := up.row(y)
		join(m.row(y), s.Y[y*s.YStride:], b, c)
	}
	return m
}

func interleave(dst, a, b, c []uint8) {
	for i := range len(dst) / 3 {
		dst[3*i], dst[3*i+1], dst[3*i+2] = a[i], b[i], c[i]
	}
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

// fromCMYK converts what image/jpeg makes of four planes that it was told are
// CMYK: 255 minus each stored value, halved planes repeated. Files store the
// complement of ink (Adobe's convention, which Pillow takes for granted), so
// these values are ink, and YCCK gives ink where YCbCr gives light. Ink becomes
// light as in Pillow: each colour takes its share of what black leaves.
func fromCMYK(s *image.CMYK, h jpegHeader) *Image {
	stored, step := image.NewYCbCr(s.Rect, image.YCbCrSubsampleRatio444), 1
	if h.halved {
		stored, step = image.NewYCbCr(s.Rect, image.YCbCrSubsampleRatio420), 2
	}
	for y := range s.Rect.Dy() {
		src := s.Pix[y*s.Stride:]
		for x := range s.Rect.Dx() {
			stored.Y[y*stored.YStride+x] = 255 - src[4*x]
			if y%step == 0 && x%step == 0 {
				i := y/step*stored.CStride + x/step
				stored.Cb[i], stored.Cr[i] = 255-src[4*x+1], 255-src[4*x+2]
			}
		}
	}
	join := complement
	if h.isYCCK() {
		join = convertYCbCr
	}
	m := fromPlanes(stored, join)
	for y := range m.Height {
		row, src := m.row(y), s.Pix[y*s.Stride:]
		for x := range m.Width {
			light := 255 - int32(src[4*x+3])
			for c, ink := range row[3*x : 3*x+3] {
				t := int32(ink)*light + 128
				row[3*x+c] = clamp(light - (t>>8+t)>>8)
			}
		}
	}
	return m
}

func complement(dst, a, b, c []uint8) {
	for i := range len(dst) / 3 {
		dst[3*i], dst[3*i+1], dst[3*i+2] = 255-a[i], 255-b[i], 255-c[i]
	}
}
