package picture

import (
	"encoding/binary"
	"strings"
	"testing"
)

// riff makes a WebP file of chunks, names and contents in turn.
func riff(chunks ...string) []byte {
	body := "WEBP" + joinChunks(chunks...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func joinChunks(chunks ...string) string {
	var b strings.Builder
	for i := 0; i < len(chunks); i += 2 {
		name, body := chunks[i], chunks[i+1]
		b.WriteString(name)
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(body))))
		b.WriteString(body + strings.Repeat("\x00", len(body)%2))
	}
	return b.String()
}

// packedWebP returns the pixels of a fixture as they are packed.
func packedWebP(t *testing.T, name string) string {
	w, err := openWebP(fixtures(t)[name])
	if err != nil {
		t.Fatal(err)
	}
	return string(w.packed)
}

func sized(flags byte, width, height byte) string {
	return string([]byte{flags, 0, 0, 0, width - 1, 0, 0, height - 1, 0, 0})
}

func frameOf(x, y, width, height byte, chunks ...string) string {
	return string([]byte{x / 2, 0, 0, y / 2, 0, 0, width - 1, 0, 0, height - 1, 0, 0, 50, 0, 0, 0}) + joinChunks(chunks...)
}

// The fixtures have 45 x 37 pixels.
func TestWebPContainers(t *testing.T) {
	lossless, lossy := packedWebP(t, "lossless.webp"), packedWebP(t, "lossy.webp")
	const w, h, alpha, animated = 45, 37, 0x10, 2
	opaque := "\x00" + strings.Repeat("\xff", w*h) // stored as it is
	for name, c := range map[string]struct {
		data []byte
		like string // the fixture that has the same pixels, at (x, y)
		x, y int
		err  string
	}{
		"plain":              {data: riff("VP8L", lossless), like: "lossless.webp"},
		"flag without alpha": {data: riff("VP8X", sized(alpha, w, h), "VP8 ", lossy), like: "lossy.webp"},
		"alpha without flag": {data: riff("VP8X", sized(0, w, h), "ALPH", opaque, "VP8 ", lossy), like: "lossy.webp"},
		"unknown chunks":     {data: riff("VP8X", sized(0, w, h), "ABCD", "odd", "VP8L", lossless, "EFGH", "x"), like: "lossless.webp"},
		"animated":           {data: riff("VP8X", sized(animated, 60, 50), "ANIM", "\xff\xff\xff\xff\x00\x00", "ANMF", frameOf(6, 4, w, h, "VP8L", lossless), "ANMF", frameOf(0, 0, w, h, "VP8 ", lossy)), like: "lossless.webp", x: 6, y: 4},
		"animated, one":      {data: riff("VP8X", sized(animated|alpha, w, h), "ANIM", "123456", "ANMF", frameOf(0, 0, w, h, "ALPH", opaque, "VP8 ", lossy)), like: "lossy.webp"},
		"not flagged":        {data: riff("VP8X", sized(0, w, h), "ANMF", frameOf(0, 0, w, h, "VP8L", lossless)), like: "lossless.webp"},
		"two canvases":       {data: riff("VP8X", sized(0, w, h), "VP8X", sized(0, w+5, h), "VP8L", lossless), like: "lossless.webp"},
		"short canvas":       {data: riff("VP8X", sized(0, w+5, h)[:8], "VP8L", lossless), like: "lossless.webp"},
		"beyond the canvas":  {data: riff("VP8X", sized(animated, w, h), "ANMF", frameOf(2, 0, w, h, "VP8L", lossless)), err: "beyond the canvas"},
		"another size":       {data: riff("VP8X", sized(0, w+1, h), "VP8L", lossless), err: "45 x 37 pixels where 46 x 37 are announced"},
		"damaged alpha":      {data: riff("VP8X", sized(alpha, w, h), "ALPH", "odd", "VP8 ", lossy), err: "WebP"},
		"no picture":         {data: riff("VP8X", sized(0, w, h), "ALPH", "odd"), err: "cut short"},
		"cut":                {data: riff("VP8L", lossless)[:300], err: "cut short"},
		"chunk cut":          {data: riff("VP8L", lossless[:300]), err: "cut short"},
	} {
		got, err := DecodeBytes(c.data, Options{}, nil)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v, want %q", name, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, err := DecodeBytes(fixtures(t)[c.like], Options{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := New(got.Width, got.Height)
		for y := range m.Height {
			copy(want.row(c.y + y)[3*c.x:], m.row(y))
		}
		if !equal(got, want) {
			t.Errorf("%s: other pixels than those of %s", name, c.like)
		}
	}
}
