package hdf5

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// arrayWalk goes through an array of chunks. They stand in the order of their
// places in the grid that the dataset's largest shape makes, row by row; in an
// extensible array the dimension without limit counts first.
type arrayWalk struct {
	counts []int // of chunks along each dimension
	order  []int // the dimensions, slowest first
	number int   // of chunks passed
	at     []int // place of the last
	visit  func(at []int, c chunk) error
}

func newArrayWalk(index *chunkIndex, l *layout, o *object, visit func(at []int, c chunk) error) (*arrayWalk, error) {
	limits := o.space.maxDims
	if limits == nil {
		limits = o.space.dims
	}
	rank := len(limits)
	w := &arrayWalk{counts: grid(limits, l.chunk), order: make([]int, rank), at: make([]int, rank), visit: visit}
	for i := range w.order {
		w.order[i] = i
	}
	if i := slices.Index(limits, -1); i >= 0 {
		if index.kind != indexExtensible {
			return nil, errors.New("an array of chunks for a dataset without limit")
		}
		copy(w.order[1:], w.order[:i])
		w.order[0] = i
		w.counts[i] = math.MaxInt
	}
	if slices.Min(w.counts) < 1 {
		return nil, fmt.Errorf("shape %v is larger than its limit %v", o.space.dims, limits)
	}
	return w, nil
}

// next visits the next chunk, unless it lies beyond the largest shape.
func (w *arrayWalk) next(c chunk) error {
	rest := w.number
	for _, d := range slices.Backward(w.order) {
		w.at[d] = rest % w.counts[d]
		rest /= w.counts[d]
	}
	w.number++
	if rest > 0 {
		return nil
	}
	return w.visit(w.at, c)
}

// missing is the error of chunks that the dataset has and the file has not.
func (w *arrayWalk) missing() error {
	return fmt.Errorf("chunks from number %d on were never written", w.number)
}

// checkArray reads what all parts of arrays begin with after the signature.
func (index *chunkIndex) checkArray(b *block) {
	b.version(0)
	want := byte(0)
	if index.filtered {
		want = 1
	}
	if got := b.u8(); got != want {
		b.failf("client %d, want %d", got, want)
	}
}

// checkElement compares the size of an array's elements with what they hold.
func (f *File) checkElement(b *block, index *chunkIndex, size int) (sizeBytes int) {
	want := f.offsetSize
	if index.filtered {
		sizeBytes = index.sizeBytes()
		want += sizeBytes + 4
	}
	if size != want {
		b.failf("elements of %d bytes, want %d", size, want)
	}
	return sizeBytes
}

// eachImplicit visits chunks that lie one behind the other, without an index.
func (f *File) eachImplicit(index *chunkIndex, w *arrayWalk) error {
	for range product(w.counts) {
		if err := f.take(8); err != nil {
			return err
		}
		if err := w.next(chunk{at: index.at + int64(w.number)*index.bytes, stored: index.bytes}); err != nil {
			return err
		}
	}
	return nil
}

// eachFixed visits the elements of a fixed array.
func (f *File) eachFixed(index *chunkIndex, w *arrayWalk) error {
	b, err := f.readSigned("fixed array", "FAHD", index.at, int64(4+4+f.lengthSize+f.offsetSize+4))
	if err != nil {
		return err
	}
	index.checkArray(b)
	size := int(b.u8())
	pageBits := b.u8()
	n, at := b.length(), b.offset()
	sizeBytes := f.checkElement(b, index, size)
	if pageBits > 40 || n > f.size {
		b.failf("%d elements in a file of %d bytes", n, f.size)
	}
	if b.err != nil {
		return b.err
	}
	element := func(b *block) error { return w.next(index.readElement(b, sizeBytes)) }
	prefix := int64(4 + 2 + f.offsetSize)
	page := int64(1) << pageBits
	if n <= page {
		return f.eachElement("data block of a fixed array", "FADB", at, prefix, n, size, element)
	}
	pages := (n-1)/page + 1
	bitmap := (pages + 7) / 8
	head, err := f.readSigned("data block of a fixed array", "FADB", at, prefix+bitmap+4)
	if err != nil {
		return err
	}
	head.skip(int(prefix) - 4)
	initialised := head.take(int(bitmap))
	if head.err != nil {
		return head.err
	}
	at += prefix + bitmap + 4
	for i := range pages {
		count := min(page, n-i*page)
		if initialised[i/8]&(0x80>>(i%8)) == 0 {
			return w.missing()
		}
		if err := f.eachElement("page of a fixed array", "", at, 0, count, size, element); err != nil {
			return err
		}
		at += page*int64(size) + 4
	}
	return nil
}

// eachElement visits n elements of a block: after skip bytes from the signature
// on, before the checksum.
func (f *File) eachElement(what, signature string, at, skip, n int64, size int, visit func(*block) error) error {
	b, err := f.readSigned(what, signature, at, skip+n*int64(size)+4)
	if err != nil {
		return err
	}
	b.skip(int(skip) - len(signature))
	for range n {
		element := b.sub("element of an array", size)
		if element.err != nil {
			return element.err
		}
		if err := visit(element); err != nil {
			return err
		}
	}
	return b.err
}
