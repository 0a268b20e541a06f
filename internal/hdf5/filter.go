package hdf5

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
)

// Filters by their registered numbers.
const (
	filterDeflate  = 1
	filterShuffle  = 2
	filterFletcher = 3
)

// maxDeflate is how many bytes one byte of deflated data makes at most: 258
// bytes from 2 bits.
const maxDeflate = 1032

type filter struct {
	id   int
	name string
	size int // of the elements that shuffle takes apart
}

func readFilters(b *block) (filters []filter) {
	b.what = "filter pipeline"
	version := b.u8()
	n := int(b.u8())
	switch version {
	case 1:
		b.skip(6)
	case 2:
	default:
		b.failf("version %d, only 1 and 2 are known", version)
	}
	if n > 32 {
		b.failf("%d filters, the limit is 32", n)
	}
	for range n {
		if b.err != nil {
			return nil
		}
		f := filter{id: int(b.u16())}
		nameBytes := 0
		if version == 1 || f.id >= 256 {
			nameBytes = int(b.u16())
		}
		b.skip(2)
		values := int(b.u16())
		if version == 1 {
			nameBytes = (nameBytes + 7) &^ 7
		}
		f.name = cString(b.take(nameBytes))
		client := b.sub("filter's values", 4*values)
		if version == 1 && values%2 == 1 {
			b.skip(4)
		}
		switch f.id {
		case filterDeflate, filterFletcher:
		case filterShuffle:
			if f.size = int(client.u32()); f.size < 1 && b.err == nil {
				b.failf("shuffle of elements without size")
			}
		default:
			b.failf("values went through filter %d %q, which is not read (deflate, shuffle and fletcher32 are)", f.id, f.name)
		}
		filters = append(filters, f)
	}
	return filters
}

// unfilter turns a chunk as it is stored into its values, n bytes.
func unfilter(p []byte, filters []filter, mask uint32, n int64) (_ []byte, err error) {
	for i := len(filters) - 1; i >= 0; i-- {
		if mask>>i&1 != 0 {
			continue
		}
		switch f := filters[i]; f.id {
		case filterDeflate:
			p, err = inflate(p, n+4) // a checksum may be under it
		case filterShuffle:
			p = unshuffle(p, f.size)
		case filterFletcher:
			p, err = checkFletcher(p)
		}
		if err != nil {
			return nil, err
		}
	}
	if int64(len(p)) != n {
		return nil, fmt.Errorf("%d bytes of values, want %d", len(p), n)
	}
	return p, nil
}

// inflate decompresses p, to no more than limit bytes.
func inflate(p []byte, limit int64) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(p))
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, min(limit+bytes.MinRead, maxDeflate*int64(len(p)))))
	if _, err := out.ReadFrom(io.LimitReader(z, limit+1)); err != nil { // verifies zlib's own checksum at the end
		return nil, err
	}
	if int64(out.Len()) > limit {
		return nil, fmt.Errorf("it inflates to more than %d bytes", limit)
	}
	return out.Bytes(), nil
}

// unshuffle puts the bytes of elements together again: all first bytes, all
// second bytes, and so on, then what does not make an element.
func unshuffle(p []byte, size int) []byte {
	n := len(p) / size
	if n == 0 {
		return p
	}
	out := make([]byte, len(p))
	for i := range size {
		for j, c := range p[i*n : (i+1)*n] {
			out[j*size+i] = c
		}
	}
	copy(out[n*size:], p[n*size:])
	return out
}

// checkFletcher verifies the checksum at the end and takes it off.
func checkFletcher(p []byte) ([]byte, error) {
	if len(p) < 4 {
		return nil, io.ErrUnexpectedEOF
	}
	n := len(p) - 4
	if got, want := fletcher32(p[:n]), binary.LittleEndian.Uint32(p[n:]); got != want {
		return nil, fmt.Errorf("the checksum is %08x, the file says %08x: damaged", got, want)
	}
	return p[:n], nil
}

// fletcher32 is Fletcher's checksum of big-endian 16-bit words, as HDF5 has it:
// sums modulo 65535 in which 65535 may stand for 0.
func fletcher32(p []byte) uint32 {
	var a, b uint32
	fold := func() { a, b = a&0xffff+a>>16, b&0xffff+b>>16 }
	const words = 360 // so many do not overflow
	for len(p) >= 2 {
		for range min(words, len(p)/2) {
			a += uint32(binary.BigEndian.Uint16(p))
			b += a
			p = p[2:]
		}
		fold()
	}
	if len(p) == 1 {
		a += uint32(p[0]) << 8
		b += a
		fold()
	}
	fold()
	return b<<16 | a
}
