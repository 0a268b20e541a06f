package picture

import (
	"encoding/binary"

	"lookalike/internal/raw"
)

// Frames counts the pictures that a file holds, without decoding any: pages of a TIFF
// file, frames of an animated GIF, PNG or WebP file. Decode reads the first of them. Of a
// damaged file it counts those before the damage, and 1 at least. The error is the one of
// Decode for a file that is not a picture.
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

// IsRaw tells whether a file holds what a camera's sensor saw, of which Decode reads a
// picture that is there for a glance, if any.
func IsRaw(data []byte) bool { return raw.Kind(data) != "" }
