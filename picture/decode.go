package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"strings"

	"lookalike/internal/bmp"
	"lookalike/internal/gif"
	"lookalike/internal/magic"
	"lookalike/internal/memory"
	"lookalike/internal/orientation"
	"lookalike/internal/png"
	"lookalike/internal/raw"
	"lookalike/internal/regular"
	"lookalike/internal/tiff"
	"lookalike/internal/words"
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

// WithDefaults returns the options with what the zeros among them stand for, which is by
// the memory limit in force now.
func (o Options) WithDefaults() Options {
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
	magic  string                // how a file begins; '?' stands for any byte
	dense  int64                 // most pixels that a byte of the file can stand for; 0: any number
	turn   func(data []byte) int // which orientation a file is stored in; nil: none is told
	config func(data []byte) (image.Config, error)
	way    func(data []byte, c image.Config, small bool) way
	frames func(data []byte) int // how many pictures are in a file; nil: one
}

// way is how a file is decoded.
type way struct {
	need   int64 // most bytes that it takes, but for some that do not grow with the picture
	decode func(data []byte) (*Image, error)
}

var (
	formatJPEG = format{"JPEG", "\xff\xd8\xff", 0, orientation.JPEG, configJPEG, wayOfJPEG, nil}
	formatWebP = format{"WebP", "RIFF????WEBP", 0, orientation.WebP, configWebP, one(needWebP, decodeWebP), framesWebP}
)

var formats = []format{
	formatJPEG,
	// Deflate shortens to 1/1032 at best, 8 pixels a byte.
	{"PNG", "\x89PNG\r\n\x1a\n", 1032 * 8, orientation.PNG, configPNG, wayOfPNG, png.Frames},
	// A code of LZW has 12 bits by the time it stands for 4096 pixels.
	{"GIF", "GIF8?a", 4096 * 8 / 12, nil, configGIF, one(needGIF, decodeGIF), gif.Frames},
	// With runs, two bytes end a row of any length.
	{"BMP", "BM", 0, nil, from(bmp.DecodeConfig), one(needBMP, decodeBMP), nil},
	{"TIFF", "II*\x00", 0, orientation.TIFF, configTIFF, wayOfTIFF, tiff.Pages},
	{"TIFF", "MM\x00*", 0, orientation.TIFF, configTIFF, wayOfTIFF, tiff.Pages},
	{"TIFF", "II+\x00", 0, orientation.TIFF, configTIFF, wayOfTIFF, tiff.Pages},
	{"TIFF", "MM\x00+", 0, orientation.TIFF, configTIFF, wayOfTIFF, tiff.Pages},
	{"TIFF", "II\x00*", 0, orientation.TIFF, configTIFF, wayOfTIFF, tiff.Pages},
	{"TIFF", "MM*\x00", 0, orientation.TIFF, configTIFF, wayOfTIFF, tiff.Pages},
	formatWebP,
	// Blocks of nothing new take a fraction of a bit.
	{"HEIC", "????ftyphei?", 0, turnHEIF, configHEIF, one(needHEIF, decodeHEIF), nil},
	{"HEIC", "????ftyphev?", 0, turnHEIF, configHEIF, one(needHEIF, decodeHEIF), nil},
	{"HEIF", "????ftypmif1", 0, turnHEIF, configHEIF, one(needHEIF, decodeHEIF), nil},
	{"HEIF", "????ftypmif2", 0, turnHEIF, configHEIF, one(needHEIF, decodeHEIF), nil},
	{"HEIF", "????ftypmiaf", 0, turnHEIF, configHEIF, one(needHEIF, decodeHEIF), nil},
	{"HEIF", "????ftypmsf1", 0, turnHEIF, configHEIF, one(needHEIF, decodeHEIF), nil},
	{"AVIF", "????ftypavi?", 0, turnHEIF, configHEIF, one(needHEIF, decodeHEIF), nil},
}

// from makes a format's config from one that reads the beginning of a file.
func from(config func(io.Reader) (image.Config, error)) func([]byte) (image.Config, error) {
	return func(data []byte) (image.Config, error) { return config(bytes.NewReader(data)) }
}

// one makes the way of a format that has one for pictures large and small.
func one(need func([]byte, image.Config) int64, decode func([]byte) (*Image, error)) func([]byte, image.Config, bool) way {
	return func(data []byte, c image.Config, _ bool) way { return way{need(data, c), decode} }
}

// longestMagic is how many bytes of a file tell its format, or that it is none.
const longestMagic = 200

func decodeBMP(data []byte) (*Image, error) {
	src, err := bmp.Decode(data)
	if err != nil {
		return nil, err
	}
	m := FromImage(src)
	if bytes.Count(m.Alpha, []byte{0}) == len(m.Alpha) {
		m.Alpha = nil // makers leave the fourth byte at zero and mean an opaque picture
	}
	return m, nil
}

func formatOf(data []byte) (format, error) {
	for _, f := range formats {
		if magic.Matches(data, f.magic) {
			return f, nil
		}
	}
	if kind := raw.Kind(data); kind != "" {
		return format{name: rawName(kind)}, nil
	}
	return format{}, kindOf(data)
}

