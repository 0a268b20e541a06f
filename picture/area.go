package picture

// Area resizes by averaging what each new pixel covers of the old ones, parts of
// pixels by their part: the way to make thumbnails, for fine detail turns into
// its mean where Nearest and Bilinear pick some of it. A larger size repeats
// pixels. Where the picture is transparent, colours count by how far they are seen,
// so the result is on any ground what the picture is on it. Sizes below 1 panic.
func Area(m *Image, width, height int) *Image {
	checkResize("Area", m, width, height)
	if m.Upper != nil {
		pix := *m
		pix.Upper = nil
		out := Area(&pix, width, height)
		out.Upper = areaPlane(m.Upper, m.Width, m.Height, width, height)
		return out
	}
	if m.Alpha != nil {
		return areaAlpha(m, width, height)
	}
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

// areaAlpha is Area for a picture with alpha, pixel by pixel.
func areaAlpha(m *Image, width, height int) *Image {
	out := New(width, height)
	out.Alpha = make([]uint8, width*height)
	columns := covers(m.Width, width)
	sums := make([][4]float64, width) // of red, green and blue times alpha, and of alpha
	for y, c := range covers(m.Height, height) {
		clear(sums)
		for k := range c.count() {
			pix, alpha := m.row(c.first+k), m.Alpha[(c.first+k)*m.Width:]
			for x, d := range columns {
				s := &sums[x]
				for i := range d.count() {
					at := d.first + i
					a := float64(c.weight(k)*d.weight(i)) * float64(alpha[at])
					s[0] += a * float64(pix[3*at])
					s[1] += a * float64(pix[3*at+1])
					s[2] += a * float64(pix[3*at+2])
					s[3] += a
				}
			}
		}
		row := out.row(y)
		for x, s := range sums {
			if s[3] > 0 {
				for i := range 3 {
					row[3*x+i] = uint8(min(s[i]/s[3]+0.5, 255))
				}
			}
			out.Alpha[y*width+x] = uint8(min(s[3]+0.5, 255))
		}
	}
	return out
}

// areaPlane is Area for a value a pixel.
func areaPlane(plane []uint8, fromWidth, fromHeight, width, height int) []uint8 {
	out := make([]uint8, 0, width*height)
	columns, sums := covers(fromWidth, width), make([]float32, width)
	for _, c := range covers(fromHeight, height) {
		clear(sums)
		for k := range c.count() {
			row := plane[(c.first+k)*fromWidth:]
			for x, d := range columns {
				for i := range d.count() {
					sums[x] += c.weight(k) * d.weight(i) * float32(row[d.first+i])
				}
			}
		}
		for _, v := range sums {
			out = append(out, uint8(min(v+0.5, 255)))
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
