package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"lookalike/internal/benchtest"
)

// progressiveJPEG is a gray picture with chroma halved, all of whose values are stored.
func progressiveJPEG(w, h int) []byte {
	up := func(a, b int) int { return (a + b - 1) / b }
	units := up(w, 16) * up(h, 16)
	var b bytes.Buffer
	b.WriteString("\xff\xd8\xff\xdb\x00\x43\x00")
	b.Write(bytes.Repeat([]byte{1}, 64))
	b.Write([]byte{0xff, 0xc2, 0, 17, 8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0})
	for _, class := range []byte{0, 0x10} { // one code of one bit: no difference, the end of a block
		b.Write(append([]byte{0xff, 0xc4, 0, 20, class, 1}, make([]byte, 16)...))
	}
	b.Write([]byte{0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0})
	b.Write(make([]byte, up(6*units, 8)))
	for c := range 3 {
		blocks := up(w, 8) * up(h, 8)
		if c > 0 {
			blocks = up(up(w, 2), 8) * up(up(h, 2), 8)
		}
		b.Write([]byte{0xff, 0xda, 0, 8, 1, byte(c + 1), 0, 1, 63, 0})
		b.Write(make([]byte, up(blocks, 8)))
	}
	b.WriteString("\xff\xd9")
	return b.Bytes()
}

// flatWebP is a lossless picture of a single colour, in 38 bytes whatever its size: each
// code has one symbol, which takes no bit.
func flatWebP(t *testing.T, w, h int) []byte {
	data, err := os.ReadFile("testdata/bomb.webp")
	if err != nil {
		t.Fatal(err)
	}
	size := binary.LittleEndian.Uint32(data[21:]) &^ (1<<28 - 1)
	binary.LittleEndian.PutUint32(data[21:], size|uint32(w-1)|uint32(h-1)<<14)
	return data
}

// interlacedPNG is a black picture of 16 bits a channel with alpha, in seven passes.
func interlacedPNG(w, h int) []byte {
	var raw, b bytes.Buffer
	z := zlib.NewWriter(&raw)
	for _, p := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		for y := p[1]; y < h; y += p[3] {
			z.Write(make([]byte, 1+8*((w-p[0]+p[2]-1)/p[2])))
		}
	}
	z.Close()
	chunk := func(name string, body []byte) {
		binary.Write(&b, binary.BigEndian, uint32(len(body)))
		named := append([]byte(name), body...)
		b.Write(named)
		binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(named))
	}
	b.WriteString("\x89PNG\r\n\x1a\n")
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(w)), uint32(h))
	chunk("IHDR", append(header, 16, 6, 0, 0, 1))
	chunk("IDAT", raw.Bytes())
	chunk("IEND", nil)
	return b.Bytes()
}

// largePictures are files of every format whose decoders differ in what they take.
func largePictures(t *testing.T, w, h int) map[string][]byte {
	rect := image.Rect(0, 0, w, h)
	files := map[string][]byte{
		"progressive.jpg": progressiveJPEG(w, h),
		"unfinished.jpg":  bytes.Replace(progressiveJPEG(w, h), []byte{1, 3, 0, 1, 63, 0}, []byte{1, 3, 0, 1, 62, 0}, 1),
		"interlaced.png":  interlacedPNG(w, h),
		"flat.webp":       flatWebP(t, w, h),
	}
	add := func(name string, encode func(*bytes.Buffer) error) {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatal(err)
		}
		files[name] = b.Bytes()
	}
	gray, rgba := image.NewGray(rect), image.NewRGBA(rect)
	for i := range rgba.Pix {
		rgba.Pix[i] |= 255 * uint8(i/3&1)
	}
	palette := image.NewPaletted(rect, color.Palette{color.Black, color.White})
	for name, m := range map[string]image.Image{
		"gray": gray, "rgba": rgba, "palette": palette, "gray16": image.NewGray16(rect), "nrgba64": image.NewNRGBA64(rect), "nrgba": image.NewNRGBA(rect),
	} {
		add(name+".png", func(b *bytes.Buffer) error { return png.Encode(b, m) })
		add(name+".tiff", func(b *bytes.Buffer) error { return tiff.Encode(b, m, &tiff.Options{Compression: tiff.Deflate}) })
		add(name+".plain.tiff", func(b *bytes.Buffer) error { return tiff.Encode(b, m, nil) })
		if name == "gray" || name == "rgba" || name == "palette" {
			add(name+".bmp", func(b *bytes.Buffer) error { return bmp.Encode(b, m) })
			add(name+".jpg", func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) })
		}
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	const compressedZstd, colours = 50000, 2
	files["zstd.tiff"] = tiffOf(z.EncodeAll(make([]byte, 3*w*h), nil), uint32(w), uint32(h), compressedZstd, colours, 3)
	add("palette.gif", func(b *bytes.Buffer) error { return gif.Encode(b, palette, nil) })
	return files
}

// What decoding takes is known from the header: no less, lest decoders burst the budget,
// and not twice as much, lest pictures are refused under a memory limit.
func TestNeed(t *testing.T) {
	benchtest.SkipRacing(t)
	for name, data := range largePictures(t, 1501, 1003) {
		f, err := formatOf(data)
		if err != nil {
			t.Fatal(err)
		}
		c, err := f.size(data, Options{}.WithDefaults())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		w := f.way(data, c, false)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = caught(func() (*Image, error) { return w.decode(data) })
		runtime.ReadMemStats(&after)
		took := int64(after.TotalAlloc - before.TotalAlloc)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: %.2f bytes a pixel, expected %.2f", name, float64(took)/float64(pixels(c)), float64(w.need)/float64(pixels(c)))
		if took > w.need+beside {
			t.Errorf("%s: %d bytes were taken, %d expected", name, took, w.need)
		}
		if w.need > 2*took {
			t.Errorf("%s: %d bytes were expected, %d taken", name, w.need, took)
		}
	}
}
