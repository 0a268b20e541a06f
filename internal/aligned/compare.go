package aligned

import (
	"math"
	"slices"

	"lookalike/picture"
)

// Verdict is what the second look finds.
type Verdict int

const (
	Different Verdict = iota
	Same
	Unclear // there is too little in the pictures to tell
)

func (v Verdict) String() string {
	switch v {
	case Same:
		return "same"
	case Unclear:
		return "unclear"
	}
	return "different"
}

const (
	block     = 8    // pixels a side of a part
	leastSide = 3    // blocks that a level has at each side, at least
	alike     = 0.7  // correlation of parts that agree
	unlike    = 0.5  // of parts that do not
	mostBad   = 0.15 // of the parts with structure in a copy of a photograph, such as one that is written on;
	mostWide  = 0.03 // at half the size, where marks of compression are gone, unless they lie in a corner or a line
	compact   = 0.3  // of the picture: where what is written on a copy lies
	plain     = 0.55 // of a picture has one brightness: what is on it is written, drawn or printed
	sparse    = 0.15 // of all parts have structure in a drawing: there all of them have to agree, closely
	closely   = 0.85 // in a sparse picture
	plainly   = 0.8  // in a plain one, where there is as much contrast as in writing:
	contrast  = 16
	leastGood = 24 // parts that have to agree,
	leastFull = 6  // or so many where they are half of all: small pictures
)

// Compare tells whether two pictures are copies of one another.
func Compare(a, b *View) Verdict { v, _ := Why(a, b); return v }

// Why is Compare, with what it has found on each ground and level.
func Why(a, b *View) (Verdict, []Finding) {
	switch {
	case a.pixels == b.pixels:
		return Same, nil
	case !a.tells || !b.tells:
		return Unclear, nil
	}
	w := min(max(min(a.small.Width, b.small.Width), leastSide*block), mostSide)
	h := min(max(min(a.small.Height, b.small.Height), leastSide*block), mostSide)
	grounds := []uint8{255}
	if a.small.Alpha != nil || b.small.Alpha != nil {
		grounds = []uint8{255, 0}
	}
	verdict := Unclear
	var all []Finding
	for _, ground := range grounds {
		v, found := on(resized(a.small, w, h).On(ground), resized(b.small, w, h).On(ground))
		all = append(all, found...)
		switch {
		case v == Different:
			return Different, all
		case v == Same:
			verdict = Same
		case !empty(found): // there is something, but too little
			return Unclear, all
		}
	}
	return verdict, all
}

func resized(m *picture.Image, w, h int) *picture.Image {
	if m.Width == w && m.Height == h {
		return m
	}
	return picture.Area(m, w, h)
}

// Finding is what is found at one size of two pictures.
type Finding struct {
	Blocks       int     // that were compared
	Good, Bad    int     // of those with structure in both: that agree, that do not
	Weak         int     // neither
	OnlyA, OnlyB int     // with structure in one of the two
	Least        float64 // correlation of parts that agree
	LeastClear   float64 // of parts with much contrast, whether they agree or not
	Floor        float64
	Tone, Colour float64 // the part of blocks whose brightness or colour is another one
	Plain        bool    // they are plain ground with something on it
	Wide         float64 // the part of the picture in which Bad, Weak and Only parts lie
	Gray         bool    // one of the two has no colours, the other has
	Away         float64 // mean difference of brightness
}

func empty(all []Finding) bool {
	for _, f := range all {
		if f.Good+f.Bad+f.Weak+f.OnlyA+f.OnlyB > 0 {
			return false
		}
	}
	return true
}

// on compares two opaque pictures of the same size.
func on(a, b *picture.Image) (Verdict, []Finding) {
	ya, cba, cra := planes(a)
	yb, cbb, crb := planes(b)
	softA, softB := equallySharp(ya, yb)
	levels := [][2]plane{{softA, softB}}
	for len(levels) < 3 {
		last := levels[len(levels)-1]
		if min(last[0].w, last[0].h) < 2*leastSide*block {
			break
		}
		levels = append(levels, [2]plane{last[0].half(), last[1].half()})
	}
	isPlain := ground(softA) >= plain && ground(softB) >= plain
	at := inPlace
	all := make([]Finding, len(levels))
	for i := len(levels) - 1; i >= 0; i-- {
		a, b := levels[i][0], levels[i][1]
		switch {
		case i == len(levels)-1:
			at = align(a, b, at, 8)
		case i > 0:
			at = align(a, b, at, 3)
		}
		w, inside := b.warp(at)
		all[i] = structure(a, w, inside)
		all[i].Plain = isPlain
		if all[i].weigh(i) == Different {
			return Different, all[i:]
		}
	}
	all[0].colours([3]plane{ya, cba, cra}, [3]plane{yb, cbb, crb}, at)
	return verdict(all), all
}

