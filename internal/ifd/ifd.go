// Package ifd reads the directories of TIFF and BigTIFF files, and of blocks of EXIF, which
// are made alike: tables of tags and their values. Its rules are those of Pillow.
package ifd

import (
	"encoding/binary"
	"errors"
	"math"
)

// File is a TIFF file, or a block of EXIF.
type File struct {
	data  []byte // the whole file: offsets are from its beginning
	Order binary.ByteOrder
	Big   bool   // BigTIFF, with numbers of 8 bytes where TIFF has 4
	First uint64 // where the first directory is

	examined int // entries read until now
}

// Directory is a table of values, and where the next one is; 0 if there is none.
type Directory struct {
	Fields  map[uint16]Field
	Outside map[uint16]bool // tags whose values are not in the file
	Cut     bool            // the table itself ends with the file
	Next    uint64
}

// Field is a value as it is stored, one number or several.
type Field struct {
	Kind   uint16
	Value  []byte
	Behind bool // an entry before it has values that are not in the file; Pillow does not go on there
	order  binary.ByteOrder
}

// Kinds of values.
const (
	Byte      = 1
	ASCII     = 2
	Short     = 3
	Long      = 4
	Rational  = 5
	SByte     = 6
	Undefined = 7
	SShort    = 8
	SLong     = 9
	SRational = 10
	Float     = 11
	Double    = 12
	IFD       = 13
	Long8     = 16
)

// units are the bytes of a value of each kind. Entries of another kind are passed over.
var units = map[uint16]uint64{
	Byte: 1, ASCII: 1, Short: 2, Long: 4, Rational: 8, SByte: 1, Undefined: 1, SShort: 2, SLong: 4,
	SRational: 8, Float: 4, Double: 8, IFD: 4, Long8: 8,
}

var (
	errHeader = errors.New("no header of TIFF")
	errCut    = errors.New("a directory that is not in the file")
)

// Open reads the header. With the number of BigTIFF, a block of EXIF, which is no file, is
// no such file either: Pillow reads it as TIFF in one byte order, and not at all in the
// other.
func Open(data []byte, isFile bool) (*File, error) {
	f := &File{data: data}
	if len(data) < 8 {
		return nil, errHeader
	}
	switch string(data[:4]) {
	case "II*\x00", "II\x00*":
		f.Order = binary.LittleEndian
	case "MM\x00*", "MM*\x00":
		f.Order = binary.BigEndian
	case "II+\x00":
		f.Order, f.Big = binary.LittleEndian, true
	case "MM\x00+":
		f.Order, f.Big = binary.BigEndian, isFile
	default:
		return nil, errHeader
	}
	if !f.Big {
		f.First = uint64(f.Order.Uint32(data[4:]))
	} else if isFile && len(data) >= 16 {
		f.First = f.Order.Uint64(data[8:])
	} else {
		return nil, errHeader
	}
	return f, nil
}

// number reads a count or an offset.
func (f *File) number(b []byte) uint64 {
	if f.Big {
		return f.Order.Uint64(b)
	}
	return uint64(f.Order.Uint32(b))
}

// sizes are the bytes of a directory's number of entries, and of a number in one.
func (f *File) sizes() (head, word uint64) {
	if f.Big {
		return 8, 8
	}
	return 2, 4
}

// Read reads the directory at a place. Of each tag it has the first usable value. All
// calls together read no more entries than would fit into the file.
func (f *File) Read(at uint64) (Directory, error) {
	head, word := f.sizes()
	d, length := Directory{Fields: map[uint16]Field{}, Outside: map[uint16]bool{}}, uint64(len(f.data))
	if at > length || head > length-at {
		return d, errCut
	}
	entries := f.data[at+head:]
	count := uint64(f.Order.Uint16(f.data[at:]))
	if f.Big {
		count = f.Order.Uint64(f.data[at:])
	}
	size := 4 + 2*word
	if d.Cut = count > uint64(len(entries))/size; !d.Cut {
		if next := entries[count*size:]; uint64(len(next)) >= word {
			d.Next = f.number(next)
		}
	}
	outside := uint64(0) // bytes of values outside of their entries
	ended := false
	for ; count > 0 && uint64(len(entries)) >= size && f.examined < len(f.data); count-- {
		f.examined += int(size)
		entry := entries[:size]
		entries = entries[size:]
		tag, kind := f.Order.Uint16(entry), f.Order.Uint16(entry[2:])
		n, value := f.number(entry[4:]), entry[4+word:]
		unit := units[kind]
		if _, twice := d.Fields[tag]; twice || unit == 0 || n == 0 {
			continue
		}
		if n > word/unit {
			// Values that all together are larger than the file are passed over.
			outside += min(n, length/unit+1) * unit
			if outside > length {
				d.Outside[tag] = true
				continue
			}
			at := f.number(value)
			if at > length || n*unit > length-at {
				d.Outside[tag], ended = true, true
				continue
			}
			value = f.data[at:]
		}
		d.Fields[tag] = Field{kind, value[:n*unit], ended, f.Order}
	}
	return d, nil
}

// Len is how many values a field has.
func (f Field) Len() int {
	if unit := units[f.Kind]; unit > 0 {
		return len(f.Value) / int(unit)
	}
	return 0
}

// Uint returns value i, if it is a whole number and not negative.
func (f Field) Uint(i int) (v uint64, ok bool) {
	if i < 0 || i >= f.Len() {
		return 0, false
	}
	b := f.Value[i*int(units[f.Kind]):]
	switch f.Kind {
	case Byte:
		return uint64(b[0]), true
	case Short:
		return uint64(f.order.Uint16(b)), true
	case Long, IFD:
		return uint64(f.order.Uint32(b)), true
	case Long8:
		return f.order.Uint64(b), true
	case SByte, SShort, SLong:
		v := f.Float(i)
		return uint64(max(v, 0)), v >= 0
	}
	return 0, false
}

// Float returns value i, and 0 where it is no number.
func (f Field) Float(i int) float64 {
	if i < 0 || i >= f.Len() {
		return 0
	}
	b := f.Value[i*int(units[f.Kind]):]
	switch f.Kind {
	case Byte:
		return float64(b[0])
	case Short:
		return float64(f.order.Uint16(b))
	case Long, IFD:
		return float64(f.order.Uint32(b))
	case Long8:
		return float64(f.order.Uint64(b))
	case SByte:
		return float64(int8(b[0]))
	case SShort:
		return float64(int16(f.order.Uint16(b)))
	case SLong:
		return float64(int32(f.order.Uint32(b)))
	case Rational:
		return float64(f.order.Uint32(b)) / float64(f.order.Uint32(b[4:]))
	case SRational:
		return float64(int32(f.order.Uint32(b))) / float64(int32(f.order.Uint32(b[4:])))
	case Float:
		return float64(math.Float32frombits(f.order.Uint32(b)))
	case Double:
		return math.Float64frombits(f.order.Uint64(b))
	}
	return 0
}
