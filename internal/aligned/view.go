// Package aligned looks at two pictures a second time, independently of any vectors:
// it lays one over the other and compares structure, colours and brightness part by
// part. So it finds whether they are copies of one picture, or different ones, or hold
// too little to tell.
package aligned

import (
	"crypto/sha256"
	"encoding/binary"

	"lookalike/picture"
)

// mostSide is how large pictures are looked at: letters of a page are as high as a few
// pixels, and noise and marks of compression are nearly gone from photographs.
const mostSide = 256

// View is what is kept of a picture, at most 256 KB.
type View struct {
	pixels [sha256.Size]byte // of what is seen of the picture, and of its size
	small  *picture.Image
	tells  bool // there is enough in it to know it again
}

// Look makes the view of a picture.
func Look(m *picture.Image) *View {
	w, h := m.Width, m.Height
	if longer := max(w, h); longer > mostSide {
		w, h = max(1, w*mostSide/longer), max(1, h*mostSide/longer)
	}
	v := &View{pixels: hash(m)}
	if v.small = m; w != m.Width || h != m.Height {
		v.small = picture.Area(m, w, h)
	}
	large := resized(v.small, max(w, leastSide*block), max(h, leastSide*block))
	v.tells = tells(large.On(255)) || large.Alpha != nil && tells(large.On(0))
	return v
}

// hash is of the size and of what is seen on light and on dark ground.
func hash(m *picture.Image) (sum [sha256.Size]byte) {
	h := sha256.New()
	var size [16]byte
	binary.LittleEndian.PutUint64(size[:], uint64(m.Width))
	binary.LittleEndian.PutUint64(size[8:], uint64(m.Height))
	h.Write(size[:])
	if m.Alpha == nil {
		h.Write(m.On(0).Pix)
		return [sha256.Size]byte(h.Sum(nil))
	}
	for _, ground := range []uint8{255, 0} {
		for y := range m.Height {
			row := picture.Image{Width: m.Width, Height: 1, Pix: m.Pix[3*y*m.Width:][:3*m.Width], Alpha: m.Alpha[y*m.Width:][:m.Width]}
			if m.Upper != nil {
				row.Upper = m.Upper[y*m.Width:][:m.Width]
			}
			h.Write(row.On(ground).Pix)
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// plane has a value for each pixel.
type plane struct {
	w, h int
	v    []float32
}

func newPlane(w, h int) plane { return plane{w, h, make([]float32, w*h)} }

// planes are the luma of an opaque picture and its two differences of colour, as JPEG
// has them.
func planes(m *picture.Image) (y, cb, cr plane) {
	y, cb, cr = newPlane(m.Width, m.Height), newPlane(m.Width, m.Height), newPlane(m.Width, m.Height)
	for i := range y.v {
		r, g, b := float32(m.Pix[3*i]), float32(m.Pix[3*i+1]), float32(m.Pix[3*i+2])
		l := float32(0.299*r) + float32(0.587*g) + float32(0.114*b)
		y.v[i], cb.v[i], cr.v[i] = l, float32(0.564*(b-l)), float32(0.713*(r-l))
	}
	return y, cb, cr
}

// at is the value between pixels, those at the edges repeated.
func (p plane) at(x, y float64) float32 {
	x, y = min(max(x, 0), float64(p.w-1)), min(max(y, 0), float64(p.h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, p.w-1), min(y0+1, p.h-1)
	fx, fy := float32(x-float64(x0)), float32(y-float64(y0))
	upper := p.v[y0*p.w+x0] + float32(fx*(p.v[y0*p.w+x1]-p.v[y0*p.w+x0]))
	lower := p.v[y1*p.w+x0] + float32(fx*(p.v[y1*p.w+x1]-p.v[y1*p.w+x0]))
	return upper + float32(fy*(lower-upper))
}

// half is the plane at half the size, in the mean of four pixels; a last row or column
// that has no second one is left out.
func (p plane) half() plane {
	out := newPlane(max(1, p.w/2), max(1, p.h/2))
	for y := range out.h {
		for x := range out.w {
			x1, y1 := min(2*x+1, p.w-1), min(2*y+1, p.h-1)
			out.v[y*out.w+x] = (p.v[2*y*p.w+2*x] + p.v[2*y*p.w+x1] + p.v[y1*p.w+2*x] + p.v[y1*p.w+x1]) / 4
		}
	}
	return out
}

// roughness is how much neighbouring pixels differ, in parts of how much all do.
func (p plane) roughness() float64 {
	var n, sum, square, steps float64
	for y := range p.h - 1 {
		for x := range p.w - 1 {
			i := y*p.w + x
			v := float64(p.v[i])
			dx, dy := float64(p.v[i+1])-v, float64(p.v[i+p.w])-v
			n, sum, square, steps = n+1, sum+v, square+float64(v*v), steps+float64(dx*dx)+float64(dy*dy)
		}
	}
	return steps / (max(square-sum*sum/n, 0) + n)
}

// softened is the plane after a step of blurring, with weights of 1, 2 and 1.
func (p plane) softened() plane {
	across, out := newPlane(p.w, p.h), newPlane(p.w, p.h)
	for y := range p.h {
		row, to := p.v[y*p.w:][:p.w], across.v[y*p.w:][:p.w]
		for x, v := range row {
			to[x] = (row[max(x-1, 0)] + 2*v + row[min(x+1, p.w-1)]) / 4
		}
	}
	for y := range p.h {
		above, below := across.v[max(y-1, 0)*p.w:], across.v[min(y+1, p.h-1)*p.w:]
		for x, v := range across.v[y*p.w:][:p.w] {
			out.v[y*p.w+x] = (above[x] + 2*v + below[x]) / 4
		}
	}
	return out
}

// equallySharp blurs the sharper of two planes until it is as soft as the other: a copy
// may have been blurred, or have grown by repeating pixels.
func equallySharp(a, b plane) (plane, plane) {
	const mostSteps = 16
	ra, rb := a.roughness(), b.roughness()
	for range mostSteps {
		switch {
		case ra > 1.1*rb:
			a = a.softened()
			ra = a.roughness()
		case rb > 1.1*ra:
			b = b.softened()
			rb = b.roughness()
		default:
			return a, b
		}
	}
	return a, b
}