// verdict weighs what was found at all levels, at full size first.
func verdict(all []Finding) Verdict {
	if all[0].Tone > 0.06 || all[0].Colour > 0.06 {
		return Different
	}
	v := Same
	for i, f := range all {
		if w := f.weigh(i); w == Different || w == Unclear && v == Same {
			v = w
		}
	}
	return v
}

// weigh is the verdict by what was found at one level.
func (f Finding) weigh(level int) Verdict {
	with, lone := f.Good+f.Bad+f.Weak, max(f.OnlyA, f.OnlyB)
	bad := float64(f.Bad) + 2*float64(min(f.OnlyA, f.OnlyB)) + 0.4*float64(f.Weak)
	few := float64(with+lone) < sparse*float64(f.Blocks)
	switch {
	case few && (f.Bad > 0 || min(f.OnlyA, f.OnlyB) > 1 || lone > max(1, f.Good/8)),
		bad > mostBad*(float64(with)+bad),
		f.Plain && f.LeastClear < unlike, // nothing may be added to it
		level == 1 && f.Wide > compact && bad > mostWide*(float64(with)+bad),
		level > 0 && lone > 3*f.Good: // nearly all of one is not in the other
		return Different
	case level == 0 && !f.enough(),
		few && (level == 0 && f.Least < closely || f.Gray || f.Away > 40),
		f.Plain && f.LeastClear < plainly:
		return Unclear
	}
	return Same
}

// enough tells whether so much agrees that it is no accident.
func (f Finding) enough() bool {
	return f.Good >= leastGood || f.Good >= leastFull && 2*f.Good >= f.Blocks ||
		2*f.Good >= leastGood && 10*f.Good >= f.Blocks && f.Least >= 0.95
}

// structure compares blocks by what is in them, whatever their brightness and contrast.
func structure(a, b plane, inside []bool) Finding {
	f := Finding{Least: 1, LeastClear: 1}
	type stat struct {
		x, y      int
		sa, sb, r float64
	}
	var all []stat
	for y := 0; y+block <= a.h; y += block {
		for x := 0; x+block <= a.w; x += block {
			var n, ma, mb, aa, bb, ab float64
			for k := range block * block {
				i := (y+k/block)*a.w + x + k%block
				if !inside[i] {
					continue
				}
				p, q := float64(a.v[i]), float64(b.v[i])
				n, ma, mb, aa, bb, ab = n+1, ma+p, mb+q, aa+p*p, bb+q*q, ab+p*q
			}
			if n < block*block*3/4 {
				continue
			}
			ma, mb = ma/n, mb/n
			va, vb := max(aa/n-ma*ma, 0), max(bb/n-mb*mb, 0)
			s := stat{x: x, y: y, sa: math.Sqrt(va), sb: math.Sqrt(vb)}
			if va*vb > 0 {
				s.r = (ab/n - ma*mb) / math.Sqrt(va*vb)
			}
			all = append(all, s)
		}
	}
	if f.Blocks = len(all); f.Blocks == 0 {
		return f
	}
	// What a fifth of the blocks have is noise, or might be; less so in small pictures.
	most := 6.0
	if f.Blocks < 64 {
		most = 2
	}
	floor := func(of func(stat) float64) float64 {
		v := make([]float64, len(all))
		for i, s := range all {
			v[i] = of(s)
		}
		slices.Sort(v)
		return min(max(v[len(v)/5], 1), most)
	}
	noiseA, noiseB := floor(func(s stat) float64 { return s.sa }), floor(func(s stat) float64 { return s.sb })
	f.Floor = 3 * max(noiseA, noiseB)
	left, top, right, bottom := a.w, a.h, 0, 0
	for _, s := range all {
		inA, inB := s.sa > f.Floor, s.sb > f.Floor
		if !inA && !inB {
			continue
		}
		if max(s.sa, s.sb) > contrast {
			f.LeastClear = min(f.LeastClear, s.r)
		}
		if s.r < alike {
			left, top, right, bottom = min(left, s.x), min(top, s.y), max(right, s.x+block), max(bottom, s.y+block)
		}
		switch {
		case s.r >= alike:
			f.Good++
			f.Least = min(f.Least, s.r)
		case inA && inB && s.r < unlike:
			f.Bad++
		case inA && inB:
			f.Weak++
		case inA:
			f.OnlyA++
		default:
			f.OnlyB++
		}
	}
	if right > 0 {
		f.Wide = float64((right-left)*(bottom-top)) / float64(a.w*a.h)
	}
	return f
}

