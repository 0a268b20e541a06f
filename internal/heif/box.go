package heif

import (
	"encoding/binary"
	"fmt"
)

// box is a part of a file: a kind, and what is in it.
type box struct {
	kind string
	body []byte
}

// boxes cuts data into boxes; the last one may be cut short or end with the data. A box
// has 8 bytes at least, so there are no more than that.
func boxes(data []byte, each func(b box) error) error {
	for len(data) >= 8 {
		size, head := uint64(binary.BigEndian.Uint32(data)), uint64(8)
		switch {
		case size == 0:
			size = uint64(len(data))
		case size == 1 && len(data) >= 16:
			size, head = binary.BigEndian.Uint64(data[8:]), 16
		}
		if size < head {
			return fmt.Errorf("a box of %d bytes", size)
		}
		end := min(size, uint64(len(data)))
		if end < head {
			return nil
		}
		if err := each(box{string(data[4:8]), data[head:end]}); err != nil {
			return err
		}
		data = data[end:]
	}
	return nil
}

// reader takes numbers off a box. Once it is behind the end, all are 0 and failed is set.
type reader struct {
	data   []byte
	failed bool
}

func (r *reader) bytes(n uint64) []byte {
	if r.failed || n > uint64(len(r.data)) {
		r.failed = true
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

// number reads one of n bytes, 8 at most; none are 0.
func (r *reader) number(n int) (v uint64) {
	for _, b := range r.bytes(uint64(n)) {
		v = v<<8 | uint64(b)
	}
	return v
}

// full reads what a full box begins with.
func (r *reader) full() (version uint8, flags uint32) {
	v := r.number(4)
	return uint8(v >> 24), uint32(v & 0xffffff)
}

// text reads up to a zero.
func (r *reader) text() string {
	for i, b := range r.data {
		if b == 0 {
			return string(r.bytes(uint64(i) + 1)[:i])
		}
	}
	return string(r.bytes(uint64(len(r.data))))
}
