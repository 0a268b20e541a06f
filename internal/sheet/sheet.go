// Package sheet draws the figures that a person looks at: contact sheets of
// pictures with a title each, pictures laid out in the plane, two pictures compared,
// loss curves, tables of confusion.
package sheet

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// Cell is one picture of a contact sheet. A nil or empty Image is shown as a
// grey square. A title that does not fit above the picture is cut and ends in
// an ellipsis; of a name below it the middle is taken out.
type Cell struct {
	Image image.Image
	Title string
	Name  string // of the picture
	Note  string // below the name
}

// Options set the layout of a sheet; the zero value is a good one.
type Options struct {
	Height  int // of every thumbnail, in pixels; 0 means DefaultHeight
	Columns int // cells in a row; 0 means all in one row
}

// DefaultHeight is the height in pixels of a thumbnail.
const DefaultHeight = 140

// widest bounds a thumbnail's width to this many times its height, so that a
// panorama does not push everything else out of sight.
const widest = 4

var (
	paper   = color.White
	ink     = color.Gray{0x22}
	outline = color.Gray{0xd4} // parts a white picture from the white paper
	blank   = color.Gray{0xee} // stands for a missing picture
)

// Contact draws the cells in rows of thumbnails of one height on white. Widths
// follow the pictures' shapes; of one that is more than four times as wide as
// high the middle part is shown. Titles are centred above the thumbnails, names and
// notes below them, and these in their columns. Without cells only the margin is left.
func Contact(cells []Cell, o Options) *image.RGBA {
	return render(rowsOf(cells, "", o), o)
}

// Rows draws the lists of cells, each in a row of its own, or in several where
// o.Columns is smaller.
func Rows(lists [][]Cell, o Options) *image.RGBA {
	var rows []row
	for _, cells := range lists {
		rows = append(rows, rowsOf(cells, "", o)...)
	}
	return render(rows, o)
}

// Pairs draws the originals above their reconstructions, both rows labelled at
// their left. With o.Columns set, each row of originals is followed by the row
// of its reconstructions. The shorter list's missing pictures are grey squares.
func Pairs(originals, reconstructions []image.Image, o Options) *image.RGBA {
	n := max(len(originals), len(reconstructions))
	above := rowsOf(untitled(originals, n), "Original", o)
	below := rowsOf(untitled(reconstructions, n), "Reconstruction", o)
	var rows []row
	for i := range above {
		rows = append(rows, above[i], below[i])
	}
	return render(rows, o)
}

// untitled makes n cells of the pictures.
func untitled(pictures []image.Image, n int) []Cell {
	cells := make([]Cell, n)
	for i, p := range pictures {
		cells[i].Image = p
	}
	return cells
}

// row is one line of a sheet: an optional label at its left, then the cells.
type row struct {
	label string
	cells []Cell
}

// rowsOf breaks the cells into rows of o.Columns.
func rowsOf(cells []Cell, label string, o Options) []row {
	columns := o.Columns
	if columns <= 0 {
		columns = len(cells)
	}
	var rows []row
	for len(cells) > 0 {
		n := min(columns, len(cells))
		rows = append(rows, row{label, cells[:n]})
		cells = cells[n:]
	}
	return rows
}

// thumbnail is a cell in its place on the sheet.
type thumbnail struct {
	cell    Cell
	source  image.Rectangle // the part of the picture that is shown; empty: none
	box     image.Rectangle // where it is drawn
	title   string          // as shown: cut to fit
	titleAt image.Point     // left end of the title's baseline
	below   []caption       // name and note
}

// texts are a thumbnail's name and note, as far as it has them.
func (c *Cell) texts() (below []caption) {
	for _, text := range []string{c.Name, c.Note} {
		if text != "" {
			below = append(below, caption{text: text})
		}
	}
	return below
}

// caption is a row's label in its place.
type caption struct {
	text string
	at   image.Point
}

// layout is a sheet before it is drawn.
type layout struct {
	size       image.Point
	thumbnails []thumbnail
	captions   []caption
}

