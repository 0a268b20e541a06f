package picture

// Area resizes by averaging what each new pixel covers of the old ones, parts of
// pixels by their part: the way to make thumbnails, for fine detail turns into
// its mean where Nearest and Bilinear pick some of it. A larger size repeats
// pixels. Sizes below 1 panic.
func Area(m *Image, width, height int) *Image {
	checkResize("Area", m, width, height)
	out := New(width, height)
	columns, rows := covers(m.Width, width), covers(m.Height, height)
	line, sums := make([]float32, 3*width), make([]float32, 3*width)
	have := -1 // the row that line was made of; neighbouring new rows may share one
	for y, c := range rows {
		clear(sums)
		for k := range c.count() {
			if sy := c.first + k; sy != have {
				average(line, m.row(sy), columns)
				have = sy
			}
			weight := c.weight(k)
			for i, v := range line {
				sums[i] += float32(weight * v)
			}
		}
		dst := out.row(y)
		for i, v := range sums {
			dst[i] = uint8(min(v+0.5, 255))
		}
	}
	return out
}

// cover says which old samples a new one covers: some from first on, the first
// and the last of them in part. The weights add up to 1.
type cover struct {
	first, whole      int // whole ones between the two at the ends
	head, inner, tail float32
}

func (c cover) count() int {
	if c.tail > 0 {
		return c.whole + 2
	}
	return c.whole + 1
}

func (c cover) weight(k int) float32 {
	switch {
	case k == 0:
		return c.head
	case k <= c.whole:
		return c.inner
	}
	return c.tail
}

// covers works in whole numbers: an old sample is to long, a new one from long.
func covers(from, to int) []cover {
	all := make([]cover, to)
	for i := range all {
		lo, hi := i*from, (i+1)*from
		first, last := lo/to, (hi-1)/to
		c := cover{first: first, head: 1}
		if last > first {
			c.whole = last - first - 1
			c.inner = float32(float64(to) / float64(from))
			c.head = float32(float64((first+1)*to-lo) / float64(from))
			c.tail = float32(float64(hi-last*to) / float64(from))
		}
		all[i] = c
	}
	return all
}

// average makes a row of new width.
func average(dst []float32, src []uint8, columns []cover) {
	for x, c := range columns {
		p := src[3*c.first:]
		r, g, b := c.head*float32(p[0]), c.head*float32(p[1]), c.head*float32(p[2])
		if c.whole > 0 {
			var wr, wg, wb int
			inner := p[3 : 3+3*c.whole]
			for len(inner) >= 3 {
				wr, wg, wb = wr+int(inner[0]), wg+int(inner[1]), wb+int(inner[2])
				inner = inner[3:]
			}
			r += float32(c.inner * float32(wr))
			g += float32(c.inner * float32(wg))
			b += float32(c.inner * float32(wb))
		}
		if c.tail > 0 {
			p = p[3*c.whole+3:]
			r += float32(c.tail * float32(p[0]))
			g += float32(c.tail * float32(p[1]))
			b += float32(c.tail * float32(p[2]))
		}
		dst[3*x], dst[3*x+1], dst[3*x+2] = r, g, b
	}
}
