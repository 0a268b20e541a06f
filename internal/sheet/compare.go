package sheet

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
	"golang.org/x/image/vector"
)

// Side is one of two pictures that are compared.
type Side struct {
	Image         image.Image
	Title         string
	Heat          []float64 // how much each part counts, row by row; below 0 is shown as 0
	Rows, Columns int       // parts
}

// Link is a part of the first picture and one of the second that match: the
// middles, from 0 to 1 over width and height, and the size of such a part.
type Link struct {
	A, B         [2]float64
	SizeA, SizeB [2]float64
}

// Comparison is two pictures, and why they are alike.
type Comparison struct {
	Title     string
	A, B      Side
	HeatTitle string
	Links     []Link // the most important first
	LinkTitle string
}

const (
	compareSide = 440 // longest side of a picture
	mostLines   = 12  // between matching parts
)

// Compare draws two pictures side by side, twice: above, parts that count much are
// red and those that count nothing grey; below, parts that match have one colour,
// and lines join some of them.
func Compare(c Comparison) *image.RGBA {
	t, large := newType(compareSide/3), newType(compareSide/2)
	const margin, gap = 28, 56
	a, b := fitted(c.A.Image), fitted(c.B.Image)
	width := a.X + b.X + gap + 2*margin
	for _, w := range []int{large.width(c.Title), t.width(c.HeatTitle), t.width(c.LinkTitle)} {
		width = max(width, min(w, 2*compareSide+gap)+2*margin)
	}
	high := max(a.Y, b.Y)
	line := t.line + t.line/2
	dst := image.NewRGBA(image.Rect(0, 0, width, margin+2*large.line+4*line+2*high+margin))
	draw.Draw(dst, dst.Rect, image.NewUniform(paper), image.Point{}, draw.Src)

	left := (width - a.X - b.X - gap) / 2
	room := width - 2*margin
	y := margin
	text := func(s string, x, room int) { t.draw(dst, t.fit(s, room), image.Pt(x, y+t.ascent)) }
	large.draw(dst, large.fit(c.Title, room), image.Pt(margin, y+large.ascent))
	y += 2 * large.line
	text(c.A.Title, left, a.X)
	text(c.B.Title, left+a.X+gap, b.X)
	y += line
	// Smaller pictures stand in the middle of the row's height.
	boxes := func() (image.Rectangle, image.Rectangle) {
		boxA := image.Rectangle{Max: a}.Add(image.Pt(left, y+(high-a.Y)/2))
		boxB := image.Rectangle{Max: b}.Add(image.Pt(left+a.X+gap, y+(high-b.Y)/2))
		return boxA, boxB
	}
	boxA, boxB := boxes()
	most := 0.0
	for _, heat := range [][]float64{c.A.Heat, c.B.Heat} {
		for _, v := range heat {
			most = max(most, v)
		}
	}
	drawHeat(dst, boxA, c.A, most)
	drawHeat(dst, boxB, c.B, most)
	y += high + line/3
	text(c.HeatTitle, margin, room)
	y += line + line/3

	boxA, boxB = boxes()
	drawPale(dst, boxA, c.A.Image)
	drawPale(dst, boxB, c.B.Image)
	for _, l := range c.Links {
		drawPart(dst, boxA, l.A, l.SizeA, l.colour())
		drawPart(dst, boxB, l.B, l.SizeB, l.colour())
	}
	for _, l := range spaced(c.Links, mostLines) {
		drawLine(dst, at(boxA, l.A), at(boxB, l.B), l.colour())
	}
	y += high + line/3
	text(c.LinkTitle, margin, room)
	return dst
}

// fitted is the size at which a compared picture is drawn.
func fitted(m image.Image) image.Point {
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	scale := float64(compareSide) / float64(max(w, h, 1))
	return image.Pt(max(1, int(math.Round(float64(w)*scale))), max(1, int(math.Round(float64(h)*scale))))
}

// drawHeat draws a picture in grey, coloured by how much its parts count.
func drawHeat(dst *image.RGBA, box image.Rectangle, s Side, most float64) {
	scaled := image.NewRGBA(image.Rectangle{Max: box.Size()})
	draw.Draw(scaled, scaled.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	draw.CatmullRom.Scale(scaled, scaled.Rect, s.Image, s.Image.Bounds(), draw.Over, nil)
	for y := range box.Dy() {
		for x := range box.Dx() {
			c := scaled.RGBAAt(x, y)
			heat := 0.0
			if most > 0 {
				heat = max(0, s.between((float64(x)+0.5)/float64(box.Dx()), (float64(y)+0.5)/float64(box.Dy()))/most)
			}
			grey := 0.30*float64(c.R) + 0.59*float64(c.G) + 0.11*float64(c.B)
			warm, alpha := warmth(heat)
			blend := func(to uint8) uint8 {
				// Light and dark of the picture show through.
				return uint8(math.Round(grey*(1-alpha) + alpha*(0.72*float64(to)+0.28*grey)))
			}
			dst.SetRGBA(box.Min.X+x, box.Min.Y+y, color.RGBA{blend(warm.R), blend(warm.G), blend(warm.B), 255})
		}
	}
}

// warmth is the colour of a share of the greatest heat, and how much it covers.
func warmth(heat float64) (color.RGBA, float64) {
	stops := [...]color.RGBA{{60, 90, 200, 255}, {60, 190, 190, 255}, {250, 220, 60, 255}, {250, 130, 30, 255}, {215, 20, 30, 255}}
	at := min(max(heat, 0), 1) * float64(len(stops)-1)
	i := min(int(at), len(stops)-2)
	f := at - float64(i)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + f*(float64(b)-float64(a)))) }
	a, b := stops[i], stops[i+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}, min(0.85, 2.2*heat)
}

