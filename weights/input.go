package weights

import (
	"fmt"
	"io"
	"math"
	"os"

	"github.com/blevesearch/mmap-go"
)

// input is the bytes that a reader of a format gets: a file or a part of one.
//
// The mapping serves views only. All else is read through ReadAt, so that a
// file that another program shortens is an error and not a fault.
type input struct {
	io.ReaderAt
	size   int64
	mapped []byte // the same bytes in memory, or nil
}

// mapFile maps a file into memory, copy-on-write: a view may be written to and
// the file stays as it is. Where that cannot be done (no such thing on this
// system, more than an int counts) it returns nil, and views are copies.
func mapFile(f *os.File, size int64) mmap.MMap {
	if size <= 0 || size > math.MaxInt {
		return nil
	}
	m, err := mmap.MapRegion(f, int(size), mmap.COPY, 0, 0)
	if err != nil {
		return nil
	}
	return m
}

func unmap(m mmap.MMap) error {
	if m == nil {
		return nil
	}
	return m.Unmap()
}

// section returns a part of the input.
func (in *input) section(offset, size int64) (*input, error) {
	if offset < 0 || size < 0 || size > in.size || offset > in.size-size {
		return nil, fmt.Errorf("%d bytes at byte %d of %d: the file is cut short or damaged", size, offset, in.size)
	}
	part := &input{ReaderAt: io.NewSectionReader(in.ReaderAt, offset, size), size: size}
	if in.mapped != nil {
		part.mapped = in.mapped[offset : offset+size : offset+size]
	}
	return part, nil
}

// bytes reads size bytes at offset. It takes memory only for what is there.
func (in *input) bytes(offset, size int64) ([]byte, error) {
	part, err := in.section(offset, size)
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	return b, readFull(io.NewSectionReader(part, 0, size), b)
}

// array returns the array whose values are the whole input, row-major.
func (in *input) array(shape []int, t dtype) (array, error) {
	if err := checkSize(shape, t, in.size); err != nil {
		return array{}, err
	}
	a := array{shape: shape, kind: t.name}
	a.part = func(dst []float32, first int) error {
		return readValues(dst, io.NewSectionReader(in, int64(first)*int64(t.size), int64(len(dst)*t.size)), t)
	}
	a.read = func(dst []float32) error { return a.part(dst, 0) }
	if in.mapped != nil && t.native() {
		a.values = asFloats(in.mapped)
	}
	return a, nil
}

const maxRank = 32

// checkSize checks that an array of a shape takes size bytes. After that the
// shape's product and four times that fit an int.
func checkSize(shape []int, t dtype, size int64) error {
	if len(shape) > maxRank {
		return fmt.Errorf("%d dimensions, the limit is %d", len(shape), maxRank)
	}
	count := int64(1)
	for _, d := range shape {
		if d < 0 || d != 0 && count > math.MaxInt/8/int64(d) {
			return fmt.Errorf("shape %v is too large", shape)
		}
		count *= int64(d)
	}
	if want := count * int64(t.size); size != want {
		return fmt.Errorf("%s%v takes %d bytes, the file has %d", t.name, shape, want, size)
	}
	return nil
}

// array is one entry of a file's catalogue. Its shape has been checked against
// the bytes that are there.
type array struct {
	shape []int
	kind  string // of the values as they are stored, such as "F16"

	// read fills dst, whose length is the shape's product.
	read func(dst []float32) error

	// part fills dst with the values from index first on, row-major, without a
	// look at a checksum. It is nil where an array can only be read whole.
	part func(dst []float32, first int) error

	// values lie in a mapped file; nil where there is no mapping, or values that
	// must be converted or stand at an odd place.
	values []float32
}

// permuted returns the array of which dimension i is a's dimension order[i], as
// numpy.transpose does. It is read in blocks.
func permuted(a array, order ...int) array {
	shape := make([]int, len(order))
	strides := make([]int, len(order)) // in the result, of a's dimensions
	stride := 1
	for i := len(order) - 1; i >= 0; i-- {
		shape[i] = a.shape[order[i]]
		strides[order[i]] = stride
		stride *= shape[i]
	}
	return array{shape: shape, kind: a.kind, read: func(dst []float32) error { return readPermuted(dst, a, strides) }}
}

// readPermuted puts a's values where strides say. What varies slowest in the
// file mostly varies fastest in the result, so a block is some runs of values,
// each from another index of the first dimension: both reading and writing
// then touch neighbours.
func readPermuted(dst []float32, a array, strides []int) error {
	if len(dst) == 0 {
		return nil
	}
	if len(a.shape) == 0 {
		return a.read(dst)
	}
	part := a.part
	if part == nil {
		whole := make([]float32, len(dst))
		if err := a.read(whole); err != nil {
			return err
		}
		part = func(dst []float32, first int) error {
			copy(dst, whole[first:])
			return nil
		}
	}
	const maxRows, maxRun = 64, 1 << 15 // 8 MiB
	rows, row := a.shape[0], len(dst)/a.shape[0]
	run := min(row, maxRun)
	buf := make([]float32, min(rows, maxRows)*run)
	places := make([]int, run)
	for start := 0; start < row; start += run {
		run := min(run, row-start)
		for j := range run {
			place, index := 0, start+j
			for d := len(a.shape) - 1; d > 0; d-- {
				place += index % a.shape[d] * strides[d]
				index /= a.shape[d]
			}
			places[j] = place
		}
		for top := 0; top < rows; top += maxRows {
			n := min(maxRows, rows-top)
			if run == row {
				if err := part(buf[:n*run], top*row); err != nil {
					return err
				}
			} else {
				for r := range n {
					if err := part(buf[r*run:(r+1)*run], (top+r)*row+start); err != nil {
						return err
					}
				}
			}
			for j, place := range places[:run] {
				place += top * strides[0]
				for r := range n {
					dst[place+r*strides[0]] = buf[r*run+j]
				}
			}
		}
	}
	return nil
}
