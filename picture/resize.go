package picture

import (
	"fmt"
	"math"
)

// Nearest resizes by taking, for the centre of each new pixel, the pixel that it
// falls on. It equals Pillow's resize with NEAREST, the default of Keras's
// load_img. Alpha and the upper bits of gray are taken along. Sizes below 1 panic.
func Nearest(m *Image, width, height int) *Image {
	checkResize("Nearest", m, width, height)
	out := New(width, height)
	columns := nearest(m.Width, width)
	picked := func(plane []uint8) []uint8 {
		if plane == nil {
			return nil
		}
		to := make([]uint8, 0, width*height)
		for _, sy := range nearest(m.Height, height) {
			for _, sx := range columns {
				to = append(to, plane[sy*m.Width+sx])
			}
		}
		return to
	}
	out.Alpha, out.Upper = picked(m.Alpha), picked(m.Upper)
	for y, sy := range nearest(m.Height, height) {
		src, dst := m.row(sy), out.row(y)
		for x, sx := range columns {
			d, s := dst[3*x:3*x+3], src[3*sx:3*sx+3]
			d[0], d[1], d[2] = s[0], s[1], s[2]
		}
	}
	return out
}

// nearest returns the old index for each new one. Positions are summed up, not
// multiplied out, because Pillow does so and its rounding decides ties.
func nearest(from, to int) []int {
	index := make([]int, to)
	step := float64(from) / float64(to)
	at := step * 0.5
	for i := range index {
		index[i] = min(int(at), from-1)
		at += step
	}
	return index
}

// Bilinear resizes by weighting the four pixels round the centre of each new
// one. It equals OpenCV's resize with INTER_LINEAR, its default, to the bit:
// weights have 11 bits of fraction, and there is no smoothing before a picture
// is made smaller, so fine detail aliases as it does there. Alpha is dropped. Sizes
// below 1 panic.
func Bilinear(m *Image, width, height int) *Image {
	checkResize("Bilinear", m, width, height)
	if width == m.Width && height == m.Height {
		return &Image{Width: width, Height: height, Pix: append([]uint8(nil), m.Pix...)}
	}
	out := New(width, height)
	columns, rows := taps(m.Width, width), taps(m.Height, height)
	// Two source rows at the new width; consecutive new rows mostly share them.
	var upper, lower line
	upper.init(width)
	lower.init(width)
	for y, t := range rows {
		if upper.y != t.first && lower.y == t.first {
			upper, lower = lower, upper
		}
		upper.fill(m, t.first, columns)
		lower.fill(m, t.second, columns)
		mix(out.row(y), upper.values, lower.values, t)
	}
	return out
}

// tap says which two samples a new one is made of, and their weights in 2048ths.
type tap struct {
	first, second int
	a, b          int32
}

func taps(from, to int) []tap {
	t := make([]tap, to)
	scale := 1 / (float64(to) / float64(from))
	for i := range t {
		at := float32((float64(i)+0.5)*scale - 0.5)
		low := int(math.Floor(float64(at)))
		f := at - float32(low)
		t[i] = tap{
			max(low, 0), min(low+1, from-1),
			int32(math.RoundToEven(float64((1 - f) * 2048))),
			int32(math.RoundToEven(float64(f * 2048))),
		}
	}
	return t
}

// line is a source row resized across, values times 128: the weights' 11 bits
// less the 4 that OpenCV drops before it weights rows.
type line struct {
	y      int
	values []int32
}

func (l *line) init(width int) { l.y, l.values = -1, make([]int32, 3*width) }

func (l *line) fill(m *Image, y int, columns []tap) {
	if l.y == y {
		return
	}
	l.y = y
	src := m.row(y)
	for x, t := range columns {
		p, q, d := src[3*t.first:][:3], src[3*t.second:][:3], l.values[3*x:][:3]
		d[0] = (int32(p[0])*t.a + int32(q[0])*t.b) >> 4
		d[1] = (int32(p[1])*t.a + int32(q[1])*t.b) >> 4
		d[2] = (int32(p[2])*t.a + int32(q[2])*t.b) >> 4
	}
}

// mix weights two lines. Each product is cut to 16 bits on its own, as the
// multiply-high instruction does that OpenCV uses.
func mix(dst []uint8, upper, lower []int32, t tap) {
	upper, lower, a, b := upper[:len(dst)], lower[:len(dst)], t.a, t.b
	for i := range dst {
		dst[i] = uint8((a*upper[i]>>16 + b*lower[i]>>16 + 2) >> 2)
	}
}

func checkResize(op string, m *Image, width, height int) {
	if err := m.Check(); err != nil {
		panic(fmt.Sprintf("picture.%s: %v", op, err))
	}
	if width < 1 || height < 1 {
		panic(fmt.Sprintf("picture.%s: cannot resize %dx%d to %dx%d", op, m.Width, m.Height, width, height))
	}
}
