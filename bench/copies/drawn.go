package main

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"lookalike/internal/sample"
)

// A kind of pictures is drawn by its number and a source of chance: no two are copies.
type kind struct {
	name string
	draw func(i int, r *rand.Rand) image.Image
}

// drawnKinds are the pictures that are no photographs, as people have them.
var drawnKinds = []kind{
	{"paintings", painting},
	{"line drawings", lineDrawing},
	{"icons", icon},
	{"screens", screen},
	{"pages", page},
	{"pages with a title", titlePage},
	{"forms", form},
	{"forms, one field", fieldForm},
	{"receipts", receipt},
	{"charts", chart},
	{"flat", flat},
	{"halves", halves},
}

// many makes n pictures of a kind.
func (k kind) many(n int) []image.Image {
	all := make([]image.Image, n)
	for i := range all {
		all[i] = k.draw(i, rand.New(rand.NewPCG(uint64(i), uint64(len(k.name)))))
	}
	return all
}

var paintings []image.Image

func painting(i int, _ *rand.Rand) image.Image {
	if paintings == nil {
		for p := range sample.Gallery(7, 30, 192) {
			paintings = append(paintings, p.Image)
		}
	}
	return paintings[i%len(paintings)]
}

// canvas is drawn on in straight lines, boxes and words.
type canvas struct {
	*image.NRGBA
	r *rand.Rand
}

func blank(r *rand.Rand, w, h int, ground color.Color) *canvas {
	c := &canvas{image.NewNRGBA(image.Rect(0, 0, w, h)), r}
	draw.Draw(c, c.Rect, image.NewUniform(ground), image.Point{}, draw.Src)
	return c
}

func (c *canvas) box(x, y, w, h int, col color.Color) {
	draw.Draw(c, image.Rect(x, y, x+w, y+h), image.NewUniform(col), image.Point{}, draw.Over)
}

func (c *canvas) frame(x, y, w, h, t int, col color.Color) {
	c.box(x, y, w, t, col)
	c.box(x, y+h-t, w, t, col)
	c.box(x, y, t, h, col)
	c.box(x+w-t, y, t, h, col)
}

func (c *canvas) line(x0, y0, x1, y1, width float64, col color.NRGBA) {
	steps := int(2*math.Hypot(x1-x0, y1-y0)) + 1
	for i := range steps + 1 {
		t := float64(i) / float64(steps)
		c.dot(x0+t*(x1-x0), y0+t*(y1-y0), width/2, col)
	}
}

func (c *canvas) dot(x, y, radius float64, col color.NRGBA) {
	for py := int(y - radius - 1); py <= int(y+radius+1); py++ {
		for px := int(x - radius - 1); px <= int(x+radius+1); px++ {
			if math.Hypot(float64(px)+0.5-x, float64(py)+0.5-y) <= max(radius, 0.5) && image.Pt(px, py).In(c.Rect) {
				c.SetNRGBA(px, py, col)
			}
		}
	}
}

func (c *canvas) ring(x, y, rx, ry, width float64, col color.NRGBA) {
	last := [2]float64{x + rx, y}
	for i := 1; i <= 48; i++ {
		a := float64(i) * math.Pi / 24
		next := [2]float64{x + rx*math.Cos(a), y + ry*math.Sin(a)}
		c.line(last[0], last[1], next[0], next[1], width, col)
		last = next
	}
}

var faces = map[int]font.Face{}

func (c *canvas) text(x, y, size int, text string, col color.Color) {
	if faces[size] == nil {
		parsed, err := opentype.Parse(goregular.TTF)
		if err != nil {
			panic(err)
		}
		if faces[size], err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: float64(size), DPI: 72}); err != nil {
			panic(err)
		}
	}
	d := font.Drawer{Dst: c, Src: image.NewUniform(col), Face: faces[size], Dot: fixed.P(x, y)}
	d.DrawString(text)
}

const syllables = "ka le mi no pu ra se ti vo zu ben dor fal gim hun jor lak mes nip tor"

func (c *canvas) word() string {
	all := strings.Fields(syllables)
	var b strings.Builder
	for range 1 + c.r.IntN(3) {
		b.WriteString(all[c.r.IntN(len(all))])
	}
	return b.String()
}

func (c *canvas) words(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = c.word()
	}
	return strings.Join(all, " ")
}

func (c *canvas) between(lo, hi int) int { return lo + c.r.IntN(hi-lo+1) }

func (c *canvas) colour() color.NRGBA {
	return color.NRGBA{uint8(c.r.IntN(256)), uint8(c.r.IntN(256)), uint8(c.r.IntN(256)), 255}
}

var (
	ink   = color.NRGBA{0, 0, 0, 255}
	paper = color.NRGBA{255, 255, 255, 255}
)

