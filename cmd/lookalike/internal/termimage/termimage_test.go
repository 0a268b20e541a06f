package termimage

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// picture is a smooth picture with a hole that is not to be seen.
func picture(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			if x >= width/3 && x < width/2 && y >= height/4 && y < height/2 {
				continue
			}
			m.SetRGBA(x, y, color.RGBA{uint8(255 * x / width), uint8(255 * y / height), uint8(127 + 127*math.Sin(float64(x*y)/3000)), 255})
		}
	}
	return m
}

func equal(t *testing.T, got, want image.Image) {
	t.Helper()
	if got.Bounds().Size() != want.Bounds().Size() {
		t.Fatalf("%v, want %v", got.Bounds(), want.Bounds())
	}
	off := want.Bounds().Min.Sub(got.Bounds().Min)
	for y := got.Bounds().Min.Y; y < got.Bounds().Max.Y; y++ {
		for x := got.Bounds().Min.X; x < got.Bounds().Max.X; x++ {
			a, b := color.RGBAModel.Convert(got.At(x, y)), color.RGBAModel.Convert(want.At(x+off.X, y+off.Y))
			if a != b {
				t.Fatalf("pixel %d, %d is %v, want %v", x, y, a, b)
			}
		}
	}
}

// unkitty is what a terminal makes of kitty's sequences: the first one's keys,
// and the picture.
func unkitty(data []byte) (keys map[string]string, m image.Image, err error) {
	var text strings.Builder
	for more := "1"; more == "1"; {
		body, ok := bytes.CutPrefix(data, []byte("\x1b_G"))
		one, rest, end := bytes.Cut(body, []byte("\x1b\\"))
		control, chunk, semicolon := strings.Cut(string(one), ";")
		if !ok || !end || !semicolon || len(chunk) > 4096 {
			return nil, nil, fmt.Errorf("no sequence, or of %d bytes: %.40q", len(chunk), data)
		}
		now := map[string]string{}
		for _, pair := range strings.Split(control, ",") {
			k, v, _ := strings.Cut(pair, "=")
			now[k] = v
		}
		if keys == nil {
			keys = now
		} else if len(now) != 1 {
			return nil, nil, fmt.Errorf("a later chunk has the keys %v", now)
		}
		if more = now["m"]; more == "1" && len(chunk)%4 != 0 {
			return nil, nil, errors.New("a chunk is cut within four characters")
		}
		text.WriteString(chunk)
		data = rest
	}
	if len(data) > 0 {
		return nil, nil, fmt.Errorf("more after the last chunk: %q", data)
	}
	m, err = png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text.String())))
	return keys, m, err
}

func TestKitty(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {300, 200}} { // one chunk, and many
		want := picture(size.X, size.Y)
		keys, got, err := unkitty(kitty(want, 42))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, got, want)
		for k, v := range map[string]string{"a": "T", "f": "100", "q": "2", "c": "42"} {
			if keys[k] != v {
				t.Errorf("%s=%s, want %s", k, keys[k], v)
			}
		}
	}
}

func TestITerm(t *testing.T) {
	for width := range 8 {
		want := picture(width+1, 7)
		text, ok := strings.CutPrefix(string(iterm(want, 42)), "\x1b]1337;File=")
		text, end := strings.CutSuffix(text, "\a")
		arguments, data, colon := strings.Cut(text, ":")
		if !ok || !end || !colon || strings.Contains(data, "\a") {
			t.Fatalf("%.60q", text)
		}
		file, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("inline=1;size=%d;width=42;height=auto;preserveAspectRatio=1", len(file)); arguments != want {
			t.Errorf("%s, want %s", arguments, want)
		}
		got, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, got, want)
	}
}

var (
	sixelHead = regexp.MustCompile(`^\x1bP\d*;1;\d*q"1;1;(\d+);(\d+)`)
	sixelPart = regexp.MustCompile(`^(?:#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$-]))`)
)

