package sample

import (
	"image"
	"image/draw"
	"math"
	"math/rand/v2"

	"golang.org/x/image/vector"
)

// rgb is a colour, each part from 0 to 255.
type rgb struct{ r, g, b int }

func hex(v int) rgb { return rgb{v >> 16 & 255, v >> 8 & 255, v & 255} }

var (
	black = rgb{}
	white = rgb{255, 255, 255}
)

// mix goes from a (t = 0) to b (t = 1) in 256 steps.
func mix(a, b rgb, t float64) rgb {
	w := steps(t)
	return rgb{
		a.r + (b.r-a.r)*w>>8,
		a.g + (b.g-a.g)*w>>8,
		a.b + (b.b-a.b)*w>>8,
	}
}

// steps rounds t from [0, 1] to a whole number of 256ths.
func steps(t float64) int { return int(math.Round(clamp(t) * 256)) }

func clamp(t float64) float64 { return min(max(t, 0), 1) }

// ramp goes through the colours, evenly spaced, as t goes from 0 to 1.
func ramp(t float64, colours ...rgb) rgb {
	n := len(colours) - 1
	s := clamp(t) * float64(n)
	i := min(int(s), n-1)
	return mix(colours[i], colours[i+1], s-float64(i))
}

// smooth rises from 0 at lo to 1 at hi without corners.
func smooth(lo, hi, x float64) float64 {
	t := clamp((x - lo) / (hi - lo))
	return t * t * (3 - 2*t)
}

// point is a place: the picture is the unit square, y points down.
type point struct{ x, y float64 }

// canvas is a picture being drawn, and the chance that decides about it.
type canvas struct {
	img    *image.RGBA
	size   int
	random *rand.Rand
	field  uint64 // of the noise fields
	ras    vector.Rasterizer
	mask   image.Alpha
}

func newCanvas(size int, random *rand.Rand) *canvas {
	return &canvas{img: image.NewRGBA(image.Rect(0, 0, size, size)), size: size, random: random, field: random.Uint64()}
}

func (c *canvas) between(lo, hi float64) float64 { return lo + (hi-lo)*c.random.Float64() }
func (c *canvas) count(lo, hi int) int           { return lo + c.random.IntN(hi-lo+1) }
func (c *canvas) chance(p float64) bool          { return c.random.Float64() < p }

// one picks one of the choices.
func one[T any](c *canvas, choices ...T) T { return choices[c.random.IntN(len(choices))] }

// scatter finds n places between lo and hi, each the one of several tries that
// is farthest from those before it.
func (c *canvas) scatter(n int, lo, hi point) []point {
	var places []point
	for range n {
		var best point
		room := -1.0
		for range 12 {
			try := point{c.between(lo.x, hi.x), c.between(lo.y, hi.y)}
			nearest := 2.0
			for _, p := range places {
				nearest = min(nearest, hypot(p.x-try.x, p.y-try.y))
			}
			if nearest > room {
				best, room = try, nearest
			}
		}
		places = append(places, best)
	}
	return places
}

// vary shifts a colour's parts by up to d, by the same amount for the most part.
func (c *canvas) vary(a rgb, d int) rgb {
	all := c.count(-d, d)
	part := func(v int) int { return min(max(v+all+c.count(-d/3, d/3), 0), 255) }
	return rgb{part(a.r), part(a.g), part(a.b)}
}

// blend lays col over the pixel (x, y) with an opacity of w/256.
func (c *canvas) blend(x, y int, col rgb, w int) {
	p := c.img.Pix[c.img.PixOffset(x, y):][:4:4]
	p[0] = uint8(int(p[0]) + (col.r-int(p[0]))*w>>8)
	p[1] = uint8(int(p[1]) + (col.g-int(p[1]))*w>>8)
	p[2] = uint8(int(p[2]) + (col.b-int(p[2]))*w>>8)
	p[3] = 255
}

// centre of the pixel (x, y).
func (c *canvas) centre(x, y int) (px, py float64) {
	return (float64(x) + 0.5) / float64(c.size), (float64(y) + 0.5) / float64(c.size)
}

// paint is the colour and the opacity at a place.
type paint func(x, y float64) (rgb, float64)

func flat(col rgb) paint { return func(x, y float64) (rgb, float64) { return col, 1 } }