// lineDrawing is a figure of thin lines, on white or on transparent ground, and then
// sometimes white itself.
func lineDrawing(i int, r *rand.Rand) image.Image {
	ground, pen := color.NRGBA{255, 255, 255, 255}, ink
	switch i % 4 {
	case 1:
		ground = color.NRGBA{}
	case 2:
		ground, pen = color.NRGBA{255, 255, 255, 0}, paper
	case 3:
		ground, pen = color.NRGBA{}, color.NRGBA{20, 60, 180, 255}
	}
	c := blank(r, 256, 256, ground)
	at := func() float64 { return float64(c.between(24, 232)) }
	width := float64(c.between(3, 8))
	for range c.between(1, 4) {
		switch c.r.IntN(4) {
		case 0:
			c.ring(at(), at(), float64(c.between(20, 100)), float64(c.between(20, 100)), width, pen)
		case 1:
			x, y := at(), at()
			for range c.between(2, 6) {
				nx, ny := at(), at()
				c.line(x, y, nx, ny, width, pen)
				x, y = nx, ny
			}
		case 2:
			x, y := c.between(10, 120), c.between(10, 120)
			c.frame(x, y, c.between(40, 120), c.between(40, 120), int(width), pen)
		case 3:
			for k := range c.between(2, 7) {
				c.text(30, 40+k*28, 15, c.words(3), pen)
			}
		}
	}
	return c.NRGBA
}

// icon is a filled sign in one colour on transparent ground.
func icon(i int, r *rand.Rand) image.Image {
	side := []int{48, 64, 96, 128}[i%4]
	c := blank(r, side, side, color.NRGBA{})
	pen := []color.NRGBA{ink, paper, {40, 40, 40, 255}, {0, 122, 255, 255}}[i/4%4]
	unit := float64(side) / 16
	for range c.between(2, 4) {
		x, y := unit*float64(c.between(2, 14)), unit*float64(c.between(2, 14))
		switch c.r.IntN(4) {
		case 0:
			c.dot(x, y, unit*float64(c.between(1, 4)), pen)
		case 1:
			c.box(int(x), int(y), int(unit)*c.between(2, 8), int(unit)*c.between(1, 6), pen)
		case 2:
			c.line(x, y, unit*float64(c.between(1, 15)), unit*float64(c.between(1, 15)), unit*1.5, pen)
		case 3:
			c.ring(x, y, unit*float64(c.between(2, 6)), unit*float64(c.between(2, 6)), unit, pen)
		}
	}
	return c.NRGBA
}

// screen is a conversation, a list of settings, or a table.
func screen(i int, r *rand.Rand) image.Image {
	switch i % 3 {
	case 0:
		c := blank(r, 540, 960, color.NRGBA{236, 229, 221, 255})
		c.box(0, 0, 540, 70, color.NRGBA{7, 94, 84, 255})
		c.text(60, 44, 24, c.word(), paper)
		for y := 90; y < 900; {
			w, h := c.between(140, 380), c.between(1, 3)*24+16
			x, col := 12, color.Color(paper)
			if c.r.IntN(2) == 0 {
				x, col = 528-w, color.NRGBA{220, 248, 198, 255}
			}
			c.box(x, y, w, h, col)
			for k := range h / 24 {
				c.text(x+10, y+24+24*k, 16, c.words(max(1, w/75)), ink)
			}
			y += h + c.between(8, 40)
		}
		return c.NRGBA
	case 1:
		c := blank(r, 540, 960, color.NRGBA{242, 242, 247, 255})
		c.text(24, 70, 34, "Settings", ink)
		for k := range c.between(6, 12) {
			c.box(16, 110+66*k, 508, 60, paper)
			c.box(30, 124+66*k, 32, 32, c.colour())
			c.text(80, 148+66*k, 20, c.words(c.between(1, 3)), ink)
			if c.r.IntN(2) == 0 {
				c.box(450, 128+66*k, 56, 26, color.NRGBA{52, 199, 89, 255})
			}
		}
		return c.NRGBA
	}
	c := blank(r, 800, 600, paper)
	c.box(0, 0, 800, 36, color.NRGBA{33, 115, 70, 255})
	for y := 60; y < 600; y += 24 {
		c.box(0, y, 800, 1, color.NRGBA{210, 210, 210, 255})
		for x := 0; x < 800; x += 100 {
			if c.r.IntN(3) > 0 {
				c.text(x+6, y-6, 13, fmt.Sprint(c.r.IntN(100000)), ink)
			}
		}
	}
	return c.NRGBA
}

func page(_ int, r *rand.Rand) image.Image {
	c := blank(r, 600, 776, paper)
	for y := 60; y < 730; y += 18 {
		if c.r.IntN(9) > 0 {
			c.text(50, y, 12, c.words(c.between(5, 11)), ink)
		}
	}
	return c.NRGBA
}

func titlePage(i int, r *rand.Rand) image.Image {
	c := blank(r, 600, 776, paper)
	if i%2 == 0 {
		c.text(60, 110, 28, fmt.Sprintf("Chapter %d", i/2), ink)
	} else {
		c.text(60, 110, 28, c.words(2), ink)
	}
	return c.NRGBA
}

