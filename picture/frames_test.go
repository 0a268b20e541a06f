package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"os"
	"strings"
	"testing"
)

// pages returns a TIFF file of directories, each with tags NewSubfileType and SubIFDs
// that say what they are told; the last one leads on to the first.
func pages(kinds ...uint32) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("II*\x00"), 8)
	for i, kind := range kinds {
		next := uint32(8)
		if i < len(kinds)-1 {
			next = uint32(len(b) + 2 + 12 + 4)
		}
		b = le.AppendUint16(b, 1)
		b = le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(b, 254), 4), 1), kind)
		b = le.AppendUint32(b, next)
	}
	return b
}

func chunks(begin string, big bool, names ...string) []byte {
	b := []byte(begin)
	for _, name := range names {
		if big {
			b = append(append(append(b, 0, 0, 0, 3), name...), "abc sum"...)
		} else {
			b = append(append(b, name...), "\x03\x00\x00\x00abc\x00"...)
		}
	}
	return b
}

func animation(t *testing.T, frames int) []byte {
	var g gif.GIF
	for range frames {
		g.Image = append(g.Image, image.NewPaletted(image.Rect(0, 0, 20, 20), color.Palette{color.Black, color.White}))
		g.Delay = append(g.Delay, 1)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFrames(t *testing.T) {
	fixture := fixtures(t)
	gif3 := animation(t, 3)
	webp, png := "RIFF\x00\x00\x00\x00WEBP", "\x89PNG\r\n\x1a\n"
	for name, c := range map[string]struct {
		data []byte
		want int
	}{
		"jpg":                       {fixture["420.jpg"], 1},
		"bmp":                       {fixture["rgb.bmp"], 1},
		"png":                       {fixture["rgb.png"], 1},
		"gif":                       {fixture["palette.gif"], 1},
		"webp":                      {fixture["lossy.webp"], 1},
		"tiff":                      {fixture["rgb-raw.tiff"], 1},
		"gif of two":                {fixture["frames.gif"], 2},
		"gif of three":              {gif3, 3},
		"gif cut in its third":      {gif3[:len(gif3)-12], 3},
		"gif cut in its palette":    {gif3[:15], 1},
		"pages":                     {pages(0, 2, 2), 3},
		"pages and a smaller one":   {pages(0, 1, 0, 4), 2},
		"a smaller one comes first": {pages(1, 0), 2},
		"no page":                   {[]byte("II*\x00\x00\x00\x00\x00"), 1},
		"page that is nowhere":      {[]byte("II*\x00\xff\xff\xff\xff"), 1},
		"apng":                      {chunks(png, true, "IHDR", "acTL", "fcTL", "IDAT", "fcTL", "fdAT", "IEND", "fcTL"), 2},
		"apng with another first":   {chunks(png, true, "IHDR", "acTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "IEND"), 3},
		"frames without animation":  {chunks(png, true, "IHDR", "IDAT", "fcTL", "fdAT", "acTL", "IEND"), 1},
		"animated webp":             {chunks(webp, false, "VP8X", "ANIM", "ANMF", "ANMF"), 2},
		"cut webp":                  {[]byte(webp + "VP8X\xff\xff\xff\xff"), 1},
	} {
		if n, err := Frames(c.data); n != c.want || err != nil {
			t.Errorf("%s: %d frames, %v, want %d", name, n, err, c.want)
		}
	}
	if _, err := Frames([]byte("just some text")); err == nil || !strings.Contains(err.Error(), "just some te") {
		t.Errorf("no picture: %v", err)
	}
}

// TestFramesOfCases: as many as Pillow counts.
func TestFramesOfCases(t *testing.T) {
	const dir = "../../shared/cases/webp/"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no " + dir)
	}
	for name, want := range map[string]int{"w1-animated-lossless.webp": 3, "w1-animated-lossy.webp": 3, "w1-animated-one-frame.webp": 1} {
		data, err := os.ReadFile(dir + name)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := Frames(data); n != want || err != nil {
			t.Errorf("%s: %d frames, %v, want %d", name, n, err, want)
		}
	}
}
