package gallery

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math/bits"
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
	mostSerial     = 1 << 62 // of a transaction; bbolt adds to it
	maxDepth       = 32
	maxKey         = 32768
	manyFree       = 0xffff // the freelist's count stands in its first element
	firstTreePage  = 2      // after both metas
	bytesInPageID  = 8
	freelistBuffer = 8192 // page ids
)

var order = binary.NativeEndian

// snapshot is a store as its last transaction left it, read without bbolt: bbolt
// lets nobody read while somebody writes, even from the pages that the writer
// leaves alone, and it trusts every number in the file, so that a flipped bit may
// crash or hang it. What bbolt relies on is therefore checked, by readers and
// before a writer hands it the file: that a branch names its children by their
// first keys, that leaves are equally deep and keys ascend, that elements lie one
// behind the other, and that each page is used once or free.
//
// What is read is consistent if the file's last transaction is still the same
// afterwards. A transaction writes to pages only that the one before it did not
// use.
type snapshot struct {
	file               io.ReaderAt
	pages              uint64 // in use or free; the file has them all
	root, free, serial uint64
	doubtful           bool     // the other header is not whole
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
	ours, foreign, whole := false, false, 0
	for id := range int64(2) {
		var b [pageHeader + metaSize]byte
		if _, err := file.ReadAt(b[:], id*pageSize); err == io.EOF {
			continue
		} else if err != nil {
			return nil, err
		}
		m := b[pageHeader:]
		if order.Uint32(m) != metaMagic || order.Uint32(m[4:]) != metaVersion {
			continue
		}
		ours = ours || order.Uint32(m[8:]) == pageSize
		sum := fnv.New64a()
		sum.Write(m[:56])
		if sum.Sum64() != order.Uint64(m[56:]) {
			continue
		}
		if order.Uint32(m[8:]) != pageSize || order.Uint64(m[48:]) > mostSerial {
			foreign = true // which bbolt would take
			continue
		}
		whole++
		s := &snapshot{file: file, root: order.Uint64(m[16:]), free: order.Uint64(m[32:]), pages: order.Uint64(m[40:]), serial: order.Uint64(m[48:])}
		if last == nil || s.serial > last.serial {
			last = s
		}
	}
	switch {
	case ours && foreign:
		return nil, fmt.Errorf("%w: a header that this program has not written", ErrDamaged)
	case last == nil && ours:
		return nil, fmt.Errorf("%w: neither of its two headers is whole", ErrDamaged)
	case last == nil:
		return nil, ErrNotIndex
	}
	last.doubtful = whole < 2
	return last, nil
}

// storeFile is what is read of a store's file.
type storeFile interface {
	io.ReaderAt
	Stat() (fs.FileInfo, error)
}

// openSnapshot checks the structure of a store and returns the items of its buckets.
func openSnapshot(file storeFile) (*snapshot, map[string][]item, error) {
	s, err := lastMeta(file)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat() // not before: a writer lets the file grow, and then writes a header
	if err != nil {
		return s, nil, err
	}
	size := info.Size()
	if s.pages < firstTreePage || s.pages > uint64(size/pageSize) {
		return s, nil, fmt.Errorf("%w: %d bytes of %d", ErrDamaged, size, s.pages*pageSize)
	}
	s.seen = make([]uint64, (s.pages+63)/64)
	buckets := map[string][]item{}
	root := tree{s, -1, "", func(i item, flags uint32) error {
		if flags != bucketElement {
			return errors.New("a value outside of buckets")
		}
		items, err := s.bucket(i)
		buckets[i.key] = items
		return err
	}}
	if err := root.page(s.root, nil, 0); err != nil {
		return s, nil, damaged(err)
	}
	if err := s.checkFree(); err != nil {
		return s, nil, damaged(err)
	}
	return s, buckets, nil
}

