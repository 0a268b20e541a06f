package sheet

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// Spot is a picture in its place. A nil Image is shown as a grey box.
type Spot struct {
	Image image.Image
	Box   image.Rectangle
}

// Sign is a text over pictures, centred at a point.
type Sign struct {
	Text string
	At   image.Point
}

// Scatter draws pictures in their places on a sheet of that size, then the signs,
// in type for thumbnails of the given height. Of signs that would overlap the
// first is drawn.
func Scatter(size image.Point, height int, spots []Spot, signs []Sign) *image.RGBA {
	dst := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(dst, dst.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	for _, s := range spots {
		if s.Image == nil {
			draw.Draw(dst, s.Box, image.NewUniform(blank), image.Point{}, draw.Src)
			continue
		}
		draw.Draw(dst, s.Box, image.NewUniform(paper), image.Point{}, draw.Src) // shows through transparent pictures
		draw.CatmullRom.Scale(dst, s.Box, s.Image, s.Image.Bounds(), draw.Over, nil)
	}
	t := newType(height)
	var taken []image.Rectangle
	for _, s := range signs {
		text := t.fit(s.Text, 16*t.line)
		w := t.width(text)
		board := image.Rect(-w/2-t.line/3, -t.line/2-t.line/6, w-w/2+t.line/3, t.line-t.line/2+t.line/6).Add(s.At)
		board = board.Add(inside(board, dst.Rect))
		free := true
		for _, other := range taken {
			free = free && !board.Overlaps(other)
		}
		if !free {
			continue
		}
		taken = append(taken, board)
		draw.Draw(dst, board, image.NewUniform(color.NRGBA{255, 255, 255, 225}), image.Point{}, draw.Over)
		t.draw(dst, text, image.Pt(board.Min.X+t.line/3, board.Min.Y+t.line/6+t.ascent))
	}
	return dst
}

// inside is how far a box must be moved to lie in another, as far as it can.
func inside(box, in image.Rectangle) image.Point {
	var p image.Point
	if over := box.Max.X - in.Max.X; over > 0 {
		p.X = -over
	}
	if under := in.Min.X - box.Min.X; under > 0 {
		p.X = under
	}
	if over := box.Max.Y - in.Max.Y; over > 0 {
		p.Y = -over
	}
	if under := in.Min.Y - box.Min.Y; under > 0 {
		p.Y = under
	}
	return p
}
