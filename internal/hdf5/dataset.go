package hdf5

import (
	"fmt"
	"slices"
)

// Dataset is an array in the file. Its shape has been checked against what the
// file holds.
type Dataset struct{ named }

// Shape returns the dataset's shape; a single value has none.
func (d *Dataset) Shape() []int { return slices.Clone(d.o.space.dims) }

// Len returns the number of elements.
func (d *Dataset) Len() int { return int(d.o.space.count) }

// Type returns the type of the elements.
func (d *Dataset) Type() Type { return *d.o.typ }

// Stored returns how many bytes the values take in the file. No byte of a sound
// file belongs to two datasets.
func (d *Dataset) Stored() int64 { return d.o.layout.stored }

// Contiguous says whether the values lie in the file in one piece as
// little-endian float32, and where, so that a mapped file can be used without a
// copy. The offset need not be a multiple of 4.
func (d *Dataset) Contiguous() (offset, length int64, littleEndianFloat32 bool) {
	t, l := d.o.typ, d.o.layout
	if l.class != layoutContiguous || t.Class != Float || t.Size != 4 || t.BigEndian {
		return 0, 0, false
	}
	return l.at, l.stored, true
}

// ReadFloat32 reads all values, row by row, converted to float32. It panics if
// dst has not Len elements.
func (d *Dataset) ReadFloat32(dst []float32) error {
	d.checkLen("ReadFloat32", len(dst))
	t := d.o.typ
	if !t.numeric() {
		return d.wrap(fmt.Errorf("elements of type %v are no numbers", t))
	}
	return d.read(func(at, n int, src []byte) { t.floats(dst[at:at+n], src) })
}

// ReadBFloat16 is ReadFloat32 for elements of two opaque bytes that hold the
// upper half of a float32: so h5py writes what NumPy does not know.
func (d *Dataset) ReadBFloat16(dst []float32) error {
	d.checkLen("ReadBFloat16", len(dst))
	if t := d.o.typ; t.Class != Opaque || t.Size != 2 {
		return d.wrap(fmt.Errorf("elements of type %v and %d bytes, want 2 opaque bytes", t, t.Size))
	}
	t := &Type{Class: BFloat16, Size: 2}
	return d.read(func(at, n int, src []byte) { t.floats(dst[at:at+n], src) })
}

// Ints returns all values of a dataset of integers.
func (d *Dataset) Ints() ([]int64, error) {
	t := d.o.typ
	if t.Class != Integer {
		return nil, d.wrap(fmt.Errorf("elements of type %v are no integers", t))
	}
	list := make([]int64, d.Len())
	err := d.read(func(at, n int, src []byte) { copy(list[at:], t.integers(src, int64(n))) })
	return list, err
}

func (d *Dataset) checkLen(op string, n int) {
	if n != d.Len() {
		panic(fmt.Sprintf("hdf5: %s: room for %d elements, shape %v", op, n, d.o.space.dims))
	}
}

// read gives all values in runs: n elements from element number at on.
func (d *Dataset) read(use func(at, n int, src []byte)) error {
	l, size := d.o.layout, d.o.typ.Size
	switch {
	case d.Len() == 0:
		return nil
	case l.class == layoutCompact:
		use(0, d.Len(), l.data)
		return nil
	case l.class == layoutChunked:
		for _, c := range l.chunks {
			if err := d.readChunk(c, use); err != nil {
				return d.wrap(fmt.Errorf("chunk of %d bytes at byte %d: %w", c.stored, c.at, err))
			}
		}
		return nil
	}
	const most = 1 << 16
	run := max(1, most/size)
	buf := make([]byte, min(run, d.Len())*size)
	for at := 0; at < d.Len(); at += run {
		n := min(run, d.Len()-at)
		offset := l.at + int64(at)*int64(size)
		if err := d.f.readAt(buf[:n*size], offset); err != nil {
			return d.wrap(fmt.Errorf("values at byte %d: %w", offset, err))
		}
		use(at, n, buf)
	}
	return nil
}

// readChunk gives those rows of a chunk that are within the shape.
func (d *Dataset) readChunk(c chunk, use func(at, n int, src []byte)) error {
	l, dims, size := d.o.layout, d.o.space.dims, d.o.typ.Size
	stored := make([]byte, c.stored)
	if err := d.f.readAt(stored, c.at); err != nil {
		return err
	}
	src := stored
	want := product(l.chunk) * int64(size)
	if len(d.o.filters) > 0 {
		var err error
		if src, err = unfilter(stored, d.o.filters, c.mask, want); err != nil {
			return err
		}
	} else if int64(len(src)) != want {
		return fmt.Errorf("%d bytes of values, want %d", len(src), want)
	}

	rank := len(dims)
	start, valid := make([]int, rank), make([]int, rank) // in elements
	place := c.place
	counts := grid(dims, l.chunk)
	for i := rank - 1; i >= 0; i-- {
		start[i] = place % counts[i] * l.chunk[i]
		place /= counts[i]
		valid[i] = min(l.chunk[i], dims[i]-start[i])
	}
	last := rank - 1
	at := make([]int, rank) // within the chunk; the last stays 0
	for {
		from, to := 0, 0
		for i := range rank {
			from = from*l.chunk[i] + at[i]
			to = to*dims[i] + start[i] + at[i]
		}
		use(to, valid[last], src[from*size:])
		i := last - 1
		for ; i >= 0; i-- {
			if at[i]++; at[i] < valid[i] {
				break
			}
			at[i] = 0
		}
		if i < 0 {
			return nil
		}
	}
}
