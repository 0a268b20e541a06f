package tiff

import (
	"errors"
	"fmt"
	"image"
	"math/bits"

	"lookalike/internal/ifd"
)

// blocks are how a picture is cut: in strips as wide as it is, or in tiles, one after the
// other in rows, and for planes that are apart, one plane after the other.
type blocks struct {
	width, height   int // of a block; the last strip may have less
	across, down    int
	tiled           bool
	offsets, counts ifd.Field
	most            int // bytes of a block as it is unpacked, of one plane
}

const (
	// Tiles together may be larger than the picture: so many times, or so many bytes.
	mostTimes, mostBytes = 4, 16 << 20
	// moreRows are those that a JPEG file in a strip may have below the picture.
	moreRows = 64
	// mostAgain is how often a file's bytes may be decoded, for blocks that share them.
	mostAgain = 64
)

func (f *File) readBlocks(t tags) error {
	b := &f.blocks
	w, h := t.number(tagTileWidth, 0), t.number(tagTileLength, 0)
	if b.tiled = w > 0 && h > 0; b.tiled {
		b.offsets, b.counts = t[tagTileOffsets], t[tagTileByteCounts]
		if b.offsets.Len() == 0 {
			b.offsets, b.counts = t[tagStripOffsets], t[tagStripByteCounts]
		}
	} else {
		w, h = uint64(f.Width), t.number(tagRowsPerStrip, 0)
		if h == 0 || h > uint64(f.Height) {
			h = uint64(f.Height)
		}
		b.offsets, b.counts = t[tagStripOffsets], t[tagStripByteCounts]
	}
	if w > mostSide || h > mostSide {
		return fmt.Errorf("tiles of %d x %d pixels", w, h)
	}
	b.width, b.height = int(w), int(h)
	b.across, b.down = (f.Width-1)/b.width+1, (f.Height-1)/b.height+1

	size, fits := f.blockBytes()
	whole := uint64(f.Width) * uint64(f.Height) * uint64(f.samples) * uint64(f.bits) / 8
	need := uint64(b.across) * uint64(b.down) * uint64(f.planes())
	if over, all := bits.Mul64(size, need); !fits || over != 0 || all > max(mostTimes*whole, mostBytes) {
		return fmt.Errorf("strips or tiles of %d x %d pixels, for a picture of %d x %d", w, h, f.Width, f.Height)
	}
	b.most = int(size)
	if uint64(b.offsets.Len()) < need {
		return fmt.Errorf("%d strips or tiles, where %d are needed", b.offsets.Len(), need)
	}
	return f.checkBytes(int(need))
}

// planes is how many planes lie apart.
func (f *File) planes() int {
	if f.planar {
		return f.samples
	}
	return 1
}

// together is how many samples of a pixel lie together.
func (f *File) together() int { return f.samples / f.planes() }

// rowBytes are the bytes of a row in a block.
func (f *File) rowBytes() int {
	return (f.blocks.width*f.together()*f.bits + 7) / 8
}

// blockBytes are the bytes of a block's plane as it is unpacked.
func (f *File) blockBytes() (size uint64, ok bool) {
	b := &f.blocks
	row := (uint64(b.width)*uint64(f.together())*uint64(f.bits) + 7) / 8
	rows := uint64(b.height)
	if f.subsampled() {
		row, rows = uint64(f.unitRow()), (rows-1)/uint64(f.down)+1
	}
	over, size := bits.Mul64(row, rows)
	return size, over == 0 && size < 1<<40
}

// checkBytes holds what the blocks have in the file against what they stand for, before
// any is decoded.
func (f *File) checkBytes(blocks int) error {
	total, least := uint64(0), f.compression.dense()
	for i := range blocks {
		src, err := f.packed(i)
		if err != nil {
			return err
		}
		size := uint64(f.used(i))
		if least > 0 && uint64(len(src))*least < size {
			return errCut
		}
		if !f.compression.plain() {
			total += uint64(len(src))
		}
	}
	length := uint64(len(f.data))
	if total > mostAgain*length || total > 4*length+4*uint64(f.Width)*uint64(f.Height)*uint64(f.samples)*uint64(f.bits) {
		return errors.New("strips or tiles that lie over each other")
	}
	return nil
}

// packed returns what the file has of a block.
func (f *File) packed(i int) ([]byte, error) {
	at, ok := f.blocks.offsets.Uint(i)
	if !ok || at >= uint64(len(f.data)) {
		return nil, errCut
	}
	src := f.data[at:]
	if f.compression.plain() && !f.reversed {
		return src[:min(len(src), f.blocks.most)], nil // counts of such are often wrong
	}
	if n, ok := f.blocks.counts.Uint(i); ok && n > 0 {
		src = src[:min(uint64(len(src)), n)]
	} else if next, ok := f.blocks.offsets.Uint(i + 1); ok && next > at {
		src = src[:min(uint64(len(src)), next-at)]
	}
	return src, nil
}

// rows are how many rows of the picture lie in block i.
func (f *File) rows(i int) int {
	b := &f.blocks
	y := i / b.across % b.down * b.height
	return min(b.height, f.Height-y)
}

// used are the bytes of block i that are needed: rows below the picture may be missing.
func (f *File) used(i int) int {
	rows := f.rows(i)
	if f.subsampled() {
		return f.unitRow() * ((rows-1)/f.down + 1)
	}
	return f.rowBytes() * rows
}

