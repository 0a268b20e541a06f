package gallery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// pageSize is that of the stores which this package makes, whatever the
// machine's is.
const pageSize = 4096

// Of bbolt's format, version 2. Its numbers have the machine's byte order.
const (
	metaMagic      = 0xed0cdaed
	metaVersion    = 2
	metaSize       = 64
	pageHeader     = 16 // id, flags, count, overflow
	elementSize    = 16 // of branches: pos, ksize, pgid; of leaves: flags, pos, ksize, vsize
	bucketHeader   = 16 // root, sequence
	branchPage     = 1
	leafPage       = 2
	freelistPage   = 16
	bucketElement  = 1
	maxDepth       = 32
	maxKey         = 32768
	manyFree       = 0xffff // the freelist's count stands in its first element
	noFreelist     = ^uint64(0)
	firstTreePage  = 2 // after both metas
	bytesInPageID  = 8
	freelistBuffer = 8192 // page ids
)

var order = binary.NativeEndian

// errNoStore is for a file that bbolt has not written.
var errNoStore = errors.New("not an index of pictures")

// snapshot is a store as its last transaction left it, read without bbolt: bbolt
// lets nobody read while somebody writes, even from the pages that the writer
// leaves alone, and it trusts every number in the file, so that a flipped bit may
// crash or hang it.
//
// What is read is consistent if the file's last transaction is still the same
// afterwards. A transaction writes to pages only that the one before it did not
// use.
type snapshot struct {
	file               io.ReaderAt
	pages              uint64 // in use or free; the file has them all
	root, free, serial uint64
	seen               []uint64 // a bit for each page
}

// item is a key of a bucket, and where its value lies in the file.
type item struct {
	key          string
	offset, size int64
}

// lastMeta returns the newer one of the two metas that is whole.
func lastMeta(file io.ReaderAt) (*snapshot, error) {
	var last *snapshot
	whole := false
	for id := range int64(2) {
		var b [pageHeader + metaSize]byte
		if _, err := file.ReadAt(b[:], id*pageSize); err == io.EOF {
			continue
		} else if err != nil {
			return nil, err
		}
		m := b[pageHeader:]
		if order.Uint32(m) != metaMagic || order.Uint32(m[4:]) != metaVersion || order.Uint32(m[8:]) != pageSize {
			continue
		}
		whole = true
		sum := fnv.New64a()
		sum.Write(m[:56])
		if sum.Sum64() != order.Uint64(m[56:]) {
			continue
		}
		s := &snapshot{file: file, root: order.Uint64(m[16:]), free: order.Uint64(m[32:]), pages: order.Uint64(m[40:]), serial: order.Uint64(m[48:])}
		if last == nil || s.serial > last.serial {
			last = s
		}
	}
	switch {
	case last == nil && whole:
		return nil, fmt.Errorf("%w: neither of its two headers is whole", ErrDamaged)
	case last == nil:
		return nil, errNoStore
	}
	return last, nil
}

// openSnapshot checks the structure of a store of size bytes and returns the
// items of its buckets.
func openSnapshot(file io.ReaderAt, size int64) (*snapshot, map[string][]item, error) {
	s, err := lastMeta(file)
	if err != nil {
		return nil, nil, err
	}
	if s.pages < firstTreePage || s.pages > uint64(size/pageSize) {
		return s, nil, fmt.Errorf("%w: %d bytes of %d", ErrDamaged, size, s.pages*pageSize)
	}
	s.seen = make([]uint64, (s.pages+63)/64)
	buckets := map[string][]item{}
	if err := s.tree(s.root, 0, func(i item, flags uint32) error {
		if flags != bucketElement {
			return errors.New("a value outside of buckets")
		}
		items, err := s.bucket(i)
		buckets[i.key] = items
		return err
	}); err != nil {
		return s, nil, damaged(err)
	}
	if err := s.checkFree(); err != nil {
		return s, nil, damaged(err)
	}
	return s, buckets, nil
}

// bucket lists a bucket's items. A small one lies in its parent's page.
func (s *snapshot) bucket(i item) ([]item, error) {
	var header [bucketHeader]byte
	if i.size < bucketHeader {
		return nil, fmt.Errorf("a bucket of %d bytes", i.size)
	}
	if _, err := s.file.ReadAt(header[:], i.offset); err != nil {
		return nil, err
	}
	var items []item
	add := func(i item, flags uint32) error {
		if flags != 0 {
			return errors.New("a bucket in a bucket")
		}
		if len(items) > 0 && i.key <= items[len(items)-1].key {
			return errors.New("keys out of order")
		}
		items = append(items, i)
		return nil
	}
	if root := order.Uint64(header[:]); root != 0 {
		return items, s.tree(root, 0, add)
	}
	var page [pageHeader]byte
	if i.size < bucketHeader+pageHeader {
		return nil, fmt.Errorf("a bucket of %d bytes", i.size)
	}
	if _, err := s.file.ReadAt(page[:], i.offset+bucketHeader); err != nil {
		return nil, err
	}
	if order.Uint16(page[8:]) != leafPage {
		return nil, errors.New("a bucket that is no leaf")
	}
	err := s.leaf(i.offset+bucketHeader, i.offset+i.size, int(order.Uint16(page[10:])), add)
	return items, err
}

