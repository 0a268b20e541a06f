package hdf5

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// block is a piece of the file that is read from front to back. The first error
// stays; after it everything reads as zero.
type block struct {
	what                   string
	at                     int64 // of b[0], in the file
	b                      []byte
	pos                    int
	err                    error
	offsetSize, lengthSize int
	unchecked              bool // as in File
}

func (b *block) failf(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("%s at byte %d: %s", b.what, b.at, fmt.Sprintf(format, args...))
	}
}

// take returns the next n bytes, or nil.
func (b *block) take(n int) []byte {
	if b.err != nil {
		return nil
	}
	if n < 0 || n > len(b.b)-b.pos {
		b.failf("%d bytes are wanted at byte %d, %d are left", n, b.at+int64(b.pos), len(b.b)-b.pos)
		return nil
	}
	p := b.b[b.pos : b.pos+n : b.pos+n]
	b.pos += n
	return p
}

func (b *block) skip(n int) { b.take(n) }

// left is how many bytes are still to be read.
func (b *block) left() int {
	if b.err != nil {
		return 0
	}
	return len(b.b) - b.pos
}

// uint reads a little-endian number of n bytes, at most 8.
func (b *block) uint(n int) (v uint64) {
	for i, c := range b.take(n) {
		v |= uint64(c) << (8 * i)
	}
	return v
}

func (b *block) u8() byte    { return byte(b.uint(1)) }
func (b *block) u16() uint16 { return uint16(b.uint(2)) }
func (b *block) u32() uint32 { return uint32(b.uint(4)) }

// offset reads an address, possibly undefined.
func (b *block) offset() int64 {
	v := b.uint(b.offsetSize)
	if v == math.MaxUint64>>(64-8*b.offsetSize) {
		return undefined
	}
	return int64(min(v, math.MaxInt64))
}

// length reads a size. Sizes beyond 2^63 become the largest, which nothing has.
func (b *block) length() int64 { return int64(min(b.uint(b.lengthSize), math.MaxInt64)) }

// sub is the next n bytes as a block of its own.
func (b *block) sub(what string, n int) *block {
	at, p := b.at+int64(b.pos), b.take(n)
	return &block{what: what, at: at, b: p, err: b.err, offsetSize: b.offsetSize, lengthSize: b.lengthSize}
}

func (b *block) sign(signature string) {
	if got := b.take(len(signature)); b.err == nil && string(got) != signature {
		b.failf("it starts with %q, not with %q", got, signature)
	}
}

// version reads a version number, of which one is known.
func (b *block) version(known byte) {
	if v := b.u8(); v != known {
		b.failf("version %d, only %d is known", v, known)
	}
}

// checksum verifies the checksum in the last four bytes and takes it off.
func (b *block) checksum() bool {
	if b.err != nil {
		return false
	}
	n := len(b.b) - 4
	if n < b.pos {
		b.failf("no room for a checksum")
		return false
	}
	if got, want := lookup3(b.b[:n]), binary.LittleEndian.Uint32(b.b[n:]); got != want && !b.unchecked {
		b.failf("the checksum is %08x, the file says %08x: damaged", got, want)
	}
	b.b = b.b[:n]
	return b.err == nil
}

// bytesFor is how many bytes the format gives to numbers up to n.
func bytesFor(n uint64) int { return max(0, bits.Len64(n)-1)/8 + 1 }

// lookup3 is Bob Jenkins's hash of that name (2006), which HDF5 uses as a
// checksum of its own structures.
func lookup3(p []byte) uint32 {
	const start = 0xdeadbeef
	a := start + uint32(len(p))
	b, c := a, a
	for len(p) > 12 {
		a += binary.LittleEndian.Uint32(p)
		b += binary.LittleEndian.Uint32(p[4:])
		c += binary.LittleEndian.Uint32(p[8:])
		a = (a - c) ^ bits.RotateLeft32(c, 4)
		c += b
		b = (b - a) ^ bits.RotateLeft32(a, 6)
		a += c
		c = (c - b) ^ bits.RotateLeft32(b, 8)
		b += a
		a = (a - c) ^ bits.RotateLeft32(c, 16)
		c += b
		b = (b - a) ^ bits.RotateLeft32(a, 19)
		a += c
		c = (c - b) ^ bits.RotateLeft32(b, 4)
		b += a
		p = p[12:]
	}
	if len(p) == 0 {
		return c
	}
	var last [12]byte
	copy(last[:], p)
	a += binary.LittleEndian.Uint32(last[:])
	b += binary.LittleEndian.Uint32(last[4:])
	c += binary.LittleEndian.Uint32(last[8:])
	c = (c ^ b) - bits.RotateLeft32(b, 14)
	a = (a ^ c) - bits.RotateLeft32(c, 11)
	b = (b ^ a) - bits.RotateLeft32(a, 25)
	c = (c ^ b) - bits.RotateLeft32(b, 16)
	a = (a ^ c) - bits.RotateLeft32(c, 4)
	b = (b ^ a) - bits.RotateLeft32(a, 14)
	return (c ^ b) - bits.RotateLeft32(b, 24)
}