// ground is the part of a plane that has its commonest value, but for a little.
func ground(p plane) float64 {
	const width = 5
	var counts [256 + width]int
	for _, v := range p.v {
		counts[min(max(int(v), 0), 255)]++
	}
	most := 0
	for i := range 256 {
		sum := 0
		for _, n := range counts[i : i+width] {
			sum += n
		}
		most = max(most, sum)
	}
	return float64(most) / float64(len(p.v))
}

// colours compares the mean brightness and colour of the cells of a grid.
func (f *Finding) colours(a, b [3]plane, at placement) {
	const cells = 12
	var means [2][3][cells * cells]float64
	var counts [cells * cells]float64
	for k := range a {
		w, inside := b[k].warp(at)
		clear(counts[:])
		for y := range w.h {
			for x := range w.w {
				i, cell := y*w.w+x, y*cells/w.h*cells+x*cells/w.w
				if inside[i] {
					means[0][k][cell] += float64(a[k].v[i])
					means[1][k][cell] += float64(w.v[i])
					counts[cell]++
				}
			}
		}
		for cell, n := range counts {
			if n > 0 {
				means[0][k][cell] /= n
				means[1][k][cell] /= n
			}
		}
	}
	other, used := 0.0, 0.0
	line := func(k int, through bool) (gain, offset float64) {
		var n, sa, sb, sbb, sab float64
		for cell := range counts {
			if counts[cell] > 0 {
				x, y := means[0][k][cell], means[1][k][cell]
				n, sa, sb, sbb, sab = n+1, sa+x, sb+y, sbb+y*y, sab+x*y
			}
		}
		if n == 0 {
			return 1, 0
		}
		if through {
			return min(max((sab+100*n)/(sbb+100*n), 0.5), 2), 0
		}
		gain = min(max(((sab/n-sa/n*sb/n)+50)/((sbb/n-sb/n*sb/n)+50), 0.5), 2)
		return gain, sa/n - gain*sb/n
	}
	gain, offset := line(0, false)
	for cell := range counts {
		if counts[cell] > 0 {
			used++
			f.Away += math.Abs(means[0][0][cell] - means[1][0][cell])
			if math.Abs(means[0][0][cell]-gain*means[1][0][cell]-offset) > 36 {
				other++
			}
		}
	}
	if used == 0 {
		return
	}
	f.Tone, f.Away = other/used, f.Away/used
	strength := func(of int) float64 {
		sum := 0.0
		for cell := range counts {
			sum += math.Hypot(means[of][1][cell], means[of][2][cell])
		}
		return sum / used
	}
	sa, sb := strength(0), strength(1)
	if min(sa, sb) < 1.5 {
		f.Gray = max(sa, sb) > 1.5
		return
	}
	other = 0
	gb, _ := line(1, true)
	gr, _ := line(2, true)
	for cell := range counts {
		if counts[cell] > 0 && math.Hypot(means[0][1][cell]-gb*means[1][1][cell], means[0][2][cell]-gr*means[1][2][cell]) > 30 {
			other++
		}
	}
	f.Colour = other / used
}

// tells tells whether an opaque picture has enough structure to be known again.
func tells(m *picture.Image) bool {
	y, _, _ := planes(m)
	inside := make([]bool, len(y.v))
	for i := range inside {
		inside[i] = true
	}
	return structure(y, y, inside).enough()
}
