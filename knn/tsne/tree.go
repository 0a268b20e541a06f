package tsne

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"sort"
)

// tree is a quadtree over points. Points are sorted along Morton's curve, so that
// each square of the plane that is halved again and again holds a run of them, and
// nodes lie as they are visited: a square, then what lies in it.
type tree struct {
	order  []place
	points [][2]float64 // in that order
	nodes  []node
	span   float64 // side of the square round all points
}

// place is a point on the curve.
type place struct {
	code  uint64
	point int32
}

// node is a square with points in it.
type node struct {
	x, y   float64 // their centre of mass
	mass   float64 // their number
	side   float64
	after  int32 // the first node that does not lie in the square
	lo, hi int32 // the points of a square that is not divided; else empty
}

const (
	codeBits   = 31 // of each coordinate
	leafPoints = 8  // in a square that is not divided, or more where codes are equal
)

// build makes the tree of other points.
func (t *tree) build(points [][2]float64) {
	n := len(points)
	if t.order == nil {
		t.order, t.points = make([]place, n), make([][2]float64, n)
	}
	low, high := points[0], points[0]
	for _, p := range points {
		for axis, v := range p {
			low[axis], high[axis] = min(low[axis], v), max(high[axis], v)
		}
	}
	t.span = max(high[0]-low[0], high[1]-low[1], math.SmallestNonzeroFloat64)
	scale := (1<<codeBits - 1) / t.span
	if math.IsInf(scale, 1) { // all points coincide
		scale = 0
	}
	for i, p := range points {
		t.order[i] = place{spread(uint64((p[0]-low[0])*scale)) | spread(uint64((p[1]-low[1])*scale))<<1, int32(i)}
	}
	slices.SortFunc(t.order, func(a, b place) int {
		if a.code != b.code {
			return cmp.Compare(a.code, b.code)
		}
		return cmp.Compare(a.point, b.point)
	})
	for i, p := range t.order {
		t.points[i] = points[p.point]
	}
	t.nodes = t.nodes[:0]
	t.grow(0, n)
}

// spread puts a zero between any two bits.
func spread(v uint64) uint64 {
	v = (v | v<<16) & 0x0000ffff0000ffff
	v = (v | v<<8) & 0x00ff00ff00ff00ff
	v = (v | v<<4) & 0x0f0f0f0f0f0f0f0f
	v = (v | v<<2) & 0x3333333333333333
	return (v | v<<1) & 0x5555555555555555
}

// grow adds the smallest square that holds the points [lo, hi), and those in it.
func (t *tree) grow(lo, hi int) {
	i := len(t.nodes)
	t.nodes = append(t.nodes, node{})
	differ := bits.Len64(t.order[lo].code ^ t.order[hi-1].code) // lowest bits in which codes differ
	level := codeBits - (differ+1)/2                            // how often the whole was halved
	this := node{mass: float64(hi - lo), side: math.Ldexp(t.span, -level)}
	if hi-lo <= leafPoints || differ == 0 {
		this.lo, this.hi = int32(lo), int32(hi)
		for _, p := range t.points[lo:hi] {
			this.x += p[0]
			this.y += p[1]
		}
	} else {
		shift := 2 * (codeBits - 1 - level)
		for from := lo; from < hi; {
			quarter := t.order[from].code >> shift
			to := from + sort.Search(hi-from, func(k int) bool { return t.order[from+k].code>>shift != quarter })
			child := len(t.nodes)
			t.grow(from, to)
			c := &t.nodes[child]
			this.x += c.x * c.mass
			this.y += c.y * c.mass
			from = to
		}
	}
	this.x /= this.mass
	this.y /= this.mass
	this.after = int32(len(t.nodes))
	t.nodes[i] = this
}

// repel returns the sum over all other points of (p - other)/(1+distance²)² and
// that of 1/(1+distance²). A square that is seen from p at an angle under theta
// counts as its points in their centre of mass.
func (t *tree) repel(p [2]float64, theta float64) (push [2]float64, near float64) {
	x, y := p[0], p[1]
	for i := 0; i < len(t.nodes); {
		n := &t.nodes[i]
		dx, dy := x-n.x, y-n.y
		square := dx*dx + dy*dy
		switch {
		case n.side*n.side < theta*theta*square:
			q := 1 / (1 + square)
			near += n.mass * q
			q *= n.mass * q
			push[0] += q * dx
			push[1] += q * dy
			i = int(n.after)
		case n.lo < n.hi:
			for _, other := range t.points[n.lo:n.hi] {
				dx, dy := x-other[0], y-other[1]
				q := 1 / (1 + dx*dx + dy*dy)
				near += q
				q *= q
				push[0] += q * dx
				push[1] += q * dy
			}
			i = int(n.after)
		default:
			i++
		}
	}
	return push, near - 1 // p itself
}
