package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"runtime"
	"strings"
	"testing"

	"lookalike/internal/sweeptest"
)

// TestCutShort decodes the beginnings of every fixture. The outcome is an error,
// or the whole picture where only what follows its pixels is missing (a GIF's
// second frame, padding).
func TestCutShort(t *testing.T) {
	for name, data := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, err := Decode(bytes.NewReader(data), Options{})
			if err != nil {
				t.Fatal(err)
			}
			errs := 0
			for n := 0; n < len(data); n += stride(len(data), 100) {
				m, err := Decode(bytes.NewReader(data[:n]), Options{})
				switch {
				case err == nil && !equal(m, whole):
					t.Fatalf("the first %d of %d bytes gave another picture", n, len(data))
				case err != nil:
					errs++
					if errors.Is(err, io.EOF) {
						t.Fatalf("the first %d of %d bytes: %v is io.EOF", n, len(data), err)
					}
				}
			}
			if errs == 0 {
				t.Error("no error")
			}
		})
	}
}

// stride spreads some trials over size bytes: those few where that is asked for,
// four times as many, or a hundred times.
func stride(size, few int) int { return 1 + size/sweeptest.Cases(few, 4*few, 100*few) }

// TestFlippedBits: no outcome but an error or a picture that fits its size; of a
// PNG, with checksums over all that matters, an error or the same picture.
func TestFlippedBits(t *testing.T) {
	for name, data := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, err := Decode(bytes.NewReader(data), Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(data); i += stride(len(data), 40) {
				flipped := bytes.Clone(data)
				flipped[i] ^= 1 << (i % 8)
				m, err := Decode(bytes.NewReader(flipped), Options{MaxPixels: 1 << 20})
				if err == nil && len(m.Pix) != 3*m.Width*m.Height {
					t.Fatalf("byte %d: %d values for %dx%d", i, len(m.Pix), m.Width, m.Height)
				}
				if err == nil && path.Ext(name) == ".png" && !equal(m, whole) {
					t.Fatalf("byte %d: another picture", i)
				}
			}
		})
	}
}

// claim returns a fixture whose header says another size, checksums put right.
func claim(t *testing.T, name string, width, height int) []byte {
	data := fixtures(t)[name]
	at := func(mark string) []byte {
		i := bytes.Index(data, []byte(mark))
		if i < 0 {
			t.Fatalf("%s has no %q", name, mark)
		}
		return data[i+len(mark):]
	}
	w, h := uint16(width), uint16(height)
	switch path.Ext(name) {
	case ".jpg":
		binary.BigEndian.PutUint16(at("\xff\xc0")[3:], h)
		binary.BigEndian.PutUint16(at("\xff\xc0")[5:], w)
	case ".png":
		header := at("IHDR")
		binary.BigEndian.PutUint32(header, uint32(width))
		binary.BigEndian.PutUint32(header[4:], uint32(height))
		sum := crc32.NewIEEE()
		sum.Write([]byte("IHDR"))
		sum.Write(header[:13])
		binary.BigEndian.PutUint32(header[13:], sum.Sum32())
	case ".gif":
		binary.LittleEndian.PutUint16(data[6:], w)
		binary.LittleEndian.PutUint16(data[8:], h)
	case ".bmp":
		binary.LittleEndian.PutUint32(data[18:], uint32(width))
		binary.LittleEndian.PutUint32(data[22:], uint32(height))
	case ".tiff": // tags 256 and 257, one 32-bit value each
		binary.LittleEndian.PutUint32(at("\x00\x01\x04\x00\x01\x00\x00\x00"), uint32(width))
		binary.LittleEndian.PutUint32(at("\x01\x01\x04\x00\x01\x00\x00\x00"), uint32(height))
	case ".webp": // 24 bits each, less one
		canvas := at("VP8X")[8:]
		canvas[0], canvas[1], canvas[2] = byte(width-1), byte((width-1)>>8), 0
		canvas[3], canvas[4], canvas[5] = byte(height-1), byte((height-1)>>8), 0
	}
	return data
}

