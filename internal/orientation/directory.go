package orientation

import (
	"encoding/binary"
	"errors"
	"math"
)

// directory is the first one of a TIFF file, or of a block of EXIF, which is one.
type directory struct {
	data  []byte // the whole file: offsets are from its beginning
	order binary.ByteOrder
	big   bool // BigTIFF, with numbers of 8 bytes where TIFF has 4
	at    uint64
}

// field is a value as it is stored.
type field struct {
	kind  uint16
	value []byte
}

const (
	tagOrientation = 0x0112
	tagXMP         = 700
)

// Kinds of values.
const (
	ascii     = 2
	short     = 3
	long      = 4
	rational  = 5
	sbyte     = 6
	sshort    = 8
	slong     = 9
	srational = 10
	float     = 11
	double    = 12
	ifd       = 13
	long8     = 16
)

// units are the bytes of a value of each kind. Entries of another kind are passed over.
var units = map[uint16]uint64{
	1: 1, ascii: 1, short: 2, long: 4, rational: 8, sbyte: 1, 7: 1, sshort: 2, slong: 4,
	srational: 8, float: 4, double: 8, ifd: 4, long8: 8,
}

var errHeader = errors.New("orientation: no header of TIFF")

// readHeader finds the first directory. With the number of BigTIFF, a block of EXIF is no
// such file: Pillow reads it as TIFF in one byte order, and not at all in the other.
func readHeader(data []byte, isFile bool) (directory, error) {
	d := directory{data: data}
	if len(data) < 8 {
		return d, errHeader
	}
	switch string(data[:4]) {
	case "II*\x00", "II\x00*":
		d.order = binary.LittleEndian
	case "MM\x00*", "MM*\x00":
		d.order = binary.BigEndian
	case "II+\x00":
		d.order, d.big = binary.LittleEndian, true
	case "MM\x00+":
		d.order, d.big = binary.BigEndian, isFile
	default:
		return d, errHeader
	}
	if !d.big {
		d.at = uint64(d.order.Uint32(data[4:]))
	} else if isFile && len(data) >= 16 {
		d.at = d.order.Uint64(data[8:])
	} else {
		return d, errHeader
	}
	return d, nil
}

// fields returns the first usable value of each tag. The directory ends, whatever it
// says, with the file, or with a value that is not in it.
func (d directory) fields() map[uint16]field {
	head, word := uint64(2), uint64(4) // sizes of the number of entries, of a number in one
	if d.big {
		head, word = 8, 8
	}
	number := func(b []byte) uint64 {
		if d.big {
			return d.order.Uint64(b)
		}
		return uint64(d.order.Uint32(b))
	}

	fields, length := map[uint16]field{}, uint64(len(d.data))
	if d.at > length || head > length-d.at {
		return fields
	}
	entries := d.data[d.at+head:]
	count := uint64(d.order.Uint16(d.data[d.at:]))
	if d.big {
		count = number(d.data[d.at:])
	}
	outside := uint64(0) // bytes of values outside of their entries
	for ; count > 0 && uint64(len(entries)) >= 4+2*word; count-- {
		entry := entries[:4+2*word]
		entries = entries[len(entry):]
		tag, kind := d.order.Uint16(entry), d.order.Uint16(entry[2:])
		n, value := number(entry[4:]), entry[4+word:]
		unit := units[kind]
		if _, twice := fields[tag]; twice || unit == 0 || n == 0 {
			continue
		}
		if n > word/unit {
			// Values that all together are larger than the file are passed over.
			outside += min(n, length/unit+1) * unit
			if outside > length {
				continue
			}
			at := number(value)
			if at > length || n*unit > length-at {
				break
			}
			value = d.data[at:]
		}
		fields[tag] = field{kind, value[:n*unit]}
	}
	return fields
}

// orientation reads the first number of a value. BYTE counts as bytes, not as a number.
func (f field) orientation(order binary.ByteOrder) int {
	var v float64
	switch b := f.value; f.kind {
	case short:
		v = float64(order.Uint16(b))
	case long, ifd:
		v = float64(order.Uint32(b))
	case long8:
		v = float64(order.Uint64(b))
	case sbyte:
		v = float64(int8(b[0]))
	case sshort:
		v = float64(int16(order.Uint16(b)))
	case slong:
		v = float64(int32(order.Uint32(b)))
	case rational:
		v = float64(order.Uint32(b)) / float64(order.Uint32(b[4:]))
	case srational:
		v = float64(int32(order.Uint32(b))) / float64(int32(order.Uint32(b[4:])))
	case float:
		v = float64(math.Float32frombits(order.Uint32(b)))
	case double:
		v = math.Float64frombits(order.Uint64(b))
	}
	if v >= 1 && v <= 8 && v == math.Trunc(v) {
		return int(v)
	}
	return Upright
}
