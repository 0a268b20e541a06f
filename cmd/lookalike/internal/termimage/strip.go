package termimage

import (
	"fmt"
	"image"
	"image/draw"
	"io"
	"strings"
)

// Tile is a picture of a strip with a few words below it.
type Tile struct {
	Picture *image.RGBA // nil is shown as a grey square
	Caption string
}

// Layout is how pictures are laid out in rows.
type Layout struct {
	terminal Terminal
	columns  int // characters of a picture's place

	PerRow int // pictures in a row

	// Width and Height are the most pixels that a picture may have.
	Width, Height int
}

const (
	gap       = 2   // characters between pictures
	mostWide  = 400 // characters of a line that are used
	mostPixel = 32  // of a character's width

	leastColumns = 11 // of a picture
	mostColumns  = 20
)

// Layout returns how n pictures are laid out, evenly in as few rows as their least
// width allows. Half blocks need more room to be made out.
func (t Terminal) Layout(n int) Layout {
	if t.Protocol == Blocks {
		return t.layout(n, 2*leastColumns, 32)
	}
	return t.layout(n, leastColumns, mostColumns)
}

// Row returns how the first of n pictures are laid out in one row, small ones, as
// many as there is room for: PerRow.
func (t Terminal) Row(n int) Layout {
	return t.layout(min(n, t.fit(leastColumns)), leastColumns, mostColumns)
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
		m, columns := l.draw(row)
		if err := l.terminal.Write(w, m, columns); err != nil {
			return err
		}
		line, end := "", "\n"
		if at+l.PerRow < len(tiles) {
			end = "\n\n"
		}
		for _, tile := range row {
			caption := []rune(tile.Caption)
			caption = caption[:min(len(caption), l.columns)]
			line += string(caption) + strings.Repeat(" ", l.columns+gap-len(caption))
		}
		if _, err := io.WriteString(w, strings.TrimRight(line, " ")+end); err != nil {
			return fmt.Errorf("termimage: cannot write to the terminal: %w", err)
		}
	}
	return nil
}

// draw puts the pictures of a row into one, side by side with their lower edges
// above the captions, and nothing in between. It also returns how many characters
// wide that is.
func (l Layout) draw(row []Tile) (*image.RGBA, int) {
	pictures, height := make([]*image.RGBA, len(row)), 1
	for i, tile := range row {
		if pictures[i] = tile.Picture; tile.Picture == nil {
			pictures[i] = missing(l.Width)
		}
		height = max(height, min(pictures[i].Rect.Dy(), l.Height))
	}
	cell, columns := l.terminal.cell(), len(row)*(l.columns+gap)-gap
	m := image.NewRGBA(image.Rect(0, 0, columns*cell.X, height))
	for i, p := range pictures {
		place := image.Rect(0, 0, min(p.Rect.Dx(), l.Width), min(p.Rect.Dy(), l.Height))
		place = place.Add(image.Pt(i*(l.columns+gap)*cell.X, height-place.Dy()))
		draw.Draw(m, place, p, p.Rect.Min, draw.Src)
	}
	return m, columns
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
