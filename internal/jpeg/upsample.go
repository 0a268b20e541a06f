package jpeg

// plane brings the samples of a component to full size, row by row, as libjpeg-turbo
// does by default ("fancy" upsampling): halved directions by a triangle filter whose
// weights are 3/4 for the nearer and 1/4 for the farther sample, with roundings that
// alternate so that no direction is preferred; all others, and planes of less than three
// columns, by repetition.
type plane struct {
	samples       []uint8
	stride        int
	width, height int // what the samples have beyond is padding
	dx, dy        int // how many pixels share a sample, across and down
	full          []uint8
}

func (d *decoder) plane(c *component, width, height int) *plane {
	p := &plane{samples: c.pixels, stride: c.side * c.stride, dx: d.maxH / c.h, dy: d.maxV / c.v}
	p.width, p.height = divideUp(width, p.dx), divideUp(height, p.dy)
	if p.dx > 1 || p.dy > 1 {
		p.full = make([]uint8, p.width*p.dx)
	}
	return p
}

// row returns the samples for the pixels of row y, valid until the next call.
func (p *plane) row(y int) []uint8 {
	near := p.samples[y/p.dy*p.stride:][:p.width]
	switch {
	case p.dx == 1 && p.dy == 1:
		return near
	case p.dx == 2 && p.dy == 1 && p.width > 2:
		double(p.full, near)
	case p.dx == 1 && p.dy == 2:
		mixRows(p.full, near, p.farther(y), y)
	case p.dx == 2 && p.dy == 2 && p.width > 2:
		doubleRows(p.full, near, p.farther(y))
	default:
		repeat(p.full, near, p.dx)
	}
	return p.full
}

// farther returns which of the halved rows is second nearest to row y.
func (p *plane) farther(y int) []uint8 {
	far := min(y/2+1, p.height-1)
	if y%2 == 0 {
		far = max(y/2-1, 0)
	}
	return p.samples[far*p.stride:][:p.width]
}

// repeat writes each sample n times.
func repeat(dst, src []uint8, n int) {
	for i, v := range src {
		for j := range n {
			dst[n*i+j] = v
		}
	}
}

// mixRows interpolates down: row y lies a quarter of a sample from near.
func mixRows(dst, near, far []uint8, y int) {
	bias := 1 + y%2
	for i, v := range near {
		dst[i] = uint8((3*int(v) + int(far[i]) + bias) >> 2)
	}
}

// double interpolates across, for at least two samples.
func double(dst, src []uint8) {
	n := len(src)
	dst = dst[:2*n]
	dst[0], dst[2*n-1] = src[0], src[n-1]
	a := int(src[0])
	for i, v := range src[1:] {
		b := int(v)
		dst[2*i+1] = uint8((3*a + b + 2) >> 2)
		dst[2*i+2] = uint8((3*b + a + 1) >> 2)
		a = b
	}
}

// doubleRows interpolates in both directions, rounding once.
func doubleRows(dst, near, far []uint8) {
	n := len(near)
	dst, far = dst[:2*n], far[:n]
	a := 3*int(near[0]) + int(far[0])
	dst[0] = uint8((4*a + 8) >> 4)
	for i := 1; i < n; i++ {
		b := 3*int(near[i]) + int(far[i])
		dst[2*i-1] = uint8((3*a + b + 7) >> 4)
		dst[2*i] = uint8((3*b + a + 8) >> 4)
		a = b
	}
	dst[2*n-1] = uint8((4*a + 7) >> 4)
}