// unsixel is what a terminal makes of sixels: pixels that get no colour are
// transparent. It also returns how many colours there are.
func unsixel(data []byte) (*image.RGBA, int, error) {
	head := sixelHead.FindSubmatch(data)
	body, end := bytes.CutSuffix(data, []byte("\x1b\\"))
	if head == nil || !end {
		return nil, 0, errors.New("no sixels")
	}
	number := func(b []byte) int { n, _ := strconv.Atoi(string(b)); return n }
	m := image.NewRGBA(image.Rect(0, 0, number(head[1]), number(head[2])))
	colours := map[int]color.RGBA{}
	x, y, now := 0, 0, 0
	for body = body[len(head[0]):]; len(body) > 0; {
		p := sixelPart.FindSubmatch(body)
		if p == nil {
			return nil, 0, fmt.Errorf("not understood: %.20q", body)
		}
		body = body[len(p[0]):]
		run, char := 1, byte(0)
		switch {
		case p[1] != nil:
			var level [3]uint8
			for i := range level {
				v := number(p[2+i])
				if v > 100 {
					return nil, 0, fmt.Errorf("a colour of %d percent", v)
				}
				level[i] = uint8((v*255 + 50) / 100)
			}
			colours[number(p[1])] = color.RGBA{level[0], level[1], level[2], 255}
			continue
		case p[5] != nil:
			if now = number(p[5]); colours[now].A == 0 {
				return nil, 0, fmt.Errorf("colour %d is not defined", now)
			}
			continue
		case p[6] != nil:
			run, char = number(p[6]), p[7][0]
		case p[8] != nil:
			char = p[8][0]
		case p[9][0] == '$':
			x = 0
			continue
		default:
			x, y = 0, y+6
			continue
		}
		for range run {
			for bit := range 6 {
				if (char-'?')>>bit&1 == 0 {
					continue
				}
				if at := image.Pt(x, y+bit); !at.In(m.Rect) {
					return nil, 0, fmt.Errorf("%v is outside %v", at, m.Rect)
				} else if m.RGBAAt(x, y+bit).A != 0 {
					return nil, 0, fmt.Errorf("%v is drawn twice", at)
				}
				m.SetRGBA(x, y+bit, colours[now])
			}
			x++
		}
	}
	return m, len(colours), nil
}

// Few colours that sixels can express come back as they are; many come back close,
// on average over small squares closer than the palette alone could.
func TestSixel(t *testing.T) {
	few := image.NewRGBA(image.Rect(0, 0, 23, 14))
	for i, c := range []color.RGBA{{255, 0, 0, 255}, {0, 51, 204, 255}, {}, {255, 255, 255, 255}} {
		for y := i * 3; y < 14; y++ {
			for x := i; x < 23-2*i; x++ {
				few.SetRGBA(x, y, c)
			}
		}
	}
	got, _, err := unsixel(sixel(few))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, few)

	want := picture(301, 200)
	data := sixel(want)
	got, colours, err := unsixel(data)
	if err != nil {
		t.Fatal(err)
	}
	writePNG(t, "sixel.png", got)
	if colours > 255 || colours < 128 {
		t.Errorf("%d colours", colours)
	}
	off, squares := 0.0, 0.0
	for y := 0; y+8 <= 200; y += 8 {
		for x := 0; x+8 <= 301; x += 8 {
			var sum [3]float64
			n := 0.0
			for i := range 64 {
				a, b := got.RGBAAt(x+i%8, y+i/8), want.RGBAAt(x+i%8, y+i/8)
				if a.A != b.A {
					t.Fatalf("transparency of %d, %d", x+i%8, y+i/8)
				}
				if b.A > 0 {
					n++
					sum[0] += float64(a.R) - float64(b.R)
					sum[1] += float64(a.G) - float64(b.G)
					sum[2] += float64(a.B) - float64(b.B)
				}
			}
			for _, s := range sum {
				off, squares = off+math.Abs(s)/max(n, 1), squares+1
			}
		}
	}
	off /= squares
	t.Logf("%d colours, %d bytes, squares of 8x8 pixels off by %.2f levels", colours, len(data), off)
	if off > 2 {
		t.Errorf("squares are off by %.2f levels", off)
	}
	if got, _, err := unsixel(sixel(image.NewRGBA(image.Rect(0, 0, 5, 5)))); err != nil || got.Rect.Dx() != 5 {
		t.Errorf("nothing to be seen: %v, %v", got, err)
	}
}

