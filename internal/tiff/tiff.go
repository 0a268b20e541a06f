// Package tiff reads TIFF and BigTIFF files: what Pillow reads, to Pillow's and libtiff's
// values. What it does not read it refuses by name.
//
// (Adobe, TIFF 6.0 and its supplements; the BigTIFF design; ITU-T T.4 and T.6)
package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"slices"

	"lookalike/internal/ifd"
)

// Tags.
const (
	tagNewSubfileType   = 254
	tagImageWidth       = 256
	tagImageLength      = 257
	tagBitsPerSample    = 258
	tagCompression      = 259
	tagPhotometric      = 262
	tagFillOrder        = 266
	tagStripOffsets     = 273
	tagSamplesPerPixel  = 277
	tagRowsPerStrip     = 278
	tagStripByteCounts  = 279
	tagPlanar           = 284
	tagT4Options        = 292
	tagPredictor        = 317
	tagColorMap         = 320
	tagTileWidth        = 322
	tagTileLength       = 323
	tagTileOffsets      = 324
	tagTileByteCounts   = 325
	tagExtraSamples     = 338
	tagSampleFormat     = 339
	tagJPEGTables       = 347
	tagYCbCrFactors     = 529
	tagYCbCrSubsampling = 530
	tagReferenceBlack   = 532
)

// What samples stand for, by PhotometricInterpretation.
const (
	whiteIsZero = 0
	blackIsZero = 1
	colours     = 2
	paletted    = 3
	inks        = 5
	lumaChroma  = 6
	lab         = 8
)

var otherPhotometrics = map[uint64]string{
	4: "a mask of transparency", 9: "ICC L*a*b*", 10: "ITU L*a*b*", 32803: "a colour filter array (raw data of a camera)",
	32844: "LogL", 32845: "LogLuv", 34892: "linear raw data of a camera", 51177: "a depth map", 52527: "a semantic mask",
}

// Kinds of numbers, by SampleFormat.
const (
	unsigned = 1
	signed   = 2
	floating = 3
)

// File is a file whose first directory has been read.
type File struct {
	Width, Height int

	data          []byte
	order         binary.ByteOrder
	compression   compression
	photometric   int
	bits          int // of a sample
	samples       int // of a pixel
	channels      int // the first so many samples are the colour
	format        int
	premultiplied bool // by the sample behind the colour
	alpha         bool // the first sample behind the colour is
	cut           bool // gray of more than 8 bits is brought into 0 to 255 as it is
	planar        bool
	reversed      bool // bits of each byte
	predictor     int
	faxKind       int
	jpegTables    []byte
	palette       []uint8 // RGB
	luma          *lumaTables
	across, down  int // pixels that share chroma
	blocks        blocks
}

// Inside decodes a whole file of another format that lies in a TIFF file: to gray (one
// sample a pixel), RGB (three) or what else four samples stand for, as they are stored. A
// picture larger than most is an error.
type Inside func(file []byte, most image.Point, samples int) (pix []uint8, size image.Point, err error)

// Decoders are those of other formats.
type Decoders struct{ JPEG, WebP Inside }

const (
	mostSide    = math.MaxInt32
	mostSamples = 64
)

var errCut = fmt.Errorf("the data of a strip or tile ends early: %w", io.ErrUnexpectedEOF)

// Size reads how large the picture is.
func Size(data []byte) (width, height int, err error) {
	f := File{}
	_, t, err := first(data)
	if err == nil {
		err = f.readSize(t)
	}
	return f.Width, f.Height, err
}

