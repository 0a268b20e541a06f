// Package code8 searches vectors by codes of 8 bits a value: it makes the codes, multiplies
// them, and tells which rows of many may pass a test. The kernels exist in the tiers of
// package cpu, and the assembly is written by internal/_asm. Lengths are checked here, in
// Go, before any of it is entered.
package code8

import (
	"fmt"
	"math"
	"sync"

	"lookalike/internal/cpu"
)

// tier is one implementation of every kernel.
type tier struct {
	name      string
	bounds    boundsKernel
	codeRange func(four *fourCoded, x []float32, ld int, center []float32)
	codeMake  func(four *fourCoded, codes []uint8, x []float32, ld int, center []float32)
	setBits   func(numbers []int32, masks, wanted []uint64, first []int32) int

	sievePanel sievePanel
	codeSieve  func(masks []uint64, stride int, codes []uint8, rows []float32, q *Queries, tests []Test, ahead []uint8) // nil where products of values are as fast
}

type boundsKernel func(mask []uint64, dots []int32, codes []uint8, rows []float32, q Query, t Test)

// generic is the portable tier: the fallback on every processor, and what the others are
// tested against.
var generic = &tier{name: "generic", bounds: codeBoundsGeneric, codeRange: codeRangeGeneric, codeMake: codeMakeGeneric, setBits: setBitsGeneric}

var active = tierOf(cpu.Tier())

// Rows is the number of vectors in a block of codes, Group the number of
// values of a vector that lie together in it.
const (
	Rows  = 16
	Group = 4
)

// Query is a vector of codes, from -127 to 127, to be multiplied with others. Its
// length is a multiple of Group.
type Query struct {
	codes, sizes []int8 // sizes are the magnitudes
	sum          int32
}

// Set keeps codes. The memory for their magnitudes is used again.
func (q *Query) Set(codes []int8) {
	if len(codes) == 0 || len(codes)%Group != 0 {
		panic(fmt.Sprintf("code8.Query.Set: %d codes", len(codes)))
	}
	q.codes, q.sizes, q.sum = codes, grow(q.sizes, len(codes)), 0
	for i, c := range codes {
		if c == -128 {
			panic("code8.Query.Set: code -128")
		}
		q.sizes[i] = max(c, -c)
		q.sum += int32(c)
	}
}

// Test is a condition on the product of codes with a query's.
type Test struct{ Keep, Product, Radius, Limit float32 }

// passes is the condition for the row whose constants begin there.
func (t Test) passes(constants []float32, dot int32) bool {
	return !(t.Keep*constants[0]-t.Product*(float32(dot)*constants[Rows])-t.Radius*constants[2*Rows] > t.Limit)
}

// Bounds multiplies q with the vectors of blocks of Rows each and tests
// the products. For row r of block b, with the three
// constants keep, scale, radius = rows[b][0][r], rows[b][1][r], rows[b][2][r]:
//
//	dot := 0
//	for i := range q {
//		dot += q[i] * (codes[b][i/4][r][i%4] - 128)
//	}
//	dots[b][r] = dot
//	mask bit b*16+r = !(t.Keep*keep - t.Product*(dot*scale) - t.Radius*radius > t.Limit)
//
// in integers and in float32, where each operation rounds once at most. Make are
// from 1 to 255; vectors have at most 65,536 values.
func Bounds(mask []uint64, dots []int32, codes []uint8, rows []float32, q Query, t Test) {
	blocks := len(dots) / Rows
	if len(q.codes) > 1<<16 || len(dots)%Rows != 0 || len(codes) != blocks*Rows*len(q.codes) || len(rows) != blocks*Rows*3 || len(mask)*64 < len(dots) {
		panic(fmt.Sprintf("code8.Bounds: %d vectors of %d in %d codes with %d constants to %d words", len(dots), len(q.codes), len(codes), len(rows), len(mask)))
	}
	if blocks == 0 {
		return
	}
	mask[(len(dots)-1)/64] = 0
	active.bounds(mask, dots, codes, rows, q, t)
}

// Coded says how codes stand for a vector y: it is about Scale·z, where z are the
// codes less 128.
type Coded struct {
	Most     float32 // the largest magnitude in y; NaN or infinite if y is not finite
	Scale    float32 // 0 where Most is outside float32's comfortable range: then z is arbitrary
	Length   float32 // Σy²
	Squares  float32 // Σz²
	Residual float32 // Σ(y - Scale·z)²
}

// Rounds bounds how many roundings in a row go into a sum of Coded over d values: it
// is a sum of 16 sums.
func Rounds(d int) int { return d/16 + 24 }

