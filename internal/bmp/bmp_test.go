package bmp_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	xbmp "golang.org/x/image/bmp"

	"lookalike/internal/bmp"
)

// TestCases holds bitmaps of unusual kinds to what Pillow and OpenCV make of them.
func TestCases(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/cases/bmp/*.bmp")
	if len(files) == 0 {
		t.Skip("no ../shared/cases/bmp")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := bmp.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(file + ".want.png")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			want, err := png.Decode(f)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, want, 1)
			c, err := bmp.DecodeConfig(bytes.NewReader(data))
			if err != nil || c.Width != want.Bounds().Dx() || c.Height != want.Bounds().Dy() {
				t.Errorf("DecodeConfig: %dx%d, %v", c.Width, c.Height, err)
			}
		})
	}
}

func same(t *testing.T, got, want image.Image, within int) {
	t.Helper()
	if got.Bounds() != want.Bounds() {
		t.Fatalf("%v, want %v", got.Bounds(), want.Bounds())
	}
	b := want.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := got.At(x, y).RGBA()
			r2, g2, b2, _ := want.At(x, y).RGBA()
			for i, d := range [3]int{int(r>>8) - int(r2>>8), int(g>>8) - int(g2>>8), int(bl>>8) - int(b2>>8)} {
				if max(d, -d) > within {
					t.Fatalf("pixel (%d, %d) is %v, want %v: channel %d", x, y, got.At(x, y), want.At(x, y), i)
				}
			}
		}
	}
}

// TestAsBefore holds common bitmaps to the reader of golang.org/x/image.
func TestAsBefore(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, size := range []image.Point{{1, 1}, {3, 2}, {5, 7}, {64, 3}} {
		rect := image.Rectangle{Max: size}
		gray, colour := image.NewGray(rect), image.NewNRGBA(rect)
		for _, pix := range [][]uint8{gray.Pix, colour.Pix} {
			for i := range pix {
				pix[i] = uint8(r.Uint32())
			}
		}
		opaque := image.NewRGBA(rect)
		for i := range opaque.Pix {
			if opaque.Pix[i] = 255; i%4 != 3 {
				opaque.Pix[i] = uint8(r.Uint32())
			}
		}
		for _, m := range []image.Image{gray, opaque, colour} {
			var file bytes.Buffer
			if err := xbmp.Encode(&file, m); err != nil {
				t.Fatal(err)
			}
			got, err := bmp.Decode(file.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			want, err := xbmp.Decode(&file)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, want, 0)
		}
	}
}

// file returns a bitmap of the given header fields.
func file(width, height int32, bits uint16, compression uint32, rest ...byte) []byte {
	le := binary.LittleEndian
	b := append(make([]byte, 54), rest...)
	copy(b, "BM")
	le.PutUint32(b[14:], 40)
	le.PutUint32(b[18:], uint32(width))
	le.PutUint32(b[22:], uint32(height))
	le.PutUint16(b[28:], bits)
	le.PutUint32(b[30:], compression)
	if bits <= 8 {
		le.PutUint32(b[46:], 2)
	}
	return b
}

var twoColours = []byte{1, 2, 3, 0, 4, 5, 6, 0}

func TestRuns(t *testing.T) {
	for name, c := range map[string]struct {
		bits uint16
		runs []byte
		want string // colours, the upper row first
		err  string
	}{
		"run and end":        {8, []byte{2, 1, 0, 0, 2, 0, 0, 1}, "00/11", ""},
		"cut by the row":     {8, []byte{9, 1, 0, 0, 0, 1}, "00/11", ""},
		"as they are":        {8, []byte{0, 0, 0, 3, 1, 0, 1, 9, 0, 1}, "10/00", ""},
		"jump":               {8, []byte{0, 2, 1, 1, 1, 1, 0, 1}, "01/00", ""},
		"without an end":     {8, []byte{2, 1, 0, 0, 2, 1}, "11/11", ""},
		"fours":              {4, []byte{2, 0x10, 0, 0, 2, 0x01, 0, 1}, "01/10", ""},
		"fours as they are":  {4, []byte{0, 3, 0x10, 0x10, 0, 0, 2, 0x11, 0, 1}, "11/10", ""},
		"cut":                {8, []byte{2, 1, 0, 0, 1, 1}, "", "ends within"},
		"cut in a jump":      {8, []byte{0, 2, 1}, "", "ends within"},
		"cut in a stretch":   {8, []byte{0, 200, 1}, "", "ends within"},
		"nothing but an end": {8, []byte{0, 1}, "00/00", ""},
	} {
		t.Run(name, func(t *testing.T) {
			compression := map[uint16]uint32{8: 1, 4: 2}[c.bits]
			m, err := bmp.Decode(file(2, 2, c.bits, compression, append(twoColours, c.runs...)...))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			p := m.(*image.Paletted)
			got := ""
			for i, v := range p.Pix {
				if i == 2 {
					got += "/"
				}
				got += string('0' + v)
			}
			if got != c.want {
				t.Errorf("pixels %s, want %s", got, c.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	whole := file(2, 2, 24, 0, make([]byte, 16)...)
	headers := func(size uint32) []byte {
		b := bytes.Clone(whole)
		binary.LittleEndian.PutUint32(b[14:], size)
		return b
	}
	masks := func(b []byte, first uint32) []byte {
		binary.LittleEndian.PutUint32(b[54:], first)
		return b
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":           {nil, "cut in its header"},
		"cut header":      {whole[:30], "cut in its header"},
		"cut pixels":      {whole[:len(whole)-3], "13 of the 14 bytes"},
		"no pixels":       {whole[:54], "before its pixels"},
		"header size":     {headers(13), "header of 13 bytes"},
		"long header":     {headers(1 << 30), "which no bitmap has"},
		"no width":        {file(0, 2, 24, 0), "0 x 2"},
		"negative width":  {file(-1, 2, 24, 0), "-1 x 2"},
		"huge":            {file(1<<30, -1<<31, 24, 0), "1073741824 x 2147483648"},
		"many pixels":     {file(1<<20, 1<<20, 8, 1, 0), "more than"},
		"9 bits":          {file(2, 2, 9, 0), "9 bits"},
		"runs of 24 bits": {file(2, 2, 24, 1), "compression 1"},
		"JPEG":            {file(2, 2, 0, 4), "JPEG"},
		"PNG":             {file(2, 2, 0, 5), "PNG"},
		"cut masks":       {file(2, 2, 16, 3, 0, 0), "masks"},
		"parted mask":     {masks(file(2, 2, 16, 3, make([]byte, 40)...), 0x505), "apart"},
		"top-down runs":   {file(2, -2, 8, 1, make([]byte, 40)...), "top down"},
	} {
		if m, err := bmp.Decode(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, error %v, want %q", name, m != nil, err, c.want)
		}
	}
}

// FuzzDecode: whatever the bytes, there is a picture of the size that the header gives,
// or an error.
func FuzzDecode(f *testing.F) {
	f.Add(file(2, 2, 24, 0, make([]byte, 16)...))
	f.Add(file(2, 2, 8, 1, append(twoColours, 2, 1, 0, 0, 2, 0, 0, 1)...))
	f.Add(file(3, -2, 16, 3, make([]byte, 12+16)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := bmp.DecodeConfig(bytes.NewReader(data))
		if err != nil || c.Width*c.Height > 1<<16 {
			return
		}
		m, err := bmp.Decode(data)
		if err == nil && m.Bounds().Size() != image.Pt(c.Width, c.Height) {
			t.Errorf("%v, the header says %dx%d", m.Bounds(), c.Width, c.Height)
		}
	})
}