// Open reads the first directory, and says what cannot be decoded.
func Open(data []byte) (*File, error) {
	order, t, err := first(data)
	if err != nil {
		return nil, err
	}
	f := &File{data: data, order: order}
	for _, read := range []func(tags) error{f.readSize, f.readCompression, f.readSamples, f.readPhotometric, f.readBlocks} {
		if err := read(t); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func first(data []byte) (binary.ByteOrder, tags, error) {
	header, err := ifd.Open(data, true)
	if err != nil {
		return nil, nil, fmt.Errorf("%v", err)
	}
	d, err := header.Read(header.First)
	if err != nil {
		return nil, nil, fmt.Errorf("%v: %w", err, io.ErrUnexpectedEOF)
	}
	if d.Cut {
		return nil, nil, fmt.Errorf("the directory ends early: %w", io.ErrUnexpectedEOF)
	}
	for tag := range d.Outside {
		if slices.Contains(needed, tag) {
			return nil, nil, fmt.Errorf("the values of tag %d are not in the file: %w", tag, io.ErrUnexpectedEOF)
		}
	}
	return header.Order, d.Fields, nil
}

// needed are the tags that pixels depend on.
var needed = []uint16{
	tagImageWidth, tagImageLength, tagBitsPerSample, tagCompression, tagPhotometric, tagFillOrder, tagStripOffsets,
	tagSamplesPerPixel, tagRowsPerStrip, tagStripByteCounts, tagPlanar, tagT4Options, tagPredictor, tagColorMap,
	tagTileWidth, tagTileLength, tagTileOffsets, tagTileByteCounts, tagExtraSamples, tagSampleFormat, tagJPEGTables,
	tagYCbCrFactors, tagYCbCrSubsampling, tagReferenceBlack,
}

// tags are the fields of a directory.
type tags map[uint16]ifd.Field

// number returns a tag's first number, or what it is where there is none.
func (t tags) number(tag uint16, otherwise uint64) uint64 {
	if v, ok := t[tag].Uint(0); ok {
		return v
	}
	return otherwise
}

func (f *File) readSize(t tags) error {
	w, h := t.number(tagImageWidth, 0), t.number(tagImageLength, 0)
	if w == 0 || h == 0 {
		return errors.New("the size of the picture is missing")
	}
	if w > mostSide || h > mostSide {
		return fmt.Errorf("a picture of %d x %d pixels", w, h)
	}
	f.Width, f.Height = int(w), int(h)
	return nil
}

func (f *File) readCompression(t tags) error {
	code := t.number(tagCompression, 1)
	name, known := compressionNames[code]
	switch {
	case !known:
		return fmt.Errorf("compression %d, which is not read", code)
	case !compression(code).read():
		return fmt.Errorf("compressed by %s, which is not read", name)
	}
	f.compression = compression(code)
	f.reversed = t.number(tagFillOrder, 1) == 2 && f.compression != compressedJPEG
	f.predictor = 1
	if f.compression.predicts() {
		f.predictor = int(min(t.number(tagPredictor, 1), 4))
		if f.predictor < 1 || f.predictor > 3 {
			return fmt.Errorf("predictor %d, which is not read", t.number(tagPredictor, 1))
		}
	}
	switch f.compression {
	case compressedFaxRuns:
		f.faxKind = faxRuns
	case compressedFaxWordRuns:
		f.faxKind = faxWordRuns
	case compressedFax3:
		f.faxKind = faxOneWay
		if t.number(tagT4Options, 0)&1 != 0 {
			f.faxKind = faxTwoWays
		}
	case compressedFax4:
		f.faxKind = faxTwoWaysT6
	case compressedJPEG:
		f.jpegTables = t[tagJPEGTables].Value
	}
	return nil
}

func (f *File) readSamples(t tags) error {
	depths := t[tagBitsPerSample]
	samples := t.number(tagSamplesPerPixel, uint64(max(1, depths.Len())))
	if samples < 1 || samples > mostSamples {
		return fmt.Errorf("%d samples a pixel", samples)
	}
	f.samples = int(samples)
	bits := t.number(tagBitsPerSample, 1)
	for i := range min(f.samples, depths.Len()) {
		if v, _ := depths.Uint(i); v != bits {
			return fmt.Errorf("samples of %d and of %d bits in a pixel, which are not read", bits, v)
		}
	}
	if bits < 1 || bits > 64 {
		return fmt.Errorf("samples of %d bits", bits)
	}
	f.bits = int(bits)
	f.planar = f.samples > 1 && t.number(tagPlanar, 1) == 2
	f.format = int(min(t.number(tagSampleFormat, unsigned), 7))
	for i := range min(f.samples, t[tagSampleFormat].Len()) {
		if v, _ := t[tagSampleFormat].Uint(i); v != uint64(f.format) {
			return errors.New("samples of different kinds in a pixel, which are not read")
		}
	}
	if f.format == 4 { // undefined
		f.format = unsigned
	}
	return nil
}

// readPhotometric finds how samples become colours.
func (f *File) readPhotometric(t tags) error {
	code := t.number(tagPhotometric, whiteIsZero)
	switch code {
	case whiteIsZero, blackIsZero, paletted:
		f.channels = 1
	case colours, lab:
		f.channels = 3
	case lumaChroma:
		if f.channels = 3; f.samples == 1 {
			code, f.channels = blackIsZero, 1
		}
	case inks:
		f.channels = 4
	default:
		if name, ok := otherPhotometrics[code]; ok {
			return fmt.Errorf("%s, which is not read", name)
		}
		return fmt.Errorf("colours of kind %d, which are not read", code)
	}
	f.photometric = int(code)
	if f.samples < f.channels {
		return fmt.Errorf("%d samples a pixel, where its colour has %d", f.samples, f.channels)
	}
	if f.samples > f.channels {
		kind, colour := t.number(tagExtraSamples, 0), f.channels == 1 && code != paletted || code == colours
		f.premultiplied = kind == 1 && colour
		f.alpha = (kind == 1 || kind == 2) && colour && f.format == unsigned && f.compression != compressedWebP
	}
	if err := f.checkKind(); err != nil {
		return err
	}
	// Pillow cuts these, and does not read others of the kind. Of those the upper bits are
	// taken.
	f.cut = f.format != unsigned || f.bits == 32 || (f.samples == 1 || f.planar && t.number(tagExtraSamples, 1) == 0) &&
		(f.bits == 16 && (f.photometric == blackIsZero || f.little()) || f.bits == 12 && f.photometric == blackIsZero && f.little())
	switch f.photometric {
	case paletted:
		return f.readPalette(t[tagColorMap])
	case lumaChroma:
		return f.readLuma(t)
	}
	return nil
}

// checkKind returns an error unless samples of that size and kind can be colours.
func (f *File) checkKind() error {
	fits := false
	gray := f.photometric == blackIsZero || f.photometric == whiteIsZero
	switch {
	case f.compression.fax():
		fits = f.samples == 1 && f.bits == 1
	case f.compression == compressedJPEG || f.compression == compressedWebP:
		if f.bits == 12 {
			return errors.New("JPEG of 12 bits inside, which is not read")
		}
		if f.compression == compressedJPEG && !f.planar && (f.samples == 2 || f.samples > 4) {
			return fmt.Errorf("JPEG of %d colours inside, which is not read", f.samples)
		}
		fits = f.bits == 8 && f.format == unsigned && (f.photometric != lumaChroma || !f.planar && f.samples == 3)
		if f.compression == compressedWebP {
			fits = fits && f.photometric == colours && !f.planar && f.samples <= 4
		}
	case f.format == floating:
		fits = gray && (f.bits == 16 || f.bits == 32 || f.bits == 64)
	case f.format == signed:
		fits = f.photometric == blackIsZero && (f.bits == 8 || f.bits == 16 || f.bits == 32)
	case f.format != unsigned:
	case gray && f.bits == 32:
		fits = f.photometric == blackIsZero
	case gray, f.photometric == colours, f.photometric == inks:
		fits = f.bits <= 16 || f.bits == 24 || f.bits == 32
	case f.photometric == paletted:
		fits = f.bits <= 8 || f.bits == 16
	case f.photometric == lumaChroma, f.photometric == lab:
		fits = f.bits == 8
	}
	if !fits {
		kind := map[int]string{unsigned: "whole numbers", signed: "signed numbers", floating: "floating-point numbers"}[f.format]
		if kind == "" {
			kind = "complex numbers"
		}
		return fmt.Errorf("%s of %d bits as %s, which are not read", kind, f.bits, map[int]string{
			whiteIsZero: "gray", blackIsZero: "gray", colours: "RGB", paletted: "a palette's colours", inks: "CMYK", lumaChroma: "YCbCr", lab: "L*a*b*"}[f.photometric])
	}
	if f.predictor == 3 && f.format != floating || f.predictor == 2 && f.bits != 8 && f.bits != 16 && f.bits != 32 && f.bits != 64 {
		return fmt.Errorf("predictor %d for samples of %d bits, which is not read", f.predictor, f.bits)
	}
	return nil
}

// little tells whether the lowest byte of a number comes first.
func (f *File) little() bool { return f.order.Uint16([]byte{1, 0}) == 1 }

// readPalette reads all red values, then green, then blue. Of 16 bits Pillow takes the
// upper 8; colours that are missing are black.
func (f *File) readPalette(m ifd.Field) error {
	n := m.Len() / 3
	if n == 0 {
		return errors.New("the palette is missing")
	}
	f.palette = make([]uint8, 3<<f.bits)
	for i := range min(n, 1<<f.bits) {
		for c := range 3 {
			v, _ := m.Uint(c*n + i)
			f.palette[3*i+c] = uint8(v >> 8)
		}
	}
	return nil
}
