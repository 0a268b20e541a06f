package hdf5

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Class is a kind of element.
type Class int

const (
	Other     Class = iota // a type that is not read, such as a compound
	Integer                // also enumerations and Booleans
	Float                  // IEEE 754 half, single and double precision
	BFloat16               // the upper half of a float32
	String                 // of fixed length
	VarString              // of variable length, in a heap
	Opaque                 // bytes without meaning
)

// Type is the type of a dataset's or an attribute's elements.
type Type struct {
	Class     Class
	Size      int // bytes of an element
	BigEndian bool
	Signed    bool // of integers
	name      string
	padding   byte // of strings
}

// String names the type, such as "float32" or "big-endian uint16".
func (t *Type) String() string {
	order := ""
	if t.BigEndian {
		order = "big-endian "
	}
	switch t.Class {
	case Integer:
		if t.Signed {
			return fmt.Sprintf("%sint%d", order, 8*t.Size)
		}
		return fmt.Sprintf("%suint%d", order, 8*t.Size)
	case Float:
		return fmt.Sprintf("%sfloat%d", order, 8*t.Size)
	case BFloat16:
		return order + "bfloat16"
	}
	return t.name
}

// readSharedType reads a type, or follows the address of one that has a name of
// its own in the file.
func (f *File) readSharedType(b *block, flags int) (*Type, error) {
	if flags&flagShared == 0 {
		t := readType(b, 0)
		return t, b.err
	}
	version, kind := b.u8(), b.u8()
	switch {
	case version == 1:
		b.skip(6)
	case version == 2 || version == 3 && kind == 2:
	default:
		b.failf("a shared message of version %d, type %d is not read", version, kind)
	}
	at := b.offset()
	if b.err != nil {
		return nil, b.err
	}
	o, err := f.load(at)
	if err == nil && o.typ == nil {
		err = fmt.Errorf("datatype at byte %d: there is none", f.base+at)
	}
	if err != nil {
		return nil, err
	}
	return o.typ, nil
}

var classNames = [...]string{"integer", "float", "time", "string", "bit field", "opaque", "compound", "reference", "enumeration", "variable-length", "array"}

// readType reads a datatype message. Types that are not read are Other, so that
// only who wants their values gets an error.
func readType(b *block, depth int) *Type {
	b.what = "datatype"
	first := b.u8()
	flags := b.uint(3)
	t := &Type{Size: int(b.u32())}
	class := first & 15
	if v := first >> 4; v < 1 || v > 5 {
		b.failf("version %d", v)
	}
	if int(class) >= len(classNames) {
		b.failf("class %d", class)
	}
	if b.err != nil {
		return t
	}
	t.name = classNames[class]
	if t.Size < 1 {
		b.failf("elements without size")
	}
	switch class {
	case 0:
		t.BigEndian, t.Signed = flags&1 != 0, flags&8 != 0
		offset, precision := b.u16(), int(b.u16())
		if (t.Size == 1 || t.Size == 2 || t.Size == 4 || t.Size == 8) && offset == 0 && precision == 8*t.Size {
			t.Class = Integer
		} else {
			t.name = fmt.Sprintf("integer of %d bits in %d bytes", precision, t.Size)
		}
	case 1:
		t.BigEndian = flags&1 != 0
		layout := floatLayout{
			size: t.Size, sign: byte(flags >> 8), offset: b.u16(), precision: b.u16(),
			exponentAt: b.u8(), exponentBits: b.u8(), mantissaAt: b.u8(), mantissaBits: b.u8(), bias: b.u32(),
		}
		class, known := floats[layout]
		if known && flags&^(1|0xff00) == 2<<4 { // the mantissa's first bit is implied
			t.Class = class
		} else {
			t.name = fmt.Sprintf("float of %d bytes that is not IEEE 754's", t.Size)
		}
	case 3:
		t.Class, t.padding = String, byte(flags&15)
	case 5:
		t.Class = Opaque
	case 8, 9:
		if depth > 8 {
			b.failf("types in types in types")
			return t
		}
		base := readType(b, depth+1)
		if class == 8 && base.Class == Integer && base.Size == t.Size {
			return base
		}
		if class == 9 && flags&15 == 1 {
			t.Class, t.name = VarString, "string of variable length"
		}
	}
	return t
}

type floatLayout struct {
	size                                               int
	sign                                               byte
	offset, precision                                  uint16
	exponentAt, exponentBits, mantissaAt, mantissaBits byte
	bias                                               uint32
}