// form is printed alike for all, and filled in otherwise in each.
func form(_ int, r *rand.Rand) image.Image {
	c := blank(r, 600, 776, paper)
	fixed := &canvas{c.NRGBA, rand.New(rand.NewPCG(1, 1))}
	fixed.text(60, 70, 26, "Application for a permit", ink)
	for k := range 14 {
		y := 120 + 44*k
		fixed.text(60, y, 12, fixed.words(2), ink)
		fixed.frame(220, y-20, 320, 30, 1, ink)
		c.text(230, y, 16, c.words(c.between(1, 3)), color.NRGBA{20, 20, 120, 255})
	}
	return c.NRGBA
}

// fieldForm is the same form, filled in alike but for one field.
func fieldForm(i int, r *rand.Rand) image.Image {
	c := blank(r, 600, 776, paper)
	fixed := &canvas{c.NRGBA, rand.New(rand.NewPCG(1, 1))}
	fixed.text(60, 70, 26, "Application for a permit", ink)
	for k := range 14 {
		y := 120 + 44*k
		fixed.text(60, y, 12, fixed.words(2), ink)
		fixed.frame(220, y-20, 320, 30, 1, ink)
		if k == 6 {
			c.text(230, y, 16, fmt.Sprintf("%s %d", c.words(2), i), ink)
		} else {
			fixed.text(230, y, 16, fixed.words(2), ink)
		}
	}
	return c.NRGBA
}

func receipt(_ int, r *rand.Rand) image.Image {
	c := blank(r, 300, 680, color.NRGBA{250, 250, 248, 255})
	c.text(80, 40, 20, "SUPERMARKET", ink)
	n := c.between(14, 20)
	for k := range n {
		c.text(20, 90+26*k, 14, c.word(), ink)
		c.text(230, 90+26*k, 14, fmt.Sprintf("%d.%02d", c.r.IntN(40), c.r.IntN(100)), ink)
	}
	c.text(20, 130+26*n, 18, fmt.Sprintf("TOTAL %d.%02d", c.r.IntN(400), c.r.IntN(100)), ink)
	return c.NRGBA
}

func chart(i int, r *rand.Rand) image.Image {
	c := blank(r, 640, 480, paper)
	c.line(60, 20, 60, 420, 2, ink)
	c.line(60, 420, 620, 420, 2, ink)
	pen := color.NRGBA{31, 119, 180, 255}
	if i%2 == 0 {
		x, y := 60.0, float64(c.between(40, 400))
		for range 28 {
			ny := float64(c.between(40, 400))
			c.line(x, y, x+20, ny, 2, pen)
			x, y = x+20, ny
		}
	} else {
		for k := range 12 {
			h := c.between(10, 380)
			c.box(75+45*k, 420-h, 30, h, pen)
		}
	}
	return c.NRGBA
}

// flat is a colour, or nearly: a lens cap, snow, fog, an empty page, a gradient.
func flat(i int, r *rand.Rand) image.Image {
	c := blank(r, 300, 400, ink)
	switch i % 4 {
	case 0:
		c.box(0, 0, 300, 400, c.colour())
	case 1:
		v := uint8(i * 9 / 5) // no two alike
		c.box(0, 0, 300, 400, color.NRGBA{v, v, v, 255})
	case 2: // noise round a gray
		mean, spread := c.r.IntN(256), 1+c.r.IntN(10)
		for k := 0; k < len(c.Pix); k += 4 {
			v := uint8(min(max(mean+c.between(-spread, spread), 0), 255))
			c.Pix[k], c.Pix[k+1], c.Pix[k+2] = v, v, v
		}
	case 3: // soft shades of snow, sand or night
		base, a, b := c.colour(), c.r.Float64()*12-6, c.r.Float64()*12-6
		for y := range 400 {
			for x := range 300 {
				d := a*float64(x)/300 + b*float64(y)/400
				at := c.PixOffset(x, y)
				for k, v := range []uint8{base.R, base.G, base.B} {
					c.Pix[at+k] = uint8(min(max(float64(v)+d, 0), 255))
				}
			}
		}
	}
	return c.NRGBA
}

// halves are light on one side and dark on the other, with faint signs on both.
func halves(_ int, r *rand.Rand) image.Image {
	c := blank(r, 600, 400, color.NRGBA{245, 245, 245, 255})
	c.box(300, 0, 300, 400, color.NRGBA{10, 10, 10, 255})
	for range 18 {
		c.ring(float64(c.between(15, 285)), float64(c.between(15, 385)), float64(c.between(4, 16)), float64(c.between(4, 16)), 1, color.NRGBA{215, 215, 215, 255})
		c.frame(c.between(310, 570), c.between(10, 370), c.between(8, 26), c.between(8, 26), 1, color.NRGBA{45, 45, 45, 255})
	}
	return c.NRGBA
}