func veil(col rgb, opacity float64) paint {
	return func(x, y float64) (rgb, float64) { return col, opacity }
}

// vertical goes through the colours from top to bottom.
func vertical(top, bottom float64, colours ...rgb) paint {
	return func(x, y float64) (rgb, float64) { return ramp((y-top)/(bottom-top), colours...), 1 }
}

// glow is brightest at (cx, cy) and fades out at distance r.
func glow(cx, cy, r float64, col rgb, opacity float64) paint {
	return func(x, y float64) (rgb, float64) {
		t := clamp(1 - hypot(x-cx, y-cy)/r)
		return col, opacity * t * t
	}
}

// wash paints the rows from top to bottom.
func (c *canvas) wash(top, bottom float64, p paint) {
	for y := max(0, int(top*float64(c.size))); y < min(c.size, int(math.Ceil(bottom*float64(c.size)))); y++ {
		for x := range c.size {
			col, opacity := p(c.centre(x, y))
			c.blend(x, y, col, steps(opacity))
		}
	}
}

// grid is the fineness of outlines: parts of a pixel.
const grid = 64

// fill paints the inside of the outline, with smooth edges.
func (c *canvas) fill(outline []point, p paint) {
	// Rounding to the grid comes first: it makes the pixels the same everywhere.
	vertices := make([]point, len(outline))
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for i, v := range outline {
		v = point{math.Round(v.x*float64(c.size)*grid) / grid, math.Round(v.y*float64(c.size)*grid) / grid}
		vertices[i] = v
		lo, hi = point{min(lo.x, v.x), min(lo.y, v.y)}, point{max(hi.x, v.x), max(hi.y, v.y)}
	}
	box := image.Rect(int(math.Floor(lo.x)), int(math.Floor(lo.y)), int(math.Ceil(hi.x)), int(math.Ceil(hi.y))).Intersect(c.img.Rect)
	if box.Empty() {
		return
	}

	w, h := box.Dx(), box.Dy()
	c.ras.Reset(w, h)
	for i, v := range vertices {
		x, y := float32(v.x-float64(box.Min.X)), float32(v.y-float64(box.Min.Y))
		if i == 0 {
			c.ras.MoveTo(x, y)
		} else {
			c.ras.LineTo(x, y)
		}
	}
	c.ras.ClosePath()
	if cap(c.mask.Pix) < w*h {
		c.mask.Pix = make([]uint8, w*h)
	}
	c.mask = image.Alpha{Pix: c.mask.Pix[:w*h], Stride: w, Rect: image.Rect(0, 0, w, h)}
	c.ras.DrawOp = draw.Src
	c.ras.Draw(&c.mask, c.mask.Rect, image.Opaque, image.Point{})

	for y := range h {
		for x, cover := range c.mask.Pix[y*w : (y+1)*w] {
			if cover == 0 {
				continue
			}
			px, py := box.Min.X+x, box.Min.Y+y
			col, opacity := p(c.centre(px, py))
			c.blend(px, py, col, (int(cover)+int(cover)>>7)*steps(opacity)>>8)
		}
	}
}

// stroke paints a line of the given width through the points.
func (c *canvas) stroke(line []point, width float64, p paint) {
	left, right := make([]point, len(line)), make([]point, len(line))
	for i, v := range line {
		a, b := line[max(i-1, 0)], line[min(i+1, len(line)-1)]
		d := hypot(b.x-a.x, b.y-a.y) + 1e-9
		nx, ny := (a.y-b.y)/d*width/2, (b.x-a.x)/d*width/2
		left[i] = point{v.x + nx, v.y + ny}
		right[len(line)-1-i] = point{v.x - nx, v.y - ny}
	}
	c.fill(append(left, right...), p)
}

// ellipse has the half axes rx and ry, the first turned by angle.
func ellipse(cx, cy, rx, ry, angle float64) []point {
	const n = 48
	sin, cos := math.Sincos(angle)
	outline := make([]point, n)
	for i := range outline {
		s, k := math.Sincos(2 * math.Pi * float64(i) / n)
		outline[i] = point{cx + rx*k*cos - ry*s*sin, cy + rx*k*sin + ry*s*cos}
	}
	return outline
}

