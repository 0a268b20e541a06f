package tiff_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"lookalike/internal/sweeptest"
	"lookalike/internal/tiff"
)

// files are those of testdata, which make.py makes.
func files(t testing.TB) map[string][]byte {
	paths, _ := filepath.Glob("testdata/*.tiff")
	if len(paths) == 0 {
		t.Fatal("no testdata")
	}
	files := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = data
	}
	return files
}

func decode(data []byte) (*tiff.File, []uint8, error) {
	f, err := tiff.Open(data)
	if err != nil {
		return nil, nil, err
	}
	p, err := f.Decode(tiff.Decoders{})
	return f, p.RGB, err
}

func TestAsPillow(t *testing.T) {
	for name, data := range files(t) {
		t.Run(name, func(t *testing.T) {
			f, pix, err := decode(data)
			if err != nil {
				t.Fatal(err)
			}
			file, err := os.Open("testdata/" + name + ".want.png")
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			want, err := png.Decode(file)
			if err != nil {
				t.Fatal(err)
			}
			if want.Bounds() != image.Rect(0, 0, f.Width, f.Height) {
				t.Fatalf("%d x %d pixels, want %v", f.Width, f.Height, want.Bounds())
			}
			most := 0
			if name == "lab.tiff" || name == "ycbcr.tiff" {
				most = 1
			}
			for i := range f.Width * f.Height {
				r, g, b, _ := want.At(i%f.Width, i/f.Width).RGBA()
				for c, v := range [3]uint32{r, g, b} {
					if d := int(pix[3*i+c]) - int(v>>8); max(d, -d) > most {
						t.Fatalf("pixel (%d, %d) is %v, want %d, %d, %d", i%f.Width, i/f.Width, pix[3*i:3*i+3], r>>8, g>>8, b>>8)
					}
				}
			}
		})
	}
}

// TestCut: the beginning of a file is an error, or the whole picture where nothing that
// counts is missing.
func TestCut(t *testing.T) {
	for name, data := range files(t) {
		_, whole, err := decode(data)
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(data) {
			if _, pix, err := decode(data[:n]); err == nil && !bytes.Equal(pix, whole) {
				t.Fatalf("%s: the first %d of %d bytes are another picture", name, n, len(data))
			} else if errors.Is(err, io.EOF) {
				t.Fatalf("%s: the first %d of %d bytes: %v is io.EOF", name, n, len(data), err)
			}
		}
	}
}

// TestFlipped: whatever is damaged, there is an error or a picture of the size that is
// told.
func TestFlipped(t *testing.T) {
	for _, data := range files(t) {
		for i := 0; i < len(data); i += 1 + len(data)/sweeptest.Cases(50, 200, 4000) {
			for bit := range 8 {
				data[i] ^= 1 << bit
				check(t, data)
				data[i] ^= 1 << bit
			}
		}
	}
}

// check decodes what is no larger than a few pixels, and holds what that takes against
// what it says that it needs.
func check(t *testing.T, data []byte) {
	const most, beside = 1 << 16, 4 << 20
	if n := tiff.Pages(data); n > len(data) {
		t.Errorf("%d pages in %d bytes", n, len(data))
	}
	w, h, err := tiff.Size(data)
	if err != nil || w > most || h > most/w {
		return
	}
	f, err := tiff.Open(data)
	if err != nil {
		return
	}
	if f.Width != w || f.Height != h {
		t.Fatalf("%d x %d pixels, and %d x %d", f.Width, f.Height, w, h)
	}
	need := f.Need()
	before := allocated()
	p, err := f.Decode(tiff.Decoders{})
	pix := p.RGB
	if took := int64(allocated() - before); took > need+beside {
		t.Errorf("%d bytes were taken, %d expected", took, need)
	}
	if err == nil && len(pix) != 3*w*h {
		t.Errorf("%d values for %d x %d pixels", len(pix), w, h)
	}
}

