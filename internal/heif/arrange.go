package heif

import (
	"errors"
	"image"
	"math"
)

// How EXIF's orientations follow each other: turns[o] is what o becomes when the picture
// is then turned by a quarter against the clock, and mirrors[o] when it is then mirrored
// left to right.
var (
	turns   = [9]int{0, 8, 5, 6, 7, 4, 1, 2, 3}
	mirrors = [9]int{0, 2, 1, 4, 3, 6, 5, 8, 7}
)

// arrange cuts and turns a picture by its properties, in their order.
func (p *Picture) arrange(changes []box) error {
	p.cut, p.Orientation = image.Rectangle{Max: p.colour.size}, 1
	for _, c := range changes {
		r := reader{data: c.body}
		switch c.kind {
		case "irot":
			for range r.number(1) & 3 {
				p.Orientation = turns[p.Orientation]
			}
		case "imir":
			p.Orientation = mirrors[p.Orientation]
			if r.number(1)&1 == 0 { // top to bottom: half a turn more
				p.Orientation = turns[turns[p.Orientation]]
			}
		case "clap":
			if err := p.clip(&r); err != nil {
				return err
			}
		}
		if r.failed {
			return errCut
		}
	}
	p.Size = p.cut.Size()
	return nil
}

// clip cuts the picture as it is turned by now (ISO/IEC 14496-12, 12.1.4).
func (p *Picture) clip(r *reader) error {
	size := p.cut.Size()
	if p.Orientation >= 5 {
		size.X, size.Y = size.Y, size.X
	}
	fraction := func() float64 {
		n, d := int32(r.number(4)), int32(r.number(4))
		if d == 0 {
			r.failed = true
			return 0
		}
		return float64(n) / float64(d)
	}
	w, h, x, y := fraction(), fraction(), fraction(), fraction()
	if r.failed {
		return errCut
	}
	left := int(math.Round(x + float64(size.X-1)/2 - (w-1)/2))
	top := int(math.Round(y + float64(size.Y-1)/2 - (h-1)/2))
	wanted := image.Rect(left, top, left+int(math.Round(w)), top+int(math.Round(h)))
	in := wanted.Intersect(image.Rectangle{Max: size})
	if w < 0.5 || h < 0.5 || in.Empty() {
		return errors.New("it is cut so that nothing is left")
	}
	// Where its corners are stored.
	c := p.cut.Size()
	stored := func(at image.Point) image.Point {
		switch p.Orientation {
		case 2:
			return image.Pt(c.X-at.X, at.Y)
		case 3:
			return image.Pt(c.X-at.X, c.Y-at.Y)
		case 4:
			return image.Pt(at.X, c.Y-at.Y)
		case 5:
			return image.Pt(at.Y, at.X)
		case 6:
			return image.Pt(at.Y, c.Y-at.X)
		case 7:
			return image.Pt(c.X-at.Y, c.Y-at.X)
		case 8:
			return image.Pt(c.X-at.Y, at.X)
		}
		return at
	}
	a, b := stored(in.Min), stored(in.Max)
	p.cut = image.Rectangle{a, b}.Canon().Add(p.cut.Min)
	return nil
}
