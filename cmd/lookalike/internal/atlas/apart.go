package atlas

import (
	"math"
	"slices"
)

// box is a picture's place: its middle and its size, which is at most 1 by 1.
type box struct{ x, y, width, height float64 }

const (
	filled  = 0.4  // part of the square round all pictures that they cover at first
	gap     = 0.05 // between neighbours
	nudges  = 400  // at most, of every picture
	settled = 0.02 // an overlap that is too small to see
	slim    = 8    // longest shape that points count as having
)

// apart lays boxes of the given sizes where the points are, y pointing up and with
// as much room as they need, and pushes those that overlap away from each other,
// pair by pair. The result depends on nothing but its arguments.
func apart(points [][2]float64, sizes [][2]float64) []box {
	n := len(points)
	boxes := make([]box, n)
	if n == 0 {
		return boxes
	}
	low, high, area := points[0], points[0], 0.0
	for i, p := range points {
		for axis, v := range p {
			low[axis], high[axis] = min(low[axis], v), max(high[axis], v)
		}
		area += (sizes[i][0] + gap) * (sizes[i][1] + gap)
	}
	w, h := high[0]-low[0], high[1]-low[1]
	w, h = max(w, h/slim), max(h, w/slim)
	scale := 0.0
	if w > 0 {
		scale = math.Sqrt(area/filled) / math.Sqrt(w) / math.Sqrt(h)
	}
	for i, p := range points {
		y, x := math.Sincos(float64(i)) // what coincides goes apart in all directions
		boxes[i] = box{p[0]*scale + settled*x, -p[1]*scale + settled*y, sizes[i][0], sizes[i][1]}
	}
	for range nudges {
		if nudge(boxes) <= settled {
			break
		}
	}
	return boxes
}

// nudge moves all pairs of boxes that overlap, once, and returns the largest
// overlap there was.
func nudge(boxes []box) (worst float64) {
	// Boxes whose middles lie less than 1 + gap apart may overlap: those of a
	// square of that side and of the squares round it.
	const side = 1 + gap
	type square struct{ x, y int32 }
	in := make(map[square][]int32, len(boxes))
	at := func(b *box) square { return square{int32(math.Floor(b.x / side)), int32(math.Floor(b.y / side))} }
	order := make([]square, 0, len(boxes))
	for i := range boxes {
		s := at(&boxes[i])
		if len(in[s]) == 0 {
			order = append(order, s)
		}
		in[s] = append(in[s], int32(i))
	}
	slices.SortFunc(order, func(a, b square) int {
		if a.y != b.y {
			return int(a.y) - int(b.y)
		}
		return int(a.x) - int(b.x)
	})
	for _, s := range order {
		for k, i := range in[s] {
			for _, j := range in[s][k+1:] {
				worst = max(worst, part(&boxes[i], &boxes[j]))
			}
			for _, d := range [...]square{{1, 0}, {-1, 1}, {0, 1}, {1, 1}} { // each pair of squares once
				for _, j := range in[square{s.x + d.x, s.y + d.y}] {
					worst = max(worst, part(&boxes[i], &boxes[j]))
				}
			}
		}
	}
	return worst
}

// part moves two boxes away from each other, if they overlap, by half of what
// they do each, and returns how much that was.
func part(a, b *box) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	x := (a.width+b.width)/2 + gap - math.Abs(dx)
	y := (a.height+b.height)/2 + gap - math.Abs(dy)
	if x <= 0 || y <= 0 {
		return 0
	}
	// Along the line through both middles, so that groups keep their shapes, and
	// only as far as parts them on one axis.
	far := min(x/max(math.Abs(dx), settled/10), y/max(math.Abs(dy), settled/10))
	across, down := dx*far, dy*far
	a.x -= across / 2
	a.y -= down / 2
	b.x += across / 2
	b.y += down / 2
	return min(x, y)
}
