package sheet

import (
	"image"
	"image/color"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// goRegular is the font of all figures.
var goRegular = sync.OnceValue(func() *opentype.Font {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		panic("sheet: the built-in font does not parse: " + err.Error())
	}
	return f
})

// typeface is the font at one size, with its measures in pixels.
type typeface struct {
	face                  font.Face
	line, ascent, descent int
}

// newType picks the size of the titles for thumbnails of this height: legible
// under small ones, modest over large ones.
func newType(height int) *typeface {
	size := min(max(float64(height)/10, 12), 28)
	face, err := opentype.NewFace(goRegular(), &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic("sheet: the built-in font has no such size: " + err.Error())
	}
	m := face.Metrics()
	return &typeface{face, (m.Ascent + m.Descent).Ceil(), m.Ascent.Ceil(), m.Descent.Ceil()}
}

// width of s in pixels, rounded up.
func (t *typeface) width(s string) int {
	return font.MeasureString(t.face, s).Ceil()
}

// fit makes one line of s and, where it is wider than room, cuts its end and
// puts an ellipsis there.
func (t *typeface) fit(s string, room int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if t.width(s) <= room {
		return s
	}
	// Measured from the front, so that a title of any length costs little.
	cut, w := 0, font.MeasureString(t.face, "…")
	for i, r := range s {
		advance, _ := t.face.GlyphAdvance(r)
		if w += advance; w.Ceil() > room {
			cut = i
			break
		}
	}
	return strings.TrimSpace(s[:cut]) + "…"
}

// draw writes s with the left end of its baseline at p.
func (t *typeface) draw(dst draw.Image, s string, p image.Point) { t.drawIn(ink, dst, s, p) }

func (t *typeface) drawIn(colour color.Color, dst draw.Image, s string, p image.Point) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(colour), Face: t.face, Dot: fixed.P(p.X, p.Y)}
	d.DrawString(s)
}
