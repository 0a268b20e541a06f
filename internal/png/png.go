// Package png reads PNG files as Pillow does: where files bend the format, such as by
// chunks in the wrong place or missing check sums, there is a picture all the same. What
// is cut short, or fails the check sums that it has, is an error.
//
// (W3C, Portable Network Graphics, third edition)
package png

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Colour types.
const (
	gray      = 0
	colours   = 2
	paletted  = 3
	grayAlpha = 4
	alpha     = 6
)

// File is a file whose chunks have been found.
type File struct {
	Width, Height int

	depth, kind int
	interlaced  bool
	palette     [256][3]uint8 // those that are missing are black
	clear       []byte        // tRNS: alpha of the palette's colours, or the colour that is transparent
	pixels      [][]byte      // packed
	sound       bool          // the check sums of these are right
}

var errCut = fmt.Errorf("the file ends before its picture: %w", io.ErrUnexpectedEOF)

const signature = "\x89PNG\r\n\x1a\n"

// chunk is a named part of a file.
type chunk struct {
	name  string
	body  []byte
	whole bool // nothing of it is missing
	sound bool // and its check sum is right
}

// next reads the chunk that data begins with; false if there is none.
func next(data []byte) (c chunk, rest []byte, ok bool) {
	if len(data) < 8 {
		return c, nil, false
	}
	size := uint64(binary.BigEndian.Uint32(data))
	c.name = string(data[4:8])
	body := data[8:]
	if c.whole = size <= uint64(len(body)); !c.whole {
		c.body = body
		return c, nil, true
	}
	c.body, rest = body[:size], body[size:]
	if len(rest) >= 4 {
		c.sound = crc32.ChecksumIEEE(data[4:8+size]) == binary.BigEndian.Uint32(rest)
		rest = rest[4:]
	} else {
		rest = nil
	}
	return c, rest, true
}

// Size reads how large the picture is.
func Size(data []byte) (width, height int, err error) {
	f, _, err := readHeader(data)
	if err != nil {
		return 0, 0, err
	}
	return f.Width, f.Height, nil
}

// readHeader reads up to the header, which says what is in the file.
func readHeader(data []byte) (*File, []byte, error) {
	if len(data) < len(signature) || string(data[:len(signature)]) != signature {
		return nil, nil, errors.New("not a PNG file")
	}
	for rest := data[len(signature):]; ; {
		c, after, ok := next(rest)
		switch {
		case !ok:
			return nil, nil, errCut
		case c.name == "CgBI":
			return nil, nil, errors.New("packed for Apple's telephones (CgBI), which is not read")
		case c.name != "IHDR":
			rest = after
			continue
		case len(c.body) < 13 || !c.whole:
			return nil, nil, errCut
		case !c.sound:
			return nil, nil, errors.New("the check sum of the header is wrong")
		}
		f, err := readIHDR(c.body)
		return f, after, err
	}
}

func readIHDR(b []byte) (*File, error) {
	w, h := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	f := &File{Width: int(w), Height: int(h), depth: int(b[8]), kind: int(b[9]), interlaced: b[12] == 1}
	if w == 0 || h == 0 || w > 1<<31-1 || h > 1<<31-1 {
		return nil, fmt.Errorf("a picture of %d x %d pixels", w, h)
	}
	fits := false
	switch f.kind {
	case gray:
		fits = f.depth == 1 || f.depth == 2 || f.depth == 4 || f.depth == 8 || f.depth == 16
	case paletted:
		fits = f.depth == 1 || f.depth == 2 || f.depth == 4 || f.depth == 8
	case colours, grayAlpha, alpha:
		fits = f.depth == 8 || f.depth == 16
	}
	if !fits {
		return nil, fmt.Errorf("%d bits of colour type %d, which PNG does not have", f.depth, f.kind)
	}
	if b[10] != 0 || b[11] != 0 || b[12] > 1 {
		return nil, fmt.Errorf("compression %d, filter %d, interlace %d, which are not read", b[10], b[11], b[12])
	}
	return f, nil
}

// harmless are chunks that change nothing in what is read, damaged or not. Others may have
// been the palette or the orientation before they were damaged.
var harmless = map[string]bool{
	"gAMA": true, "cHRM": true, "sRGB": true, "iCCP": true, "sBIT": true, "pHYs": true, "tIME": true,
	"bKGD": true, "hIST": true, "sPLT": true, "tRNS": true, "cICP": true, "mDCV": true, "cLLI": true,
}

// Open finds the chunks that make the picture. Those that tell something else are passed
// over, wherever they are.
func Open(data []byte) (*File, error) {
	f, rest, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	hasPalette := false
	f.sound = true
	for {
		c, after, ok := next(rest)
		if !ok || c.name == "IEND" || len(f.pixels) > 0 && c.name != "IDAT" {
			break
		}
		switch {
		case c.name == "IDAT":
			f.pixels = append(f.pixels, c.body)
			f.sound = f.sound && c.sound
		case c.name == "IHDR":
			return nil, errors.New("a second header")
		case c.name == "PLTE" && f.kind == paletted:
			if !c.sound {
				return nil, errors.New("the check sum of the palette is wrong")
			}
			hasPalette = true
			f.palette = [256][3]uint8{}
			for i := range min(256, len(c.body)/3) {
				copy(f.palette[i][:], c.body[3*i:])
			}
		case c.name == "tRNS" && c.sound:
			f.clear = c.body
		case !c.sound && !harmless[c.name]:
			return nil, fmt.Errorf("the check sum of chunk %q is wrong", c.name)
		}
		rest = after
	}
	switch {
	case len(f.pixels) == 0:
		return nil, errCut
	case f.kind == paletted && !hasPalette:
		return nil, errors.New("the palette is missing")
	}
	return f, nil
}

// Frames counts the headers of frames. The picture before them is one of them only if it
// has such a header, too.
func Frames(data []byte) int {
	n, animated, pixels := 0, false, false
	for rest := data[min(len(signature), len(data)):]; ; {
		c, after, ok := next(rest)
		if !ok || c.name == "IEND" {
			return n
		}
		switch c.name {
		case "acTL":
			animated = animated || !pixels
		case "IDAT":
			if !pixels && n == 0 {
				n++
			}
			pixels = true
		case "fcTL":
			if animated {
				n++
			}
		}
		rest = after
	}
}