func TestHugeClaims(t *testing.T) {
	for _, name := range []string{"flat-420.jpg", "rgb.png", "palette.gif", "rgb.bmp", "rgb-raw.tiff", "rgba.webp"} {
		data := claim(t, name, 60000, 60000)
		before := allocated()
		_, err := Decode(bytes.NewReader(data), Options{})
		if taken := allocated() - before; taken > 1<<20 {
			t.Errorf("%s: %d bytes were taken", name, taken)
		}
		if err == nil || !strings.Contains(err.Error(), "60000 x 60000") || !strings.Contains(err.Error(), "200000000") {
			t.Errorf("%s: error %v does not name the size and the limit", name, err)
		}
	}
}

// TestImpossibleClaims: within the limit, but more than such a file can hold.
func TestImpossibleClaims(t *testing.T) {
	for _, name := range []string{"flat-420.jpg", "rgb.bmp", "rgb-16.png", "palette.gif"} {
		data := claim(t, name, 14000, 14000)
		before := allocated()
		_, err := Decode(bytes.NewReader(data), Options{})
		if taken := allocated() - before; taken > 1<<20 {
			t.Errorf("%s: %d bytes were taken", name, taken)
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(fmt.Sprint(err), "14000 x 14000") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func allocated() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.TotalAlloc
}

func TestLimits(t *testing.T) {
	data := fixtures(t)["rgb.png"] // 45x37
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{MaxPixels: 45 * 37, MaxBytes: int64(len(data))}, ""},
		{Options{MaxPixels: 45*37 - 1}, "45 x 37 pixels are over the limit of 1664"},
		{Options{MaxBytes: int64(len(data)) - 1}, "the limit"},
	} {
		_, err := Decode(bytes.NewReader(data), c.o)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.o, err, c.want)
		}
	}
}

func TestNoPicture(t *testing.T) {
	for data, want := range map[string]string{
		"":                                      "empty",
		"just some text":                        "just some te",
		"%PDF-1.7":                              "PDF",
		"\x00\x00\x00\x18ftypheic":              "HEIC: no picture is in it",
		"\x00\x00\x00\x1cftypavif":              "AVIF: no picture is in it",
		"\xff\x0a and so on":                    "type JPEG XL, which is not supported",
		"\x00\x00\x00\x18ftypmp42":              "a video (MP4)",
		"\x00\x00\x00\x18ftypqt  ":              "a video (QuickTime)",
		"\x1a\x45\xdf\xa3 webm":                 "a video (WebM)",
		"\x1a\x45\xdf\xa3 and so":               "a video (Matroska)",
		"RIFF0000AVI LIST":                      "a video (AVI)",
		"RIFF0000WAVEfmt ":                      "sound (WAV)",
		"\x00\x00\x00\x18ftypM4A ":              "sound (M4A)",
		"G" + strings.Repeat("\x00", 187) + "G": "a video (MPEG)",
		"FUJIFILMCCD-RAW 0201":                  "RAF (camera raw): there is no picture in it",
		"PK\x03\x04\x14":                        "packed with zip; what is in an archive is read if",
		"BMW is a make of car":                  "BMP",
	} {
		_, err := Decode(strings.NewReader(data), Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v does not say %q", data, err, want)
		}
	}
}

func TestIgnoreOrientation(t *testing.T) {
	data := fixtures(t)["upright-6.jpg"]
	for ignore, width := range map[bool]int{false: 16, true: 24} {
		m, err := Decode(bytes.NewReader(data), Options{IgnoreOrientation: ignore})
		if err != nil || m.Width != width {
			t.Errorf("IgnoreOrientation %v: %v, %v", ignore, m, err)
		}
	}
}

// FuzzDecode: whatever the bytes, an error or a picture within the limits, and
// memory in proportion to them.
func FuzzDecode(f *testing.F) {
	for _, data := range fixtures(f) {
		f.Add(data)
	}
	o := Options{MaxPixels: 1 << 16, MaxBytes: 1 << 16}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := allocated()
		m, err := Decode(bytes.NewReader(data), o)
		if taken := allocated() - before; taken > 64<<20 {
			t.Errorf("%d bytes were taken", taken)
		}
		if err != nil {
			return
		}
		if int64(m.Width)*int64(m.Height) > o.MaxPixels || m.Width < 1 || m.Height < 1 || len(m.Pix) != 3*m.Width*m.Height {
			t.Errorf("%d values for %dx%d", len(m.Pix), m.Width, m.Height)
		}
	})
}
