package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/bep/imagemeta"

	"lookalike/internal/regular"
)

// Options bounds what Decode accepts. The zero value has the defaults.
type Options struct {
	IgnoreOrientation bool  // leave pixels as stored, whatever EXIF says
	MaxPixels         int64 // width times height; 0 means 200 million
	MaxBytes          int64 // size of the file; 0 means 256 MiB, or an eighth of the process's memory limit if that is less

	// Thumbnail, if not 0, is the box that the picture is going to be brought into, in
	// its own shape and whichever way EXIF turns it. A JPEG file that is large enough
	// for that is decoded at an eighth of its size, each pixel the mean of 64, in a
	// fraction of the time.
	Thumbnail image.Point
}

const (
	defaultMaxPixels = 200_000_000
	defaultMaxBytes  = 256 << 20
)

func (o Options) withDefaults() Options {
	if o.MaxPixels == 0 {
		o.MaxPixels = defaultMaxPixels
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = shareOfFile()
	}
	return o
}

// format is a file format: how it is recognised and who decodes it.
type format struct {
	name   string
	magic  string // how a file begins; '?' stands for any byte
	dense  int64  // most pixels that a byte of the file can stand for; 0: any number
	cost   int64  // most bytes that decoding takes for a pixel, measured
	meta   imagemeta.ImageFormat
	config func(io.Reader) (image.Config, error)
	decode func(data []byte) (*Image, error)
	eighth func(data []byte) (*Image, error) // decode at an eighth of the size, or nil
}

// noMeta marks a format without EXIF.
const noMeta = imagemeta.ImageFormatAuto

// cmykCost is what decoding CMYK takes, as only JPEG has it here.
const cmykCost = 24

var formats = []format{
	// 64 pixels a block, a bit or more for each.
	{"JPEG", "\xff\xd8\xff", 512, 9, imagemeta.JPEG, jpeg.DecodeConfig, decodeJPEG, decodeJPEGEighth},
	// Deflate shortens to 1/1032 at best, 8 pixels a byte.
	{"PNG", "\x89PNG\r\n\x1a\n", 1032 * 8, 11, imagemeta.PNG, png.DecodeConfig, with(png.Decode), nil},
	// A code of LZW has 12 bits by the time it stands for 4096 pixels.
	{"GIF", "GIF8?a", 4096 * 8 / 12, 5, noMeta, gif.DecodeConfig, decodeGIF, nil},
	{"BMP", "BM", 8, 7, noMeta, bmp.DecodeConfig, with(bmp.Decode), nil},
	{"TIFF", "II*\x00", 0, 14, imagemeta.TIFF, tiff.DecodeConfig, decodeTIFF, nil},
	{"TIFF", "MM\x00*", 0, 14, imagemeta.TIFF, tiff.DecodeConfig, decodeTIFF, nil},
	{"WebP", "RIFF????WEBP", 0, 7, imagemeta.WebP, configWebP, decodeWebP, nil},
}

// known are pictures of formats that are not read, so that a report of what was
// left out can name them. For HEIC and AVIF, see ARCHITECTURE.md, "Decisions".
var known = map[string]string{
	"????ftypheic": "HEIC", "????ftypheix": "HEIC", "????ftyphevc": "HEIC", "????ftyphevx": "HEIC",
	"????ftypheim": "HEIC", "????ftypheis": "HEIC", "????ftypmif1": "HEIF", "????ftypmsf1": "HEIF",
	"????ftypavif": "AVIF", "????ftypavis": "AVIF",
	"\x00\x00\x00\x0cJXL \r\n\x87\n": "JPEG XL", "\xff\x0a": "JPEG XL", "\x00\x00\x00\x0cjP  \r\n\x87\n": "JPEG 2000",
	"8BPS": "Photoshop", "%PDF-": "PDF", "<svg": "SVG",
}

// archives may hold pictures, and are looked into where OpenSource is given them.
var archives = map[string]string{"PK\x03\x04": "zip", "\x1f\x8b": "gzip"}

// longestMagic is how many bytes of a file tell its format.
const longestMagic = 16

// with makes a format's decode from a decoder whose pixels need nothing special.
func with(decode func(io.Reader) (image.Image, error)) func([]byte) (*Image, error) {
	return func(data []byte) (*Image, error) {
		m, err := decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return FromImage(m), nil
	}
}

