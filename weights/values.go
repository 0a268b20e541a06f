package weights

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"unsafe"

	"lookalike/internal/f32"
)

// dtype is how a file stores one value.
type dtype struct {
	name    string // as safetensors calls it
	size    int    // in bytes
	big     bool   // the most significant byte comes first
	convert func(dst []float32, src []byte) error
}

// dtypes are the element types by name, little-endian. Those without a
// conversion are known only so that files that have them can be opened.
var dtypes = map[string]dtype{}

func init() {
	for _, t := range []dtype{
		{"F32", 4, false, convertF32}, {"F64", 8, false, convertF64},
		{"F16", 2, false, convertF16}, {"BF16", 2, false, convertBF16},
		{"I8", 1, false, integers(1, true)}, {"U8", 1, false, integers(1, false)},
		{"I16", 2, false, integers(2, true)}, {"U16", 2, false, integers(2, false)},
		{"I32", 4, false, integers(4, true)}, {"U32", 4, false, integers(4, false)},
		{"I64", 8, false, integers(8, true)}, {"U64", 8, false, integers(8, false)},
		{name: "BOOL", size: 1}, {name: "F8_E4M3", size: 1}, {name: "F8_E5M2", size: 1},
	} {
		dtypes[t.name] = t
	}
}

const chunkBytes = 64 << 10 // values are converted through a buffer of this size

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// native says whether values are in the file as they are in memory.
func (t dtype) native() bool { return t.name == "F32" && t.big != littleEndian }

// asFloats is the opposite, nil if b does not lie where a float32 may.
func asFloats(b []byte) []float32 {
	p := unsafe.Pointer(unsafe.SliceData(b))
	if uintptr(p)%4 != 0 {
		return nil
	}
	return unsafe.Slice((*float32)(p), len(b)/4)
}

// readValues fills dst with the next values of r: straight, or a chunk at a
// time where they must be converted.
func readValues(dst []float32, r io.Reader, t dtype) error {
	switch {
	case t.convert == nil:
		return fmt.Errorf("values of type %s cannot be read as float32", t.name)
	case t.native():
		return readFull(r, f32.Bytes(dst))
	}
	buf := make([]byte, min(chunkBytes, len(dst)*t.size))
	for len(dst) > 0 {
		n := min(len(dst), len(buf)/t.size)
		if err := readFull(r, buf[:n*t.size]); err != nil {
			return err
		}
		if t.big {
			for value := range slices.Chunk(buf[:n*t.size], t.size) {
				slices.Reverse(value)
			}
		}
		if err := t.convert(dst[:n], buf); err != nil {
			return err
		}
		dst = dst[n:]
	}
	return nil
}

// readFull is io.ReadFull with the one explanation that an early end has here.
func readFull(r io.Reader, b []byte) error {
	n, err := io.ReadFull(r, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%d bytes where %d are due: the file is cut short", n, len(b))
	}
	return err
}

func convertF32(dst []float32, src []byte) error {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
	return nil
}

// convertF64 rounds to nearest; a finite value outside float32's range is an error.
func convertF64(dst []float32, src []byte) error {
	for i := range dst {
		v := math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:]))
		dst[i] = float32(v)
		if math.IsInf(float64(dst[i]), 0) && !math.IsInf(v, 0) {
			return fmt.Errorf("value %g does not fit float32", v)
		}
	}
	return nil
}

func convertBF16(dst []float32, src []byte) error {
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
	return nil
}

func convertF16(dst []float32, src []byte) error {
	for i := range dst {
		dst[i] = fromHalf(binary.LittleEndian.Uint16(src[2*i:]))
	}
	return nil
}

// integers returns the conversion of integers of size bytes. One that float32
// cannot hold exactly is an error.
func integers(size int, signed bool) func(dst []float32, src []byte) error {
	return func(dst []float32, src []byte) error {
		for i := range dst {
			var u uint64
			for k := range size {
				u |= uint64(src[i*size+k]) << (8 * k)
			}
			magnitude, sign := u, float32(1)
			if unused := 64 - 8*size; signed && int64(u<<unused) < 0 {
				magnitude, sign = -uint64(int64(u<<unused)>>unused), -1
			}
			if bits.Len64(magnitude)-bits.TrailingZeros64(magnitude) > 24 {
				return fmt.Errorf("integer %g… has more digits than float32", sign*float32(magnitude))
			}
			dst[i] = sign * float32(magnitude)
		}
		return nil
	}
}

// fromHalf converts an IEEE 754 binary16 value, exactly.
func fromHalf(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exponent {
	case 0: // zero or subnormal: fraction * 2^-24
		return math.Float32frombits(math.Float32bits(float32(fraction)*0x1p-24) | sign)
	case 31: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// toHalf rounds to binary16, to nearest, ties to even; ok is false if a finite
// value would become infinite.
func toHalf(v float32) (h uint16, ok bool) {
	b := math.Float32bits(v)
	sign, exponent, fraction := uint16(b>>16&0x8000), int(b>>23&0xff)-127, b&0x7fffff
	switch {
	case exponent == 128 && fraction != 0: // NaN stays NaN, whichever bits are cut off
		return sign | 0x7e00 | uint16(fraction>>13), true
	case exponent == 128:
		return sign | 0x7c00, true
	case exponent < -25: // less than half of the smallest subnormal
		return sign, true
	}
	// The significand as an integer, of which the lowest bits are rounded off. A
	// carry runs into the exponent, as it should.
	cut, base := 13, uint32(exponent+14)<<10 // the leading one adds the missing 1<<10
	if exponent < -14 {
		cut, base = 13-14-exponent, 0
	}
	significand := fraction | 1<<23
	half := uint32(1) << (cut - 1)
	rounded := base + (significand+half-1+significand>>cut&1)>>cut
	return sign | uint16(rounded), rounded < 0x7c00
}

// writeValues writes values as F32 or F16, a chunk at a time.
func writeValues(w io.Writer, values []float32, t dtype) error {
	buf := make([]byte, 0, min(chunkBytes, 4*len(values)))
	for chunk := range slices.Chunk(values, chunkBytes/4) {
		buf = buf[:0]
		for _, v := range chunk {
			if t.name == "F32" {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
				continue
			}
			h, ok := toHalf(v)
			if !ok {
				return fmt.Errorf("value %g does not fit float16, whose largest is 65504", v)
			}
			buf = binary.LittleEndian.AppendUint16(buf, h)
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}
