package termimage

import (
	"fmt"
	"image"
	"image/draw"
	"io"
	"strings"

	xdraw "golang.org/x/image/draw"
)

// Tile is a picture of a strip with a few words below it.
type Tile struct {
	Picture *image.RGBA // nil is shown as a grey square
	Caption string
}

// Layout is how pictures are laid out in rows.
type Layout struct {
	terminal Terminal
	columns  int // characters of a picture's place; 0: as many as it needs

	PerRow int // pictures in a row

	// Width and Height are the most pixels that a picture may have.
	Width, Height int
}

const (
	gap       = 2   // characters between pictures
	mostWide  = 400 // characters of a line that are used
	mostPixel = 32  // of a character's width

	leastColumns = 11 // of a picture
	mostColumns  = 20 // where the terminal's lines are not known; else as many as they are
	mostOfRow    = 64 // lines of a picture as wide as that are half as many
)

// Layout returns how n pictures are laid out, evenly in as few rows as their least
// width allows. Half blocks need more room to be made out.
func (t Terminal) Layout(n int) Layout {
	if t.Protocol == Blocks {
		return t.layout(n, 2*leastColumns, max(32, t.high()))
	}
	return t.layout(n, leastColumns, t.high())
}

// Row returns how the first of n pictures are laid out in one row that fills the line,
// small ones of one height, as many as there is room for: PerRow. They leave half of the
// terminal's lines to others.
func (t Terminal) Row(n int) Layout {
	l := t.layout(min(n, t.fit(leastColumns)), leastColumns, mostColumns)
	l.columns, l.Height = 0, t.high()*t.cell().X
	l.Width = 3 * l.Height
	return l
}

// high is how many characters wide a square is that takes half of the terminal's lines, for a
// character is twice as high as wide.
func (t Terminal) high() int {
	if t.Rows == 0 {
		return mostColumns
	}
	return min(max(t.Rows, mostColumns), mostOfRow)
}

func (t Terminal) layout(n, least, most int) Layout {
	n = max(n, 1)
	fit := min(t.fit(least), n)
	rows := (n + fit - 1) / fit
	l := Layout{terminal: t, PerRow: (n + rows - 1) / rows}
	l.columns = min(t.line()/l.PerRow-gap, most)
	l.Width = l.columns * t.cell().X
	l.Height = l.Width
	return l
}

// line is how many characters of a line are used.
func (t Terminal) line() int {
	line := min(max(t.Columns, 20), mostWide)
	if t.Protocol == Sixel {
		line = min(line, sixelWidest/t.cell().X)
	}
	return line
}

// fit is how many pictures a row has room for if each takes so many characters.
func (t Terminal) fit(columns int) int { return max(t.line()/(columns+gap), 1) }

// cell is the size of a character in pixels, within bounds.
func (t Terminal) cell() image.Point {
	if t.Protocol == Blocks {
		return image.Pt(1, 2)
	}
	if t.Cell.X <= 0 || t.Cell.Y <= 0 {
		return image.Pt(10, 20)
	}
	return image.Pt(min(t.Cell.X, mostPixel), min(t.Cell.Y, 2*mostPixel))
}

// Write shows pictures in rows, left to right, each with its caption below, and an
// empty line between rows. What is larger than the layout says is cut off. The
// cursor must be at the start of a line.
func (l Layout) Write(w io.Writer, tiles []Tile) error {
	for at := 0; at < len(tiles); at += l.PerRow {
		row := tiles[at:min(at+l.PerRow, len(tiles))]
		m, columns, places := l.draw(row)
		if err := l.terminal.Write(w, m, columns); err != nil {
			return err
		}
		line, end := "", "\n"
		if at+l.PerRow < len(tiles) {
			end = "\n\n"
		}
		for i, tile := range row {
			caption := []rune(tile.Caption)
			caption = caption[:min(len(caption), places[i])]
			line += string(caption) + strings.Repeat(" ", places[i]+gap-len(caption))
		}
		if _, err := io.WriteString(w, strings.TrimRight(line, " ")+end); err != nil {
			return fmt.Errorf("termimage: cannot write to the terminal: %w", err)
		}
	}
	return nil
}

// draw puts the pictures of a row into one, side by side with their lower edges
// above the captions, and nothing in between. It also returns how many characters
// wide that is, and the place of each picture.
func (l Layout) draw(row []Tile) (m *image.RGBA, columns int, places []int) {
	pictures, places := l.placed(row)
	height := 1
	for i, p := range pictures {
		height = max(height, min(p.Rect.Dy(), l.Height))
		columns += places[i] + gap
	}
	columns -= gap
	cell, left := l.terminal.cell(), 0
	m = image.NewRGBA(image.Rect(0, 0, columns*cell.X, height))
	for i, p := range pictures {
		place := image.Rect(0, 0, min(p.Rect.Dx(), places[i]*cell.X), min(p.Rect.Dy(), l.Height))
		place = place.Add(image.Pt(left*cell.X, height-place.Dy()))
		draw.Draw(m, place, p, p.Rect.Min, draw.Src)
		left += places[i] + gap
	}
	return m, columns, places
}

// placed returns the pictures as they are drawn, and how many characters wide the place
// of each is. Where places are as wide as the pictures, these are as high as the line
// allows.
func (l Layout) placed(row []Tile) (pictures []*image.RGBA, places []int) {
	for _, tile := range row {
		p := tile.Picture
		if p == nil {
			p = missing(min(l.Width, l.Height))
		}
		pictures, places = append(pictures, p), append(places, l.columns)
	}
	if l.columns > 0 {
		return pictures, places
	}
	height := l.Height
	for ; height > 1; height-- {
		total := 0
		for i, p := range pictures {
			width := (scaled(p, height).X + l.terminal.cell().X - 1) / l.terminal.cell().X
			places[i] = max(width, min(len([]rune(row[i].Caption)), leastColumns))
			total += places[i] + gap
		}
		if total-gap < l.terminal.line() {
			break
		}
	}
	for i, p := range pictures {
		if size := scaled(p, height); size != p.Rect.Size() {
			pictures[i] = image.NewRGBA(image.Rectangle{Max: size})
			xdraw.CatmullRom.Scale(pictures[i], pictures[i].Rect, p, p.Rect, draw.Src, nil)
		}
	}
	return pictures, places
}

// scaled is the size of a picture of at most that height and three times as wide.
func scaled(p *image.RGBA, height int) image.Point {
	size := p.Rect.Size()
	if size.Y > height {
		size = image.Pt(max(1, (size.X*height+size.Y/2)/size.Y), height)
	}
	if size.X > 3*height {
		size = image.Pt(3*height, max(1, 3*height*size.Y/size.X))
	}
	return size
}

// missing is what stands for a picture that there is none of.
func missing(side int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range m.Pix {
		m.Pix[i] = 128
	}
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	return m
}
