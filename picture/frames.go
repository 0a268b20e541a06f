package picture

import (
	"encoding/binary"

	"lookalike/internal/magic"
	"lookalike/internal/tiff"
)

// Frames counts the pictures that a file holds, without decoding any: pages of a TIFF
// file, frames of an animated GIF, PNG or WebP file. Decode reads the first of them. Of a
// damaged file it counts those before the damage, and 1 at least. The error is that of
// Decode for what is no picture.
func Frames(data []byte) (int, error) {
	f, err := formatOf(data)
	if err != nil {
		return 0, err
	}
	if f.frames == nil {
		return 1, nil
	}
	return max(1, f.frames(data)), nil
}

// framesGIF walks through the blocks of a file: extensions, and frames, each of which is
// a header, perhaps a palette, a byte, and blocks of codes.
func framesGIF(data []byte) int {
	const header, frameHeader, extension, frame, end = 13, 10, 0x21, 0x2c, 0x3b
	palette := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	if len(data) < header {
		return 0
	}
	n := 0
	for at := header + palette(data[10]); at < len(data); {
		switch data[at] {
		case end:
			return n
		case extension:
			at += 2
		case frame:
			if at+frameHeader > len(data) {
				return n
			}
			at += frameHeader + palette(data[at+9]) + 1
			n++
		default:
			at++
			continue
		}
		for at < len(data) && data[at] != 0 {
			at += 1 + int(data[at])
		}
		at++
	}
	return n
}

// framesPNG counts the headers of frames. The picture before them is one of them only if
// it has such a header, too.
func framesPNG(data []byte) int {
	n, animated, pixels := 0, false, false
	for rest := data[8:]; len(rest) >= 8; {
		size := uint64(binary.BigEndian.Uint32(rest))
		switch string(rest[4:8]) {
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
		case "IEND":
			return n
		}
		rest = rest[min(8+size+4, uint64(len(rest))):]
	}
	return n
}

// framesWebP counts the chunks that are frames.
func framesWebP(data []byte) int {
	n := 0
	for rest := data[12:]; len(rest) >= 8; {
		size := uint64(binary.LittleEndian.Uint32(rest[4:]))
		if string(rest[:4]) == "ANMF" {
			n++
		}
		rest = rest[min(8+size+size&1, uint64(len(rest))):]
	}
	return n
}

func framesTIFF(data []byte) int { return tiff.Pages(data) }

// rawFiles are how the files of cameras' sensors begin that are not TIFF.
var rawFiles = []string{"FUJIFILMCCD-RAW", "IIRO", "IIRS", "MMOR", "IIU\x00", "????ftypcrx"}

// IsRaw tells whether a file holds what a camera's sensor saw, of which Decode reads a
// picture that is there for a glance, if any.
func IsRaw(data []byte) bool {
	for _, start := range rawFiles {
		if magic.Matches(data, start) {
			return true
		}
	}
	return tiff.IsRaw(data)
}
