// Package picture reads photographs for neural networks: it decodes JPEG, PNG,
// GIF, BMP, TIFF and WebP, HEIC and AVIF if the program calls Main of package
// picture/heif, and of cameras' raw files the JPEG inside; it sets pictures upright and
// resizes them. Package album finds
// them in folders and archives.
//
// Pixels come out as the usual Python tools give them, so that networks trained
// there see the same input here. Decode agrees with Pillow's convert("RGB"):
// chroma is upsampled and colours are converted as libjpeg-turbo and libwebp do
// it, alpha is left out of the colours and kept beside them. Bilinear equals OpenCV's resize to the
// bit, Nearest Pillow's.
//
// Files are untrusted: sizes are checked against Options before memory is
// taken, and whatever a file holds, the outcome is a picture or an error. Arguments
// that no program should give, such as a size below 1, panic.
package picture

import (
	"errors"
	"fmt"
	"image"
	"math"
)

// Image is an RGB picture, 8 bits a channel, rows from top to bottom.
type Image struct {
	Width, Height int
	Pix           []uint8 // 3*Width*Height values, RGB interleaved, as stored, also under what is transparent
	Alpha         []uint8 // Width*Height values; nil: the picture is opaque. On composes.

	// Upper are Width*Height values where the picture is gray of 16 bits: their upper 8 bits,
	// which a person sees. Pix has what Pillow makes of them, cut at 255. nil: of any other.
	Upper []uint8
}

// mostPixels is what there are addresses for.
const mostPixels = math.MaxInt / 3 & (1<<45 - 1)

// New returns a black picture. It panics if a side is negative, and where memory
// has no addresses for the pixels.
func New(width, height int) *Image {
	if width < 0 || height < 0 || width > 0 && height > mostPixels/width {
		panic(fmt.Sprintf("picture.New: a size of %dx%d cannot be", width, height))
	}
	return &Image{Width: width, Height: height, Pix: make([]uint8, 3*width*height)}
}

// Check returns an error unless there are pixels, as many as the size says.
func (m *Image) Check() error {
	switch {
	case m == nil:
		return errors.New("there is no picture")
	case m.Width < 1 || m.Height < 1:
		return fmt.Errorf("a picture of %dx%d has no pixels", m.Width, m.Height)
	case len(m.Pix)%3 != 0 || len(m.Pix)/3/m.Width != m.Height || len(m.Pix)/3%m.Width != 0:
		return fmt.Errorf("a picture of %dx%d has %d values", m.Width, m.Height, len(m.Pix))
	case m.Alpha != nil && len(m.Alpha) != len(m.Pix)/3:
		return fmt.Errorf("a picture of %dx%d has %d values of alpha", m.Width, m.Height, len(m.Alpha))
	case m.Upper != nil && len(m.Upper) != len(m.Pix)/3:
		return fmt.Errorf("a picture of %dx%d has %d values of gray", m.Width, m.Height, len(m.Upper))
	}
	return nil
}

// On returns the picture as a person sees it on a ground of that gray, opaque: an opaque
// picture, not of 16 bits, is returned itself.
func (m *Image) On(gray uint8) *Image {
	if m == nil || m.Alpha == nil && m.Upper == nil {
		return m
	}
	if err := m.Check(); err != nil {
		panic("picture.On: " + err.Error())
	}
	out := New(m.Width, m.Height)
	copy(out.Pix, m.Pix)
	for i, v := range m.Upper {
		out.Pix[3*i], out.Pix[3*i+1], out.Pix[3*i+2] = v, v, v
	}
	for i, a := range m.Alpha {
		a, ground := int(a), int(gray)*(255-int(a))+127
		for c := 3 * i; c < 3*i+3; c++ {
			out.Pix[c] = uint8((int(out.Pix[c])*a + ground) / 255)
		}
	}
	return out
}

// RGBA returns a copy for the image, draw and encoding packages, opaque: alpha is
// dropped (see On). It panics
// where there are not as many pixels as the size says.
func (m *Image) RGBA() *image.RGBA {
	if err := m.Check(); err != nil && (m == nil || m.Width != 0 && m.Height != 0) {
		panic("picture.RGBA: " + err.Error())
	}
	out := image.NewRGBA(image.Rect(0, 0, m.Width, m.Height))
	for i := range m.Width * m.Height {
		s, d := m.Pix[3*i:3*i+3], out.Pix[4*i:4*i+4]
		d[0], d[1], d[2], d[3] = s[0], s[1], s[2], 255
	}
	return out
}

// row returns the values of row y.
func (m *Image) row(y int) []uint8 {
	n := 3 * m.Width
	return m.Pix[y*n : (y+1)*n : (y+1)*n]
}
