package gemm

import (
	"time"

	"lookalike/internal/cpu"
	"lookalike/internal/f32"
	"lookalike/internal/parallel"
)

// thinRows is the number of rows of C up to which B is read in place: it is used
// too little to pay for packing.
const thinRows = 4

// thin computes x at the speed at which memory delivers B.
func thin(x product) {
	parts := max(1, min(parallel.Goroutines(thinTime(x)), x.n*x.k/thinGrain))
	switch {
	case x.layout == inColumns:
		w := workspaces.Get().(*workspace)
		defer workspaces.Put(w)
		if x.acs != 1 {
			w.a = grow(w.a, x.m*x.k)
			for r := range x.m {
				for p := range x.k {
					w.a[r*x.k+p] = x.a[r*x.ars+p*x.acs]
				}
			}
			x.a, x.ars, x.acs = w.a, x.k, 1
		}
		x.spans(parts, product.addDots)
	case x.m == 1 && parts > 1 && ceil(x.k, x.step) >= parts:
		x.oneRow(parts)
	default:
		x.spans(parts, product.addThin)
	}
}

// spans gives C its start values, adds A·B and activates, a span of columns for each
// of about as many goroutines as parts.
func (x product) spans(parts int, add func(part product)) {
	spans.Spans(x.n, ceil(ceil(x.n, parts), kernel.NR)*kernel.NR, thinTime(x), span{x, add}, span.compute)
}

// span is a product of which some columns are computed.
type span struct {
	product
	add func(part product)
}

var spans parallel.Loop[span]

func (s span) compute(lo, hi int) {
	part := s.columns(lo, hi)
	part.begin()
	s.add(part)
	part.finish()
}

// thinTime returns about how long one goroutine takes for a thin product whose B comes
// from a cache: 16 multiplications a nanosecond.
func thinTime(x product) time.Duration { return time.Duration(x.m*x.n*x.k) / 8 }

// begin gives C its start values.
func (x product) begin() {
	for r := range x.m {
		row := x.c[r*x.ldc:][:x.n]
		switch {
		case x.start == nil:
			clear(row)
		case x.lds == 0:
			copy(row, x.start)
		}
	}
}

// addDots adds A·B to C, for a transposed B.
func (x product) addDots() {
	for j := range x.n {
		for r := range x.m {
			x.c[r*x.ldc+j] += f32.Dot(x.a[r*x.ars:][:x.k], x.b[j*x.ldb:][:x.k])
		}
	}
}

// addThin adds A·B to C, for B as it is stored. It sums step terms at a time from
// zero, as blocks does, so that a row comes out the same in whatever number of rows.
func (x product) addThin() {
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	w.b = grow(w.b, x.m*x.n)
	for p := 0; p < x.k; p += x.step {
		x.slab(p, min(p+x.step, x.k)).sumThin(w.b)
		for r := range x.m {
			f32.Axpy(x.c[r*x.ldc:][:x.n], 1, w.b[r*x.n:][:x.n])
		}
	}
}

// oneRow computes a single row. Each goroutine reads an equal stretch of B as it lies
// in memory, which is faster than columns of all rows: slab after slab, of the first
// and the last some columns only. The sums of each slab wait to be added up in order.
func (x product) oneRow(parts int) {
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	slabs := ceil(x.k, x.step)
	w.b = grow(w.b, slabs*x.n)
	stretches.For(parts, thinTime(x), stretch{x, w.b, parts}, stretch.sum)
	x.begin()
	for slab := range slabs {
		f32.Axpy(x.c[:x.n], 1, w.b[slab*x.n:][:x.n])
	}
	x.finish()
}

// stretch is a product of one row whose B is cut in parts as it lies in memory.
type stretch struct {
	product
	sums  []float32 // of each slab
	parts int
}

var stretches parallel.Loop[stretch]

func (s stretch) sum(i int) {
	slabs, panels := ceil(s.k, s.step), ceil(s.n, kernel.NR)
	at, end := i*slabs*panels/s.parts, (i+1)*slabs*panels/s.parts
	for at < end {
		slab, panel := at/panels, at%panels
		count := min(end-at, panels-panel)
		lo, hi := panel*kernel.NR, min(s.n, (panel+count)*kernel.NR)
		s.slab(slab*s.step, min(s.k, (slab+1)*s.step)).columns(lo, hi).sumThin(s.sums[slab*s.n+lo:])
		at += count
	}
}

// sumThin computes A·B, for B as it is stored, to sums, row after row. Rows of A take
// turns at a part of B that the first of them has brought into cache.
func (x product) sumThin(sums []float32) {
	clear(sums[:x.m*x.n])
	if _, l2 := cpu.Caches(); 4*x.k*x.n <= l2/2 {
		for r := range x.m {
			f32.AddCachedVecMat(sums[r*x.n:][:x.n], x.k, skip(x.a, r*x.ars), x.acs, x.b, x.ldb)
		}
		return
	}
	for j := 0; j < x.n; j += thinWidth {
		width := min(thinWidth, x.n-j)
		for p := 0; p < x.k; p += thinDepth {
			k := min(thinDepth, x.k-p)
			add := f32.ReadVecMat
			for r := range x.m {
				add(sums[r*x.n+j:][:width], k, skip(x.a, r*x.ars+p*x.acs), x.acs, x.b[p*x.ldb+j:], x.ldb)
				add = f32.AddVecMat
			}
		}
	}
}

const (
	// thinGrain is how many multiplications of one row pay for another goroutine: 16
	// microseconds where B is in a cache. (With a fourth of that 512x512 values took
	// 85 microseconds on two threads whose second was asleep, 12 on one.)
	thinGrain = 1 << 17
	thinDepth = 8 // the part of B that is in cache while rows of C take turns
	thinWidth = 4096
)
