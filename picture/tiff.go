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
	tags := numberTags(data)
	if c := tags[compression]; (c == group3 || c == group4) && tags[photometric] == blackIsZero {
		for i, v := range m.Pix {
			m.Pix[i] = ^v
		}
	}
	return m, nil
}

// numberTags returns the single numbers of a TIFF's first directory. Damage is left
// for the decoder to report.
func numberTags(data []byte) map[uint16]uint32 {
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
	const short, long, size = 3, 4, 12
	tags := map[uint16]uint32{}
	entries := data[at+2:]
	for range order.Uint16(data[at:]) {
		if len(entries) < size {
			break
		}
		if kind := order.Uint16(entries[2:]); order.Uint32(entries[4:]) != 1 {
		} else if kind == short {
			tags[order.Uint16(entries)] = uint32(order.Uint16(entries[8:]))
		} else if kind == long {
			tags[order.Uint16(entries)] = order.Uint32(entries[8:])
		}
		entries = entries[size:]
	}
	return tags
}
