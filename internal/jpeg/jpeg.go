// Package jpeg decodes the planes of JPEG files to the bit as libjpeg-turbo
// does it by default.
//
// image/jpeg rounds its inverse cosine transform otherwise: two values in a hundred
// differ, by a level or two. That is enough to show in features of a deep network.
// So the common files are decoded here: sequential or progressive, Huffman-coded, 8
// bits, grey or with chroma whole or halved.
package jpeg

import (
	"encoding/binary"
	"errors"
	"image"
)

// ErrOther is the error for whatever is not decoded here, damage included:
// image/jpeg has the word.
var ErrOther = errors.New("jpeg: a file for image/jpeg")

// decoder is one run over a file.
type decoder struct {
	data []byte // what is left of the file

	bits  uint64 // of the scan, the last count of them still to be taken
	count int
	short bool // bits were wanted that are not there

	width, height int
	progressive   bool
	components    []component
	side          int // of components
	columns, rows int // of MCUs, the units of interleaved scans
	quant         [4][64]int32
	huffman       [2][4]huffman // DC, AC
	restart       int           // MCUs between restart markers; 0: none
	eobRun        int           // blocks that a progressive scan passes over
}

type component struct {
	id         byte
	h, v       int // blocks in an MCU
	table      byte
	stride     int // blocks in a row, whole MCUs
	side       int // pixels of a block across and down, 8 or 1
	cols, rows int // blocks in a scan of its own
	pixels     []uint8
	values     []int16 // coefficients of progressive files, 64 a block in natural order
	shift      [64]int // bits still missing of each coefficient; -1: all
	dc, ac     *huffman
	last       int32 // the DC coefficient before
}

// Decode returns the planes of a file as *image.YCbCr or *image.Gray, whatever
// colours they stand for. Chroma that is halved stays so. It takes memory for the
// size that the file gives, which is for the caller to bound.
func Decode(data []byte) (image.Image, error) { return decode(data, 8) }

// DecodeEighth is Decode at an eighth of the size, rounded up: each pixel is the mean
// of a block of 8x8, which at the right and lower edges may reach beyond the picture.
func DecodeEighth(data []byte) (image.Image, error) { return decode(data, 1) }

func decode(data []byte, side int) (image.Image, error) {
	if len(data) < 2 {
		return nil, ErrOther
	}
	d := &decoder{data: data[2:], side: side}
	for {
		marker, body, ok := d.segment()
		if !ok {
			return nil, ErrOther
		}
		switch marker {
		case 0xc0, 0xc1, 0xc2:
			ok = d.frame(marker == 0xc2, body)
		case 0xc4:
			ok = d.huffmanTables(body)
		case 0xdb:
			ok = d.quantTables(body)
		case 0xdd:
			if ok = len(body) == 2; ok {
				d.restart = int(binary.BigEndian.Uint16(body))
			}
		case 0xda:
			ok = d.scan(body)
		case 0xd9:
			return d.planes()
		default: // notes of applications; other ways of coding are not for us
			ok = marker >= 0xe0
		}
		if !ok {
			return nil, ErrOther
		}
	}
}

// segment reads a marker and what belongs to it.
func (d *decoder) segment() (marker byte, body []byte, ok bool) {
	for len(d.data) > 2 && d.data[0] == 0xff && d.data[1] == 0xff { // fill
		d.data = d.data[1:]
	}
	if len(d.data) < 2 || d.data[0] != 0xff {
		return 0, nil, false
	}
	if marker = d.data[1]; marker == 0xd9 {
		return marker, nil, true
	}
	if len(d.data) < 4 {
		return 0, nil, false
	}
	end := 2 + int(binary.BigEndian.Uint16(d.data[2:]))
	if end < 4 || end > len(d.data) {
		return 0, nil, false
	}
	body, d.data = d.data[4:end], d.data[end:]
	return marker, body, true
}

func (d *decoder) quantTables(b []byte) bool {
	for len(b) > 0 {
		wide, id := int(b[0]>>4), b[0]&15
		n := 64 * (1 + wide)
		if wide > 1 || id > 3 || len(b) < 1+n {
			return false
		}
		for i, place := range natural {
			if wide == 0 {
				d.quant[id][place] = int32(b[1+i])
			} else {
				d.quant[id][place] = int32(binary.BigEndian.Uint16(b[1+2*i:]))
			}
		}
		b = b[1+n:]
	}
	return true
}

// frame reads the size and the components.
func (d *decoder) frame(progressive bool, b []byte) bool {
	if d.components != nil || len(b) < 6 || b[0] != 8 || len(b) != 6+3*int(b[5]) || b[5] != 1 && b[5] != 3 {
		return false
	}
	d.progressive = progressive
	d.height, d.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if d.width == 0 || d.height == 0 {
		return false
	}
	list := make([]component, b[5])
	for i := range list {
		s := b[6+3*i:]
		list[i] = component{id: s[0], h: int(s[1] >> 4), v: int(s[1] & 15), table: s[2]}
		if s[2] > 3 || list[i].h < 1 || list[i].v < 1 {
			return false
		}
	}
	if len(list) == 1 {
		list[0].h, list[0].v = 1, 1
	}
	h, v := list[0].h, list[0].v
	if h > 2 || v > 2 {
		return false
	}
	for _, c := range list[1:] {
		if c.h != 1 || c.v != 1 {
			return false
		}
	}
	d.columns, d.rows = divideUp(d.width, 8*h), divideUp(d.height, 8*v)
	for i := range list {
		c := &list[i]
		c.stride = d.columns * c.h
		c.cols, c.rows = divideUp(divideUp(d.width*c.h, h), 8), divideUp(divideUp(d.height*c.v, v), 8)
		blocks := c.stride * d.rows * c.v
		c.side = d.side
		c.pixels = make([]uint8, c.side*c.side*blocks)
		if progressive {
			c.values = make([]int16, 64*blocks)
		}
		for k := range c.shift {
			c.shift[k] = -1
		}
	}
	d.components = list
	return true
}

func divideUp(a, b int) int { return (a + b - 1) / b }

// planes returns what has been decoded.
func (d *decoder) planes() (image.Image, error) {
	if d.components == nil {
		return nil, ErrOther
	}
	for i := range d.components {
		c := &d.components[i]
		for _, missing := range c.shift {
			if missing != 0 { // libjpeg guesses at what is missing
				return nil, ErrOther
			}
		}
		for at := 0; at < len(c.values)/64; at++ {
			c.transform(at%c.stride, at/c.stride, (*[64]int16)(c.values[64*at:]), &d.quant[c.table])
		}
	}
	rect := image.Rect(0, 0, divideUp(d.width*d.side, 8), divideUp(d.height*d.side, 8))
	luma := &d.components[0]
	if len(d.components) == 1 {
		return &image.Gray{Pix: luma.pixels, Stride: luma.side * luma.stride, Rect: rect}, nil
	}
	cb, cr := &d.components[1], &d.components[2]
	ratio := map[[2]int]image.YCbCrSubsampleRatio{
		{1, 1}: image.YCbCrSubsampleRatio444, {2, 1}: image.YCbCrSubsampleRatio422,
		{1, 2}: image.YCbCrSubsampleRatio440, {2, 2}: image.YCbCrSubsampleRatio420,
	}[[2]int{luma.h, luma.v}]
	return &image.YCbCr{Y: luma.pixels, Cb: cb.pixels, Cr: cr.pixels, YStride: luma.side * luma.stride, CStride: cb.side * cb.stride, SubsampleRatio: ratio, Rect: rect}, nil
}
