package sheet

import (
	"image"
	"image/color"
	"iter"
	"math"
	"slices"

	"golang.org/x/image/draw"
)

// Spot is a picture in its place. A nil Image is shown as a grey box.
type Spot struct {
	Image image.Image
	Box   image.Rectangle
}

// Sign is a text that belongs to a point.
type Sign struct {
	Text string
	At   image.Point
}

// Scatter draws pictures in their places on a sheet of that size, then the signs,
// in type for thumbnails of the given height. A sign stands as near to its point as it
// can without covering a picture or an earlier sign; where it would be far away it stands
// over the pictures at its point, or is left out if another one does.
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
	covered, taken := newCrowd(spots), newCrowd(nil)
	for _, s := range signs {
		text := t.fit(s.Text, 16*t.line)
		w := t.width(text)
		board := image.Rect(-w/2-t.line/3, -t.line/2-t.line/6, w-w/2+t.line/3, t.line-t.line/2+t.line/6).Add(s.At)
		free := func(at image.Rectangle) bool { return !covered.overlaps(at) && !taken.overlaps(at) }
		if at, ok := beside(board, dst.Rect, t.line/2, free); ok {
			board = at
		} else if board = board.Add(inside(board, dst.Rect)); taken.overlaps(board) {
			continue
		}
		taken.add(board)
		draw.Draw(dst, board, image.NewUniform(color.NRGBA{255, 255, 255, 225}), image.Point{}, draw.Over)
		t.draw(dst, text, image.Pt(board.Min.X+t.line/3, board.Min.Y+t.line/6+t.ascent))
	}
	return dst
}

// beside returns the place nearest to a box's own that is free, within a few steps: the
// box itself, or moved round it.
func beside(box, in image.Rectangle, step int, free func(image.Rectangle) bool) (image.Rectangle, bool) {
	const farthest = 24 // steps
	for far := range farthest + 1 {
		ways := max(1, 8*min(far, 4))
		for way := range ways {
			turn := 2*math.Pi*float64(way)/float64(ways) - math.Pi/2
			at := box.Add(image.Pt(int(1.6*float64(far*step)*math.Cos(turn)), int(float64(far*step)*math.Sin(turn))))
			if at = at.Add(inside(at, in)); free(at) {
				return at, true
			}
		}
	}
	return image.Rectangle{}, false
}

// crowd is boxes, found by where they lie.
type crowd map[image.Point][]image.Rectangle

const crowdSquare = 128 // side of a part of the sheet, in pixels

func newCrowd(spots []Spot) crowd {
	c := crowd{}
	for _, s := range spots {
		c.add(s.Box)
	}
	return c
}

func (c crowd) add(box image.Rectangle) {
	for square := range squares(box) {
		c[square] = append(c[square], box)
	}
}

func (c crowd) overlaps(box image.Rectangle) bool {
	for square := range squares(box) {
		if slices.ContainsFunc(c[square], box.Overlaps) {
			return true
		}
	}
	return false
}

// squares are the parts of the sheet that a box lies in.
func squares(box image.Rectangle) iter.Seq[image.Point] {
	return func(yield func(image.Point) bool) {
		for y := box.Min.Y / crowdSquare; y <= box.Max.Y/crowdSquare; y++ {
			for x := box.Min.X / crowdSquare; x <= box.Max.X/crowdSquare; x++ {
				if !yield(image.Pt(x, y)) {
					return
				}
			}
		}
	}
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