// Need is how many bytes Decode takes, but for some that do not grow with the picture.
func (f *File) Need() int64 {
	const (
		rgb    = 3  // a pixel
		inside = 20 // a pixel of a JPEG file, all its coefficients stored
		run    = 32 // each of a line
	)
	need := int64(f.Width) * int64(f.Height) * rgb
	if f.alpha {
		need += int64(f.Width) * int64(f.Height)
	}
	if f.hasUpper() {
		need += int64(f.Width) * int64(f.Height)
	}
	b := &f.blocks
	planes := int64(min(f.planes(), f.channels+1))
	switch c := f.compression; {
	case c == compressedJPEG, c == compressedWebP:
		return need + planes*int64(b.width)*int64(b.height+moreRows)*inside + f.mostPacked()
	case c.fax():
		need += run * min(2*int64(f.Width), 8*f.mostPacked())
	case c == compressedLZMA:
		need += 2 * int64(b.most)
	}
	if f.predictor == 3 {
		need += int64(f.rowBytes())
	}
	if f.reversed {
		need += f.mostPacked()
	}
	if !f.compression.plain() || f.reversed {
		need += planes * int64(b.most)
	}
	return need
}

// mostPacked are the bytes of the largest block in the file.
func (f *File) mostPacked() int64 {
	n := 0
	for i := range f.blocks.across * f.blocks.down * f.planes() {
		src, _ := f.packed(i)
		n = max(n, len(src))
	}
	return int64(n)
}

// Pixels are those of a picture: RGB interleaved, and planes that are nil where the picture
// has no such. Gray of more than 8 bits may be cut at 255, as Pillow has it; then Upper has
// the upper 8 bits.
type Pixels struct{ RGB, Alpha, Upper []uint8 }

// Decode reads the picture.
func (f *File) Decode(d Decoders) (Pixels, error) {
	b, n := &f.blocks, f.Width*f.Height
	p := Pixels{RGB: make([]uint8, 3*n)}
	if f.alpha {
		p.Alpha = make([]uint8, n)
	}
	if f.hasUpper() {
		p.Upper = make([]uint8, n)
	}
	u := f.newUnpacker(d)
	defer u.close()
	convert := f.converter()
	for i := range b.across * b.down {
		if err := u.read(i); err != nil {
			return Pixels{}, err
		}
		x, y := i%b.across*b.width, i/b.across*b.height
		width := min(b.width, f.Width-x)
		for row := range f.rows(i) {
			at := (y+row)*f.Width + x
			convert(u, p.RGB[3*at:3*(at+width)], row)
			if p.Alpha != nil {
				u.alphas(p.Alpha[at:at+width], row)
			}
			if p.Upper != nil {
				u.uppers(p.Upper[at:at+width], row)
			}
		}
	}
	return p, nil
}

// unpacker has one block after the other, all planes of it.
type unpacker struct {
	*File
	packers
	decoders Decoders
	buffers  [][]byte           // to unpack to
	planes   [][]byte           // the block; it may lie in the file, or in a buffer
	row      int                // bytes of a row
	together int                // samples in it of a pixel
	turned   []byte             // what the file has, with the bits of each byte reversed
	values   [5][atATime]uint32 // of pixels in a row, channel by channel

	besides []uint32 // of a row, of one more channel
}

func (f *File) newUnpacker(d Decoders) *unpacker {
	n := min(f.planes(), f.channels)
	if f.planar && (f.premultiplied || f.alpha) {
		n++
	}
	u := &unpacker{File: f, decoders: d, planes: make([][]byte, n), buffers: make([][]byte, n)}
	u.row, u.together = f.rowBytes(), f.together()
	return u
}

// read unpacks the planes of block i.
func (u *unpacker) read(i int) error {
	for p := range u.planes {
		k := i + p*u.blocks.across*u.blocks.down
		src, err := u.packed(k)
		if err != nil {
			return err
		}
		if u.reversed {
			u.turned = append(u.turned[:0], src...)
			for j, v := range u.turned {
				u.turned[j] = bits.Reverse8(v)
			}
			src = u.turned
		}
		switch {
		case u.compression == compressedJPEG:
			src, err = u.inside(joinJPEG(src, u.jpegTables, u.photometric), u.decoders.JPEG, k)
		case u.compression == compressedWebP:
			src, err = u.inside(src, u.decoders.WebP, k)
		case u.compression.plain() && !u.reversed:
		default:
			if u.buffers[p] == nil {
				u.buffers[p] = make([]byte, u.blocks.most)
			}
			dst := u.buffers[p][:u.used(k)]
			if err = u.unpack(dst, src, u.File); err == nil {
				u.undoPrediction(dst)
			}
			src = dst
		}
		if err != nil {
			return err
		}
		u.planes[p] = src
	}
	return nil
}

// inside decodes a block that is a file of another format.
func (u *unpacker) inside(file []byte, decode Inside, i int) ([]byte, error) {
	if decode == nil {
		return nil, errors.New("a file of another format inside, which is not read")
	}
	samples := u.File.together()
	if u.compression == compressedWebP {
		samples = min(samples, 3)
	}
	pix, size, err := decode(file, image.Pt(u.blocks.width, u.blocks.height+moreRows), samples)
	if err != nil {
		return nil, err
	}
	if size.X != u.blocks.width || size.Y < u.rows(i) {
		return nil, fmt.Errorf("a strip or tile with a picture of %d x %d pixels inside, where %d x %d are needed", size.X, size.Y, u.blocks.width, u.rows(i))
	}
	u.row, u.together = samples*size.X, samples
	return pix, nil
}
