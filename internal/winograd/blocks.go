package winograd

import (
	"sync"
	"time"

	"lookalike/internal/cpu"
	"lookalike/internal/hugepages"
	"lookalike/internal/parallel"
	"lookalike/internal/tile"
)

// convolution is one call of Convolve. Its tiles are numbered through: picture by
// picture, row by row.
type convolution struct {
	*Kernel
	grid
	dst    []float32
	x      pictures
	dh, dw int // of dst
	pool   bool
	bias   []float32
	floor  float32
}

// tilesOf are the transforms of consecutive tiles: v[i*stride+t*pitch+c] for point
// i, tile lo+t, channel c.
type tilesOf struct {
	lo, n         int
	v             []float32
	pitch, stride int
}

// part returns tiles lo to hi of t.
func (t tilesOf) part(lo, hi int) tilesOf {
	t.lo, t.n, t.v = t.lo+lo, hi-lo, t.v[lo*t.pitch:]
	return t
}

// channels returns t from a channel on.
func (t tilesOf) channels(first int) tilesOf {
	t.v = t.v[first:]
	return t
}

// newTiles lays tiles out in memory from s, to be put back.
func newTiles(s *scratch, lo, n, channels, points int) (tilesOf, *[]float32) {
	t := tilesOf{lo: lo, n: n, pitch: channels}
	t.stride = odd(n * channels)
	b := s.get(points * t.stride)
	t.v = *b
	return t, b
}

// odd rounds n up to an odd multiple of 16, so that the values of all points do not
// fall in the same sets of a cache.
func odd(n int) int { return (n+15)/32*32 + 16 }

// run computes all tiles. Near and far give the same bits.
func (c *convolution) run(tiles int) {
	_, l2 := cpu.Caches()
	part := partSize()
	if 4*c.points()*c.in*part <= l2*2/3 && 4*c.points()*c.in*c.out <= nearKernel && ceil(tiles, part) >= partsEach*parallel.Goroutines(c.alone(tiles)) {
		c.near(tiles, part)
	} else {
		c.far(tiles, part)
	}
}

// partSize returns the number of tiles in a part.
func partSize() int {
	_, l2 := cpu.Caches()
	return ceil(partTiles*max(1, min(l2>>20, 2)), micro.MR) * micro.MR
}

// near computes tiles part by part. A part goes through all steps while it is in the
// second-level cache; the kernel stays in the last-level cache.
func (c *convolution) near(tiles, part int) {
	convolutions.Spans(tiles, part, c.alone(tiles), *c, convolution.nearPart)
}

// convolutions are cut into parts of tiles.
var convolutions parallel.Loop[convolution]

// alone returns about how long one goroutine takes for the products at some tiles: as
// many multiplications a nanosecond as the micro-kernel's tiles are wide.
func (c *convolution) alone(tiles int) time.Duration {
	return time.Duration(tiles) * time.Duration(c.points()*c.in*c.out) / time.Duration(micro.NR)
}

func (c convolution) nearPart(lo, hi int) {
	panels := ceil(c.out, micro.NR)
	t, b := newTiles(&tileScratch, lo, hi-lo, c.in, c.points())
	defer tileScratch.put(b)
	c.transform(t)
	for first := 0; first < panels; first += nearPanels {
		last := min(first+nearPanels, panels)
		m, b := newTiles(&productScratch, lo, hi-lo, (last-first)*micro.NR, c.points())
		for i := range c.points() {
			c.multiply(m, t, i, first, last)
		}
		c.finish(m, first*micro.NR, min(last*micro.NR, c.out)-first*micro.NR)
		productScratch.put(b)
	}
}

// far computes tiles set by set, each step for all of a set, which stays in the
// last-level cache, a point's tiles in the second. The kernel comes from memory, once
// for each set.
func (c *convolution) far(tiles, part int) {
	panels := ceil(c.out, micro.NR)
	set := max(part, setBytes/4/c.points()/(c.in+panels*micro.NR))
	pieces := max(1, min(panels, ceil(partsEach*parallel.Goroutines(c.alone(tiles)), c.points()))) // of a point: all of them read its tiles
	for lo := 0; lo < tiles; lo += set {
		n := min(set, tiles-lo)
		t, tb := newTiles(&tileScratch, lo, n, c.in, c.points())
		m, mb := newTiles(&productScratch, lo, n, panels*micro.NR, c.points())
		s := tileSet{*c, t, m, pieces}
		tileSets.Spans(n, transformGrain, time.Duration(n*c.points()*c.in/transformRate), s, tileSet.transformPart)
		tileSets.For(c.points()*pieces, c.alone(n), s, tileSet.multiplyPiece)
		tileSets.Spans(n, transformGrain, time.Duration(n*c.points()*c.out/transformRate), s, tileSet.finishPart)
		tileScratch.put(tb)
		productScratch.put(mb)
	}
}

// tileSet is a set of tiles that far computes step by step.
type tileSet struct {
	convolution
	tiles, products tilesOf
	pieces          int
}

var tileSets parallel.Loop[tileSet]

func (s tileSet) transformPart(lo, hi int) { s.transform(s.tiles.part(lo, hi)) }

func (s tileSet) finishPart(lo, hi int) { s.finish(s.products.part(lo, hi), 0, s.out) }

func (s tileSet) multiplyPiece(task int) {
	i, piece, panels := task/s.pieces, task%s.pieces, ceil(s.out, micro.NR)
	first := piece * panels / s.pieces
	s.multiply(s.products.channels(first*micro.NR), s.tiles, i, first, (piece+1)*panels/s.pieces)
}

