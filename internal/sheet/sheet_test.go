package sheet

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"testing"
)

// plain is a picture of one colour.
func plain(w, h int, c color.Color) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(m, m.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return m
}

var blue = color.RGBA{20, 40, 200, 255}

// assorted is n cells of many shapes and titles.
func assorted(n int) []Cell {
	shapes := [][2]int{{300, 200}, {200, 300}, {1, 1}, {1, 50}, {50, 1}, {7, 3}, {640, 100}, {2, 1000}, {1000, 2}}
	titles := []string{"Original image", "Dist=0.123", "", strings.Repeat("a long title ", 40), "Dist=12345678.123", "äöü 日本", "x\ny\x00"}
	cells := make([]Cell, n)
	for i := range cells {
		s := shapes[i%len(shapes)]
		cells[i] = Cell{plain(s[0], s[1], blue), titles[i%len(titles)], titles[(i+2)%len(titles)], titles[i%3]}
	}
	return cells
}

func TestNothingOverlaps(t *testing.T) {
	for _, n := range []int{1, 2, 6, 23} {
		for _, columns := range []int{0, 1, 4, 100} {
			for _, height := range []int{1, 40, 140, 500} {
				t.Run(fmt.Sprintf("%d cells, %d columns, %d high", n, columns, height), func(t *testing.T) {
					o := Options{Height: height, Columns: columns}
					face := newType(height)
					cells := assorted(n)
					label := "Label"
					if height < face.line { // only then would labels, which are no taller than their row, collide
						label = ""
					}
					l := arrange(rowsOf(cells, label, o), height, face)
					if len(l.thumbnails) != n {
						t.Fatalf("%d thumbnails", len(l.thumbnails))
					}
					var taken []image.Rectangle
					for i, th := range l.thumbnails {
						if th.box.Dy() != height || th.box.Dx() < 1 {
							t.Errorf("thumbnail %d is %v, want height %d", i, th.box, height)
						}
						shape := th.source.Size()
						if error := th.box.Dx()*shape.Y - shape.X*height; th.box.Dx() > 1 && 2*max(error, -error) > shape.Y {
							t.Errorf("thumbnail %d of %v is %v: the aspect ratio is lost", i, shape, th.box.Size())
						}
						taken = append(taken, th.box.Inset(-1))
						if th.title != "" {
							title := image.Rect(0, -face.ascent, face.width(th.title), face.descent).Add(th.titleAt)
							if title.Max.Y > th.box.Min.Y {
								t.Errorf("title %d at %v is not above %v", i, title, th.box)
							}
							if off := title.Min.X + title.Max.X - th.box.Min.X - th.box.Max.X; off < -2 || off > 2 {
								t.Errorf("title %d at %v is not centred above %v", i, title, th.box)
							}
							taken = append(taken, title)
						}
						for k, c := range th.below {
							text := image.Rect(0, -face.ascent, face.width(c.text), face.descent).Add(c.at)
							if text.Min.Y < th.box.Max.Y {
								t.Errorf("line %d at %v is not below %v", k, text, th.box)
							}
							taken = append(taken, text)
						}
						row := i
						if columns > 0 {
							row = i % columns
						}
						if first := l.thumbnails[i-row]; first.box.Min.Y != th.box.Min.Y && columns != 1 {
							t.Errorf("thumbnail %d begins at %d, the first of its row at %d", i, th.box.Min.Y, first.box.Min.Y)
						}
					}
					for _, c := range l.captions {
						taken = append(taken, image.Rect(0, -face.ascent, face.width(c.text), face.descent).Add(c.at))
					}
					for i, a := range taken {
						if !a.In(image.Rectangle{Max: l.size}) {
							t.Errorf("%v is off the sheet of %v", a, l.size)
						}
						for _, b := range taken[:i] {
							if a.Overlaps(b) {
								t.Errorf("%v and %v overlap", a, b)
							}
						}
					}
				})
			}
		}
	}
}

func TestContactShowsEveryPicture(t *testing.T) {
	const height = 50
	cells := []Cell{{plain(90, 60, blue), "a", "a.jpg", "note"}, {plain(20, 60, blue), "", "", ""}, {plain(60, 6, blue), "b", "", ""}}
	sheet := Contact(cells, Options{Height: height, Columns: 2})
	pixels := 0
	for y := range sheet.Rect.Dy() {
		for x := range sheet.Rect.Dx() {
			if sheet.RGBAAt(x, y) == blue {
				pixels++
			}
		}
	}
	// 90:60 and 20:60 as they are, 60:6 cut to 4:1.
	if want := (75 + 17 + 200) * height; pixels != want {
		t.Errorf("%d pixels of the pictures on the sheet, want %d", pixels, want)
	}
	for _, corner := range []image.Point{{}, {sheet.Rect.Dx() - 1, 0}, {0, sheet.Rect.Dy() - 1}, sheet.Rect.Max.Sub(image.Pt(1, 1))} {
		if got := sheet.RGBAAt(corner.X, corner.Y); got != (color.RGBA{255, 255, 255, 255}) {
			t.Errorf("the corner %v is %v, want white", corner, got)
		}
	}
}

