// Package hdf5 reads, and in a small way writes, the HDF5 files that h5py and
// Keras make. It follows version 3 of the HDF5 File Format Specification.
//
// What can be read: superblocks 0 to 3, object headers 1 and 2, groups of every
// kind, attributes, and arrays of integers, floating-point numbers and strings,
// stored contiguously, in the header or in chunks with any index, through the
// filters deflate, shuffle and fletcher32. What cannot (external files and
// links, virtual datasets, compound types, other filters) is named in the error.
//
// Files are not trusted. An object's description is read once and kept; all such
// reading together is limited to a few times the file's size, so that no file
// can keep the reader busy for long or fill the memory. Checksums are verified
// where the format has them. Values that were never written are an error: a
// fill value is no weight.
package hdf5

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
)

// Signature is how HDF5 data begin, at byte 0, 512, 1024, 2048 and so on.
const Signature = "\x89HDF\r\n\x1a\n"

const (
	undefined  = -1 // an address that says "nothing there"
	maxHops    = 16 // soft links on the way to one object
	maxRank    = 32 // the format's limit
	budgetBase = 1 << 20
)

// File is an open HDF5 file. Many goroutines may use it at once.
type File struct {
	r                      io.ReaderAt
	size                   int64 // of the whole file
	base                   int64 // what addresses in the file count from
	offsetSize, lengthSize int
	root                   int64
	unchecked              bool // checksums do not count: for tests that damage what they protect

	mu      sync.Mutex // over all below
	left    int64      // bytes that may still be taken for descriptions
	objects map[int64]loaded
	heaps   map[int64]map[uint16][]byte // global heap collections
}

// loaded is an object that has been read, or why it cannot be.
type loaded struct {
	object *object
	err    error
}

// Find returns the offset at which HDF5 data start, and whether there are any.
func Find(r io.ReaderAt, size int64) (offset int64, ok bool) {
	var start [len(Signature)]byte
	for offset < size {
		if n, _ := r.ReadAt(start[:], offset); n == len(start) && string(start[:]) == Signature {
			return offset, true
		}
		if offset > size/2 {
			break // twice that may be more than there are numbers
		}
		offset = max(512, 2*offset)
	}
	return 0, false
}

// Open reads the superblock and the root group of a file of size bytes. It
// keeps r.
func Open(r io.ReaderAt, size int64) (*File, error) { return open(r, size, false) }

func open(r io.ReaderAt, size int64, unchecked bool) (*File, error) {
	base, ok := Find(r, size)
	if !ok {
		return nil, errors.New("hdf5: the signature of HDF5 is not in the file")
	}
	f := &File{
		r: r, size: size, base: base, offsetSize: 8, lengthSize: 8, unchecked: unchecked,
		left: budgetBase + 4*min(size, math.MaxInt64/8), objects: map[int64]loaded{}, heaps: map[int64]map[uint16][]byte{},
	}
	if err := f.readSuperblock(); err != nil {
		return nil, fmt.Errorf("hdf5: %w", err)
	}
	root, err := f.object(f.root)
	if err == nil && !root.isGroup {
		err = fmt.Errorf("byte %d: it is not a group", f.base+f.root)
	}
	if err != nil {
		return nil, fmt.Errorf("hdf5: root group: %w", err)
	}
	return f, nil
}

// readSuperblock reads the part that says how wide numbers are and where the
// root group is.
func (f *File) readSuperblock() error {
	b, err := f.read("superblock", 0, min(96, f.size-f.base)) // version 0 with 8-byte offsets is the longest read here
	if err != nil {
		return err
	}
	b.skip(len(Signature))
	version := b.u8()
	var eof int64
	switch version {
	case 0, 1:
		b.skip(4) // versions of other parts, all 0
		f.offsetSize, f.lengthSize = int(b.u8()), int(b.u8())
		b.skip(1 + 2 + 2 + 4)
		if version == 1 {
			b.skip(4)
		}
	case 2, 3:
		f.offsetSize, f.lengthSize = int(b.u8()), int(b.u8())
		b.skip(1)
	default:
		return fmt.Errorf("byte %d: superblock of version %d, only 0 to 3 are known", f.base, version)
	}
	if b.err != nil {
		return b.err
	}
	for _, n := range []int{f.offsetSize, f.lengthSize} {
		if n != 2 && n != 4 && n != 8 {
			return fmt.Errorf("byte %d: superblock with addresses of %d bytes and lengths of %d, not 2, 4 or 8", f.base, f.offsetSize, f.lengthSize)
		}
	}
	b.offsetSize, b.lengthSize = f.offsetSize, f.lengthSize
	b.offset() // the base address: where the superblock was found counts
	b.offset()
	eof = b.offset()
	if version < 2 {
		b.offset()
		b.offset() // name of the root group
	}
	f.root = b.offset()
	if version >= 2 {
		b.b = b.b[:min(len(b.b), b.pos+4)]
		b.checksum()
	}
	if b.err != nil {
		return b.err
	}
	if eof > f.size {
		return fmt.Errorf("the file is cut short: it has %d bytes of %d", f.size, eof)
	}
	return nil
}