// Make makes codes of the rows y = factors[r]·x[r·ld:] - center, len(factors) of
// them, at most Rows, and says in made what they stand for: z are the whole numbers
// nearest to y/Scale, with a Scale that makes the largest magnitude 127. It fills a
// block of codes as [Bounds] reads it; vectors past the last row are arbitrary. All
// is computed in float32; z and y are not more than a few roundings off what is
// written here.
func Make(made []Coded, codes []uint8, x []float32, ld int, factors, center []float32) {
	n, d := len(factors), len(center)
	if n < 1 || n > Rows || len(made) < n || d < 1 || len(codes) < (d+Group-1)/Group*Group*Rows || ld < 0 || (n-1)*ld+d > len(x) {
		panic(fmt.Sprintf("code8.Make: %d rows of %d, %d apart, in %d values, to %d codes and %d descriptions", n, d, ld, len(x), len(codes), len(made)))
	}
	four := fours.Get().(*fourCoded)
	defer fours.Put(four)
	for r := 0; r < n; r += 4 {
		rows, apart := x[r*ld:], ld
		four.factors = [4]float32{}
		switch copy(four.factors[:], factors[r:]) {
		case 4:
		case 1: // four times the same
			apart = 0
		default: // the rest is zeros
			four.padded = grow(four.padded, 4*d)
			rows, apart = four.padded, d
			clear(rows)
			for i := range n - r {
				copy(rows[i*d:], x[(r+i)*ld:][:d])
			}
		}
		four.make(codes[r*Group:], rows, apart, center)
		for i := r; i < min(r+4, n); i++ {
			made[i] = Coded{four.most[i-r], four.scale[i-r], four.lengths[i-r], four.squares[i-r], four.residuals[i-r]}
		}
	}
}

// fourCoded is what kernels are given and say of four rows.
type fourCoded struct {
	factors, most, inverse, scale, lengths, squares, residuals [4]float32

	padded []float32 // rows, where there are fewer than four
}

var fours = sync.Pool{New: func() any { return new(fourCoded) }}

func (f *fourCoded) make(codes []uint8, x []float32, ld int, center []float32) {
	active.codeRange(f, x, ld, center)
	f.scale, f.inverse = [4]float32{}, [4]float32{}
	for r, m := range f.most {
		if m > 1e-30 && m < 1e30 {
			f.scale[r] = m / 127
			f.inverse[r] = 1 / f.scale[r]
		}
	}
	active.codeMake(f, codes, x, ld, center)
}

// SieveRows is the number of rows that a sieve takes at a time.
const SieveRows = 64

// sievePanel says how a tier's sieve takes the codes of queries: so many queries at a
// time, so many values of each that lie together, if there are as many. The last of a
// query that lie together end where its values end.
type sievePanel struct{ queries, width int }

// smallPanel is codeSieveVNNI's, and that of tiers without a sieve of their own.
var smallPanel = sievePanel{6, Group}

// Sieves tells whether the tier in use multiplies codes faster than values.
func Sieves() bool { return active.codeSieve != nil }

// Queries are vectors of codes that are multiplied with the same others. They lie
// as the tier in use takes them.
type Queries struct {
	n, groups    int
	panel, width int     // as sievePanel says, width at most the values
	steps        int     // of width values, the last two of which may overlap
	codes        []int8  // [panels][steps][panel][width], zeros in the last step where it overlaps
	starts       []int32 // [panels][panel]: -128 times the sum of the codes
}

// Reset makes room for n vectors of d codes, d at most 65,536, all zero. Memory is used
// again.
func (q *Queries) Reset(n, d int) {
	if n < 0 || d < 1 || d > 1<<16 {
		panic(fmt.Sprintf("code8.Queries.Reset: %d vectors of %d codes", n, d))
	}
	groups, panel := (d+Group-1)/Group, active.sievePanel
	if panel == (sievePanel{}) {
		panel = smallPanel
	}
	width := min(panel.width, groups*Group)
	steps, panels := (groups*Group+width-1)/width, (n+panel.queries-1)/panel.queries
	*q = Queries{n, groups, panel.queries, width, steps, grow(q.codes, panels*steps*panel.queries*width), grow(q.starts, panels*panel.queries)}
	clear(q.codes)
	clear(q.starts)
}

// grow returns a slice of n values, s itself if it is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// lastStep is the first value of the last step.
func (q *Queries) lastStep() int { return q.groups*Group - q.width }

// at returns where value j of query i lies in codes.
func (q *Queries) at(i, j int) int {
	step, from := j/q.width, j%q.width
	if step == q.steps-1 {
		from = j - q.lastStep()
	}
	return ((i/q.panel*q.steps+step)*q.panel+i%q.panel)*q.width + from
}

// Places is the number of queries that Sieve works on: whole panels.
func (q *Queries) Places() int { return len(q.starts) }

// Set puts the codes of a query, from -127 to 127, in place i.
func (q *Queries) Set(i int, codes []int8) {
	if uint(i) >= uint(q.n) || len(codes) > q.groups*Group {
		panic(fmt.Sprintf("code8.Queries.Set: %d codes to place %d of %d with %d codes", len(codes), i, q.n, q.groups*Group))
	}
	for j := 0; j < len(codes); j += q.width {
		copy(q.codes[q.at(i, j):], codes[j:min(j+q.width, len(codes))])
	}
	sum := int32(0)
	for _, c := range codes {
		sum += int32(c)
	}
	q.starts[i] = -128 * sum
}

