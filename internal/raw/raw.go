// Package raw finds in the files of cameras' sensors (NEF, CR2, CR3, ARW, DNG, RAF, ORF,
// RW2) the picture that the camera has put there for a glance: the largest JPEG inside.
// What the sensor saw is not developed.
package raw

import (
	"bytes"
	"encoding/binary"
	"strings"

	"lookalike/internal/ifd"
	"lookalike/internal/magic"
	"lookalike/internal/orientation"
)

// starts are how files begin that are not TIFF.
var starts = map[string]string{
	"FUJIFILMCCD-RAW ": "RAF", "IIRO": "ORF", "IIRS": "ORF", "MMOR": "ORF", "IIU\x00": "RW2", "????ftypcrx ": "CR3",
	"II\x1a\x00\x00\x00HEAPCCDR": "CRW", "\x00MRM": "MRW", "FOVb": "X3F",
}

// Kind names the kind of a camera's raw file, "" if a file is none. The beginning of
// a file tells only some.
func Kind(data []byte) string {
	for start, kind := range starts {
		if magic.Matches(data, start) {
			return kind
		}
	}
	if magic.Matches(data, "II*\x00????CR") || magic.Matches(data, "MM\x00*????CR") {
		return "CR2"
	}
	f, err := ifd.Open(data, true)
	if err != nil {
		return ""
	}
	return kindTIFF(f)
}

const (
	tagPhotometric = 262
	tagMake        = 271
	tagSub         = 330
	tagVersionDNG  = 50706

	mostDirectories = 64
)

// kindTIFF looks for a directory of what a sensor saw.
func kindTIFF(f *ifd.File) string {
	camera, sensor := "", false
	waiting, seen := []uint64{f.First}, map[uint64]bool{0: true}
	for len(waiting) > 0 && len(seen) < mostDirectories {
		at := waiting[0]
		waiting = waiting[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		d, err := f.Read(at)
		if err != nil {
			continue
		}
		if _, ok := d.Fields[tagVersionDNG]; ok {
			return "DNG"
		}
		if camera == "" {
			camera = strings.ToUpper(string(d.Fields[tagMake].Value))
		}
		const mosaic, linear = 32803, 34892
		seenBy, _ := d.Fields[tagPhotometric].Uint(0)
		sensor = sensor || seenBy == mosaic || seenBy == linear
		subs := d.Fields[tagSub]
		for i := range min(subs.Len(), mostDirectories) {
			sub, _ := subs.Uint(i)
			waiting = append(waiting, sub)
		}
		waiting = append(waiting, d.Next)
	}
	if !sensor {
		return ""
	}
	for begin, kind := range map[string]string{"NIKON": "NEF", "SONY": "ARW", "PENTAX": "PEF", "SAMSUNG": "SRW"} {
		if strings.HasPrefix(camera, begin) {
			return kind
		}
	}
	return "raw"
}

// Preview returns the largest JPEG in a file, from its beginning to the file's end, and
// how the picture is to be turned, 0 if only the JPEG says it.
func Preview(data []byte) (jpeg []byte, turn int) {
	best := 0
	for at := 0; ; at++ {
		n := bytes.Index(data[at:], []byte("\xff\xd8\xff"))
		if n < 0 {
			break
		}
		at += n
		if area := jpegArea(data[at:]); area > best {
			best, jpeg = area, data[at:]
		}
	}
	return jpeg, turnOf(data)
}

// jpegArea returns how many pixels a JPEG has that begins here, 0 if none does, or one
// of a kind that raw data is compressed with.
func jpegArea(data []byte) int {
	const baseline, progressive, scan, tables, segments = 0xc0, 0xc2, 0xda, 0xdb, 100
	rest, quantised, area := data[2:], false, 0
	for range segments {
		if len(rest) < 4 || rest[0] != 0xff {
			return 0
		}
		marker, length := rest[1], int(binary.BigEndian.Uint16(rest[2:]))
		switch {
		case marker == 0xff: // filling
			rest = rest[1:]
			continue
		case marker < baseline || length < 2 || 2+length > len(rest):
			return 0
		case marker == scan:
			if !quantised {
				return 0
			}
			return area
		case marker == tables:
			quantised = true
		case marker >= baseline && marker <= progressive && length >= 8:
			if depth := rest[4]; depth != 8 {
				return 0
			}
			area = int(binary.BigEndian.Uint16(rest[5:])) * int(binary.BigEndian.Uint16(rest[7:]))
		}
		rest = rest[2+length:]
	}
	return 0
}

// turnOf is the orientation that a file says, 0 if it says none outside of its JPEG.
func turnOf(data []byte) int {
	const beginning = 1 << 20
	head := data[:min(len(data), beginning)]
	switch Kind(head) {
	case "RAF", "CRW", "MRW", "X3F":
		return 0
	case "CR3":
		// EXIF is a TIFF file in a box of its own.
		const name = "CMT1"
		at := bytes.Index(head, []byte(name))
		if at < 0 {
			return 0
		}
		return orientation.TIFF(head[at+len(name):])
	case "ORF", "RW2": // TIFF with a number of their own
		plain := bytes.Clone(head)
		copy(plain[2:], "*\x00")
		if plain[0] == 'M' {
			copy(plain[2:], "\x00*")
		}
		return orientation.TIFF(plain)
	}
	return orientation.TIFF(data)
}
