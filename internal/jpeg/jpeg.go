// Package jpeg decodes JPEG files to the bit as libjpeg-turbo does it by default, on a
// processor with AVX2: sequential and progressive, Huffman and arithmetic coding, one,
// three or four components sampled in any way that libjpeg-turbo upsamples. It goes on
// where libjpeg does: restart markers that are missing, doubled or wrong, bytes between
// segments, codes that there are not, scans that are missing. A file whose data ends
// before its picture is cut short, which is an error.
//
// image/jpeg rounds its inverse cosine transform otherwise: two values in a hundred
// differ, by a level or two. That is enough to show in features of a deep network.
package jpeg

import (
	"bytes"
	"errors"
	"fmt"

	"lookalike/internal/words"
)

// Picture is what a file shows, red, green and blue by turns.
type Picture struct {
	Pix           []uint8
	Width, Height int
}

// Header is what a file says before its first scan.
type Header struct {
	Width, Height int

	progressive bool
	arithmetic  bool
	components  []component
	maxH, maxV  int // the largest factors of sampling
	columns     int // MCUs, the units of interleaved scans
	rows        int

	jfif, adobe bool
	transform   byte // of the Adobe segment
}

// component is a plane of the picture.
type component struct {
	id         byte
	h, v       int // factors of sampling: blocks in an MCU
	table      byte
	stride     int // blocks in a row, in whole MCUs
	cols, rows int // blocks that are not padding

	side   int // pixels of a block across and down, 8 or 1
	pixels []uint8
	values []int16 // coefficients of progressive files, 64 a block in natural order

	quant   *[64]int32 // in natural order, as it was when the component's first scan began
	sent    int        // coefficients of a block that its scans had, so far
	known   progress
	dc, ac  byte  // which tables the scan has for it
	last    int32 // the DC coefficient before
	context int   // of the DC coefficient, where the coding is arithmetic
}

// ReadHeader reads a file up to its first scan.
func ReadHeader(data []byte) (Header, error) {
	d, _, err := open(data, 8)
	return d.Header, err
}

// open reads a file up to its first scan, and returns the header of that.
func open(data []byte, side int) (d *decoder, scan []byte, err error) {
	d = &decoder{side: side}
	if !bytes.HasPrefix(data, []byte("\xff\xd8")) {
		return d, nil, errors.New("not a JPEG file")
	}
	d.data = data[2:]
	d.coder.unconditioned()
	scan, err = d.untilScan()
	return d, scan, err
}

// Need is how many bytes decoding takes that grow with the picture: planes, coefficients
// of progressive files, and the picture itself.
func (h *Header) Need(eighth bool) int64 {
	var samples int64
	for _, c := range h.components {
		samples += 64 * int64(c.stride) * int64(h.rows*c.v)
	}
	pixels := 3 * int64(h.Width) * int64(h.Height)
	planes := samples
	if eighth {
		planes, pixels = planes/64, pixels/64
	}
	if h.progressive {
		planes += 2 * samples
	}
	return planes + pixels
}

// cheap is a picture of so many pixels that nobody minds if its file cannot hold it.
const cheap = 1 << 24

// Decode decodes a file. It takes memory for the size that the file gives, which is for
// the caller to bound.
func Decode(data []byte) (Picture, error) { return shown(decode(data, 8)) }

// DecodeEighth is Decode at an eighth of the size, rounded up: each pixel is the mean
// of a block of 8x8, which at the right and lower edges may reach beyond the picture.
func DecodeEighth(data []byte) (Picture, error) { return shown(decode(data, 1)) }

// DecodeStored returns the samples of all components by turns, as they are stored: of ink,
// four, whichever way round.
func DecodeStored(data []byte) ([]uint8, error) {
	d, err := decode(data, 8)
	if err != nil {
		return nil, err
	}
	return d.stored(), nil
}

func shown(d *decoder, err error) (Picture, error) {
	if err != nil {
		return Picture{}, err
	}
	return d.picture(), nil
}