func TestOddPictures(t *testing.T) {
	if s := Contact(nil, Options{}); s.Rect.Empty() {
		t.Errorf("no cells: %v", s.Rect)
	}
	if s := Pairs(nil, nil, Options{}); s.Rect.Empty() {
		t.Errorf("no pairs: %v", s.Rect)
	}
	for name, m := range map[string]image.Image{
		"nil":              nil,
		"empty":            image.NewRGBA(image.Rectangle{}),
		"one pixel":        image.NewGray(image.Rect(5, 5, 6, 6)),
		"negative corner":  image.NewNRGBA(image.Rect(-30, -20, 10, 5)),
		"paletted":         image.NewPaletted(image.Rect(0, 0, 9, 9), color.Palette{blue}),
		"16 bits":          image.NewNRGBA64(image.Rect(0, 0, 30, 20)),
		"YCbCr":            image.NewYCbCr(image.Rect(3, 3, 20, 18), image.YCbCrSubsampleRatio420),
		"CMYK":             image.NewCMYK(image.Rect(0, 0, 8, 4)),
		"tall":             image.NewGray(image.Rect(0, 0, 1, 50000)),
		"wide":             image.NewGray(image.Rect(0, 0, 50000, 1)),
		"part of a larger": image.NewRGBA(image.Rect(0, 0, 40, 40)).SubImage(image.Rect(10, 20, 30, 40)),
	} {
		s := Contact([]Cell{{Image: m, Title: name}, {Image: m, Title: name}}, Options{Height: 30, Columns: -1})
		if s.Rect.Dy() < 30 || s.Rect.Dx() > 1000 {
			t.Errorf("%s: the sheet is %v", name, s.Rect)
		}
	}
}

func TestTransparentPicturesLieOnWhite(t *testing.T) {
	sheet := Contact([]Cell{{Image: image.NewNRGBA(image.Rect(0, 0, 40, 40))}}, Options{Height: 40})
	centre := sheet.Rect.Max.Div(2)
	if got := sheet.RGBAAt(centre.X, centre.Y); got != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("a transparent pixel became %v, want white", got)
	}
}

func TestPairsStandAboveEachOther(t *testing.T) {
	originals := []image.Image{plain(30, 30, blue), plain(60, 30, blue), plain(30, 60, blue)}
	for _, columns := range []int{0, 2} {
		o := Options{Height: 40, Columns: columns}
		sheet := Pairs(originals, originals[:2], o)
		rows := 2
		if columns == 2 {
			rows = 4
		}
		if h := sheet.Rect.Dy(); h < rows*40 || h > rows*60 {
			t.Errorf("%d columns: the sheet is %d high, want %d rows of 40", columns, h, rows)
		}
	}
	// With equal pictures the lower half repeats the upper, labels aside.
	sheet := Pairs(originals, originals, Options{Height: 40})
	label := newType(40).width("Reconstruction")
	middle := sheet.Rect.Dy() / 2
	for y := range middle {
		for x := label + 10; x < sheet.Rect.Dx(); x++ {
			if a, b := sheet.RGBAAt(x, y), sheet.RGBAAt(x, sheet.Rect.Dy()-1-y); a != b {
				t.Fatalf("pixel (%d, %d) is %v, its mirror image %v", x, y, a, b)
			}
		}
	}
}

func TestTitlesFit(t *testing.T) {
	face := newType(140)
	for _, title := range []string{
		"short", "", "…", strings.Repeat("W", 500), strings.Repeat("i", 500), strings.Repeat("AV", 300),
		strings.Repeat("word ", 100), strings.Repeat("日本", 100), "\xff\xfe" + strings.Repeat("\xff", 200), "line\nbreak\tand tab",
	} {
		for room := 20; room <= 400; room += 19 {
			got := face.fit(title, room)
			if w := face.width(got); w > room {
				t.Errorf("%.20q in %d pixels became %q, %d wide", title, room, got, w)
			}
			if strings.ContainsAny(got, "\n\t") {
				t.Errorf("%q is more than one line", got)
			}
			if cut, ok := strings.CutSuffix(got, "…"); ok && title != "…" {
				if !strings.HasPrefix(strings.Join(strings.Fields(title), " "), cut) && !strings.Contains(title, "\xff") {
					t.Errorf("%q is not the beginning of %q", got, title)
				}
				if room > 100 && face.width(got) < room-40 {
					t.Errorf("%q is %d wide where %d were free", got, face.width(got), room)
				}
			}
		}
	}
	if got := face.fit("  Dist=0.123\n", 200); got != "Dist=0.123" {
		t.Errorf("a title that fits became %q", got)
	}
}

// Of a name that is too long the middle goes, and what tells it from others stays.
func TestNamesFit(t *testing.T) {
	face := newType(140)
	for _, name := range []string{"a.jpg", strings.Repeat("holiday ", 30) + "0001.jpg", strings.Repeat("W", 200), strings.Repeat("\xff", 99), "IMG_" + strings.Repeat("日本", 100) + ".png"} {
		for room := 40; room <= 400; room += 19 {
			got := face.fitName(name, room)
			if w := face.width(got); w > room {
				t.Errorf("%.20q in %d pixels became %q, %d wide", name, room, got, w)
			}
			front, back, cut := strings.Cut(got, "…")
			if whole := face.shown(name); cut && (!strings.HasPrefix(whole, front) || !strings.HasSuffix(whole, back)) {
				t.Errorf("%q is not the ends of %q", got, whole)
			}
			if cut && room > 100 && face.width(got) < room-40 {
				t.Errorf("%q is %d wide where %d were free", got, face.width(got), room)
			}
		}
	}
	if got := face.fitName("a folder with a long name/IMG_0001.jpg", 150); got != "IMG_0001.jpg" {
		t.Errorf("%q", got)
	}
	if got := face.fitName(strings.Repeat("holiday ", 30)+"0001.jpg", 150); !strings.HasPrefix(got, "holi") || !strings.HasSuffix(got, "01.jpg") {
		t.Errorf("%q", got)
	}
}