// bucket lists a bucket's items. A small one lies in its parent's page.
func (s *snapshot) bucket(i item) (items []item, err error) {
	var header [bucketHeader + pageHeader]byte
	if i.size < bucketHeader {
		return nil, fmt.Errorf("a bucket of %d bytes", i.size)
	}
	if _, err := s.file.ReadAt(header[:min(i.size, int64(len(header)))], i.offset); err != nil {
		return nil, err
	}
	t := tree{s, -1, "", func(i item, flags uint32) error {
		if flags != 0 {
			return errors.New("a bucket in a bucket")
		}
		items = append(items, i)
		return nil
	}}
	if root := order.Uint64(header[:]); root != 0 {
		err := t.page(root, nil, 0)
		return items, err
	}
	if i.size < bucketHeader+pageHeader {
		return nil, fmt.Errorf("a bucket of %d bytes", i.size)
	}
	page := header[bucketHeader:]
	if order.Uint64(page) != 0 || order.Uint16(page[8:]) != leafPage || order.Uint32(page[12:]) != 0 {
		return nil, errors.New("a bucket that is no leaf")
	}
	err = t.leaf(i.offset+bucketHeader, i.offset+i.size, int(order.Uint16(page[10:])), 0)
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

// tree is a bucket's tree of pages while it is visited.
type tree struct {
	*snapshot
	depth int    // of the leaves, -1 before the first
	last  string // key
	visit func(item, uint32) error
}

// page visits all items below a page. Its parent, if it has one, knows it by its
// first key.
func (t *tree) page(id uint64, first *string, depth int) error {
	flags, count, end, err := t.snapshot.page(id)
	if err != nil {
		return err
	}
	offset := int64(id) * pageSize
	switch {
	case depth == maxDepth:
		return errors.New("a tree that is too deep")
	case flags != leafPage && flags != branchPage:
		return fmt.Errorf("page %d is of the kind %d", id, flags)
	case count == 0 && (first != nil || flags == branchPage):
		return fmt.Errorf("page %d is empty", id)
	}
	if first != nil {
		if err := t.begins(offset, end, flags, *first); err != nil {
			return fmt.Errorf("page %d: %w", id, err)
		}
	}
	if flags == leafPage {
		return t.leaf(offset, end, count, depth)
	}
	table, free, err := t.table(offset, end, count)
	if err != nil {
		return err
	}
	for i := range count {
		e := table[i*elementSize:]
		start, size := offset+pageHeader+int64(i)*elementSize+int64(order.Uint32(e)), int64(order.Uint32(e[4:]))
		if free, err = after(free, start, size, end); err != nil {
			return err
		}
		key, err := t.key(start, size)
		if err != nil {
			return err
		}
		if err := t.page(order.Uint64(e[8:]), &key, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// begins makes sure that the first key of a page, which is not empty, is that which
// its parent has.
func (t *tree) begins(offset, end int64, flags uint16, first string) error {
	table, _, err := t.table(offset, end, 1)
	if err != nil {
		return err
	}
	if flags == leafPage {
		table = table[4:]
	}
	start := offset + pageHeader + int64(order.Uint32(table))
	if int64(order.Uint32(table[4:])) != int64(len(first)) || start+int64(len(first)) > end {
		return errors.New("its first key is not that of its parent")
	}
	key, err := t.key(start, int64(len(first)))
	if err == nil && key != first {
		err = errors.New("its first key is not that of its parent")
	}
	return err
}

// leaf visits the items of a leaf page.
func (t *tree) leaf(offset, end int64, count, depth int) error {
	if t.depth >= 0 && t.depth != depth {
		return errors.New("leaves that are not equally deep")
	}
	t.depth = depth
	if count == 0 {
		return t.blank(offset+pageHeader, end)
	}
	table, free, err := t.table(offset, end, count)
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
		key, err := t.key(start, keySize)
		if err != nil {
			return err
		}
		if key <= t.last {
			return errors.New("keys out of order")
		}
		t.last = key
		if err := t.visit(item{key, start + keySize, valueSize}, order.Uint32(e)); err != nil {
			return err
		}
	}
	return nil
}

// blank makes sure that nothing was ever written where a page says that it is empty.
func (s *snapshot) blank(from, to int64) error {
	b := make([]byte, min(to-from, pageSize))
	if _, err := s.file.ReadAt(b, from); err != nil {
		return err
	}
	if len(bytes.Trim(b, "\x00")) > 0 {
		return errors.New("an empty page that is not blank")
	}
	return nil
}

// key reads a key of a page, which has its bytes.
func (s *snapshot) key(start, size int64) (string, error) {
	if size == 0 || size > maxKey {
		return "", fmt.Errorf("a key of %d bytes", size)
	}
	key := make([]byte, size)
	_, err := s.file.ReadAt(key, start)
	return string(key), err
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
// its page right behind what the one before it points to, and returns where it ends.
// So no byte belongs to two elements, and all that is read is no more than the file.
func after(free, start, size, end int64) (int64, error) {
	if start != free || start+size > end {
		return 0, errors.New("an element that points out of its page or to another's place")
	}
	return start + size, nil
}

// checkFree makes sure that no page on the list of free ones, to which the next
// transaction would write, is in use, and that all others are.
func (s *snapshot) checkFree() error {
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
	used := 0
	for _, word := range s.seen {
		used += bits.OnesCount64(word)
	}
	if n := s.pages - firstTreePage; uint64(used) != n {
		return fmt.Errorf("%d of %d pages are neither used nor free", n-uint64(used), n)
	}
	return nil
}
