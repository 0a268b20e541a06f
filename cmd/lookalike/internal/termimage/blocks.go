package termimage

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
)

// blocks returns a picture as lines of half blocks: a character's upper half has
// the colour of text, its lower half that of the background.
func blocks(m *image.RGBA, trueColor bool) []byte {
	var b bytes.Buffer
	r := m.Rect
	for y := r.Min.Y; y < r.Max.Y; y += 2 {
		end := r.Max.X // of what is to be seen in the line
		for end > r.Min.X && !seen(m, end-1, y) && !seen(m, end-1, y+1) {
			end--
		}
		now := ""
		for x := r.Min.X; x < end; x++ {
			up, low := seen(m, x, y), seen(m, x, y+1)
			style, char := "0", " "
			switch {
			case up && low:
				style, char = "38;"+sgr(m.RGBAAt(x, y), trueColor)+";48;"+sgr(m.RGBAAt(x, y+1), trueColor), "▀"
			case up:
				style, char = "0;38;"+sgr(m.RGBAAt(x, y), trueColor), "▀"
			case low:
				style, char = "0;38;"+sgr(m.RGBAAt(x, y+1), trueColor), "▄"
			}
			if style != now {
				b.WriteString("\x1b[" + style + "m")
				now = style
			}
			b.WriteString(char)
		}
		if now != "" {
			b.WriteString("\x1b[0m")
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// seen tells whether a pixel is to be seen. Outside the picture none is.
func seen(m *image.RGBA, x, y int) bool { return m.RGBAAt(x, y).A >= 128 }

// sgr is a colour as an argument of 38 or 48 in "select graphic rendition".
func sgr(c color.RGBA, trueColor bool) string {
	if trueColor {
		return fmt.Sprintf("2;%d;%d;%d", c.R, c.G, c.B)
	}
	return fmt.Sprintf("5;%d", xterm256(c))
}

// cubeLevels are the levels of xterm's cube of 6x6x6 colours, numbers 16 to 231.
// From 232 on come 24 greys: 8, 18, up to 238.
var cubeLevels = [6]int{0, 95, 135, 175, 215, 255}

// xterm256 returns the number of the colour in xterm's table that is nearest. The
// first 16 are left out, since people set them as they like.
func xterm256(c color.RGBA) int {
	near := func(v uint8) int {
		best := 0
		for i, level := range cubeLevels {
			if abs(level-int(v)) < abs(cubeLevels[best]-int(v)) {
				best = i
			}
		}
		return best
	}
	off := func(r, g, b int) int {
		r, g, b = r-int(c.R), g-int(c.G), b-int(c.B)
		return r*r + g*g + b*b
	}
	r, g, b := near(c.R), near(c.G), near(c.B)
	grey := min(max(((int(c.R)+int(c.G)+int(c.B))/3-3)/10, 0), 23)
	level := 8 + 10*grey
	if off(level, level, level) < off(cubeLevels[r], cubeLevels[g], cubeLevels[b]) {
		return 232 + grey
	}
	return 16 + 36*r + 6*g + b
}

func abs(v int) int { return max(v, -v) }
