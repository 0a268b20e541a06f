package picture

import "image"

// upsampler brings the chroma planes of a JPEG to full size, row by row, as
// libjpeg-turbo does by default ("fancy" upsampling): halved directions by a
// triangle filter whose weights are 3/4 for the nearer and 1/4 for the farther
// sample, with roundings that alternate so that no direction is preferred;
// quartered ones, and planes of less than three columns, by repetition.
type upsampler struct {
	src           *image.YCbCr
	width, height int // of a chroma plane; what image/jpeg keeps beyond is padding
	triangle      bool
	cb, cr        []uint8 // one row at full width, two more samples for odd widths
}

func newUpsampler(src *image.YCbCr) *upsampler {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dx, dy := ratio(src.SubsampleRatio)
	u := &upsampler{src: src, width: (w + dx - 1) / dx, height: (h + dy - 1) / dy}
	u.triangle = u.width > 2
	if dx > 1 || dy > 1 {
		u.cb = make([]uint8, u.width*dx)
		u.cr = make([]uint8, u.width*dx)
	}
	return u
}

// ratio returns how many pixels share a chroma sample, across and down.
func ratio(r image.YCbCrSubsampleRatio) (dx, dy int) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// row returns chroma for the pixels of row y, valid until the next call.
func (u *upsampler) row(y int) (cb, cr []uint8) {
	s := u.src
	dx, dy := ratio(s.SubsampleRatio)
	near, far := y/dy, 0
	if dy == 2 {
		far = farther(y, u.height)
	}
	plane := func(dst, src []uint8) []uint8 {
		a := src[near*s.CStride:][:u.width]
		b := src[far*s.CStride:][:u.width]
		switch {
		case dx == 1 && dy == 1:
			return a
		case dx == 1:
			mixRows(dst, a, b, y)
		case dx == 2 && !u.triangle, dx == 4:
			repeat(dst, a, dx)
		case dy == 1:
			double(dst, a)
		default:
			doubleRows(dst, a, b)
		}
		return dst
	}
	return plane(u.cb, s.Cb), plane(u.cr, s.Cr)
}

// farther returns which of the n halved rows is second nearest to row y.
func farther(y, n int) int {
	if y%2 == 0 {
		return max(y/2-1, 0)
	}
	return min(y/2+1, n-1)
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