// take notes that pages are in use; none is twice.
func (s *snapshot) take(id, n uint64) error {
	if id < firstTreePage || id >= s.pages || n > s.pages-id {
		return fmt.Errorf("pages %d to %d of %d", id, id+n, s.pages)
	}
	for p := id; p < id+n; p++ {
		if s.seen[p/64]&(1<<(p%64)) != 0 {
			return fmt.Errorf("page %d is used twice", p)
		}
		s.seen[p/64] |= 1 << (p % 64)
	}
	return nil
}

// page reads the header of a page and takes it.
func (s *snapshot) page(id uint64) (flags uint16, count int, end int64, err error) {
	if id < firstTreePage || id >= s.pages {
		return 0, 0, 0, fmt.Errorf("page %d of %d", id, s.pages)
	}
	var b [pageHeader]byte
	if _, err := s.file.ReadAt(b[:], int64(id)*pageSize); err != nil {
		return 0, 0, 0, err
	}
	if got := order.Uint64(b[:]); got != id {
		return 0, 0, 0, fmt.Errorf("page %d calls itself %d", id, got)
	}
	n := 1 + uint64(order.Uint32(b[12:]))
	return order.Uint16(b[8:]), int(order.Uint16(b[10:])), int64(id+n) * pageSize, s.take(id, n)
}

// tree visits all items below a page.
func (s *snapshot) tree(id uint64, depth int, visit func(item, uint32) error) error {
	flags, count, end, err := s.page(id)
	if err != nil {
		return err
	}
	offset := int64(id) * pageSize
	switch {
	case depth == maxDepth:
		return errors.New("a tree that is too deep")
	case flags == leafPage:
		return s.leaf(offset, end, count, visit)
	case flags != branchPage:
		return fmt.Errorf("page %d is of the kind %d", id, flags)
	case count == 0:
		return fmt.Errorf("page %d leads nowhere", id)
	}
	table, free, err := s.table(offset, end, count)
	if err != nil {
		return err
	}
	for i := range count {
		e := table[i*elementSize:]
		start, size := offset+pageHeader+int64(i)*elementSize+int64(order.Uint32(e)), int64(order.Uint32(e[4:]))
		if free, err = after(free, start, size, end); err != nil {
			return err
		}
		if err := s.tree(order.Uint64(e[8:]), depth+1, visit); err != nil {
			return err
		}
	}
	return nil
}

// leaf visits the items of a leaf page.
func (s *snapshot) leaf(offset, end int64, count int, visit func(item, uint32) error) error {
	table, free, err := s.table(offset, end, count)
	if err != nil {
		return err
	}
	for i := range count {
		e := table[i*elementSize:]
		start := offset + pageHeader + int64(i)*elementSize + int64(order.Uint32(e[4:]))
		keySize, valueSize := int64(order.Uint32(e[8:])), int64(order.Uint32(e[12:]))
		if free, err = after(free, start, keySize+valueSize, end); err != nil {
			return err
		}
		if keySize > maxKey {
			return fmt.Errorf("a key of %d bytes", keySize)
		}
		key := make([]byte, keySize)
		if _, err := s.file.ReadAt(key, start); err != nil {
			return err
		}
		if err := visit(item{string(key), start + keySize, valueSize}, order.Uint32(e)); err != nil {
			return err
		}
	}
	return nil
}

// table reads the elements of a page, and returns where what they point to begins.
func (s *snapshot) table(offset, end int64, count int) (elements []byte, free int64, err error) {
	free = offset + pageHeader + int64(count)*elementSize
	if free > end {
		return nil, 0, fmt.Errorf("%d elements in a page of %d bytes", count, end-offset)
	}
	elements = make([]byte, count*elementSize)
	_, err = s.file.ReadAt(elements, offset+pageHeader)
	return elements, free, err
}

// after makes sure that what an element points to, size bytes from start on, lies in
// its page behind what those before it point to, and returns where it ends. So no
// byte belongs to two elements, and all that is read is no more than the file.
func after(free, start, size, end int64) (int64, error) {
	if start < free || start+size > end {
		return 0, errors.New("an element that points out of its page or to another's place")
	}
	return start + size, nil
}

// checkFree makes sure that no page on the list of free ones, to which the next
// transaction would write, is in use.
func (s *snapshot) checkFree() error {
	if s.free == noFreelist {
		return nil
	}
	flags, count, end, err := s.page(s.free)
	if err != nil {
		return err
	}
	if flags != freelistPage {
		return errors.New("no list of free pages")
	}
	at := int64(s.free)*pageSize + pageHeader
	left := uint64(count)
	if count == manyFree {
		var b [bytesInPageID]byte
		if _, err := s.file.ReadAt(b[:], at); err != nil {
			return err
		}
		left, at = order.Uint64(b[:]), at+bytesInPageID
	}
	if left > uint64(end-at)/bytesInPageID {
		return fmt.Errorf("%d free pages on a list of %d bytes", left, end-at)
	}
	buf := make([]byte, bytesInPageID*min(left, freelistBuffer))
	for left > 0 {
		buf = buf[:bytesInPageID*min(left, freelistBuffer)]
		if _, err := s.file.ReadAt(buf, at); err != nil {
			return err
		}
		for i := 0; i < len(buf); i += bytesInPageID {
			if err := s.take(order.Uint64(buf[i:]), 1); err != nil {
				return fmt.Errorf("free pages: %w", err)
			}
		}
		at += int64(len(buf))
		left -= uint64(len(buf) / bytesInPageID)
	}
	return nil
}