func formatOf(data []byte) (format, error) {
	for _, f := range formats {
		if matches(data, f.magic) {
			return f, nil
		}
	}
	if len(data) == 0 {
		return format{}, errors.New("the file is empty")
	}
	for magic, name := range known {
		if matches(data, magic) {
			return format{}, fmt.Errorf("a file of type %s, which is not supported; convert it to JPEG or PNG", name)
		}
	}
	for magic, name := range archives {
		if matches(data, magic) {
			return format{}, fmt.Errorf("not a picture but packed with %s; what is in an archive is read if its own path is given", name)
		}
	}
	return format{}, fmt.Errorf("not a JPEG, PNG, GIF, BMP, TIFF or WebP picture (the file begins with %q)", data[:min(12, len(data))])
}

func matches(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != data[i] {
			return false
		}
	}
	return true
}

// Decode reads one picture; its content, not a name, says which format it is.
// Of an animated GIF it reads the first frame. A file that is cut short,
// damaged or over the limits of o is an error.
func Decode(r io.Reader, o Options) (*Image, error) {
	o = o.withDefaults()
	data, err := io.ReadAll(io.LimitReader(r, o.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	return decode(data, o)
}

// File decodes the picture at a path of the file system.
func File(path string, o Options) (*Image, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := Decode(f, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, withoutPath(err))
	}
	return m, nil
}

func decode(data []byte, o Options) (*Image, error) {
	if int64(len(data)) > o.MaxBytes {
		limit := "the limit"
		if o.MaxBytes == shareOfFile() && o.MaxBytes < defaultMaxBytes {
			limit = "an eighth of the memory limit"
		}
		return nil, fmt.Errorf("the file has more than %d bytes, %s", o.MaxBytes, limit)
	}
	f, err := formatOf(data)
	if err != nil {
		return nil, err
	}
	m, err := f.read(data, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	if !o.IgnoreOrientation && f.meta != noMeta {
		m = m.oriented(orientation(data, f.meta))
	}
	return m, nil
}

// read is the one place where decoders of others meet a file's bytes: limits
// are checked before, and a panic becomes an error here.
func (f format) read(data []byte, o Options) (m *Image, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("the decoder failed on damaged data: %v", r)
		}
	}()
	c, err := f.config(bytes.NewReader(data))
	if err != nil {
		return nil, cutShort(err)
	}
	if c.Width <= 0 || c.Height <= 0 {
		return nil, fmt.Errorf("%d x %d pixels: nothing to see", c.Width, c.Height)
	}
	pixels := int64(c.Width) * int64(c.Height)
	if pixels > o.MaxPixels {
		return nil, fmt.Errorf("%d x %d pixels are over the limit of %d", c.Width, c.Height, o.MaxPixels)
	}
	if f.dense > 0 && pixels/f.dense > int64(len(data)) {
		return nil, fmt.Errorf("%d x %d pixels cannot be in %d bytes: %w", c.Width, c.Height, len(data), errCut)
	}
	need := pixels * f.cost
	if c.ColorModel == color.CMYKModel {
		need = pixels * cmykCost
	}
	if most := mostBytes(); need > most {
		return nil, fmt.Errorf("%d x %d pixels take some %d MB to decode, more than half of the memory limit (%d MB)", c.Width, c.Height, need/1e6, most*decodingPart/1e6)
	}
	decoding.take(need)
	defer decoding.give(need)
	decode := f.decode
	if f.eighth != nil && o.Thumbnail != (image.Point{}) && fills(c.Width/8, c.Height/8, o.Thumbnail) && fills(c.Height/8, c.Width/8, o.Thumbnail) {
		decode = f.eighth
	}
	m, err = decode(data)
	if err != nil {
		return nil, cutShort(err)
	}
	return m, nil
}

// fills tells whether a picture of w by h pixels is not smaller than it would be
// brought into a box.
func fills(w, h int, box image.Point) bool { return w >= box.X || h >= box.Y }

var errCut = fmt.Errorf("the file is cut short: %w", io.ErrUnexpectedEOF)

// cutShort words the end of data as what it is: some decoders pass on io.EOF,
// which callers of a reader would take for success, and that of JPEG has a text of
// its own for it.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, jpeg.FormatError("short Huffman data")) {
		return errCut
	}
	return err
}
