// Package gif reads the first frame of a GIF file as Pillow does: where files bend the
// format, such as by frames that reach beyond the screen, there is a picture all the same.
//
// (CompuServe, Graphics Interchange Format, version 89a)
package gif

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// File is a file whose first frame has been found.
type File struct {
	Width, Height int // of the screen, and as much more as the frame needs

	left, top, width, height int // of the frame
	palette                  [256][3]uint8
	interlaced               bool
	ground                   uint8 // colour of what the frame does not cover
	transparent              bool  // the colour ground is
	data                     []byte
}

var errCut = fmt.Errorf("the file ends within its first frame: %w", io.ErrUnexpectedEOF)

const (
	extension = '!'
	separator = ','
	trailer   = ';'
)

const (
	header       = 13
	frameHeader  = 10
	hasPalette   = 0x80
	isInterlaced = 0x40
)

// Open reads up to the first frame.
func Open(data []byte) (*File, error) {
	if len(data) < header || string(data[:4]) != "GIF8" || data[5] != 'a' {
		return nil, errors.New("not a GIF file, or cut in its header")
	}
	f := &File{}
	f.Width, f.Height = numbers(data[6:])
	for i := range f.palette { // without a palette
		f.palette[i] = [3]uint8{uint8(i), uint8(i), uint8(i)}
	}
	f.readPalette(data[header:], data[10])
	at, err := f.next(data, behindPalette(data, header, data[10]))
	if err != nil {
		return nil, err
	}
	f.left, f.top = numbers(data[at+1:])
	f.width, f.height = numbers(data[at+5:])
	f.Width, f.Height = max(f.Width, f.left+f.width), max(f.Height, f.top+f.height)
	flags := data[at+9]
	f.interlaced = flags&isInterlaced != 0
	f.readPalette(data[at+frameHeader:], flags)
	f.data = data[behindPalette(data, at+frameHeader, flags):]
	return f, nil
}

// Frames counts the frames of a file, up to where it ends or is damaged.
func Frames(data []byte) int {
	f, err := Open(data)
	if err != nil {
		return 0
	}
	n := 1
	for at := len(data) - len(f.data); ; n++ {
		if at, err = f.next(data, skipBlocks(data, at+1)); err != nil {
			return n
		}
		at = behindPalette(data, at+frameHeader, data[at+9])
	}
}

// next returns where the next frame begins, at a place or behind it. It passes extensions,
// and what is nothing that is known.
func (f *File) next(data []byte, at int) (int, error) {
	const control, transparent = 0xf9, 1
	for at < len(data) {
		switch data[at] {
		case extension:
			if len(data)-at > 6 && data[at+1] == control && data[at+2] >= 4 && data[at+3]&transparent != 0 {
				f.ground, f.transparent = data[at+6], true
			}
			at = skipBlocks(data, at+2)
		case separator:
			if len(data)-at < frameHeader {
				return 0, errCut
			}
			return at, nil
		case trailer:
			return 0, errors.New("a file without a frame")
		default:
			at++
		}
	}
	return 0, errCut
}

func numbers(b []byte) (int, int) {
	return int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
}

// readPalette reads colours if flags say that there are some. Those that are missing are
// black.
func (f *File) readPalette(data []byte, flags byte) {
	if flags&hasPalette == 0 {
		return
	}
	f.palette = [256][3]uint8{}
	for i := range min(2<<(flags&7), len(data)/3) {
		copy(f.palette[i][:], data[3*i:])
	}
}

// behindPalette returns the place behind a palette, if flags say that there is one.
func behindPalette(data []byte, at int, flags byte) int {
	if flags&hasPalette != 0 {
		at += 3 * (2 << (flags & 7))
	}
	return min(at, len(data))
}

// skipBlocks returns the place behind blocks that begin at a place, and the empty one that
// ends them.
func skipBlocks(data []byte, at int) int {
	for at < len(data) && data[at] != 0 {
		at += 1 + int(data[at])
	}
	return min(at+1, len(data))
}

// HasAlpha tells whether pixels may be transparent.
func (f *File) HasAlpha() bool {
	return f.transparent || f.left > 0 || f.top > 0 || f.width < f.Width || f.height < f.Height
}

// Decode returns the picture, RGB interleaved, and its alpha, nil where it has none. What
// the frame does not cover has the transparent colour, or the first one, and no alpha.
func (f *File) Decode() (out, alpha []uint8, err error) {
	out = make([]uint8, 3*f.Width*f.Height)
	if f.HasAlpha() {
		alpha = make([]uint8, f.Width*f.Height)
	}
	return out, alpha, f.decode(out, alpha)
}

func (f *File) decode(out, alpha []uint8) error {
	if ground := f.palette[f.ground]; ground != [3]uint8{} {
		for i := 0; i < len(out); i += 3 {
			copy(out[i:i+3], ground[:])
		}
	}
	if f.width == 0 || f.height == 0 {
		return nil
	}
	y, pass := 0, 0
	steps := [][2]int{{0, 1}}
	if f.interlaced {
		steps = [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
	}
	codes, err := newCodes(f.data)
	if err != nil {
		return err
	}
	row := make([]uint8, f.width)
	for range f.height {
		for y >= f.height {
			pass++
			y = steps[pass][0]
		}
		n, err := codes.read(row)
		if err != nil {
			return err
		}
		first := (f.top+y)*f.Width + f.left
		to := out[3*first:]
		for x, i := range row[:n] {
			copy(to[3*x:3*x+3], f.palette[i][:])
		}
		if alpha != nil {
			for x, i := range row[:n] {
				if !f.transparent || i != f.ground {
					alpha[first+x] = 255
				}
			}
		}
		if n < len(row) { // the file says that this is all
			break
		}
		y += steps[pass][1]
	}
	return nil
}