// Decode reads one picture; its content, not a name, says which format it is.
// Of an animation it reads the first frame, of several pages the first one; Frames
// counts them. A file that is cut short, damaged or over the limits of o is an error; but a
// JPEG that is damaged inside is shown as Pillow and browsers show it, grey where nothing
// can be decoded. One that is not a picture is a [*KindError].
func Decode(r io.Reader, o Options) (*Image, error) {
	if r == nil {
		return nil, errors.New("picture.Decode: the reader is nil")
	}
	o = o.WithDefaults()
	data, err := io.ReadAll(io.LimitReader(r, o.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	return decode(data, o, nil)
}

// DecodeBytes is Decode for the bytes of a file, and passes the picture through use, if
// not nil, such as for a resize. No more pictures than fit in the memory for decoding are
// decoded and go through use at once; use must not wait for another to be decoded.
func DecodeBytes(data []byte, o Options, use func(*Image) *Image) (*Image, error) {
	return decode(data, o.WithDefaults(), use)
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
		return nil, fmt.Errorf("%s: %w", path, words.Cause(err))
	}
	return m, nil
}

// decode decodes a file and passes the picture through use, if not nil. Until that has
// returned, what was taken for decoding counts as taken.
func decode(data []byte, o Options, use func(*Image) *Image) (*Image, error) {
	if int64(len(data)) > o.MaxBytes {
		limit := "the limit"
		if o.MaxBytes == shareOfFile() && o.MaxBytes < defaultMaxBytes {
			limit = "an eighth of the memory limit"
		}
		return nil, fmt.Errorf("the file has more than %d bytes, %s", o.MaxBytes, limit)
	}
	f, err := formatOf(data)
	if kind := raw.Kind(data); kind != "" {
		f, data, err = rawFormat(kind, data)
	}
	if err != nil {
		return nil, err
	}
	c, err := f.size(data, o)
	if err != nil {
		return nil, &formatError{f.name, err}
	}
	turn := orientation.Upright
	if !o.IgnoreOrientation && f.turn != nil {
		turn = f.turn(data)
	}
	small := o.Thumbnail != (image.Point{}) && fills(c.Width/8, c.Height/8, o.Thumbnail) && fills(c.Height/8, c.Width/8, o.Thumbnail)
	w, err := caught(func() (way, error) { return f.way(data, c, small), nil })
	var m *Image
	if err == nil {
		m, err = w.run(data, c, turn, use)
	}
	if err != nil {
		return nil, &formatError{f.name, words.CutShort(err)}
	}
	return m, nil
}

// formatError is of a file in a format. Its text names the format once, also where that of
// the reader does.
type formatError struct {
	format string
	err    error
}

func (e *formatError) Unwrap() error { return e.err }
func (e *formatError) Error() string {
	return e.format + ": " + strings.TrimPrefix(e.err.Error(), strings.ToLower(e.format)+": ")
}

// size reads the header of a file, and checks it against the limits.
func (f format) size(data []byte, o Options) (image.Config, error) {
	c, err := caught(func() (image.Config, error) { return f.config(data) })
	if err != nil {
		return c, words.CutShort(err)
	}
	if c.Width <= 0 || c.Height <= 0 {
		return c, fmt.Errorf("%d x %d pixels: nothing to see", c.Width, c.Height)
	}
	if n := pixels(c); n > o.MaxPixels {
		return c, fmt.Errorf("%d x %d pixels are over the limit of %d", c.Width, c.Height, o.MaxPixels)
	} else if f.dense > 0 && n/f.dense > int64(len(data)) {
		return c, fmt.Errorf("%d x %d pixels cannot be in %d bytes: %w", c.Width, c.Height, len(data), words.ErrCut)
	}
	return c, nil
}

// run decodes a file within the budget, sets the picture upright and has it used.
func (w way) run(data []byte, c image.Config, turn int, use func(*Image) *Image) (*Image, error) {
	need := w.need
	if turn != orientation.Upright {
		need += pixels(c) * (rgb + alphaNeed(c.ColorModel))
	}
	if need > decoding.alone() {
		return nil, fmt.Errorf("%d x %d pixels take some %d MB to decode, more than half of what the memory limit leaves (%d MB)", c.Width, c.Height, need/1e6, memory.Left()/1e6)
	}
	need += beside
	decoding.take(need)
	defer decoding.give(need)
	m, err := caught(func() (*Image, error) { return w.decode(data) })
	if err != nil {
		return nil, err
	}
	if m = m.oriented(turn); use != nil {
		m = use(m)
	}
	return m, nil
}

// caught is where decoders of others meet a file's bytes: a panic becomes an error.
func caught[T any](read func() (T, error)) (v T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the decoder failed on damaged data: %v", r)
		}
	}()
	return read()
}

// fills tells whether a picture of w by h pixels is not smaller than it would be
// brought into a box.
func fills(w, h int, box image.Point) bool { return w >= box.X || h >= box.Y }
