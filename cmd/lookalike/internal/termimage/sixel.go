package termimage

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"slices"
)

// sixelColours is how many colours a picture may have. Terminals have registers
// for 256; one number is kept for what is transparent.
const sixelColours = 255

// sixelWidest is how many pixels wide a picture may be: xterm does not show what
// is more than 1000 wide or high.
const sixelWidest = 1000

// placed puts sixels at the start of the line, with the cursor on the one below
// afterwards. Terminals differ in where they leave it, in the picture's last line,
// below that, or one further, so lines are made for the picture first, and one
// more, and then only moves count. Where the terminal's measures are not known, or
// less than the picture's, it is left to the terminal.
func (t Terminal) placed(sixels []byte, height int) []byte {
	if t.Cell.Y <= 0 {
		return append(sixels, '\n')
	}
	bands := (height + 5) / 6 * 6
	lines := (bands + t.Cell.Y - 1) / t.Cell.Y
	if lines >= t.Rows {
		return append(sixels, '\n')
	}
	room := bytes.Repeat([]byte("\n"), lines+1)
	return fmt.Appendf(room, "\x1b[%dA\x1b7%s\x1b8\x1b[%dB", lines+1, sixels, lines)
}

// sixel returns a picture as sixels: bands of six rows, each drawn once for every
// colour in it. What the palette lacks is made up for by the neighbours (Floyd and
// Steinberg).
func sixel(m *image.RGBA) []byte {
	colours := quantize(m, sixelColours)
	palette := color.Palette{color.RGBA{}}
	for _, c := range colours {
		palette = append(palette, c.rgba())
	}
	p := image.NewPaletted(image.Rectangle{Max: m.Rect.Size()}, palette)
	draw.FloydSteinberg.Draw(p, p.Rect, m, m.Rect.Min)

	width, height := p.Rect.Dx(), p.Rect.Dy()
	var b bytes.Buffer
	// The second 1 leaves pixels as they are that get no colour.
	fmt.Fprintf(&b, "\x1bP0;1;0q\"1;1;%d;%d", width, height)
	for i, c := range colours {
		fmt.Fprintf(&b, "#%d;2;%d;%d;%d", i+1, c[0], c[1], c[2])
	}
	sixels := make([]byte, len(palette)*width) // of a band, for each colour
	for top := 0; top < height; top += 6 {
		clear(sixels)
		used := make([]bool, len(palette))
		for y := top; y < min(top+6, height); y++ {
			for x, c := range p.Pix[y*p.Stride:][:width] {
				sixels[int(c)*width+x] |= 1 << (y - top)
				used[c] = true
			}
		}
		for c := 1; c < len(palette); c++ {
			if used[c] {
				fmt.Fprintf(&b, "#%d", c)
				writeSixels(&b, sixels[c*width:][:width])
				b.WriteByte('$') // back to the start of the band
			}
		}
		b.WriteByte('-') // the next band
	}
	// After the last band the cursor stays in it.
	return append(bytes.TrimSuffix(b.Bytes(), []byte("-")), "\x1b\\"...)
}

// writeSixels writes a colour's sixels, runs of equal ones shortened and empty
// ones at the end left out.
func writeSixels(b *bytes.Buffer, row []byte) {
	for x := 0; x < len(row); {
		end := x + 1
		for end < len(row) && row[end] == row[x] {
			end++
		}
		switch char := '?' + row[x]; {
		case end == len(row) && row[x] == 0:
		case end-x > 3:
			fmt.Fprintf(b, "!%d%c", end-x, char)
		default:
			b.Write(bytes.Repeat([]byte{char}, end-x))
		}
		x = end
	}
}

// percent is a colour as sixels have it: red, green and blue from 0 to 100.
type percent [3]int

func (p percent) rgba() color.RGBA {
	level := func(v int) uint8 { return uint8((v*255 + 50) / 100) }
	return color.RGBA{level(p[0]), level(p[1]), level(p[2]), 255}
}

// tally is how many pixels have a colour, to 5 bits a channel, and the sum of
// their exact values.
type tally struct {
	at  [3]int
	n   int
	sum [3]int
}

// quantize returns at most so many colours for what is to be seen in a picture: the
// means of boxes, of which that with the largest sum of squared differences in one
// channel is cut in two at that channel's mean, until there are enough.
func quantize(m *image.RGBA, most int) []percent {
	tallies := make([]tally, 1<<15)
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			if !seen(m, x, y) {
				continue
			}
			c := m.RGBAAt(x, y)
			t := &tallies[int(c.R)>>3<<10|int(c.G)>>3<<5|int(c.B)>>3]
			t.at = [3]int{int(c.R) >> 3, int(c.G) >> 3, int(c.B) >> 3}
			t.n++
			t.sum[0], t.sum[1], t.sum[2] = t.sum[0]+int(c.R), t.sum[1]+int(c.G), t.sum[2]+int(c.B)
		}
	}
	tallies = slices.DeleteFunc(tallies, func(t tally) bool { return t.n == 0 })
	if len(tallies) == 0 {
		return nil
	}
	boxes := []box{newBox(tallies)}
	for len(boxes) < most {
		widest := 0
		for i := range boxes {
			if boxes[i].squares > boxes[widest].squares {
				widest = i
			}
		}
		if boxes[widest].squares == 0 {
			break // every box has one colour
		}
		a, b := boxes[widest].cut()
		boxes[widest] = a
		boxes = append(boxes, b)
	}
	var colours []percent
	for _, b := range boxes {
		if c := b.mean(); !slices.Contains(colours, c) {
			colours = append(colours, c)
		}
	}
	return colours
}

// box is some of the colours, with the channel in which they differ most, its mean,
// and the sum of squared differences from that, 0 for one colour.
type box struct {
	tallies         []tally
	axis            int
	middle, squares float64
}

func newBox(tallies []tally) box {
	b := box{tallies: tallies}
	if len(tallies) < 2 {
		return b
	}
	for a := range tallies[0].at {
		n, sum, square := 0.0, 0.0, 0.0
		for _, t := range tallies {
			v := float64(t.at[a])
			n, sum, square = n+float64(t.n), sum+float64(t.n)*v, square+float64(t.n)*v*v
		}
		if off := square - sum*sum/n; off > b.squares {
			b.axis, b.middle, b.squares = a, sum/n, off
		}
	}
	return b
}

// cut divides a box into what is up to the mean of its channel, and what is above.
func (b box) cut() (box, box) {
	slices.SortStableFunc(b.tallies, func(s, t tally) int { return s.at[b.axis] - t.at[b.axis] })
	n := slices.IndexFunc(b.tallies, func(t tally) bool { return float64(t.at[b.axis]) > b.middle })
	if n < 1 { // by rounding of the mean
		n = len(b.tallies) / 2
	}
	return newBox(b.tallies[:n]), newBox(b.tallies[n:])
}

func (b box) mean() percent {
	n, sum := 0, [3]int{}
	for _, t := range b.tallies {
		n += t.n
		for a, v := range t.sum {
			sum[a] += v
		}
	}
	var p percent
	for a, v := range sum {
		p[a] = (100*v + 255*n/2) / (255 * n)
	}
	return p
}