func allocated() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.TotalAlloc
}

// field is an entry of a directory: values of 16 bits, or of 32.
type field struct {
	tag    uint16
	values []uint32
}

const (
	width, height, depths, packing, colour, offsets, samples, rows, counts = 256, 257, 258, 259, 262, 273, 277, 278, 279
)

// build returns a file of these fields, whose values are of 32 bits, and pixels at 8.
func build(pixels string, fields ...field) []byte {
	le := binary.LittleEndian
	at := 8 + len(pixels)
	b := append(le.AppendUint32([]byte("II*\x00"), uint32(at)), pixels...)
	b = le.AppendUint16(b, uint16(len(fields)))
	tail := at + 2 + 12*len(fields) + 4
	var values []byte
	for _, f := range fields {
		b = le.AppendUint32(le.AppendUint16(le.AppendUint16(b, f.tag), 4), uint32(len(f.values)))
		if len(f.values) == 1 {
			b = le.AppendUint32(b, f.values[0])
			continue
		}
		b = le.AppendUint32(b, uint32(tail+len(values)))
		for _, v := range f.values {
			values = le.AppendUint32(values, v)
		}
	}
	return append(append(b, 0, 0, 0, 0), values...)
}

// with returns the fields of a gray picture of 2 x 2 pixels, changed.
func with(changes ...field) []field {
	fields := []field{{width, []uint32{2}}, {height, []uint32{2}}, {depths, []uint32{8}}, {colour, []uint32{1}}, {offsets, []uint32{8}}, {counts, []uint32{4}}}
changes:
	for _, c := range changes {
		for i, f := range fields {
			if f.tag == c.tag {
				fields[i] = c
				continue changes
			}
		}
		fields = append(fields, c)
	}
	return fields
}

func one(tag uint16, v uint32) field { return field{tag, []uint32{v}} }

func TestBuilt(t *testing.T) {
	f, pix, err := decode(build("\x01\x02\x03\x04", with()...))
	if err != nil || f.Width != 2 || string(pix) != "\x01\x01\x01\x02\x02\x02\x03\x03\x03\x04\x04\x04" {
		t.Errorf("%v, %v", pix, err)
	}
}

