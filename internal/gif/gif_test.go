package gif_test

import (
	"bytes"
	"image"
	"image/color"
	stdgif "image/gif"
	"math/rand/v2"
	"strings"
	"testing"

	"lookalike/internal/gif"
)

func decode(data string) (*gif.File, []uint8, error) {
	f, err := gif.Open([]byte(data))
	if err != nil {
		return nil, nil, err
	}
	pix, _, err := f.Decode()
	return f, pix, err
}

const (
	// A screen of 3 x 2 pixels, with two colours A and B.
	screen  = "GIF89a\x03\x00\x02\x00\x80\x00\x00" + "AAABBB"
	noTable = "GIF89a\x03\x00\x02\x00\x00\x00\x00"
	// A frame of 3 x 2 pixels.
	frame = ",\x00\x00\x00\x00\x03\x00\x02\x00\x00"
)

// codes packs codes of 3 bits, the lowest first: 4 clears, and must before codes grow, 5
// ends.
func codes(list ...byte) string {
	var b []byte
	held, n := 0, 0
	for _, c := range list {
		held |= int(c) << n
		for n += 3; n >= 8; n -= 8 {
			b, held = append(b, byte(held)), held>>8
		}
	}
	b = append(b, byte(held))
	return "\x02" + string(rune(len(b))) + string(b)
}

var pixels = codes(4, 1, 0, 4, 1, 0, 4, 0, 1, 5) // 1 0 1 0 0 1

// TestBent: files that bend the format have the pixels that Pillow gives them.
func TestBent(t *testing.T) {
	at := func(x, y byte) string { return frame[:1] + string([]byte{x, 0, y, 0}) + frame[5:] }
	control := "!\xf9\x04\x01\x00\x00\x01\x00" // colour 1 is transparent
	for name, c := range map[string]struct{ file, want string }{
		"plain":              {screen + frame + pixels + "\x00;", "BAB/AAB"},
		"no end":             {screen + frame + pixels, "BAB/AAB"},
		"more pixels":        {screen + frame + codes(4, 1, 0, 4, 1, 0, 4, 0, 1, 4, 1, 1, 5) + "\x00;", "BAB/AAB"},
		"fewer pixels":       {screen + frame + codes(4, 1, 0, 4, 1, 5) + "\x00;", "BAB/AAA"},
		"fewer, transparent": {screen + control + frame + codes(4, 1, 0, 4, 0, 5) + "\x00;", "BAA/BBB"},
		"over the screen":    {screen + at(1, 1) + pixels + "\x00;", "AAAA/ABAB/AAAB"},
		"over, transparent":  {screen + control + at(1, 0) + pixels + "\x00;", "BBAB/BAAB"},
		"no palette":         {noTable + frame + pixels + "\x00;", "\x01\x00\x01/\x00\x00\x01"},
		"colours missing":    {screen + frame + codes(4, 1, 2, 4, 3, 0, 4, 0, 1, 5) + "\x00;", "B\x00\x00/AAB"},
		"own palette":        {screen + frame[:9] + "\x80" + "CCCDDD" + pixels + "\x00;", "DCD/CCD"},
		"zeros before":       {screen + "\x00\x00" + frame + pixels + "\x00;", "BAB/AAB"},
		"unknown before":     {screen + "!\xce\x02ab\x01c\x00" + frame + pixels + "\x00;", "BAB/AAB"},
		"control of 5":       {screen + "!\xf9\x05\x01\x00\x00\x01\x00\x00" + at(1, 0) + pixels + "\x00;", "BBAB/BAAB"},
		"control of two":     {screen + "!\xf9\x04\x01\x00\x00\x01\x01x\x00" + at(1, 0) + pixels + "\x00;", "BBAB/BAAB"},
		"interlaced":         {screen + frame[:9] + "\x40" + pixels + "\x00;", "BAB/AAB"},
		"no screen":          {"GIF89a\x00\x00\x00\x00\x80\x00\x00" + "AAABBB" + frame + pixels + "\x00;", "BAB/AAB"},
	} {
		f, pix, err := decode(c.file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got strings.Builder
		for i := range f.Width * f.Height {
			if i > 0 && i%f.Width == 0 {
				got.WriteByte('/')
			}
			got.WriteByte(pix[3*i])
		}
		if got.String() != c.want {
			t.Errorf("%s: %q, want %q", name, got.String(), c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"header cut":          {screen[:9], "cut in its header"},
		"palette cut":         {screen[:15], "ends within"},
		"no frame":            {screen + ";", "without a frame"},
		"frame cut":           {screen + frame[:7], "ends within"},
		"pixels cut":          {screen + frame + pixels[:4], "ends within"},
		"pixels end":          {screen + frame + codes(4, 1, 0) + "\x00;", "ends within"},
		"code too early":      {screen + frame + codes(4, 7), "not in use"},
		"code too large":      {screen + frame + codes(4, 1, 7), "not in use"},
		"pixels of 0 bits":    {screen + frame + "\x00\x01\x00", "size that cannot be"},
		"pixels of 12 bits":   {screen + frame + "\x0c\x01\x00", "size that cannot be"},
		"nothing but comment": {screen + "!\xfe\xff", "ends within"},
	} {
		if _, _, err := decode(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// TestAsBefore holds what image/gif writes to what it reads.
func TestAsBefore(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, colours := range []int{2, 3, 16, 256} {
		palette := color.Palette{}
		for range colours {
			palette = append(palette, color.RGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()), 255})
		}
		m := image.NewPaletted(image.Rect(0, 0, 301, 97), palette)
		for i := range m.Pix {
			m.Pix[i] = uint8(r.IntN(colours))
			if i%7 != 0 && i > 0 && r.IntN(3) > 0 {
				m.Pix[i] = m.Pix[i-1]
			}
		}
		var b bytes.Buffer
		if err := stdgif.Encode(&b, m, nil); err != nil {
			t.Fatal(err)
		}
		f, pix, err := decode(b.String())
		if err != nil || f.Width != 301 || f.Height != 97 {
			t.Fatal(f, err)
		}
		for i, v := range m.Pix {
			if c := palette[v].(color.RGBA); [3]uint8(pix[3*i:]) != [3]uint8{c.R, c.G, c.B} {
				t.Fatalf("%d colours: pixel %d is %v, want %v", colours, i, pix[3*i:3*i+3], c)
			}
		}
	}
}

// FuzzDecode: whatever the bytes, there is an error or a picture of the size that is told.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(screen + frame + pixels + "\x00;"))
	f.Add([]byte(noTable + "!\xf9\x04\x01\x00\x00\x01\x00" + frame[:9] + "\x40" + pixels + "\x00" + frame + pixels))
	f.Fuzz(func(t *testing.T, data []byte) {
		if n := gif.Frames(data); n > len(data) {
			t.Errorf("%d frames in %d bytes", n, len(data))
		}
		file, err := gif.Open(data)
		if err != nil || file.Width*file.Height > 1<<16 {
			return
		}
		if pix, _, err := file.Decode(); err == nil && len(pix) != 3*file.Width*file.Height {
			t.Errorf("%d values for %d x %d pixels", len(pix), file.Width, file.Height)
		}
	})
}
