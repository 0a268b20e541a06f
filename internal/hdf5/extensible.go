package hdf5

import (
	"fmt"
	"math/bits"
)

// extensible is an extensible array of chunks. Some elements are in its index
// block, the others in data blocks of growing size, in groups that are called
// super blocks. The data blocks of the first of these are listed in the index
// block itself, those of the others in a block of their own.
type extensible struct {
	f     *File
	index *chunkIndex
	walk  *arrayWalk

	used                    int64 // one more than the highest element that was set
	elementBytes, sizeBytes int   // of an element, and of a chunk's size in it
	page                    int64 // elements between two checksums of a large data block
	rootAt, inRoot          int64 // the index block, and how many elements it holds itself
	minBlock                int64 // elements of the smallest data block
	minPointers             int   // that a super block of its own has at least
	supers, direct          int   // super blocks, and how many of them the index block lists
	offsetBytes             int   // of an element's number
}

// eachExtensible visits the elements of an extensible array.
func (f *File) eachExtensible(index *chunkIndex, w *arrayWalk) error {
	e, err := f.readExtensible(index)
	if err != nil {
		return err
	}
	e.walk = w
	root, err := e.readRoot()
	if err != nil {
		return err
	}
	for range e.inRoot {
		if err := e.element(root.sub("element of an array", e.elementBytes)); err != nil {
			return err
		}
	}
	for super := 0; super < e.supers && !e.done(); super++ {
		if err := e.superBlock(root, super); err != nil {
			return err
		}
	}
	return nil
}

// readExtensible reads the header of an extensible array.
func (f *File) readExtensible(index *chunkIndex) (*extensible, error) {
	b, err := f.readSigned("extensible array", "EAHD", index.at, int64(4+2+6+6*f.lengthSize+f.offsetSize+4))
	if err != nil {
		return nil, err
	}
	index.checkArray(b)
	e := &extensible{f: f, index: index, elementBytes: int(b.u8())}
	maxBits := int(b.u8())
	e.inRoot, e.minBlock, e.minPointers = int64(b.u8()), int64(b.u8()), int(b.u8())
	pageBits := int(b.u8())
	b.skip(4 * f.lengthSize)
	e.used = b.length()
	b.skip(f.lengthSize)
	e.rootAt = b.offset()
	e.sizeBytes = f.checkElement(b, index, e.elementBytes)
	power := func(n int) bool { return n > 0 && n&(n-1) == 0 }
	if maxBits < 1 || maxBits > 62 || !power(int(e.minBlock)) || !power(e.minPointers) || pageBits > 40 || e.used > f.size {
		b.failf("%d bits, blocks of %d and more elements, %d and more pointers, %d page bits, %d elements", maxBits, e.minBlock, e.minPointers, pageBits, e.used)
	}
	e.page = int64(1) << pageBits
	e.offsetBytes = (maxBits + 7) / 8
	e.supers = 1 + maxBits - (bits.Len64(uint64(e.minBlock)) - 1)
	e.direct = 2 * (bits.Len(uint(e.minPointers)) - 1)
	if e.supers < e.direct {
		b.failf("%d super blocks, %d in the index block", e.supers, e.direct)
	}
	return e, b.err
}

// done says that all elements that were set have been visited.
func (e *extensible) done() bool { return int64(e.walk.number) >= e.used }

func (e *extensible) element(b *block) error {
	if e.done() {
		return nil
	}
	return e.walk.next(e.index.readElement(b, e.sizeBytes))
}

// prefix is how long the part is that all blocks begin with, the signature
// included; after it, data blocks and super blocks have the number of their first
// element.
func (e *extensible) prefix() int64 { return int64(4 + 2 + e.f.offsetSize) }

// readRoot reads the index block: elements, then addresses of data blocks, then
// addresses of super blocks.
func (e *extensible) readRoot() (*block, error) {
	blocks := 2 * (e.minPointers - 1)
	n := e.prefix() + e.inRoot*int64(e.elementBytes) + int64((blocks+e.supers-e.direct)*e.f.offsetSize) + 4
	root, err := e.f.readSigned("index block of an extensible array", "EAIB", e.rootAt, n)
	if err != nil {
		return nil, err
	}
	root.skip(int(e.prefix()) - 4)
	return root, nil
}

// superBlock visits the data blocks of a super block.
func (e *extensible) superBlock(root *block, super int) error {
	count, perBlock := int64(1)<<(super/2), e.minBlock<<((super+1)/2)
	list, initialised := root, func(block, page int64) bool { return true }
	if super >= e.direct {
		var err error
		if list, initialised, err = e.readSuperBlock(root, super, count, perBlock); err != nil {
			return err
		}
	}
	for i := int64(0); i < count && !e.done(); i++ {
		at := list.offset()
		if list.err != nil {
			return list.err
		}
		if err := e.dataBlock(at, perBlock, func(page int64) bool { return initialised(i, page) }); err != nil {
			return err
		}
	}
	return nil
}

// readSuperBlock reads a super block that root has the address of, up to the list
// of its count data blocks, and tells which of their pages were ever written.
func (e *extensible) readSuperBlock(root *block, super int, count, perBlock int64) (list *block, initialised func(block, page int64) bool, err error) {
	at := root.offset()
	if root.err != nil {
		return nil, nil, root.err
	}
	if at == undefined {
		return nil, nil, e.walk.missing()
	}
	var pages, bitmap int64 // of each data block; the bits stand close together, the bytes are counted by block
	if perBlock > e.page {
		pages = perBlock / e.page
		bitmap = (pages + 7) / 8
	}
	if count > e.f.size || bitmap > e.f.size {
		return nil, nil, fmt.Errorf("extensible array at byte %d: super block %d is larger than the file", e.f.base+e.index.at, super)
	}
	prefix := e.prefix() + int64(e.offsetBytes)
	list, err = e.f.readSigned("super block of an extensible array", "EASB", at, prefix+count*bitmap+count*int64(e.f.offsetSize)+4)
	if err != nil {
		return nil, nil, err
	}
	list.skip(int(prefix) - 4)
	written := list.take(int(count * bitmap))
	return list, func(block, page int64) bool {
		bit := block*pages + page
		return written[bit/8]&(0x80>>(bit%8)) != 0
	}, nil
}

// dataBlock visits the n elements of a data block. A large one has pages.
func (e *extensible) dataBlock(at, n int64, initialised func(page int64) bool) error {
	const what = "data block of an extensible array"
	if at == undefined {
		return e.walk.missing()
	}
	prefix := e.prefix() + int64(e.offsetBytes)
	if n <= e.page {
		return e.f.eachElement(what, "EADB", at, prefix, n, e.elementBytes, e.element)
	}
	if _, err := e.f.readSigned(what, "EADB", at, prefix+4); err != nil {
		return err
	}
	at += prefix + 4
	for i := int64(0); i < n/e.page && !e.done(); i++ {
		if !initialised(i) {
			return e.walk.missing()
		}
		if err := e.f.eachElement("page of an extensible array", "", at, 0, e.page, e.elementBytes, e.element); err != nil {
			return err
		}
		at += e.page*int64(e.elementBytes) + 4
	}
	return nil
}
