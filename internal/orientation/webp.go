package orientation

import "encoding/binary"

// WebP returns the orientation of a WebP file. As libwebp has it, only the extended
// format has metadata, its flags say of which kind, and the first chunk of a kind counts.
func WebP(data []byte) int {
	const (
		riff     = 12 // bytes before the first chunk
		header   = 8  // bytes before a chunk's content
		flagEXIF = 0x08
		flagXMP  = 0x04
	)
	if len(data) < riff || string(data[:4]) != "RIFF" || string(data[8:riff]) != "WEBP" {
		return Upright
	}
	end := min(uint64(len(data)), header+uint64(binary.LittleEndian.Uint32(data[4:])))
	if end < riff {
		return Upright
	}
	var m metadata
	var flags byte
	for first, chunks := true, data[riff:end]; len(chunks) >= header; first = false {
		name, size := string(chunks[:4]), uint64(binary.LittleEndian.Uint32(chunks[4:]))
		chunks = chunks[header:]
		if size > uint64(len(chunks)) {
			break
		}
		content := chunks[:size]
		if first {
			if name != "VP8X" || size == 0 {
				return Upright
			}
			flags = content[0]
		} else if name == "EXIF" && flags&flagEXIF != 0 && m.exif == nil {
			m.exif = content
		} else if name == "XMP " && flags&flagXMP != 0 && m.xmp == nil {
			m.xmp = content
		}
		chunks = chunks[min(size+size%2, uint64(len(chunks))):] // chunks begin at even places
	}
	return m.orientation()
}
