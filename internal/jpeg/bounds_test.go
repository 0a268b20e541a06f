package jpeg_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/jpeg"
	"lookalike/internal/sweeptest"
)

// grey returns a file of one component: tables of two codes, of one and two bits, for the
// symbols 0 and 1, and scans as they are given.
func grey(frame byte, width, height int, scans ...[]byte) []byte {
	b := append([]byte("\xff\xd8\xff\xdb\x00\x43\x00"), bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xff, frame, 0, 11, 8, byte(height>>8), byte(height), byte(width>>8), byte(width), 1, 1, 0x11, 0)
	for _, class := range []byte{0, 0x10} {
		b = append(append(b, 0xff, 0xc4, 0, 21, class, 1, 1), append(make([]byte, 14), 0, 1)...)
	}
	return append(append(b, slices.Concat(scans...)...), 0xff, 0xd9)
}

func scan(first, last, bits byte, data ...byte) []byte {
	return append([]byte{0xff, 0xda, 0, 8, 1, 1, 0, first, last, bits}, data...)
}

// What is not read says what it is.
func TestRefused(t *testing.T) {
	plain := grey(0xc0, 8, 8, scan(0, 63, 0, 0))
	if _, err := jpeg.Decode(plain); err != nil {
		t.Fatal(err)
	}
	of := func(marker byte, b ...byte) []byte { // with another frame
		at := bytes.Index(plain, []byte{0xff, 0xc0})
		frame := append([]byte{0xff, marker, 0, byte(len(b) + 2)}, b...)
		return slices.Concat(plain[:at], frame, plain[at+13:])
	}
	for _, c := range []struct {
		data []byte
		want string
	}{
		{of(0xc1, 12, 0, 8, 0, 8, 1, 1, 0x11, 0), "12 bits a sample"},
		{of(0xc3, 8, 0, 8, 0, 8, 1, 1, 0x11, 0), "lossless"},
		{of(0xcb, 8, 0, 8, 0, 8, 1, 1, 0x11, 0), "lossless"},
		{of(0xc5, 8, 0, 8, 0, 8, 1, 1, 0x11, 0), "hierarchical"},
		{of(0xde, 8, 0, 8, 0, 8, 1, 1, 0x11, 0), "hierarchical"},
		{of(0xc0, 8, 0, 8, 0, 8, 2, 1, 0x11, 0, 2, 0x11, 0), "2 components"},
		{of(0xc0, 8, 0, 8, 0, 8, 3, 1, 0x31, 0, 2, 0x21, 0, 3, 0x11, 0), "sampled 3 x 1 and 2 x 1"},
		{of(0xc0, 8, 0, 8, 0, 8, 1, 1, 0x51, 0), "sampled 5 x 1"},
		{of(0xc0, 8, 0, 0, 0, 8, 1, 1, 0x11, 0), "8 x 0 pixels"},
		{of(0xc0, 8, 0, 8, 0, 8, 1, 1, 0x11, 3), "table 3 of quantization is missing"},
		{of(0xc2, 8, 0, 8, 0, 8, 1, 1, 0x11, 0), "coefficients 0 to 63"},
		{plain[:2], "cut short"},
		{plain[1:], "not a JPEG"},
		{append(plain[:2:2], 0xff, 0xd9), "without a picture"},
	} {
		_, err := jpeg.Decode(c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// Few bytes are not work without end.
func TestMostScans(t *testing.T) {
	first := scan(0, 0, 0x0d, 0)
	for _, c := range []struct {
		data []byte
		want string
	}{
		{grey(0xc2, 8, 8, first, bytes.Repeat(scan(0, 0, 0x10, 0), 499)), ""},
		{grey(0xc2, 8, 8, first, bytes.Repeat(scan(0, 0, 0x10, 0), 500)), "more than 500 scans"},
		{grey(0xc2, 8, 8, first, bytes.Repeat(scan(1, 63, 0, 0), 14)), ""},
		{grey(0xc2, 8, 8, first, bytes.Repeat(scan(1, 63, 0, 0), 15)), "more scans than"},
		{slices.Concat([]byte("\xff\xd8\xff\xdd\x00\x04\x00\x01"), grey(0xc9, 6000, 6000, scan(0, 63, 0))[2:]), "ends far too early"},
	} {
		if _, err := jpeg.Decode(c.data); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// A large size that the bytes cannot back is refused before memory is taken for it, but
// with arithmetic coding, where a picture of one colour takes none.
func TestImpossibleSize(t *testing.T) {
	if _, err := jpeg.Decode(grey(0xc0, 8000, 6000, scan(0, 63, 0))); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "8000 x 6000") {
		t.Error(err)
	}
	m, err := jpeg.DecodeEighth(grey(0xc9, 8000, 6000, scan(0, 63, 0)))
	if err != nil || len(m.Pix) != 3*1000*750 {
		t.Error(err)
	}
}

// The beginning of a file is an error, or the whole picture where its end alone is missing.
func TestCutShort(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.jpg")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := jpeg.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(data); n += 1 + len(data)/sweeptest.Cases(60, 200, len(data)) {
			m, err := jpeg.Decode(data[:n])
			if n > 2 && err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%s, the first %d of %d bytes: %v", file, n, len(data), err)
			}
			if err == nil && !bytes.Equal(m.Pix, whole.Pix) {
				t.Fatalf("%s: the first %d of %d bytes gave another picture", file, n, len(data))
			}
		}
	}
}

// The samples of four components come as they are stored, which Adobe's files have the
// other way round.
func TestDecodeStored(t *testing.T) {
	data, err := os.ReadFile("testdata/cmyk.jpg")
	if err != nil {
		t.Fatal(err)
	}
	samples, err := jpeg.DecodeStored(data)
	m, err2 := jpeg.Decode(data)
	if err = errors.Join(err, err2); err != nil || len(samples) != 4*m.Width*m.Height {
		t.Fatal(len(samples), err)
	}
	for i := range m.Width * m.Height {
		for c, light := range m.Pix[3*i : 3*i+3] {
			if want := int(samples[4*i+c]) * int(samples[4*i+3]) / 255; max(want, int(light))-min(want, int(light)) > 1 {
				t.Fatalf("pixel %d is %v, of samples %v", i, m.Pix[3*i:3*i+3], samples[4*i:4*i+4])
			}
		}
	}
	grey, err := jpeg.DecodeStored(grey(0xc0, 9, 5, scan(0, 63, 0, 0)))
	if err != nil || len(grey) != 9*5 {
		t.Error(len(grey), err)
	}
}
