package gallery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"path/filepath"
	"time"
	"unicode/utf8"

	"lookalike/internal/f32"
	"lookalike/internal/memory"
)

// A block is a value of the store: some pictures, by ascending path, each with
// all that is known of it. All numbers are little-endian:
//
//	CRC-32C of what follows, number of pictures n, values in a vector d, bytes of text: 4 bytes each
//	n records: width, height, bytes of path, bytes of label: 4 bytes each;
//	           file's size, time in nanoseconds of Unix: 8 bytes each; SHA-256: 32 bytes
//	text: path and label of each picture
//	n vectors of d float32
//
// Its key is the path of its first picture.
const (
	blockHeader = 16
	recordSize  = 64

	// A block is read whole to change a picture in it, and a million short
	// vectors are read faster in few pieces.
	blockBytes   = 256 << 10
	blockLargest = 1024 // pictures

	// saveBlocks is how many blocks a new file gets in a transaction, unless they are
	// larger than others.
	saveBlocks = 64

	noTime = math.MinInt64 // of a file that has no time
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Row is a picture of an index.
type Row struct {
	Entry
	File
	Vector []float32
}

// blockRows is how many pictures with vectors of d values a full block has.
func blockRows(d int) int { return max(1, min(blockLargest, blockBytes/(4*d+recordSize))) }

// saveRows is how many rows with vectors of d values are written in a transaction, which
// holds them three times: whole blocks, and one row may be larger than all of these.
func saveRows(d int) int {
	block := blockRows(d) * (4*d + recordSize)
	return blockRows(d) * max(1, min(saveBlocks, memory.Share(saveBlocks*blockBytes, 64)/block))
}

// CheckMemory returns an error if n pictures with vectors of d values take more memory
// while they are saved than this process may take.
func CheckMemory(n, d int) error {
	if n < 0 || d < 1 || d > math.MaxInt32 {
		return fmt.Errorf("gallery: %d pictures with vectors of %d values", n, d)
	}
	if int64(n) > math.MaxInt64/2/int64(4*d+knownBytes) {
		return memory.Allows(math.MaxInt64)
	}
	return memory.Allows(takes(n, d))
}

// takes is about how many bytes n pictures with vectors of d values take while they are
// written.
func takes(n, d int) int64 {
	written := min(n, saveRows(d))
	return int64(n)*int64(4*d+knownBytes) + 3*int64(written)*int64(4*d+recordSize)
}

// encodeBlock writes at least one row.
func encodeBlock(rows []Row) []byte {
	le := binary.LittleEndian
	d, text := len(rows[0].Vector), 0
	for _, r := range rows {
		text += len(r.Path) + len(r.Label)
	}
	b := make([]byte, blockHeader, blockHeader+len(rows)*(recordSize+4*d)+text)
	for _, r := range rows {
		b = le.AppendUint32(b, uint32(r.Width))
		b = le.AppendUint32(b, uint32(r.Height))
		b = le.AppendUint32(b, uint32(len(r.Path)))
		b = le.AppendUint32(b, uint32(len(r.Label)))
		b = le.AppendUint64(b, uint64(r.Size))
		b = le.AppendUint64(b, uint64(nanoseconds(r.Modified)))
		b = append(b, r.SHA256[:]...)
	}
	for _, r := range rows {
		b = append(b, r.Path...)
		b = append(b, r.Label...)
	}
	for _, r := range rows {
		for _, v := range r.Vector {
			b = le.AppendUint32(b, math.Float32bits(v))
		}
	}
	le.PutUint32(b[4:], uint32(len(rows)))
	le.PutUint32(b[8:], uint32(d))
	le.PutUint32(b[12:], uint32(text))
	le.PutUint32(b, crc32.Checksum(b[4:], castagnoli))
	return b
}

// nanoseconds is how a time is stored. One before 1678 or after 2262, which they do not
// reach, is not kept: such a file is compared by its contents.
func nanoseconds(t time.Time) int64 {
	n := t.UnixNano()
	if !time.Unix(0, n).Equal(t) {
		return noTime
	}
	return n
}

// blockCRC and blockLen are of a block that is long enough for its header.
func blockCRC(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func blockLen(b []byte) int    { return int(binary.LittleEndian.Uint32(b[4:])) }

// checkBlock makes sure that a block is as it was written, and for vectors of d
// values. Its vectors may lie in tail, apart from the rest.
func checkBlock(b, tail []byte, d int) error {
	le := binary.LittleEndian
	if len(b) < blockHeader {
		return fmt.Errorf("a block of %d bytes", len(b))
	}
	if have := crc32.Update(crc32.Checksum(b[4:], castagnoli), castagnoli, tail); have != blockCRC(b) {
		return fmt.Errorf("a block's checksum is %08x, %08x is on record", have, blockCRC(b))
	}
	n, text, size := int64(le.Uint32(b[4:])), int64(le.Uint32(b[12:])), int64(len(b)+len(tail))
	if n == 0 || le.Uint32(b[8:]) != uint32(d) || blockHeader+n*(recordSize+4*int64(d))+text != size {
		return fmt.Errorf("a block of %d bytes for %d vectors of %d values", size, n, le.Uint32(b[8:]))
	}
	return nil
}

// decodeVectors reads vectors from b, which may be their own memory.
func decodeVectors(vectors []float32, b []byte) {
	if own := f32.Bytes(vectors); binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		if len(b) > 0 && &own[0] != &b[0] {
			copy(own, b)
		}
		return
	}
	for i := range vectors {
		vectors[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
}

// decodeBlock reads a checked block, but for its vectors, into its places in a
// gallery. Its paths must ascend and lead into the root folder.
func decodeBlock(b []byte, entries []Entry, files []File) error {
	le := binary.LittleEndian
	n := len(entries)
	records := b[blockHeader : blockHeader+n*recordSize]
	size := int(le.Uint32(b[12:]))
	text := string(b[blockHeader+len(records):][:size])
	at := 0
	cut := func(size uint32) (string, error) {
		if uint64(size) > uint64(len(text)-at) {
			return "", errors.New("text that is too short")
		}
		s := text[at : at+int(size)]
		at += int(size)
		return s, nil
	}
	for i := range n {
		r := records[i*recordSize : (i+1)*recordSize]
		path, err := cut(le.Uint32(r[8:]))
		if err != nil {
			return err
		}
		label, err := cut(le.Uint32(r[12:]))
		if err != nil {
			return err
		}
		entries[i] = Entry{Path: path, Label: label, Width: int(int32(le.Uint32(r))), Height: int(int32(le.Uint32(r[4:])))}
		if err := entries[i].Validate(); err != nil {
			return err
		}
		if i > 0 && path <= entries[i-1].Path {
			return fmt.Errorf("path %q after %q", path, entries[i-1].Path)
		}
		files[i] = File{Size: int64(le.Uint64(r[16:])), SHA256: [32]byte(r[32:])}
		if t := int64(le.Uint64(r[24:])); t != noTime {
			files[i].Modified = time.Unix(0, t).UTC()
		}
	}
	return nil
}

// blockOf reads the rows of a block.
func blockOf(b []byte, d int) ([]Row, error) {
	if err := checkBlock(b, nil, d); err != nil {
		return nil, err
	}
	n := blockLen(b)
	entries, files, vectors := make([]Entry, n), make([]File, n), make([]float32, n*d)
	if err := decodeBlock(b, entries, files); err != nil {
		return nil, err
	}
	decodeVectors(vectors, b[len(b)-4*len(vectors):])
	rows := make([]Row, n)
	for i := range rows {
		rows[i] = Row{entries[i], files[i], vectors[i*d : (i+1)*d]}
	}
	return rows, nil
}

// Validate checks what every entry must fulfil.
func (e *Entry) Validate() error {
	// ValidPath refuses "..", absolute paths and what is no UTF-8; IsLocal
	// what only this system understands as absolute, such as a drive letter.
	if e.Path == "." || !fs.ValidPath(e.Path) || !filepath.IsLocal(filepath.FromSlash(e.Path)) {
		return fmt.Errorf("path %q does not lead into the root folder", e.Path)
	}
	if !utf8.ValidString(e.Label) {
		return fmt.Errorf("%q: label %q is not UTF-8", e.Path, e.Label)
	}
	if e.Width < 0 || e.Height < 0 || e.Width > math.MaxInt32 || e.Height > math.MaxInt32 {
		return fmt.Errorf("%q: size %d x %d", e.Path, e.Width, e.Height)
	}
	return nil
}
