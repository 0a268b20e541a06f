// Package orientation tells how a picture is to be turned to be seen as it was taken:
// EXIF's tag Orientation (CIPA DC-008, tag 0x0112) in files of JPEG, PNG, WebP and TIFF,
// or where there is none, tiff:Orientation of XMP. It finds the tag where Pillow's
// ImageOps.exif_transpose does: docs/decisions/orientation-as-pillow.md.
//
// A file is foreign data and may hold anything. What cannot be read counts as upright:
// the pixels are worth more than their metadata.
package orientation

import "bytes"

// Upright is the orientation of a picture that is stored as it is seen. The others, 2 to
// 8, are those of EXIF.
const Upright = 1

// longestCopy bounds what is put together from pieces of a file. Without it, a file of
// nothing but metadata would be in memory twice.
const longestCopy = 4 << 20

// metadata is what a file says about itself. Both parts may lie within the file.
type metadata struct {
	exif []byte // as stored, perhaps with its name before it
	xmp  []byte
}

var exifName = []byte("Exif\x00\x00")

// orientation asks EXIF, and XMP only if EXIF has no such tag. EXIF that cannot be read
// is not overruled.
func (m metadata) orientation() int {
	block := m.exif
	for range 2 { // some write the name twice
		block = bytes.TrimPrefix(block, exifName)
	}
	if len(block) > 0 {
		t, err := readHeader(block, false)
		if err != nil {
			return Upright
		}
		if tag, ok := t.fields()[tagOrientation]; ok {
			return tag.orientation(t.order)
		}
	}
	return fromXMP(m.xmp)
}

// TIFF returns the orientation of the first picture of a TIFF or BigTIFF file.
func TIFF(data []byte) int {
	t, err := readHeader(data, true)
	if err != nil {
		return Upright
	}
	fields := t.fields()
	if tag, ok := fields[tagOrientation]; ok {
		return tag.orientation(t.order)
	}
	if xmp := fields[tagXMP]; units[xmp.kind] == 1 {
		return fromXMP(xmp.value)
	}
	return Upright
}
