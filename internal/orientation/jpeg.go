package orientation

import (
	"bytes"
	"encoding/binary"
)

var xmpName = []byte("http://ns.adobe.com/xap/1.0/\x00")

// JPEG returns the orientation of a JPEG file. Segments of EXIF are one block, cut where
// it grew too long; of several packets of XMP the last one counts.
func JPEG(data []byte) int {
	const (
		fill = 0xff
		app1 = 0xe1
		sos  = 0xda
	)
	var m metadata
	for at := min(2, len(data)); at+2 <= len(data); {
		if data[at] != 0xff {
			at++ // no marker: something between segments
			continue
		}
		marker := data[at+1]
		if marker == fill {
			at++
			continue
		}
		at += 2
		if !hasLength(marker) {
			continue
		}
		rest := data[at:]
		if len(rest) < 2 {
			break
		}
		n := max(2, int(binary.BigEndian.Uint16(rest)))
		if marker == sos || n > len(rest) {
			break
		}
		if segment := rest[2:n]; marker != app1 {
			// not for us
		} else if block, ok := bytes.CutPrefix(segment, exifName); ok {
			if m.exif == nil {
				m.exif = segment[:len(segment):len(segment)]
			} else if len(m.exif)+len(block) <= longestCopy {
				m.exif = append(m.exif, block...)
			}
		} else if packet, ok := bytes.CutPrefix(segment, xmpName); ok {
			m.xmp = packet
		}
		at += n
	}
	return m.orientation()
}

// hasLength tells whether a segment follows a marker.
func hasLength(marker byte) bool {
	const (
		sof0, rst0, eoi, jpg = 0xc0, 0xd0, 0xd9, 0xc8
		jpg0, jpg13          = 0xf0, 0xfd
	)
	return marker >= sof0 && marker != jpg && !(marker >= rst0 && marker <= eoi) && !(marker >= jpg0 && marker <= jpg13)
}
