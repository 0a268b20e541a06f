package png_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	stdpng "image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"lookalike/internal/png"
)

const signature = "\x89PNG\r\n\x1a\n"

func chunk(name, body string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, name...), body...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

// broken is a chunk whose check sum is wrong.
func broken(name, body string) string {
	c := []byte(chunk(name, body))
	c[len(c)-1] ^= 1
	return string(c)
}

func header(width, height uint32, depth, kind, interlace byte) string {
	b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	return chunk("IHDR", string(append(b, depth, kind, 0, 0, interlace)))
}

func packed(pixels string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write([]byte(pixels))
	z.Close()
	return b.String()
}

func decode(data string) ([]uint8, error) {
	f, err := png.Open([]byte(data))
	if err != nil {
		return nil, err
	}
	p, err := f.Decode()
	return p.RGB, err
}

// tripled repeats each value three times, as gray is in RGB.
func tripled(values string) string {
	var b strings.Builder
	for i := range len(values) {
		b.WriteString(strings.Repeat(values[i:i+1], 3))
	}
	return b.String()
}

// TestBent: files that bend the format have the pixels that Pillow gives them.
func TestBent(t *testing.T) {
	const pixels, want = "\x00\x01\x02\x00\x03\x04", "\x01\x02\x03\x04" // 2 x 2, gray
	gray, z, end := header(2, 2, 8, 0, 0), packed(pixels), chunk("IEND", "")
	text := chunk("tEXt", "a\x00b")
	colours, indices := header(2, 2, 8, 3, 0), packed("\x00\x00\x01\x00\x02\x00")
	for name, c := range map[string]struct{ file, want string }{
		"plain":                 {gray + chunk("IDAT", z) + end, want},
		"no end":                {gray + chunk("IDAT", z), want},
		"end cut":               {gray + chunk("IDAT", z) + end[:5], want},
		"end's sum missing":     {gray + chunk("IDAT", z) + end[:8], want},
		"end's sum wrong":       {gray + chunk("IDAT", z) + broken("IEND", ""), want},
		"pixels' sum missing":   {gray + chunk("IDAT", z)[:8+len(z)], want},
		"pixels' sum wrong":     {gray + broken("IDAT", z) + end, want},
		"Adler's sum missing":   {gray + chunk("IDAT", z[:len(z)-4]) + end, want},
		"Adler's sum cut":       {gray + chunk("IDAT", z[:len(z)-2]) + end, want},
		"text first":            {text + gray + chunk("IDAT", z) + end, want},
		"long header":           {chunk("IHDR", gray[8:21]+"xyz") + chunk("IDAT", z) + end, want},
		"many chunks":           {gray + chunk("IDAT", "") + chunk("IDAT", z[:3]) + chunk("IDAT", "") + chunk("IDAT", z[3:]) + end, want},
		"more pixels":           {gray + chunk("IDAT", packed(pixels+"more")) + end, want},
		"more behind":           {gray + chunk("IDAT", z+"more") + end, want},
		"more chunks behind":    {gray + chunk("IDAT", z) + chunk("IDAT", "more") + end, want},
		"a row missing":         {gray + chunk("IDAT", packed(pixels[:3])) + end, "\x01\x02\x00\x00"},
		"unknown chunk":         {gray + chunk("ABCD", "x") + chunk("IDAT", z) + end, want},
		"gamma damaged":         {gray + broken("gAMA", "abcd") + chunk("IDAT", z) + end, want},
		"text damaged behind":   {gray + chunk("IDAT", z) + broken("tEXt", "a\x00b") + end, want},
		"palette in gray":       {gray + chunk("PLTE", "abc") + chunk("IDAT", z) + chunk("PLTE", "abc") + end, want},
		"transparency twice":    {gray + chunk("tRNS", "x") + chunk("IDAT", z) + chunk("tRNS", "xyz") + end, want},
		"palette of one colour": {colours + chunk("PLTE", "AAA") + chunk("IDAT", indices) + end, "A\x00\x00A"},
		"palette twice":         {colours + chunk("PLTE", "xyz") + chunk("PLTE", "AAABBBCCC") + chunk("IDAT", indices) + chunk("PLTE", "xyz") + end, "ABCA"},
		"palette cut":           {colours + chunk("PLTE", "AAABBBCCCD") + chunk("IDAT", indices) + end, "ABCA"},
		"palette of 300":        {colours + chunk("PLTE", "AAABBBCCC"+strings.Repeat("x", 900)) + chunk("IDAT", indices) + end, "ABCA"},
		"gray of 16 bits":       {header(2, 1, 16, 0, 0) + chunk("IDAT", packed("\x00\x00\x07\x01\x00")) + end, "\x07\xff"},
	} {
		pix, err := decode(signature + c.file)
		if err != nil || string(pix) != tripled(c.want) {
			t.Errorf("%s: %v, %v, want %q", name, pix, err, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	const pixels = "\x00\x01\x02\x00\x03\x04"
	gray, z := header(2, 2, 8, 0, 0), packed(pixels)
	wrong := []byte(z)
	wrong[len(wrong)-1] ^= 1
	for name, c := range map[string]struct{ file, want string }{
		"nothing":               {"", "ends before"},
		"header cut":            {gray[:20], "ends before"},
		"header damaged":        {broken("IHDR", gray[8:21]), "check sum of the header"},
		"two headers":           {gray + gray, "second header"},
		"Apple's":               {chunk("CgBI", "") + gray, "CgBI"},
		"no size":               {header(0, 2, 8, 0, 0), "0 x 2"},
		"3 bits":                {header(2, 2, 3, 0, 0), "3 bits of colour type 0"},
		"interlace 2":           {header(2, 2, 8, 0, 2), "interlace 2"},
		"no pixels":             {gray + chunk("IEND", ""), "ends before"},
		"pixels cut":            {gray + chunk("IDAT", z)[:13], "ends before"},
		"pixels behind a text":  {gray + chunk("IDAT", z[:4]) + chunk("tEXt", "") + chunk("IDAT", z[4:]), "ends before"},
		"half a row":            {gray + chunk("IDAT", packed(pixels[:5])), "ends before"},
		"wrong sum of pixels":   {gray + chunk("IDAT", string(wrong)), "check sum of the pixels"},
		"no right sum":          {gray + broken("IDAT", z[:len(z)-2]), "check sum of the pixels"},
		"not deflated":          {gray + chunk("IDAT", "no pixels"), "not packed"},
		"filter 5":              {gray + chunk("IDAT", packed("\x05\x01\x02\x00\x03\x04")), "filter 5"},
		"palette missing":       {header(2, 2, 8, 3, 0) + chunk("IDAT", z), "palette is missing"},
		"palette damaged":       {header(2, 2, 8, 3, 0) + broken("PLTE", "abc") + chunk("IDAT", z), "check sum of the palette"},
		"damaged, name and all": {gray + broken("aXIf", "abc") + chunk("IDAT", z), `"aXIf"`},
	} {
		if _, err := decode(signature + c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// TestAsBefore holds what image/png writes to what it reads, in every kind and size.
func TestAsBefore(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, size := range []image.Point{{1, 1}, {3, 2}, {5, 9}, {17, 4}, {64, 3}} {
		rect := image.Rectangle{Max: size}
		palette := color.Palette{}
		for range 7 {
			palette = append(palette, color.NRGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()), 255})
		}
		gray, wide, colours, deep, indexed := image.NewGray(rect), image.NewGray16(rect), image.NewNRGBA(rect), image.NewNRGBA64(rect), image.NewPaletted(rect, palette)
		for _, pix := range [][]uint8{gray.Pix, wide.Pix, colours.Pix, deep.Pix} {
			for i := range pix {
				pix[i] = uint8(r.Uint32())
			}
		}
		for i := range indexed.Pix {
			indexed.Pix[i] = uint8(r.IntN(7))
		}
		for i := 0; i < len(wide.Pix); i += 2 {
			wide.Pix[i] = 0
		}
		for _, m := range []image.Image{gray, wide, colours, deep, indexed} {
			var b bytes.Buffer
			if err := stdpng.Encode(&b, m); err != nil {
				t.Fatal(err)
			}
			pix, err := decode(b.String())
			if err != nil {
				t.Fatal(err)
			}
			for i := range size.X * size.Y {
				var want [3]uint8
				switch c := m.At(i%size.X, i/size.X).(type) {
				case color.NRGBA: // not by RGBA, which is rounded
					want = [3]uint8{c.R, c.G, c.B}
				case color.NRGBA64:
					want = [3]uint8{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8)}
				case color.Gray16:
					want = [3]uint8{uint8(c.Y), uint8(c.Y), uint8(c.Y)}
				case color.Gray:
					want = [3]uint8{c.Y, c.Y, c.Y}
				}
				if [3]uint8(pix[3*i:]) != want {
					t.Fatalf("%T of %v: pixel %d is %v, want %v", m, size, i, pix[3*i:3*i+3], want)
				}
			}
		}
	}
}

// FuzzDecode: whatever the bytes, there is an error or a picture of the size that is told.
func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	if err := stdpng.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 5, 4))); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	z := packed("\x00\x01\x02\x00\x03\x04")
	f.Add([]byte(signature + header(2, 2, 8, 3, 0) + chunk("PLTE", "abcdef") + chunk("IDAT", z[:4]) + chunk("IDAT", z[4:])))
	f.Add([]byte(signature + header(2, 2, 1, 0, 1) + chunk("acTL", "") + chunk("fcTL", "") + chunk("IDAT", packed("\x00\x80\x01\x80\x02\xc0"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		if n := png.Frames(data); n > len(data) {
			t.Errorf("%d frames in %d bytes", n, len(data))
		}
		w, h, err := png.Size(data)
		if err != nil || w > 1<<16 || h > 1<<16/w {
			return
		}
		file, err := png.Open(data)
		if err != nil {
			return
		}
		if p, err := file.Decode(); err == nil && len(p.RGB) != 3*w*h {
			t.Errorf("%d values for %d x %d pixels", len(p.RGB), w, h)
		}
	})
}
