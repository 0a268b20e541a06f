package aligned

import "math"

// placement says where the pixels of one plane lie in another of the same size:
// (x, y) at (a*x + b*y + c, d*x + e*y + f), all from the middle and in half sides.
type placement [6]float64

var inPlace = placement{1, 0, 0, 0, 1, 0}

// near tells whether one picture lies nearly as the other: the cut of a few parts in
// a hundred, or turned by a few degrees.
func (p placement) near() bool {
	for i, x := range p {
		if !(math.Abs(x-inPlace[i]) < 0.16) {
			return false
		}
	}
	return true
}

// warp returns the values of p where the pixels of another plane lie in it, and which of
// these lie within it.
func (p plane) warp(by placement) (out plane, inside []bool) {
	out, inside = newPlane(p.w, p.h), make([]bool, p.w*p.h)
	mx, my := float64(p.w-1)/2, float64(p.h-1)/2
	hx, hy := max(mx, 0.5), max(my, 0.5)
	for y := range p.h {
		v := (float64(y) - my) / hy
		for x := range p.w {
			u := (float64(x) - mx) / hx
			sx, sy := mx+hx*(by[0]*u+by[1]*v+by[2]), my+hy*(by[3]*u+by[4]*v+by[5])
			out.v[y*p.w+x] = p.at(sx, sy)
			inside[y*p.w+x] = sx > -0.75 && sy > -0.75 && sx < float64(p.w)-0.25 && sy < float64(p.h)-0.25
		}
	}
	return out, inside
}

// align finds how b lies under a, from the place where it is thought to be, by least
// squares over small steps (Lucas and Kanade), contrast and brightness left free. Of
// large differences, such as things written on a copy, the weight is bounded.
func align(a, b plane, from placement, steps int) placement {
	at := from
	mx, my := float64(a.w-1)/2, float64(a.h-1)/2
	hx, hy := max(mx, 0.5), max(my, 0.5)
	best, bestError := from, math.Inf(1)
	for step := range steps + 1 {
		w, inside := b.warp(at)
		gain, offset := fit(a, w, inside)
		spread := 0.0
		n := 0
		for i, in := range inside {
			if in {
				spread += math.Abs(float64(a.v[i]) - gain*float64(w.v[i]) - offset)
				n++
			}
		}
		if n < len(inside)/2 {
			return best
		}
		spread = spread/float64(n) + 0.5
		if spread < bestError {
			best, bestError = at, spread
		}
		if step == steps {
			break
		}
		var m [6][7]float64
		for y := 1; y < a.h-1; y++ {
			v := (float64(y) - my) / hy
			for x := 1; x < a.w-1; x++ {
				i := y*a.w + x
				if !inside[i] {
					continue
				}
				u := (float64(x) - mx) / hx
				gx := gain * float64(w.v[i+1]-w.v[i-1]) / 2 * hx
				gy := gain * float64(w.v[i+a.w]-w.v[i-a.w]) / 2 * hy
				r := float64(a.v[i]) - gain*float64(w.v[i]) - offset
				weight := 1 / (1 + (r/(3*spread))*(r/(3*spread)))
				j := [6]float64{gx * u, gx * v, gx, gy * u, gy * v, gy}
				for p, jp := range j {
					jp *= weight
					for q := p; q < len(j); q++ {
						m[p][q] += float64(jp * j[q])
					}
					m[p][6] += float64(jp * r)
				}
			}
		}
		for p := range 6 {
			m[p][p] += 1e-3*m[p][p] + 1e-6
			for q := range p {
				m[p][q] = m[q][p] // it is symmetric
			}
		}
		delta := solve(m)
		moved := 0.0
		for p := range at {
			at[p] += delta[p]
			moved = max(moved, math.Abs(delta[p]))
		}
		if !at.near() {
			return best
		}
		if moved < 2e-4 {
			return at
		}
	}
	return best
}

// fit returns by which gain and offset b comes nearest to a.
func fit(a, b plane, inside []bool) (gain, offset float64) {
	var n, sa, sb, sbb, sab float64
	for i, in := range inside {
		if in {
			x, y := float64(a.v[i]), float64(b.v[i])
			n, sa, sb, sbb, sab = n+1, sa+x, sb+y, sbb+y*y, sab+x*y
		}
	}
	if n == 0 {
		return 1, 0
	}
	variance := sbb/n - sb/n*sb/n
	gain = 1
	if variance > 1e-9 {
		gain = min(max((sab/n-sa/n*sb/n)/variance, 0.25), 4)
	}
	return gain, sa/n - gain*sb/n
}

// solve is elimination with the largest pivot.
func solve(m [6][7]float64) (x [6]float64) {
	for c := range 6 {
		p := c
		for r := c + 1; r < 6; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[p][c]) {
				p = r
			}
		}
		m[c], m[p] = m[p], m[c]
		if math.Abs(m[c][c]) < 1e-12 {
			return [6]float64{}
		}
		for r := range 6 {
			if r != c {
				k := m[r][c] / m[c][c]
				for q := c; q < 7; q++ {
					m[r][q] -= k * m[c][q]
				}
			}
		}
	}
	for c := range 6 {
		x[c] = m[c][6] / m[c][c]
	}
	return x
}
