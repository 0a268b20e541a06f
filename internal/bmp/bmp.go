// Package bmp reads Windows and OS/2 bitmaps: 1 to 32 bits a pixel, with masks of any
// place and width, runs of RLE4 and RLE8, headers of every length. What has no pixels of
// its own (JPEG or PNG inside, OS/2's Huffman and RLE24) is refused by name.
//
// (Microsoft, BITMAPINFOHEADER and BITMAPV5HEADER; IBM, OS/2 Presentation Manager,
// Bitmap Information Header)
package bmp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"math/bits"
)

const (
	fileHeader = 14
	coreHeader = 12 // of OS/2 1
	infoHeader = 40
	os2Header  = 64
	longest    = 124

	mostPixels = 1 << 29 // so that their bytes can be counted in 32 bits
)

// Ways in which pixels are stored.
const (
	plain = iota
	rle8
	rle4
	bitFields
	jpegInside
	pngInside
	alphaBitFields
)

// header is what stands before the pixels.
type header struct {
	width, height  int
	topDown        bool
	bits           int
	compression    uint32
	masks          [4]uint32 // of red, green, blue and alpha, for 16 and 32 bits
	pixels         int64     // place in the file
	colours, entry int       // of the palette, and bytes of each
	palette        int64     // place
}

// DecodeConfig reads what the header says.
func DecodeConfig(r io.Reader) (image.Config, error) {
	data, err := io.ReadAll(io.LimitReader(r, fileHeader+longest+3*4))
	if err != nil {
		return image.Config{}, err
	}
	h, err := readHeader(data)
	if err != nil {
		return image.Config{}, err
	}
	c := image.Config{Width: h.width, Height: h.height, ColorModel: color.NRGBAModel}
	if h.bits <= 8 {
		c.ColorModel = color.Palette{color.Black}
	}
	return c, nil
}

// Decode reads a picture. It is an [image.Paletted] of up to 8 bits a pixel, else an
// [image.NRGBA], whose alpha is 255 where the file has none. The memory that it takes
// grows with the size that the header gives: look at DecodeConfig before.
func Decode(data []byte) (image.Image, error) {
	h, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	if int64(h.width)*int64(h.height) > mostPixels {
		return nil, fmt.Errorf("%d x %d pixels, more than %d", h.width, h.height, mostPixels)
	}
	if h.pixels >= int64(len(data)) {
		return nil, fmt.Errorf("the file ends before its pixels: %w", io.ErrUnexpectedEOF)
	}
	stored := data[h.pixels:]
	run := h.compression == rle4 || h.compression == rle8
	stride := (int64(h.width)*int64(h.bits) + 31) / 32 * 4
	used := (int64(h.width)*int64(h.bits) + 7) / 8
	if need := stride*int64(h.height-1) + used; !run && int64(len(stored)) < need {
		return nil, fmt.Errorf("the file has %d of the %d bytes of its %d x %d pixels: %w", len(stored), need, h.width, h.height, io.ErrUnexpectedEOF)
	}
	if h.bits > 8 {
		return h.colour(stored, int(stride)), nil
	}
	m := image.NewPaletted(image.Rect(0, 0, h.width, h.height), h.readPalette(data))
	if run {
		return m, h.runs(m, stored)
	}
	for y := range h.height {
		row, line := m.Pix[h.line(y)*m.Stride:][:h.width], stored[y*int(stride):]
		for x := range row {
			at := x * h.bits
			row[x] = line[at/8] >> (8 - h.bits - at%8) & (1<<h.bits - 1)
		}
	}
	return m, nil
}

// line returns which line of the picture the file's row y is.
func (h *header) line(y int) int {
	if h.topDown {
		return y
	}
	return h.height - 1 - y
}

func readHeader(data []byte) (*header, error) {
	le := binary.LittleEndian
	if len(data) < fileHeader+coreHeader || data[0] != 'B' || data[1] != 'M' {
		return nil, errors.New("not a bitmap, or cut in its header")
	}
	size := int64(le.Uint32(data[fileHeader:]))
	if size != coreHeader && size < 16 || size > longest {
		return nil, fmt.Errorf("a header of %d bytes, which no bitmap has", size)
	}
	// Fields behind the end of a short header are zero.
	var info [longest]byte
	copy(info[:size], data[fileHeader:])
	if int64(len(data)) < fileHeader+size {
		return nil, fmt.Errorf("cut in its header: %w", io.ErrUnexpectedEOF)
	}
	h := &header{pixels: int64(le.Uint32(data[10:])), palette: fileHeader + size, entry: 4}
	var width, height int64
	if size == coreHeader {
		width, height = int64(le.Uint16(info[4:])), int64(le.Uint16(info[6:]))
		h.bits, h.entry = int(le.Uint16(info[10:])), 3
	} else {
		width, height = int64(int32(le.Uint32(info[4:]))), int64(int32(le.Uint32(info[8:])))
		h.bits, h.compression = int(le.Uint16(info[14:])), le.Uint32(info[16:])
		h.colours = int(min(le.Uint32(info[32:]), 256))
	}
	if height < 0 {
		height, h.topDown = -height, true
	}
	if width <= 0 || height == 0 || width > math.MaxInt32 || height > math.MaxInt32 {
		return nil, fmt.Errorf("a picture of %d x %d pixels", width, height)
	}
	h.width, h.height = int(width), int(height)
	if err := h.checkKind(size == os2Header); err != nil {
		return nil, err
	}
	switch {
	case h.compression != bitFields && h.compression != alphaBitFields:
		h.masks = [4]uint32{0xff0000, 0xff00, 0xff}
		if h.bits == 16 {
			h.masks = [4]uint32{0x7c00, 0x3e0, 0x1f}
		}
	case size >= infoHeader+3*4: // the masks are part of the header, in a long one that of alpha, too
		for i := range min(4, (size-infoHeader)/4) {
			h.masks[i] = le.Uint32(info[infoHeader+4*i:])
		}
	default:
		count := int64(3)
		if h.compression == alphaBitFields {
			count = 4
		}
		if int64(len(data)) < h.palette+4*count {
			return nil, fmt.Errorf("cut in its masks: %w", io.ErrUnexpectedEOF)
		}
		for i := range count {
			h.masks[i] = le.Uint32(data[h.palette+4*i:])
		}
		h.palette += 4 * count
	}
	for _, mask := range h.masks {
		if mask != 0 && bits.OnesCount32(mask) != bits.Len32(mask)-bits.TrailingZeros32(mask) {
			return nil, fmt.Errorf("a mask of bits that are apart, %#x", mask)
		}
	}
	if h.bits <= 8 && h.colours == 0 {
		h.colours = 1 << h.bits
	}
	if h.pixels == 0 {
		h.pixels = h.palette + int64(h.colours*h.entry)
	}
	if h.pixels < h.palette {
		return nil, fmt.Errorf("the pixels begin at byte %d, in the header", h.pixels)
	}
	return h, nil
}

