package sheet

import (
	"image"
	"image/color"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// goRegular is the font of all figures.
var goRegular = sync.OnceValue(func() *opentype.Font {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		panic("sheet: the built-in font does not parse: " + err.Error())
	}
	return f
})

// typeface is the font at one size, with its measures in pixels. Characters that it has
// not are drawn by fonts of the system.
type typeface struct {
	face                  font.Face
	line, ascent, descent int

	size   float64
	others *fonts
	faces  map[*sfnt.Font]font.Face // at this size
	drawn  map[rune]font.Face       // by which; nil: by none
}

// newType picks the size of the titles for thumbnails of this height: legible
// under small ones, modest over large ones.
func newType(height int) *typeface {
	t := &typeface{size: min(max(float64(height)/10, 12), 28), others: systemFonts, faces: map[*sfnt.Font]font.Face{}, drawn: map[rune]font.Face{}}
	var err error
	if t.face, err = t.at(goRegular()); err != nil {
		panic("sheet: the built-in font has no such size: " + err.Error())
	}
	m := t.face.Metrics()
	t.line, t.ascent, t.descent = (m.Ascent + m.Descent).Ceil(), m.Ascent.Ceil(), m.Descent.Ceil()
	return t
}

// at is a font at the typeface's size.
func (t *typeface) at(f *sfnt.Font) (font.Face, error) {
	return opentype.NewFace(f, &opentype.FaceOptions{Size: t.size, DPI: 72, Hinting: font.HintingFull})
}

// of returns the face that draws a character, and whether there is one.
func (t *typeface) of(r rune) (font.Face, bool) {
	face, known := t.drawn[r]
	if !known {
		face = t.look(r)
		t.drawn[r] = face
	}
	if face == nil {
		return t.face, false
	}
	return face, true
}

func (t *typeface) look(r rune) font.Face {
	if inGo(r) {
		return t.face
	}
	f := t.others.with(r)
	if f == nil {
		return nil
	}
	if _, made := t.faces[f]; !made {
		if face, err := t.at(f); err == nil {
			t.faces[f] = face
		}
	}
	return t.faces[f] // nil if there is no such size of it
}

// inGo tells whether the figures' own font has a character.
func inGo(r rune) bool {
	if ' ' <= r && r <= '~' {
		return true
	}
	var b sfnt.Buffer
	n, err := goRegular().GlyphIndex(&b, r)
	return err == nil && n != 0
}

// undrawn stands for a character that no font has: a name of many such ones is better
// short than spelt in numbers, and the rank beside it tells which it is.
const undrawn = '?'

// shown is a text as one line of characters that can be drawn.
func (t *typeface) shown(s string) string {
	s = strings.Join(strings.FieldsFunc(norm.NFC.String(s), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	return strings.Map(func(r rune) rune {
		switch _, ok := t.of(r); {
		case ok:
			return r
		case invisible(r):
			return -1
		}
		return undrawn
	}, s)
}

// invisible tells of characters that say how others are drawn: joiners, marks of
// direction, selectors of variants.
func invisible(r rune) bool { return unicode.In(r, unicode.Cf, unicode.Variation_Selector) }

// Undrawn returns the characters of texts, each once, that no font of the system has.
// "?" stands for them in figures.
func Undrawn(texts ...string) string { return undrawnBy(systemFonts, texts) }

func undrawnBy(others *fonts, texts []string) string {
	var missing []rune
	for _, text := range texts {
		for _, r := range norm.NFC.String(text) {
			if unicode.IsSpace(r) || unicode.IsControl(r) || invisible(r) || inGo(r) || slices.Contains(missing, r) || others.with(r) != nil {
				continue
			}
			missing = append(missing, r)
		}
	}
	return string(missing)
}

// each calls do with every character of a text, its face, and where its left end lies.
// It returns where the text ends.
func (t *typeface) each(s string, do func(r rune, face font.Face, x fixed.Int26_6)) (x fixed.Int26_6) {
	before, last := rune(-1), font.Face(nil)
	for _, r := range s {
		face, _ := t.of(r)
		if before >= 0 && face == last {
			x += face.Kern(before, r)
		}
		do(r, face, x)
		advance, _ := face.GlyphAdvance(r)
		x += advance
		before, last = r, face
	}
	return x
}

// width of s in pixels, rounded up.
func (t *typeface) width(s string) int {
	return t.each(s, func(rune, font.Face, fixed.Int26_6) {}).Ceil()
}

// fit makes one line of s and, where it is wider than room, cuts its end and
// puts an ellipsis there.
func (t *typeface) fit(s string, room int) string {
	s = t.shown(s)
	if t.width(s) <= room {
		return s
	}
	front, _ := t.fitting(s, room-t.width("…"))
	return strings.TrimSpace(front) + "…"
}

// fitName makes one line of a file's path and, where it is wider than room, leaves out
// the folders and then the middle of the name: the ends tell names apart.
func (t *typeface) fitName(s string, room int) string {
	s = t.shown(s)
	if t.width(s) <= room {
		return s
	}
	if s = s[strings.LastIndexByte(s, '/')+1:]; t.width(s) <= room {
		return s
	}
	room -= t.width("…")
	front, used := t.fitting(s, room/2)
	runes := []rune(s)
	slices.Reverse(runes)
	back, _ := t.fitting(string(runes[:len(runes)-len([]rune(front))]), room-used)
	runes = []rune(back)
	slices.Reverse(runes)
	return strings.TrimSpace(front) + "…" + strings.TrimSpace(string(runes))
}

// fitting is the beginning of s that has room in so many pixels, and its width. It is
// measured from the front, so that a title of any length costs little.
func (t *typeface) fitting(s string, room int) (string, int) {
	var w fixed.Int26_6
	for i, r := range s {
		face, _ := t.of(r)
		advance, _ := face.GlyphAdvance(r)
		if (w + advance).Ceil() > room {
			return s[:i], w.Ceil()
		}
		w += advance
	}
	return s, w.Ceil()
}

// draw writes s with the left end of its baseline at p.
func (t *typeface) draw(dst draw.Image, s string, p image.Point) { t.drawIn(ink, dst, s, p) }

func (t *typeface) drawIn(colour color.Color, dst draw.Image, s string, p image.Point) {
	src := image.NewUniform(colour)
	t.each(s, func(r rune, face font.Face, x fixed.Int26_6) {
		dot := fixed.P(p.X, p.Y)
		dot.X += x
		if box, mask, at, _, ok := face.Glyph(dot, r); ok && !box.Empty() {
			draw.DrawMask(dst, box, src, image.Point{}, mask, at, draw.Over)
		}
	})
}