const (
	nearPanels     = 2        // are multiplied before the way back
	partTiles      = 14       // about, in a part, for each MB of second-level cache, up to 2; with 256 channels they take 0.5 MB
	setBytes       = 16 << 20 // of a set's tiles and products
	transformGrain = 4        // tiles
	transformRate  = 4        // values that are transformed in a nanosecond, about
)

// Variables for tests.
var (
	nearKernel = 12 << 20 // bytes of a kernel that stays in the last-level cache
	partsEach  = 4        // parts of work for each goroutine that leave none long without
)

// transform fills t.
func (c *convolution) transform(t tilesOf) {
	side := c.tile + 2
	padded := pixelScratch.get(side * side * c.in)
	defer pixelScratch.put(padded)
	for i := range t.n {
		b, y, x := c.place(t.lo + i)
		from, row, col := c.x.window(*padded, side, b, y*c.tile-c.top, x*c.tile-c.left, 0, c.in)
		input(c.tile, c.in, t.v[i*t.pitch:], t.stride, from, row, col)
	}
}

// grid is how tiles lie on pictures.
type grid struct {
	top, left    int // zeros before a picture
	down, across int // tiles in a picture
}

// place returns the picture that a tile lies in, and its row and column of tiles.
func (g grid) place(tile int) (b, y, x int) {
	return tile / g.across / g.down, tile / g.across % g.down, tile % g.across
}

// pictures are [batch, h, w, channels].
type pictures struct {
	data           []float32
	h, w, channels int
}

// window returns size x size pixels of picture b from (y, x) on, n channels of each
// from first on, with their strides. Where some lie outside the picture it is a copy in
// to, with zeros for them.
func (p pictures) window(to []float32, size, b, y, x, first, n int) (from []float32, row, col int) {
	picture := p.data[b*p.h*p.w*p.channels:][:p.h*p.w*p.channels]
	at := (y*p.w+x)*p.channels + first
	if y >= 0 && x >= 0 && y+size <= p.h && x+size <= p.w {
		return picture[at:], p.w * p.channels, p.channels
	}
	for i := range size {
		for j := range size {
			pixel := to[(i*size+j)*n:][:n]
			if y+i < 0 || y+i >= p.h || x+j < 0 || x+j >= p.w {
				clear(pixel)
			} else {
				copy(pixel, picture[at+(i*p.w+j)*p.channels:])
			}
		}
	}
	return to, size * n, n
}

// multiply computes the products m of tiles t at point i with panels first to last; m
// begins with the first. Meanwhile the panel that is likely to be next is fetched.
func (c *convolution) multiply(m, t tilesOf, i, first, last int) {
	size := c.in * micro.NR
	width := max(c.out-first*micro.NR, lanes())
	height := ceil(t.n, ceil(t.n, micro.MR))
	for p := first; p < last; p++ {
		panel := c.panel(p)[i*size:]
		ahead := c.points() * size // the next panel
		if p+1 == last {
			ahead = size - (p-first)*c.points()*size // the first of the next point
		}
		j := (p - first) * micro.NR
		for r, fetched := 0, 0; r < t.n; r += height {
			if fetched >= size {
				ahead = 0 // all of the next panel has been asked for, and this one is there
			}
			micro.MulAhead(min(height, t.n-r), min(micro.NR, width-j), c.in, t.v[i*t.stride+r*t.pitch:], t.pitch, 1,
				panel, tile.Address(panel, ahead), tile.FetchWidth, nil, 0, m.v[i*m.stride+r*m.pitch+j:], m.pitch)
			asked := c.in / tile.FetchSteps * tile.FetchWidth
			ahead += asked
			fetched += asked
		}
	}
}

// finish stores n channels from first on of the pixels whose products are m.
func (c *convolution) finish(m tilesOf, first, n int) {
	size := c.tile
	if c.pool {
		size /= 2
	}
	whole := max(n, lanes())
	cut := pixelScratch.get(size * size * whole)
	defer pixelScratch.put(cut)
	bias := c.bias[first:]
	for i := range m.n {
		b, y, x := c.place(m.lo + i)
		y, x = y*size, x*size
		if y >= c.dh || x >= c.dw {
			continue // an odd last row or column, which the pool leaves out
		}
		dst := c.dst[((b*c.dh+y)*c.dw+x)*c.out+first:]
		products := m.v[i*m.pitch:]
		if y+size <= c.dh && x+size <= c.dw && n == whole {
			output(c.tile, c.pool, n, dst, c.dw*c.out, c.out, products, m.stride, bias, c.floor)
			continue
		}
		output(c.tile, c.pool, whole, *cut, size*whole, whole, products, m.stride, bias, c.floor)
		for r := range min(size, c.dh-y) {
			for col := range min(size, c.dw-x) {
				copy(dst[(r*c.dw+col)*c.out:][:n], (*cut)[(r*size+col)*whole:])
			}
		}
	}
}

// scratch keeps memory between calls. Tiles, products, pixels and kernels' gradients have
// their own, so that what is small does not take, and then multiply, what is large.
type scratch struct{ pool sync.Pool }

var tileScratch, productScratch, pixelScratch, gradScratch scratch

func (s *scratch) get(n int) *[]float32 {
	b, _ := s.pool.Get().(*[]float32)
	if b == nil {
		b = new([]float32)
	}
	if cap(*b) < n {
		*b = hugepages.Floats(n)
	}
	*b = (*b)[:n]
	return b
}

func (s *scratch) put(b *[]float32) { s.pool.Put(b) }