// checkKind returns an error unless there are pixels of that kind.
func (h *header) checkKind(os2 bool) error {
	switch {
	case os2 && h.compression > rle4:
		return fmt.Errorf("compression %d of OS/2 (Huffman or RLE24), which is not read", h.compression)
	case h.compression == jpegInside, h.compression == pngInside:
		return fmt.Errorf("a %s file inside, which is not read", map[uint32]string{jpegInside: "JPEG", pngInside: "PNG"}[h.compression])
	}
	var fits bool
	switch h.bits {
	case 1, 2, 24:
		fits = h.compression == plain
	case 4:
		fits = h.compression == plain || h.compression == rle4
	case 8:
		fits = h.compression == plain || h.compression == rle8
	case 16, 32:
		fits = h.compression == plain || h.compression == bitFields || h.compression == alphaBitFields
	}
	if !fits {
		return fmt.Errorf("%d bits a pixel in compression %d, which no bitmap has", h.bits, h.compression)
	}
	if h.topDown && (h.compression == rle4 || h.compression == rle8) {
		return errors.New("runs from the top down, which no bitmap has")
	}
	return nil
}

// readPalette returns 256 colours, black those that the file does not have.
func (h *header) readPalette(data []byte) color.Palette {
	p := make(color.Palette, 256)
	entries := data[min(h.palette, int64(len(data))):min(h.pixels, int64(len(data)))]
	for i := range p {
		c := color.NRGBA{A: 255}
		if i < h.colours && len(entries) >= 3 {
			c.B, c.G, c.R = entries[0], entries[1], entries[2]
			entries = entries[min(h.entry, len(entries)):]
		}
		p[i] = c
	}
	return p
}

// colour reads pixels of 16, 24 or 32 bits.
func (h *header) colour(stored []byte, stride int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, h.width, h.height))
	var scale [4]channel
	for i, mask := range h.masks {
		scale[i] = channelOf(mask)
	}
	each := h.bits / 8
	for y := range h.height {
		row, line := m.Pix[h.line(y)*m.Stride:][:4*h.width], stored[y*stride:]
		for x := range h.width {
			var v uint32
			for i, b := range line[x*each:][:each] {
				v |= uint32(b) << (8 * i)
			}
			to := row[4*x:][:4]
			for i := range 3 {
				to[i] = scale[i].of(v)
			}
			to[3] = 255
			if h.masks[3] != 0 {
				to[3] = scale[3].of(v)
			}
		}
	}
	return m
}

// channel is where a value lies in a pixel, and its largest one.
type channel struct {
	mask  uint32
	shift int
	most  uint64
}

func channelOf(mask uint32) channel {
	shift := bits.TrailingZeros32(mask) % 32
	return channel{mask, shift, max(1, uint64(mask>>shift))}
}

// of returns the value, 0 to 255.
func (c channel) of(pixel uint32) uint8 { return uint8(uint64(pixel&c.mask) >> c.shift * 255 / c.most) }

// runs reads pixels of RLE8 or RLE4. Those that are passed over have colour 0.
func (h *header) runs(m *image.Paletted, data []byte) error {
	perByte := 8 / h.bits
	x, y := 0, 0
	put := func(v byte) {
		if x < h.width && y < h.height {
			m.Pix[h.line(y)*m.Stride+x] = v
		}
		x++
	}
	// pixel returns pixel i of what bytes hold.
	pixel := func(bytes []byte, i int) byte {
		if h.bits == 8 {
			return bytes[i]
		}
		return bytes[i/2] >> (4 * (1 - i%2)) & 15
	}
	for len(data) >= 2 {
		count, code := int(data[0]), data[1]
		data = data[2:]
		switch {
		case count > 0:
			for i := range count {
				put(pixel([]byte{code}, i%perByte))
			}
		case code == 0:
			x, y = 0, y+1
		case code == 1:
			return nil
		case code == 2:
			if len(data) < 2 {
				return errCut
			}
			x, y = x+int(data[0]), y+int(data[1])
			data = data[2:]
		default:
			count := int(code)
			size := (count + perByte - 1) / perByte
			if len(data) < size {
				return errCut
			}
			for i := range count {
				put(pixel(data, i))
			}
			data = data[min(len(data), (size+1)/2*2):]
		}
	}
	if y >= h.height || y == h.height-1 && x >= h.width {
		return nil // all pixels are there, but for the mark of their end
	}
	return errCut
}

var errCut = fmt.Errorf("the file ends within its pixels: %w", io.ErrUnexpectedEOF)
