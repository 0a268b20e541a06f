package ifd_test

import (
	"encoding/binary"
	"math"
	"testing"

	"lookalike/internal/ifd"
)

// file makes a TIFF or BigTIFF file of one directory: each entry is a tag, a kind, a
// count, and a value or an offset.
func file(order binary.AppendByteOrder, big bool, next uint64, entries ...[4]uint64) []byte {
	number := func(b []byte, v uint64) []byte {
		if big {
			return order.AppendUint64(b, v)
		}
		return order.AppendUint32(b, uint32(v))
	}
	b := []byte("II")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM")
	}
	if big {
		b = order.AppendUint64(order.AppendUint16(order.AppendUint16(order.AppendUint16(b, 43), 8), 0), 16)
		b = order.AppendUint64(b, uint64(len(entries)))
	} else {
		b = order.AppendUint32(order.AppendUint16(b, 42), 8)
		b = order.AppendUint16(b, uint16(len(entries)))
	}
	for _, e := range entries {
		b = number(number(order.AppendUint16(order.AppendUint16(b, uint16(e[0])), uint16(e[1])), e[2]), e[3])
	}
	return number(b, next)
}

func read(t *testing.T, data []byte) ifd.Directory {
	f, err := ifd.Open(data, true)
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.Read(f.First)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRead(t *testing.T) {
	for _, big := range []bool{false, true} {
		d := read(t, file(binary.LittleEndian, big, 77,
			[4]uint64{256, ifd.Long, 1, 1234}, // a number
			[4]uint64{257, 99, 1, 5},          // of no known kind
			[4]uint64{257, ifd.Short, 1, 7},   // the first usable one
			[4]uint64{257, ifd.Short, 1, 8},
			[4]uint64{258, ifd.Short, 0, 8},       // without values
			[4]uint64{260, ifd.Long, 5, 8},        // elsewhere in the file
			[4]uint64{261, ifd.Byte, 20, 1 << 31}, // not in the file
			[4]uint64{262, ifd.Short, 1, 9},       // behind that
			[4]uint64{263, ifd.ASCII, 1 << 30, 0}, // more than the file has
		))
		if d.Next != 77 || d.Cut || len(d.Fields) != 4 || len(d.Outside) != 2 || !d.Outside[261] || !d.Outside[263] {
			t.Errorf("big %v: %+v", big, d)
		}
		for tag, want := range map[uint16]uint64{256: 1234, 257: 7, 262: 9} {
			if v, ok := d.Fields[tag].Uint(0); v != want || !ok {
				t.Errorf("big %v: tag %d is %d", big, tag, v)
			}
		}
		if n := d.Fields[260].Len(); n != 5 || d.Fields[260].Behind || !d.Fields[262].Behind {
			t.Errorf("big %v: %d values", big, n)
		}
	}
}

// Where the table ends with the file, what there is of it is read, and it is said.
func TestCut(t *testing.T) {
	data := file(binary.BigEndian, false, 0, [4]uint64{256, ifd.Long, 1, 1}, [4]uint64{257, ifd.Long, 1, 2})
	for n := range len(data) {
		f, err := ifd.Open(data[:n], true)
		if err != nil {
			continue
		}
		d, err := f.Read(f.First)
		if whole := n >= len(data)-4; err == nil && (d.Cut == whole || whole != (len(d.Fields) == 2)) {
			t.Errorf("%d of %d bytes: %+v", n, len(data), d)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		kind, stored uint64
		want         float64
		whole        bool
	}{
		{ifd.Byte, 200, 200, true}, {ifd.Short, 65535, 65535, true}, {ifd.Long, 1 << 31, 1 << 31, true}, {ifd.IFD, 9, 9, true}, {ifd.Long8, 9, 9, true},
		{ifd.SByte, 0xfe, -2, false}, {ifd.SShort, 0xfffe, -2, false}, {ifd.SLong, 1<<32 - 2, -2, false}, {ifd.SShort, 2, 2, true},
		{ifd.Rational, 3 | 2<<32, 1.5, false}, {ifd.SRational, (1<<32 - 3) | 2<<32, -1.5, false},
		{ifd.Float, uint64(math.Float32bits(1.5)), 1.5, false}, {ifd.Double, math.Float64bits(-0.5), -0.5, false}, {ifd.ASCII, 65, 0, false},
	} {
		f := read(t, file(binary.LittleEndian, true, 0, [4]uint64{256, c.kind, 1, c.stored})).Fields[256]
		if v := f.Float(0); v != c.want {
			t.Errorf("kind %d: %g, want %g", c.kind, v, c.want)
		}
		if v, ok := f.Uint(0); ok != c.whole || ok && float64(v) != c.want {
			t.Errorf("kind %d: %d, %v", c.kind, v, ok)
		}
		if _, ok := f.Uint(1); ok || f.Float(-1) != 0 {
			t.Errorf("kind %d: a value that there is not", c.kind)
		}
	}
}