// writePNG keeps a picture if the tests are run with -artifacts.
func writePNG(t *testing.T, name string, m image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

var sgrSequence = regexp.MustCompile(`^\x1b\[([\d;]+)m`)

// unblocks is what a terminal makes of half blocks, width pixels wide.
func unblocks(text string, width int) (*image.RGBA, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	m := image.NewRGBA(image.Rect(0, 0, width, 2*len(lines)))
	for row, line := range lines {
		var ink, paper color.RGBA
		for x := 0; line != ""; {
			if s := sgrSequence.FindStringSubmatch(line); s != nil {
				line = line[len(s[0]):]
				var n []int
				for _, f := range strings.Split(s[1], ";") {
					v, _ := strconv.Atoi(f)
					n = append(n, v)
				}
				for len(n) > 0 {
					var c color.RGBA
					which, used := n[0], 1
					switch {
					case which == 0:
						ink, paper = color.RGBA{}, color.RGBA{}
					case n[1] == 2:
						c, used = color.RGBA{uint8(n[2]), uint8(n[3]), uint8(n[4]), 255}, 5
					case n[1] == 5 && n[2] >= 232:
						v := uint8(8 + 10*(n[2]-232))
						c, used = color.RGBA{v, v, v, 255}, 3
					case n[1] == 5 && n[2] >= 16:
						level := func(i int) uint8 { return [...]uint8{0, 95, 135, 175, 215, 255}[i%6] }
						c, used = color.RGBA{level((n[2] - 16) / 36), level((n[2] - 16) / 6), level(n[2] - 16), 255}, 3
					default:
						return nil, fmt.Errorf("%q", s[0])
					}
					switch which {
					case 38:
						ink = c
					case 48:
						paper = c
					}
					n = n[used:]
				}
				continue
			}
			char, size := utf8.DecodeRuneInString(line)
			line = line[size:]
			switch char {
			case '▀':
				m.SetRGBA(x, 2*row, ink)
				m.SetRGBA(x, 2*row+1, paper)
			case '▄':
				m.SetRGBA(x, 2*row, paper)
				m.SetRGBA(x, 2*row+1, ink)
			case ' ':
				m.SetRGBA(x, 2*row, paper)
				m.SetRGBA(x, 2*row+1, paper)
			default:
				return nil, fmt.Errorf("%q", char)
			}
			x++
		}
		if ink != (color.RGBA{}) || paper != (color.RGBA{}) {
			return nil, fmt.Errorf("line %d ends with a colour", row)
		}
	}
	return m, nil
}

func TestBlocks(t *testing.T) {
	for _, height := range []int{18, 19} {
		want := image.NewRGBA(image.Rect(0, 0, 24, (height+1)/2*2))
		copy(want.Pix, picture(24, height).Pix)
		got, err := unblocks(string(blocks(picture(24, height), true)), 24)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, got, want)
	}
}