// decode decodes the planes of a file.
func decode(data []byte, side int) (*decoder, error) {
	d, body, err := open(data, side)
	if err != nil {
		return nil, err
	}
	// A Huffman code has a bit or more, for 64 pixels. Arithmetic coding has no such bound,
	// and a file of which the most is lost may still end with the marker of the end.
	if n := d.Width * d.Height; !d.arithmetic && n > cheap && n/64/8 > len(data) {
		return nil, fmt.Errorf("%d x %d pixels cannot be in %d bytes: %w", d.Width, d.Height, len(data), words.ErrCut)
	}
	d.allocate()
	for {
		if err := d.scan(body); err != nil {
			return nil, err
		}
		if !d.progressive && d.scans == 1 && d.complete() { // what follows is not of this picture
			break
		}
		if body, err = d.untilScan(); err == errEnd {
			break
		} else if err != nil {
			return nil, err
		}
	}
	d.finish()
	return d, nil
}

// frame reads the size and the components.
func (d *decoder) frame(marker byte, b []byte) error {
	switch {
	case marker == 0xc3 || marker == 0xcb:
		return errors.New("lossless coding, which is not supported")
	case marker == 0xc8:
		return errors.New("a frame of a kind that is kept for later")
	case marker >= 0xc5 && marker <= 0xc7 || marker >= 0xcd:
		return errors.New("hierarchical coding, which is not supported")
	case d.components != nil:
		return errors.New("a second frame")
	case len(b) < 6 || len(b) != 6+3*int(b[5]):
		return errors.New("the frame's header has a wrong length")
	case b[0] != 8:
		return fmt.Errorf("%d bits a sample, which is not supported", b[0])
	case b[5] != 1 && b[5] != 3 && b[5] != 4:
		return fmt.Errorf("%d components, which is not supported", b[5])
	}
	d.progressive, d.arithmetic = marker&3 == 2, marker > 0xc8
	d.Height, d.Width = int(b[1])<<8|int(b[2]), int(b[3])<<8|int(b[4])
	if d.Width == 0 || d.Height == 0 {
		return fmt.Errorf("%d x %d pixels: nothing to see", d.Width, d.Height)
	}
	list := make([]component, b[5])
	for i := range list {
		s := b[6+3*i:]
		h, v := int(s[1]>>4), int(s[1]&15)
		if h < 1 || h > 4 || v < 1 || v > 4 {
			return fmt.Errorf("a component sampled %d x %d; factors are 1 to 4", h, v)
		}
		list[i] = component{id: s[0], h: h, v: v, table: s[2], side: d.side, known: nothing}
		d.maxH, d.maxV = max(d.maxH, h), max(d.maxV, v)
	}
	d.columns, d.rows = divideUp(d.Width, 8*d.maxH), divideUp(d.Height, 8*d.maxV)
	for i := range list {
		c := &list[i]
		if d.maxH%c.h != 0 || d.maxV%c.v != 0 {
			return fmt.Errorf("components sampled %d x %d and %d x %d, which is not supported", d.maxH, d.maxV, c.h, c.v)
		}
		c.stride = d.columns * c.h
		c.cols, c.rows = divideUp(d.Width*c.h, 8*d.maxH), divideUp(d.Height*c.v, 8*d.maxV)
	}
	d.components = list
	return nil
}

func divideUp(a, b int) int { return (a + b - 1) / b }

// allocate makes room for the planes.
func (d *decoder) allocate() {
	for i := range d.components {
		c := &d.components[i]
		blocks := c.stride * d.rows * c.v
		c.pixels = make([]uint8, c.side*c.side*blocks)
		if d.progressive {
			c.values = make([]int16, 64*blocks)
		}
	}
}

// complete tells whether every component has been decoded to its last bit.
func (d *decoder) complete() bool {
	for i := range d.components {
		if d.components[i].known.now != [64]int8{} {
			return false
		}
	}
	return true
}

// finish makes pixels of the coefficients that wait for it, and of components that no
// scan had.
func (d *decoder) finish() {
	smooth := d.progressive && d.smoothing()
	for i := range d.components {
		c := &d.components[i]
		switch {
		case c.quant == nil:
			for k := range c.pixels {
				c.pixels[k] = 128
			}
		case smooth:
			d.smooth(c)
		case d.progressive:
			for at := range len(c.values) / 64 {
				c.show(at%c.stride, at/c.stride, (*[64]int16)(c.values[64*at:]))
			}
		}
	}
}