var floats = map[floatLayout]Class{
	{2, 15, 0, 16, 10, 5, 0, 10, 15}:    Float,
	{4, 31, 0, 32, 23, 8, 0, 23, 127}:   Float,
	{8, 63, 0, 64, 52, 11, 0, 52, 1023}: Float,
	{2, 15, 0, 16, 7, 8, 0, 7, 127}:     BFloat16,
}

// numeric says whether floats converts the type.
func (t *Type) numeric() bool {
	return t.Class == Integer || t.Class == Float || t.Class == BFloat16
}

// floats converts len(dst) elements to float32, with the rounding of Go's
// conversions.
func (t *Type) floats(dst []float32, src []byte) {
	var order binary.ByteOrder = binary.LittleEndian
	if t.BigEndian {
		order = binary.BigEndian
	}
	switch {
	case t.Class == Float && t.Size == 4 && !t.BigEndian: // the usual case, apart because it is faster
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case t.Class == Float && t.Size == 4:
		for i := range dst {
			dst[i] = math.Float32frombits(order.Uint32(src[4*i:]))
		}
	case t.Class == Float && t.Size == 8:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(order.Uint64(src[8*i:])))
		}
	case t.Class == Float:
		for i := range dst {
			dst[i] = half(order.Uint16(src[2*i:]))
		}
	case t.Class == BFloat16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(order.Uint16(src[2*i:])) << 16)
		}
	default:
		for i := range dst {
			v := t.integer(src[i*t.Size:], order)
			if t.Signed {
				dst[i] = float32(v)
			} else {
				dst[i] = float32(uint64(v))
			}
		}
	}
}

// integer is the first element in src; one that is not signed and has 64 bits
// keeps its bits.
func (t *Type) integer(src []byte, order binary.ByteOrder) int64 {
	switch {
	case t.Size == 1 && t.Signed:
		return int64(int8(src[0]))
	case t.Size == 1:
		return int64(src[0])
	case t.Size == 2 && t.Signed:
		return int64(int16(order.Uint16(src)))
	case t.Size == 2:
		return int64(order.Uint16(src))
	case t.Size == 4 && t.Signed:
		return int64(int32(order.Uint32(src)))
	case t.Size == 4:
		return int64(order.Uint32(src))
	}
	return int64(order.Uint64(src))
}

// half is a float16 as float32, which has all its values.
func half(h uint16) float32 {
	sign, exponent, mantissa := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&0x3ff)
	switch exponent {
	case 0: // zero and numbers smaller than 2^-14
		v := float32(mantissa) * 0x1p-24
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31: // infinity and NaN
		return math.Float32frombits(sign | 0xff<<23 | mantissa<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | mantissa<<13)
}

// text is a string of fixed length without its padding.
func (t *Type) text(b []byte) string {
	switch t.padding {
	case 0:
		return cString(b)
	case 1:
		for len(b) > 0 && b[len(b)-1] == 0 {
			b = b[:len(b)-1]
		}
	case 2:
		for len(b) > 0 && b[len(b)-1] == ' ' {
			b = b[:len(b)-1]
		}
	}
	return string(b)
}

// space is the shape of values.
type space struct {
	dims    []int
	maxDims []int // nil: as dims; -1: without limit
	count   int64 // of elements
	null    bool
}

func readSpace(b *block) *space {
	b.what = "dataspace"
	s := &space{count: 1}
	version := b.u8()
	rank := int(b.u8())
	flags := b.u8()
	switch version {
	case 1:
		b.skip(5)
	case 2:
		switch kind := b.u8(); kind {
		case 0, 1:
		case 2:
			s.null = true
		default:
			b.failf("type %d", kind)
		}
	default:
		b.failf("version %d, only 1 and 2 are known", version)
	}
	if rank > maxRank {
		b.failf("%d dimensions, the limit is %d", rank, maxRank)
	}
	if b.err != nil {
		return s
	}
	dims := func(unlimited int) []int {
		list := make([]int, rank)
		for i := range list {
			d := b.uint(b.lengthSize)
			switch {
			case d == math.MaxUint64>>(64-8*b.lengthSize):
				list[i] = unlimited
			case d > math.MaxInt:
				b.failf("a dimension of %d", d)
			default:
				list[i] = int(d)
			}
		}
		return list
	}
	s.dims = dims(math.MaxInt)
	if flags&1 != 0 {
		s.maxDims = dims(-1)
	}
	s.count = product(s.dims)
	if s.null {
		s.count = 0
	}
	return s
}

// product multiplies sizes; what does not fit becomes the largest int64, which
// nothing has.
func product(dims []int) int64 {
	n := int64(1)
	for _, d := range dims {
		if d == 0 {
			return 0
		}
		if n > math.MaxInt64/int64(d) {
			n = math.MaxInt64
		} else {
			n *= int64(d)
		}
	}
	return n
}