// What is not read is named.
func TestRefused(t *testing.T) {
	for want, fields := range map[string][]field{
		"size of the picture is missing":     {one(width, 2)},
		"a picture of 2 x 4294967295 pixels": with(one(height, 1<<32-1)),
		"compression 4711":                   with(one(packing, 4711)),
		"JBIG":                               with(one(packing, 34661)),
		"old-style JPEG":                     with(one(packing, 6)),
		"ThunderScan":                        with(one(packing, 32809)),
		"0 samples":                          with(one(samples, 0)),
		"65 samples":                         with(one(samples, 65)),
		"samples of 99 bits":                 with(one(depths, 99)),
		"of 5 and of 6 bits":                 with(one(samples, 3), field{depths, []uint32{5, 6, 5}}, one(colour, 2)),
		"camera":                             with(one(colour, 32803)),
		"colours of kind 77":                 with(one(colour, 77)),
		"1 samples a pixel, where":           with(one(colour, 2)),
		"palette is missing":                 with(one(colour, 3)),
		"64 bits as gray":                    with(one(depths, 64)),
		"complex numbers":                    with(one(339, 6)),
		"floating-point numbers of 8 bits":   with(one(339, 3)),
		"JPEG of 12 bits":                    with(one(packing, 7), one(depths, 12)),
		"JPEG of 5 colours":                  with(one(packing, 7), one(samples, 5)),
		"predictor 9":                        with(one(packing, 5), one(317, 9)),
		"predictor 3":                        with(one(packing, 5), one(317, 3)),
		"chroma sampled by 3 and 1":          with(one(colour, 6), one(samples, 3), field{530, []uint32{3, 1}}),
		"planes of sampled chroma":           with(one(colour, 6), one(samples, 3), one(284, 2)),
		"1 strips or tiles, where 2":         with(one(rows, 1)),
		"strips or tiles of 65536 x 65536":   with(one(322, 1<<16), one(323, 1<<16)),
		"tiles of 16777216 x 1 ":             with(one(width, 1), one(height, 60000), one(322, 1<<24), one(323, 1)),
		"tiles of 1 x 16777216 ":             with(one(height, 1), one(width, 60000), one(322, 1), one(323, 1<<24)),
		"ends early":                         with(one(offsets, 9999)),
		"unexpected EOF":                     with(one(width, 200), one(height, 200)),
		"lie over each other":                with(one(packing, 34925), one(rows, 1), one(height, 800), field{offsets, make([]uint32, 800)}, field{counts, many(800, 1<<20)}),
	} {
		if _, _, err := decode(build("\x01\x02\x03\x04", fields...)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// TestShortFax: lines that a fax says it does not have are zero.
func TestShortFax(t *testing.T) {
	// T.6: two white lines of a vertical code each, and the end. T.4: a mark, eight white
	// pixels, and six marks.
	for name, c := range map[string]struct {
		packing uint32
		bits    string
		err     bool
	}{
		"T.6":          {4, "11" + "000000000001000000000001", false},
		"T.6, no end":  {4, "11" + "000000000000000000000000", true},
		"T.6, no line": {4, "000000000001000000000001", true},
		"T.4":          {3, "000000000001" + "10011" + strings.Repeat("000000000001", 6), false},
		"T.4, no end":  {3, "000000000001" + "10011" + "000000000001", true},
		"T.4, no line": {3, strings.Repeat("000000000001", 6), true},
	} {
		var packed []byte
		for i, bit := range c.bits {
			if i%8 == 0 {
				packed = append(packed, 0)
			}
			packed[i/8] |= byte(bit-'0') << (7 - i%8)
		}
		f, pix, err := decode(build(string(packed), with(one(packing, c.packing), one(depths, 1), one(colour, 0), one(width, 8), one(height, 5), one(counts, uint32(len(packed))))...))
		if (err != nil) != c.err {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (f.Height != 5 || bytes.Count(pix, []byte{255}) != 3*8*5) {
			t.Errorf("%s: %v", name, pix)
		}
	}
}

func many(n int, v uint32) []uint32 {
	s := make([]uint32, n)
	for i := range s {
		s[i] = v
	}
	return s
}

// A picture that cannot be in so few bytes takes no memory.
func TestImpossible(t *testing.T) {
	for name, fields := range map[string][]field{
		"plain":    with(one(width, 14000), one(height, 14000), one(counts, 196000000)),
		"PackBits": with(one(width, 14000), one(height, 14000), one(packing, 32773)),
		"LZW":      with(one(width, 14000), one(height, 14000), one(packing, 5)),
		"Deflate":  with(one(width, 14000), one(height, 14000), one(packing, 8)),
	} {
		data := build("\x01\x02\x03\x04", fields...)
		before := allocated()
		_, _, err := decode(data)
		if took := allocated() - before; took > 1<<20 || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %d bytes were taken, %v", name, took, err)
		}
	}
}

// A chain of pages that leads back ends, and so do pages that overlap.
func TestPagesEnd(t *testing.T) {
	le := binary.LittleEndian
	const n = 1 << 16
	data := make([]byte, 4*n)
	copy(data, "II*\x00\x08\x00\x00\x00")
	for i := 8; i+4 < len(data); i += 2 {
		le.PutUint16(data[i:], 0x0fff) // entries of each directory
	}
	done := tiff.Pages(data)
	if done > n {
		t.Errorf("%d pages", done)
	}
}

func FuzzDecode(f *testing.F) {
	for _, data := range files(f) {
		f.Add(data)
	}
	f.Add(build("\x01\x02\x03\x04", with()...))
	f.Fuzz(func(t *testing.T, data []byte) { check(t, data) })
}