// render places everything and draws it.
func render(rows []row, o Options) *image.RGBA {
	height := o.Height
	if height <= 0 {
		height = DefaultHeight
	}
	t := newType(height)
	l := arrange(rows, height, t)

	dst := image.NewRGBA(image.Rectangle{Max: l.size})
	draw.Draw(dst, dst.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	for _, th := range l.thumbnails {
		draw.Draw(dst, th.box.Inset(-1), image.NewUniform(outline), image.Point{}, draw.Src)
		if th.source.Empty() {
			draw.Draw(dst, th.box, image.NewUniform(blank), image.Point{}, draw.Src)
		} else {
			draw.Draw(dst, th.box, image.NewUniform(paper), image.Point{}, draw.Src) // shows through transparent pictures
			draw.CatmullRom.Scale(dst, th.box, th.cell.Image, th.source, draw.Over, nil)
		}
		t.draw(dst, th.title, th.titleAt)
		for _, c := range th.below {
			t.draw(dst, c.text, c.at)
		}
	}
	for _, c := range l.captions {
		t.draw(dst, c.text, c.at)
	}
	return dst
}

// arrange finds every thumbnail's and title's place. All distances are parts of
// the type's size or of the height, so that a sheet looks alike at any height.
func arrange(rows []row, height int, t *typeface) layout {
	var (
		margin    = max(8, height/9)
		gap       = max(6, height/10) // between columns, and between rows
		lead      = max(3, t.line/4)  // between a title and its picture
		roomTitle = max(height, 8*t.line)
	)

	// What is shown of each picture, and what widths that takes.
	var l layout
	var widths []int // of the columns
	labelWidth := 0
	for _, r := range rows {
		if r.label != "" {
			labelWidth = max(labelWidth, t.width(r.label)+gap)
		}
		for i, c := range r.cells {
			th := thumbnail{cell: c}
			var w int
			th.source, w = shown(c.Image, height)
			th.box = image.Rect(0, 0, w, height)
			th.title = t.fit(c.Title, max(w, roomTitle))
			th.below = c.texts()
			for k := range th.below {
				th.below[k].text = t.fitName(th.below[k].text, max(w, roomTitle))
			}
			l.thumbnails = append(l.thumbnails, th)
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], w, t.width(th.title))
			for _, below := range l.thumbnails[len(l.thumbnails)-1].below {
				widths[i] = max(widths[i], t.width(below.text))
			}
		}
	}

	// Their places.
	left := margin + labelWidth
	right, y, next := left, margin, 0
	for i, r := range rows {
		if i > 0 {
			y += gap
		}
		placed := l.thumbnails[next : next+len(r.cells)]
		next += len(r.cells)
		baseline := y + t.ascent
		for _, th := range placed {
			if th.title != "" {
				y = baseline + t.descent + lead
				break
			}
		}
		x, lines := left, 0
		for j := range placed {
			th := &placed[j]
			for k := range th.below {
				text := &th.below[k]
				text.at = image.Pt(x+(widths[j]-t.width(text.text))/2, y+height+lead+k*t.line+t.ascent)
			}
			lines = max(lines, len(th.below))
			th.box = th.box.Add(image.Pt(x+(widths[j]-th.box.Dx())/2, y))
			th.titleAt = image.Pt(x+(widths[j]-t.width(th.title))/2, baseline)
			x += widths[j]
			right = max(right, x)
			x += gap
		}
		if r.label != "" {
			l.captions = append(l.captions, caption{r.label, image.Pt(margin, y+(height+t.ascent-t.descent)/2)})
		}
		if y += height; lines > 0 {
			y += lead + lines*t.line
		}
	}
	l.size = image.Pt(right+margin, y+margin)
	return l
}

// shown is the part of m that a thumbnail of this height shows, and its width.
func shown(m image.Image, height int) (part image.Rectangle, width int) {
	if m == nil || m.Bounds().Empty() {
		return image.Rectangle{}, height
	}
	part = m.Bounds()
	if extra := part.Dx() - widest*part.Dy(); extra > 0 {
		part.Min.X += extra / 2
		part.Max.X = part.Min.X + widest*part.Dy()
	}
	return part, max(1, (part.Dx()*height+part.Dy()/2)/part.Dy())
}