// Of xterm's 240 fixed colours each is its own nearest, and for others none is
// nearer than the one that is taken.
func TestBlocks256(t *testing.T) {
	var table []color.RGBA
	for i := 16; i < 256; i++ {
		m, err := unblocks(fmt.Sprintf("\x1b[38;5;%dm▀\x1b[0m", i), 1)
		if err != nil {
			t.Fatal(err)
		}
		table = append(table, m.RGBAAt(0, 0))
	}
	off := func(a, b color.RGBA) int {
		r, g, bl := int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B)
		return r*r + g*g + bl*bl
	}
	var colours []color.RGBA
	for i := range 16 * 16 * 16 {
		colours = append(colours, color.RGBA{uint8(i >> 8 * 17), uint8(i >> 4 % 16 * 17), uint8(i % 16 * 17), 255})
	}
	for _, c := range append(colours, table...) {
		got, least := off(c, table[xterm256(c)-16]), math.MaxInt
		for _, other := range table {
			least = min(least, off(c, other))
		}
		if got != least {
			t.Fatalf("%v becomes %v, off by %d where %d is possible", c, table[xterm256(c)-16], got, least)
		}
	}
	want := picture(24, 12)
	got, err := unblocks(string(blocks(want, false)), 24)
	if err != nil {
		t.Fatal(err)
	}
	for y := range 12 {
		for x := range 24 {
			if c := want.RGBAAt(x, y); c.A > 0 && got.RGBAAt(x, y) != table[xterm256(c)-16] {
				t.Fatalf("pixel %d, %d is %v", x, y, got.RGBAAt(x, y))
			}
		}
	}
}

// A row fills the line and leaves half of the screen to others, whatever the shapes of its
// pictures; each caption begins where its picture does.
func TestRow(t *testing.T) {
	shapes := []image.Point{{172, 300}, {300, 200}, {300, 300}, {1, 900}, {900, 10}, {400, 300}}
	for _, c := range []struct{ columns, rows, pictures, fills int }{
		{80, 24, 6, 70}, {120, 40, 6, 108}, {120, 40, 3, 60}, {60, 24, 6, 50}, {20, 10, 6, 8}, {0, 0, 6, 8}, {100000, 2000, 6, 230},
	} {
		l := Terminal{Protocol: Blocks, Columns: c.columns, Rows: c.rows, TrueColor: true}.Row(c.pictures)
		tiles := make([]Tile, l.PerRow)
		for i := range tiles {
			tiles[i] = Tile{picture(shapes[i].X, shapes[i].Y), fmt.Sprintf("%d  1.234", i)}
		}
		if len(tiles) > 1 {
			tiles[1].Picture = nil
		}
		m, wide, places := l.draw(tiles)
		if wide > max(c.columns, 20) || wide < c.fills || m.Rect.Dx() != wide {
			t.Errorf("%+v: %d wide", c, wide)
		}
		if m.Rect.Dy() > max(c.rows, mostColumns) {
			t.Errorf("%+v: %d pixels high", c, m.Rect.Dy())
		}
		var b bytes.Buffer
		if err := l.Write(&b, tiles); err != nil {
			t.Fatal(err)
		}
		text, at := strings.Split(strings.TrimSpace(b.String()), "\n"), 0
		for i := range tiles {
			if caption := text[len(text)-1]; !strings.HasPrefix(caption[at:], fmt.Sprint(i)) {
				t.Errorf("%+v: the caption of picture %d is not at %d of %q", c, i, at, caption)
			}
			at += places[i] + gap
		}
	}
}

