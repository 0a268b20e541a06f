package regions

import "math"

// Placement says how one picture lies over another: a point x, y of the first, from
// 0 to 1 over its width and height, is at X + ScaleX x, Y + ScaleY y of the second.
// A ScaleX below 0 is a mirrored picture.
type Placement struct {
	X, Y, ScaleX, ScaleY float64
	Matches              []Match // those that agree with it
}

const (
	mostHypotheses = 400 // matches that pairs are made of: the most alike
	leastScale     = 0.2
	leastAgreeing  = 8
	leastPart      = 0.25 // of the matches
)

// Place finds how a lies over b, if their matches agree on that: by the pair of
// matches whose placement most others agree with to within a cell of b. Sizes are
// height and width of the maps in cells. Without enough agreement, ok is false: the
// pictures show like things, but not the same.
func Place(matches []Match, sizeA, sizeB [2]int) (best Placement, ok bool) {
	type point struct{ ax, ay, bx, by float64 }
	points := make([]point, len(matches))
	middle := func(cell int, size [2]int) (x, y float64) {
		return (float64(cell%size[1]) + 0.5) / float64(size[1]), (float64(cell/size[1]) + 0.5) / float64(size[0])
	}
	for i, m := range matches {
		p := &points[i]
		p.ax, p.ay = middle(m.A, sizeA)
		p.bx, p.by = middle(m.B, sizeB)
	}
	agree := func(pl Placement, p point) bool {
		return math.Abs(pl.X+pl.ScaleX*p.ax-p.bx)*float64(sizeB[1]) <= 1 && math.Abs(pl.Y+pl.ScaleY*p.ay-p.by)*float64(sizeB[0]) <= 1
	}
	most := 0
	some := points[:min(len(points), mostHypotheses)]
	for i, p := range some {
		for _, q := range some[:i] {
			// Near pairs say little about the scale.
			if math.Abs(p.ax-q.ax) < 0.3 || math.Abs(p.ay-q.ay) < 0.3 {
				continue
			}
			var pl Placement
			pl.ScaleX, pl.ScaleY = (p.bx-q.bx)/(p.ax-q.ax), (p.by-q.by)/(p.ay-q.ay)
			if s := math.Abs(pl.ScaleX); s < leastScale || s > 1/leastScale || pl.ScaleY < leastScale || pl.ScaleY > 1/leastScale {
				continue
			}
			pl.X, pl.Y = p.bx-pl.ScaleX*p.ax, p.by-pl.ScaleY*p.ay
			n := 0
			for _, r := range points {
				if agree(pl, r) {
					n++
				}
			}
			if n > most {
				most, best = n, pl
			}
		}
	}
	if most < leastAgreeing || float64(most) < leastPart*float64(len(matches)) {
		return Placement{}, false
	}
	for i, p := range points {
		if agree(best, p) {
			best.Matches = append(best.Matches, matches[i])
		}
	}
	return best, true
}