func disc(cx, cy, r float64) []point { return ellipse(cx, cy, r, r, 0) }

func rectangle(x0, y0, x1, y1 float64) []point {
	return []point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}
}

// placed moves an outline: scaled, then turned by angle, then shifted to (x, y).
func placed(outline []point, x, y, scale, angle float64) []point {
	sin, cos := math.Sincos(angle)
	moved := make([]point, len(outline))
	for i, v := range outline {
		moved[i] = point{x + scale*(v.x*cos-v.y*sin), y + scale*(v.x*sin+v.y*cos)}
	}
	return moved
}

func hypot(x, y float64) float64 { return math.Sqrt(x*x + y*y) }

// profile is a height over x from 0 to 1, straight between its points.
type profile []float64

func (p profile) at(x float64) float64 {
	s := clamp(x) * float64(len(p)-1)
	i := min(int(s), len(p)-2)
	return p[i] + (p[i+1]-p[i])*(s-float64(i))
}

// ridge is a random profile round 0 that at each of its levels is half as long
// and rough times as high as at the one before.
func (c *canvas) ridge(levels int, height, rough float64) profile {
	p := profile{c.between(-height, height), c.between(-height, height)}
	for range levels {
		finer := make(profile, 0, 2*len(p))
		for i, v := range p[:len(p)-1] {
			finer = append(finer, v, (v+p[i+1])/2+c.between(-height, height))
		}
		p = append(finer, p[len(p)-1])
		height *= rough
	}
	return p
}

// ground is the outline of what lies below the profile, whose 0 is at y.
func ground(p profile, y float64) []point {
	outline := []point{{1.1, 1.1}, {-0.1, 1.1}, {-0.1, y + p[0]}}
	for i, h := range p {
		outline = append(outline, point{float64(i) / float64(len(p)-1), y + h})
	}
	return append(outline, point{1.1, y + p[len(p)-1]})
}

// noise is a smooth random field from 0 to 1 whose bumps are about 1 wide; each
// layer is a field of its own.
func (c *canvas) noise(layer int, x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	at := func(dx, dy int) float64 {
		h := c.field + uint64(layer)*0x9e3779b97f4a7c15 + uint64(int(fx)+dx)*0xbf58476d1ce4e5b9 + uint64(int(fy)+dy)*0x94d049bb133111eb
		h = (h ^ h>>31) * 0xd6e8feb86659fd93
		h = (h ^ h>>32) * 0xd6e8feb86659fd93
		return float64(h>>40) / (1 << 24)
	}
	tx, ty := smooth(0, 1, x-fx), smooth(0, 1, y-fy)
	top, bottom := at(0, 0)+(at(1, 0)-at(0, 0))*tx, at(0, 1)+(at(1, 1)-at(0, 1))*tx
	return top + (bottom-top)*ty
}

// clouds is noise of several finenesses, from 0 to 1.
func (c *canvas) clouds(layer int, x, y float64) float64 {
	sum, weight := 0.0, 0.5
	for i := range 4 {
		sum += weight * c.noise(layer*8+i, x, y)
		x, y, weight = x*2, y*2, weight/2
	}
	return sum / 0.9375
}

// finish gives the picture its light and its grain, as a camera would.
func (c *canvas) finish() {
	gain, cast := c.count(225, 285), [3]int{c.count(-6, 6), c.count(-6, 6), c.count(-6, 6)}
	sigma := c.count(2, 7) // of the grain, in levels
	mirrored := c.chance(0.5)
	for y := range c.size {
		row := c.img.Pix[y*c.img.Stride:][:4*c.size]
		if mirrored {
			for a, b := 0, 4*(c.size-1); a < b; a, b = a+4, b-4 {
				pa, pb := [4]byte(row[a:]), [4]byte(row[b:])
				copy(row[a:], pb[:])
				copy(row[b:], pa[:])
			}
		}
		for x := range c.size {
			// Four bytes added up are close to a Gaussian of deviation 148.
			u := c.random.Uint32()
			grain := (int(u&255+u>>8&255+u>>16&255+u>>24) - 510) * sigma / 148
			p := row[4*x:][:4]
			for i := range cast {
				p[i] = uint8(min(max((int(p[i])*gain>>8)+cast[i]+grain, 0), 255))
			}
		}
	}
}