// between returns the heat at a point, from 0 to 1 over width and height, on the
// plane between the middles of the parts.
func (s *Side) between(x, y float64) float64 {
	column := min(max(x*float64(s.Columns)-0.5, 0), float64(s.Columns-1))
	row := min(max(y*float64(s.Rows)-0.5, 0), float64(s.Rows-1))
	i, j := int(row), int(column)
	k, l := min(i+1, s.Rows-1), min(j+1, s.Columns-1)
	fy, fx := row-float64(i), column-float64(j)
	above := s.Heat[i*s.Columns+j]*(1-fx) + s.Heat[i*s.Columns+l]*fx
	below := s.Heat[k*s.Columns+j]*(1-fx) + s.Heat[k*s.Columns+l]*fx
	return above*(1-fy) + below*fy
}

// drawPale draws a picture with less colour, so that drawing on it shows.
func drawPale(dst *image.RGBA, box image.Rectangle, m image.Image) {
	draw.Draw(dst, box, image.NewUniform(paper), image.Point{}, draw.Src)
	draw.CatmullRom.Scale(dst, box, m, m.Bounds(), draw.Over, nil)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := dst.RGBAAt(x, y)
			grey := 0.30*float64(c.R) + 0.59*float64(c.G) + 0.11*float64(c.B)
			pale := func(v uint8) uint8 { return uint8(0.5*(0.35*float64(v)+0.65*grey) + 0.5*255*0.9) }
			dst.SetRGBA(x, y, color.RGBA{pale(c.R), pale(c.G), pale(c.B), 255})
		}
	}
}

// colour tells by hue where in the first picture the part lies from left to right,
// and by lightness from top to bottom.
func (l *Link) colour() color.NRGBA {
	hue, light := 5*l.A[0], 0.38+0.24*l.A[1] // in sixths of a circle
	chroma := (1 - math.Abs(2*light-1)) * 0.9
	second := chroma * (1 - math.Abs(math.Mod(hue, 2)-1))
	rgb := [...][3]float64{{chroma, second, 0}, {second, chroma, 0}, {0, chroma, second}, {0, second, chroma}, {second, 0, chroma}, {chroma, 0, second}}[min(int(hue), 5)]
	level := func(v float64) uint8 { return uint8(math.Round(255 * min(max(v+light-chroma/2, 0), 1))) }
	return color.NRGBA{level(rgb[0]), level(rgb[1]), level(rgb[2]), 255}
}

// at is a point of a picture on the sheet.
func at(box image.Rectangle, p [2]float64) [2]float64 {
	return [2]float64{float64(box.Min.X) + p[0]*float64(box.Dx()), float64(box.Min.Y) + p[1]*float64(box.Dy())}
}

// drawPart colours a part of a picture.
func drawPart(dst *image.RGBA, box image.Rectangle, middle, size [2]float64, c color.NRGBA) {
	m := at(box, middle)
	w, h := size[0]*float64(box.Dx())/2, size[1]*float64(box.Dy())/2
	part := image.Rect(int(math.Round(m[0]-w)), int(math.Round(m[1]-h)), int(math.Round(m[0]+w)), int(math.Round(m[1]+h))).Intersect(box)
	c.A = 150
	draw.Draw(dst, part, image.NewUniform(c), image.Point{}, draw.Over)
}

// spaced returns at most so many links, from first to last those that lie furthest
// from the ones before them.
func spaced(links []Link, most int) []Link {
	var chosen []Link
	for len(chosen) < min(most, len(links)) {
		best, far := 0, -1.0
		for i, l := range links {
			d := math.Inf(1)
			for _, o := range chosen {
				d = min(d, math.Hypot(l.A[0]-o.A[0], l.A[1]-o.A[1])+math.Hypot(l.B[0]-o.B[0], l.B[1]-o.B[1]))
			}
			if d > far {
				best, far = i, d
			}
		}
		if far < 0.1 {
			break
		}
		chosen = append(chosen, links[best])
	}
	return chosen
}

// drawLine draws a line with a dot at both ends, edged with white.
func drawLine(dst *image.RGBA, a, b [2]float64, c color.NRGBA) {
	for _, pass := range []struct {
		line, dot float64
		c         color.NRGBA
	}{{4, 6.5, color.NRGBA{255, 255, 255, 255}}, {2, 5, c}} {
		r := vector.NewRasterizer(dst.Rect.Dx(), dst.Rect.Dy())
		dx, dy := b[0]-a[0], b[1]-a[1]
		length := max(math.Hypot(dx, dy), 1e-9)
		nx, ny := -dy/length*pass.line/2, dx/length*pass.line/2
		r.MoveTo(float32(a[0]+nx), float32(a[1]+ny))
		r.LineTo(float32(b[0]+nx), float32(b[1]+ny))
		r.LineTo(float32(b[0]-nx), float32(b[1]-ny))
		r.LineTo(float32(a[0]-nx), float32(a[1]-ny))
		r.ClosePath()
		r.Draw(dst, dst.Rect, image.NewUniform(pass.c), image.Point{})
		for _, p := range [][2]float64{a, b} {
			r.Reset(dst.Rect.Dx(), dst.Rect.Dy())
			const corners = 24
			for i := range corners {
				y, x := math.Sincos(2 * math.Pi * float64(i) / corners)
				if px, py := float32(p[0]+pass.dot*x), float32(p[1]+pass.dot*y); i == 0 {
					r.MoveTo(px, py)
				} else {
					r.LineTo(px, py)
				}
			}
			r.ClosePath()
			r.Draw(dst, dst.Rect, image.NewUniform(pass.c), image.Point{})
		}
	}
}
