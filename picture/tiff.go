package picture

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/image/tiff"
)

// decodeTIFF decodes with x/image/tiff and puts right what that gets wrong:
// faxes (CCITT group 3 and 4) whose black is zero come inverted.
func decodeTIFF(data []byte) (*Image, error) {
	src, err := tiff.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	m := FromImage(src)
	const compression, photometric, group3, group4, blackIsZero = 259, 262, 3, 4, 1
	tags := shortTags(data)
	if c := tags[compression]; (c == group3 || c == group4) && tags[photometric] == blackIsZero {
		for i, v := range m.Pix {
			m.Pix[i] = ^v
		}
	}
	return m, nil
}

// shortTags returns the 16-bit values of a TIFF's first directory. Damage is
// left for the decoder to report.
func shortTags(data []byte) map[uint16]uint16 {
	if len(data) < 8 {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(data[4:]))
	if at+2 > uint64(len(data)) {
		return nil
	}
	const short, size = 3, 12
	tags := map[uint16]uint16{}
	entries := data[at+2:]
	for range order.Uint16(data[at:]) {
		if len(entries) < size {
			break
		}
		if order.Uint16(entries[2:]) == short && order.Uint32(entries[4:]) == 1 {
			tags[order.Uint16(entries)] = order.Uint16(entries[8:])
		}
		entries = entries[size:]
	}
	return tags
}