// Root returns the group that holds all others.
func (f *File) Root() *Group {
	root, err := f.object(f.root)
	if err != nil {
		panic("hdf5: the root group, once read, is lost") // Open has seen it
	}
	return &Group{named{f, root, "/"}}
}

// object returns the object whose header is at an address, reading it if this is
// the first time.
func (f *File) object(at int64) (*object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.load(at)
}

// load is object for who holds the lock.
func (f *File) load(at int64) (*object, error) {
	if known, ok := f.objects[at]; ok {
		return known.object, known.err
	}
	f.objects[at] = loaded{err: fmt.Errorf("byte %d: the object refers to itself", f.base+at)}
	o, err := f.readObject(at)
	f.objects[at] = loaded{o, err}
	return o, err
}

// resolve follows a path from an object, soft links included.
func (f *File) resolve(start *object, path string, hops *int) (*object, error) {
	root, err := f.object(f.root)
	if err != nil {
		return nil, err
	}
	at := start
	if strings.HasPrefix(path, "/") {
		at = root
	}
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." {
			continue
		}
		if !at.isGroup {
			return nil, fmt.Errorf("%q is looked up in what is no group", name)
		}
		l, ok := at.links[name]
		if !ok {
			return nil, &missing{"object", name}
		}
		if l.soft != "" {
			if *hops++; *hops > maxHops {
				return nil, fmt.Errorf("%q: more than %d soft links, one after the other: a cycle?", name, maxHops)
			}
			if at, err = f.resolve(at, l.soft, hops); err != nil {
				return nil, fmt.Errorf("soft link %q to %q: %w", name, l.soft, err)
			}
			continue
		}
		if l.refused != "" {
			return nil, fmt.Errorf("link %q at byte %d is %s, which is not followed", name, l.where, l.refused)
		}
		if at, err = f.object(l.at); err != nil {
			return nil, err
		}
	}
	return at, nil
}

// read takes n bytes at an address. The bytes count against what may be taken
// for descriptions.
func (f *File) read(what string, at, n int64) (*block, error) {
	if at < 0 || n < 0 || at > f.size-f.base || n > f.size-f.base-at {
		where := "an undefined address"
		if at >= 0 {
			where = fmt.Sprintf("byte %d", uint64(f.base)+uint64(at))
		}
		return nil, fmt.Errorf("%s of %d bytes at %s is not within the file's %d bytes", what, n, where, f.size)
	}
	if err := f.take(n); err != nil {
		return nil, fmt.Errorf("%s at byte %d: %w", what, f.base+at, err)
	}
	b := &block{what: what, at: f.base + at, b: make([]byte, n), offsetSize: f.offsetSize, lengthSize: f.lengthSize, unchecked: f.unchecked}
	if err := f.readAt(b.b, b.at); err != nil {
		return nil, fmt.Errorf("%s at byte %d: %w", what, b.at, err)
	}
	return b, nil
}

// readAt fills p from an offset in the file.
func (f *File) readAt(p []byte, at int64) error {
	if n, err := f.r.ReadAt(p, at); n < len(p) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}

// readSigned is read for a block that begins with a signature and ends with a
// checksum, both of which it verifies.
func (f *File) readSigned(what, signature string, at, n int64) (*block, error) {
	b, err := f.read(what, at, n)
	if err != nil {
		return nil, err
	}
	if b.sign(signature); b.checksum() {
		return b, nil
	}
	return nil, b.err
}

// take counts n bytes against what may be taken for descriptions.
func (f *File) take(n int64) error {
	if n > f.left {
		return fmt.Errorf("the file describes more than it can hold: over %d bytes of descriptions in a file of %d", 4*f.size+budgetBase, f.size)
	}
	f.left -= n
	return nil
}

// missing says that a name is not there; errors.Is recognises it as
// fs.ErrNotExist.
type missing struct{ kind, name string }

func (m *missing) Error() string { return fmt.Sprintf("there is no %s %q", m.kind, m.name) }

// cString is what stands before the first zero.
func cString(b []byte) string {
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	return string(b)
}
