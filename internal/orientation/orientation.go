// Package orientation tells how a picture is to be turned to be seen as it was taken:
// EXIF's tag Orientation (CIPA DC-008, tag 0x0112) in files of JPEG, PNG, WebP and TIFF,
// or where there is none, tiff:Orientation of XMP. It finds the tag where Pillow's
// ImageOps.exif_transpose does: docs/decisions/orientation-as-pillow.md.
//
// A file is foreign data and may hold anything. What cannot be read counts as upright:
// the pixels are worth more than their metadata.
package orientation

import (
	"bytes"
	"maps"
	"math"

	"lookalike/internal/ifd"
)

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
		fields, err := readFirst(block, false)
		if err != nil {
			return Upright
		}
		if tag, ok := fields[tagOrientation]; ok {
			return number(tag)
		}
	}
	return fromXMP(m.xmp)
}

// TIFF returns the orientation of the first picture of a TIFF or BigTIFF file.
func TIFF(data []byte) int {
	fields, err := readFirst(data, true)
	if err != nil {
		return Upright
	}
	if tag, ok := fields[tagOrientation]; ok {
		return number(tag)
	}
	switch xmp := fields[tagXMP]; xmp.Kind {
	case ifd.Byte, ifd.ASCII, ifd.SByte, ifd.Undefined:
		return fromXMP(xmp.Value)
	}
	return Upright
}

const (
	tagOrientation = 0x0112
	tagXMP         = 700
)

// readFirst reads the first directory, as far as Pillow does; an empty one where there is
// none.
func readFirst(data []byte, isFile bool) (map[uint16]ifd.Field, error) {
	f, err := ifd.Open(data, isFile)
	if err != nil {
		return nil, err
	}
	d, _ := f.Read(f.First)
	maps.DeleteFunc(d.Fields, func(_ uint16, v ifd.Field) bool { return v.Behind })
	return d.Fields, nil
}

// number reads the first value of a tag. BYTE counts as bytes, not as a number.
func number(tag ifd.Field) int {
	if v := tag.Float(0); tag.Kind != ifd.Byte && v >= 1 && v <= 8 && v == math.Trunc(v) {
		return int(v)
	}
	return Upright
}
