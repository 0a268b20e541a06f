package sheet

import (
	"bytes"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/image/font/gofont/gomono"

	"lookalike/internal/damagetest"
	"lookalike/internal/sweeptest"
)

// written draws a text and returns what is on the paper.
func (t *typeface) written(s string) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, t.width(s)+4, t.line))
	t.draw(m, s, image.Pt(2, t.ascent))
	return m
}

// A font of the system draws what Go's has not. Two characters that no font had would
// look the same.
func TestOtherScripts(t *testing.T) {
	face := newType(140)
	for _, pair := range []string{"写真", "休暇", "사진", "ไท", "مك", "שא", "कख"} {
		if missing := Undrawn(pair); missing != "" {
			t.Logf("skipped %s: no font of this system has %s", pair, missing)
			continue
		}
		both := []rune(pair)
		a, b := face.written(string(both[0])), face.written(string(both[1]))
		if bytes.Equal(a.Pix, b.Pix) {
			t.Errorf("%c and %c look the same", both[0], both[1])
		}
		if bytes.Equal(a.Pix, face.written("?").Pix) || bytes.Equal(a.Pix, make([]byte, len(a.Pix))) {
			t.Errorf("%c is not drawn", both[0])
		}
	}
}

// What no font has is a question mark, never a box, and is told once each.
func TestUndrawn(t *testing.T) {
	face := newType(140)
	face.others = newFonts(nil)
	if got := face.fit("写真写 e\u0301 \u200d7.jpg", 1000); got != "??? é 7.jpg" {
		t.Errorf("%q", got)
	}
	if a, b := face.written(face.fit("写", 100)), face.written("?"); !bytes.Equal(a.Pix, b.Pix) {
		t.Error("it is drawn, but not as ?")
	}
	if got := undrawnBy(newFonts(nil), []string{"写真.jpg", "写 \u200d\n", "é"}); got != "写真" {
		t.Errorf("%q cannot be drawn", got)
	}
}

// Fonts are found in folders within folders, upright ones first; what is no font, a pipe
// or a folder by a font's name does no harm.
func TestFontFiles(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("a/Some-Bold.ttf", gomono.TTF)
	put("b/c/Some.TTF", gomono.TTF)
	put("Some CJK.otf", nil)
	put("text.txt", gomono.TTF)
	if err := os.Mkdir(filepath.Join(dir, "folder.ttf"), 0o755); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range fontFiles([]string{dir, "", "relative", filepath.Join(dir, "missing")}) {
		names = append(names, filepath.Base(path))
	}
	if want := []string{"Some CJK.otf", "Some.TTF", "Some-Bold.ttf"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	f := newFonts([]string{dir})
	if f.with('é') == nil || f.with('写') != nil || f.with('写') != nil {
		t.Error("é is in Go Mono, 写 is not")
	}
}

// A damaged font draws something or nothing; it takes neither memory nor the program.
func TestDamagedFonts(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "damaged.ttf")
	damagetest.Run(t, sweeptest.Cases(100, 1000, 20000), 8<<20, func(n int) []byte {
		b := bytes.Clone(gomono.TTF)
		b[n*7919%1024] ^= byte(n/1024 + 1) // in what the rest hangs on, for most of a font is outlines
		return b
	}, func(_ int, b []byte) error {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return err
		}
		f := openFont(path)
		if f == nil {
			return os.ErrInvalid
		}
		face := newType(140)
		for _, r := range "aé□" {
			if !hasGlyph(f, r) {
				continue
			}
			other, err := face.at(f)
			if err != nil {
				return err
			}
			face.drawn[r] = other
		}
		face.face = nil // only what the damaged font has is drawn
		m := image.NewRGBA(image.Rect(0, 0, 100, 20))
		for r := range face.drawn {
			face.drawIn(color.Black, m, string(r), image.Pt(2, 15))
		}
		return nil
	})
}