// Sieve is [Bounds] for many queries and SieveRows rows, without the products:
// bit r of masks[i*stride] is set where row r passes tests[i] of query i. There are q.Places()
// of them; those past the last query mean nothing. Make are as many whole blocks as hold SieveRows rows, and
// rows their constants; what is arbitrary in them gives arbitrary bits. Meanwhile
// ahead is fetched from memory, if the tier has a way.
func Sieve(masks []uint64, stride int, codes []uint8, rows []float32, q *Queries, tests []Test, ahead []uint8) {
	if stride < 1 || len(masks) < (q.Places()-1)*stride+1 || len(tests) < q.Places() || len(codes) < SieveRows*q.groups*Group || len(rows) < SieveRows*3 {
		panic(fmt.Sprintf("code8.Sieve: %d codes with %d constants, %d queries of %d codes, to %d words, %d apart, by %d tests", len(codes), len(rows), q.n, q.groups*Group, len(masks), stride, len(tests)))
	}
	if q.n == 0 {
		return
	}
	if sieve := active.codeSieve; sieve != nil {
		sieve(masks, stride, codes, rows, q, tests, ahead)
		return
	}
	codeSieveGeneric(masks, stride, codes, rows, q, tests)
}

func codeRangeGeneric(four *fourCoded, x []float32, ld int, center []float32) {
	for r, f := range four.factors {
		m := uint32(0)
		for i, v := range x[r*ld:][:len(center)] {
			m = max(m, math.Float32bits(float32(f*v)-center[i])&^(1<<31)) // a NaN is the largest
		}
		four.most[r] = math.Float32frombits(m)
	}
}

func codeMakeGeneric(four *fourCoded, codes []uint8, x []float32, ld int, center []float32) {
	const magic = 0x1.8p23 + 128 // adding it rounds to a whole number, and the lowest byte is the code
	for r, f := range four.factors {
		var sums [3][16]float32 // as Rounds says
		for i, v := range x[r*ld:][:len(center)] {
			y := float32(f*v) - center[i]
			sums[0][i%16] += float32(y * y)
			t := float32(y*four.inverse[r]) + magic
			codes[i/Group*Rows*Group+r*Group+i%Group] = uint8(math.Float32bits(t))
			t -= magic
			y -= float32(t * four.scale[r])
			sums[1][i%16] += float32(t * t)
			sums[2][i%16] += float32(y * y)
		}
		four.lengths[r], four.squares[r], four.residuals[r] = 0, 0, 0
		for i := range 16 {
			four.lengths[r] += sums[0][i]
			four.squares[r] += sums[1][i]
			four.residuals[r] += sums[2][i]
		}
	}
}

func codeSieveGeneric(masks []uint64, stride int, codes []uint8, rows []float32, q *Queries, tests []Test) {
	block := q.groups * Group * Rows
	for i := range q.starts {
		t := tests[i]
		masks[i*stride] = 0
		for r := range SieveRows {
			dot := q.starts[i]
			for g := range q.groups {
				x, w := codes[r/Rows*block+g*Rows*Group+r%Rows*Group:][:Group], q.codes[q.at(i, g*Group):][:Group]
				for j, c := range x {
					dot += int32(c) * int32(w[j])
				}
			}
			constants := rows[r/Rows*3*Rows+r%Rows:]
			if t.passes(constants, dot) {
				masks[i*stride] |= 1 << r
			}
		}
	}
}

var codeBoundsGeneric = blockwise(codeDotsGeneric)

// blockwise makes a tier's codeBounds of the products of a block.
func blockwise(codeDots func(dots []int32, codes []uint8, q Query)) boundsKernel {
	return func(mask []uint64, dots []int32, codes []uint8, rows []float32, q Query, t Test) {
		for b := range len(dots) / Rows {
			constants, sums := rows[b*3*Rows:], dots[b*Rows:][:Rows]
			codeDots(sums, codes[b*Rows*len(q.codes):][:Rows*len(q.codes)], q)
			var bits uint64
			for r, dot := range sums {
				if t.passes(constants[r:], dot) {
					bits |= 1 << r
				}
			}
			shift := b * Rows % 64
			mask[b*Rows/64] = mask[b*Rows/64]&^(0xffff<<shift) | bits<<shift
		}
	}
}

// codeDotsGeneric multiplies q with the Rows vectors of a block.
func codeDotsGeneric(dots []int32, codes []uint8, q Query) {
	clear(dots)
	for g := 0; g < len(q.codes); g += Group {
		q0, q1, q2, q3 := int32(q.codes[g]), int32(q.codes[g+1]), int32(q.codes[g+2]), int32(q.codes[g+3])
		for r := range dots {
			c := codes[g*Rows+r*Group:][:Group]
			dots[r] += q0*(int32(c[0])-128) + q1*(int32(c[1])-128) + q2*(int32(c[2])-128) + q3*(int32(c[3])-128)
		}
	}
}