// A strip stays within the terminal and its bounds, whatever is in it, and each
// caption begins where its picture does.
func TestStrip(t *testing.T) {
	for _, p := range []Protocol{Kitty, ITerm, Sixel, Blocks} {
		for _, columns := range []int{0, 20, 79, 80, 132, 100000} {
			for _, cell := range []image.Point{{}, {8, 16}, {9, 21}, {5000, 5000}} {
				for _, n := range []int{1, 2, 6, 7, 24} {
					l := Terminal{Protocol: p, Columns: columns, Cell: cell}.Layout(n)
					if l.PerRow < 1 || l.PerRow > n || l.columns < 10 || l.Width > 32*32 || l.Width < l.columns {
						t.Fatalf("%s, %d columns, cells %v, %d pictures: %+v", p, columns, cell, n, l)
					}
					if wide := l.PerRow*(l.columns+gap) - gap; wide > max(columns, 20)-gap {
						t.Errorf("%s: %d pictures take %d of %d columns", p, l.PerRow, wide, columns)
					} else if p == Sixel && wide*l.terminal.cell().X > 1000 {
						t.Errorf("%s, cells %v: %d pictures are %d pixels wide", p, cell, l.PerRow, wide*l.terminal.cell().X)
					}
				}
			}
		}
	}

	term := Terminal{Protocol: Sixel, Columns: 60, Cell: image.Pt(8, 16)}
	l := term.Layout(6)
	if l.PerRow != 3 {
		t.Fatalf("%+v", l)
	}
	tiles := []Tile{{picture(l.Width, 40), "one"}, {nil, "two"}, {picture(30, 50), strings.Repeat("ü", 100)}, {picture(5000, 5000), "four"}}
	var b bytes.Buffer
	if err := l.Write(&b, tiles); err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitAfter(b.String(), "\x1b\\\n")
	if len(parts) != 3 {
		t.Fatalf("%d rows", len(parts)-1)
	}
	first, _, err := unsixel([]byte(strings.TrimSuffix(parts[0], "\n")))
	if err != nil {
		t.Fatal(err)
	}
	writePNG(t, "strip.png", first)
	captions, second, _ := strings.Cut(parts[1], "\n\n")
	for i, word := range []string{"one", "two", "ü"} {
		at := utf8.RuneCountInString(captions[:strings.Index(captions, word)])
		if at != i*(l.columns+gap) {
			t.Errorf("the caption of picture %d begins at %d", i, at)
		}
		x, bottom := at*term.Cell.X, first.Rect.Dy()-1
		if first.RGBAAt(x, bottom).A == 0 || i > 0 && first.RGBAAt(x-1, bottom).A != 0 {
			t.Errorf("picture %d does not begin at pixel %d", i, x)
		}
	}
	if n := utf8.RuneCountInString(captions); n > 60 {
		t.Errorf("the captions have %d characters", n)
	}
	if grey := first.RGBAAt((l.columns+gap)*8+5, 5); grey.R != grey.G || grey.A != 255 {
		t.Errorf("a missing picture is %v", grey)
	}
	large, _, err := unsixel([]byte(strings.TrimSuffix(second, "\n")))
	if err != nil || large.Rect.Size() != image.Pt(l.Width, l.Height) {
		t.Errorf("a picture that is too large: %v, %v", large, err)
	}
}

// Wherever a terminal leaves the cursor after sixels, it comes back to the line
// below them.
func TestPlaced(t *testing.T) {
	for _, c := range []struct {
		height int
		term   Terminal
		want   string
	}{
		{40, Terminal{Cell: image.Pt(8, 16), Rows: 24}, "\n\n\n\n\x1b[4A\x1b7S\x1b8\x1b[3B"},
		{44, Terminal{Cell: image.Pt(8, 44), Rows: 24}, "\n\n\n\x1b[3A\x1b7S\x1b8\x1b[2B"}, // its last sixels reach the second line
		{40, Terminal{Cell: image.Pt(8, 16)}, "S\n"},
		{40, Terminal{Cell: image.Pt(8, 16), Rows: 3}, "S\n"},
		{40, Terminal{Rows: 24}, "S\n"},
	} {
		if got := string(c.term.placed([]byte("S"), c.height)); got != c.want {
			t.Errorf("%d pixels, %+v: %q, want %q", c.height, c.term, got, c.want)
		}
	}
}

func TestWriteNone(t *testing.T) {
	var b bytes.Buffer
	if err := (Terminal{Protocol: None}).Write(&b, picture(9, 9), 9); err != nil || b.Len() > 0 {
		t.Errorf("%v, %d bytes", err, b.Len())
	}
	r, w := io.Pipe()
	r.Close()
	if err := (Terminal{Protocol: Sixel}).Write(w, picture(9, 9), 9); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}
