package f32

import "fmt"

// Dots writes the products of q with len(out) rows of x, which are ld apart.
func Dots(out, q, x []float32, ld int) {
	checkRows("Dots", len(out), len(q), len(x), ld)
	rowByRow(out, q, x, ld, active.dot4, active.dot)
}

// SquaredDistances writes the sums of (q[i]-x[r*ld+i])² of len(out) rows r of x,
// which are ld apart.
func SquaredDistances(out, q, x []float32, ld int) {
	checkRows("SquaredDistances", len(out), len(q), len(x), ld)
	rowByRow(out, q, x, ld, active.squaredDistance4, active.squaredDistance)
}

func checkRows(op string, rows, d, x, ld int) {
	if rows > 0 && (ld < 0 || (rows-1)*ld+d > x) {
		panic(fmt.Sprintf("f32.%s: %d rows of %d, %d apart, in %d values", op, rows, d, ld, x))
	}
}

func rowByRow(out, q, x []float32, ld int, four func(out, q, x []float32, ld int), one func(a, b []float32) float32) {
	r := 0
	if len(q) > 0 {
		for ; r+4 <= len(out); r += 4 {
			four(out[r:], q, x[r*ld:], ld)
		}
	}
	for ; r < len(out); r++ {
		out[r] = one(q, x[r*ld:][:len(q)])
	}
}

// NotAbove sets bit i of mask, from the lowest of the first word, where x[i] is
// not greater than limit: NaN is not, and nothing is if limit is NaN. It clears all
// other bits of the words that x reaches.
func NotAbove(mask []uint64, x []float32, limit float32) {
	if len(mask)*64 < len(x) {
		panic(fmt.Sprintf("f32.NotAbove: %d words for %d values", len(mask), len(x)))
	}
	whole := len(x) &^ 63
	if whole > 0 {
		active.notAbove(mask, x[:whole], limit)
	}
	if whole == len(x) {
		return
	}
	var word uint64
	for i, v := range x[whole:] {
		if !(v > limit) {
			word |= 1 << i
		}
	}
	mask[whole/64] = word
}

// CodeRows is the number of vectors in a block of codes, CodeGroup the number of
// values of a vector that lie together in it.
const (
	CodeRows  = 16
	CodeGroup = 4
)

// CodeQuery is a vector of codes, from -127 to 127, to be multiplied with others. Its
// length is a multiple of CodeGroup.
type CodeQuery struct {
	codes, sizes []int8 // sizes are the magnitudes
	sum          int32
}

// NewCodeQuery keeps codes.
func NewCodeQuery(codes []int8) CodeQuery {
	if len(codes) == 0 || len(codes)%CodeGroup != 0 {
		panic(fmt.Sprintf("f32.NewCodeQuery: %d codes", len(codes)))
	}
	q := CodeQuery{codes, make([]int8, len(codes)), 0}
	for i, c := range codes {
		if c == -128 {
			panic("f32.NewCodeQuery: code -128")
		}
		q.sizes[i] = max(c, -c)
		q.sum += int32(c)
	}
	return q
}

// CodeBounds multiplies q with the vectors of blocks of CodeRows each and compares
// what follows from the products with a limit. For row r of block b, with the three
// constants keep, scale, radius = rows[b][0][r], rows[b][1][r], rows[b][2][r]:
//
//	dot := 0
//	for i := range q {
//		dot += q[i] * (codes[b][i/4][r][i%4] - 128)
//	}
//	dots[b][r] = dot
//	mask bit b*16+r = !(k[0]*keep - k[1]*(dot*scale) - k[2]*radius > limit)
//
// in integers and in float32, where each operation rounds once at most. Codes are
// from 1 to 255; vectors have at most 65,536 values.
func CodeBounds(mask []uint64, dots []int32, codes []uint8, rows []float32, q CodeQuery, k [3]float32, limit float32) {
	blocks := len(dots) / CodeRows
	if len(q.codes) > 1<<16 || len(dots)%CodeRows != 0 || len(codes) != blocks*CodeRows*len(q.codes) || len(rows) != blocks*CodeRows*3 || len(mask)*64 < len(dots) {
		panic(fmt.Sprintf("f32.CodeBounds: %d vectors of %d in %d codes with %d constants to %d words", len(dots), len(q.codes), len(codes), len(rows), len(mask)))
	}
	if blocks == 0 {
		return
	}
	mask[(len(dots)-1)/64] = 0
	active.codeBounds(mask, dots, codes, rows, q, k, limit)
}

func dot4Generic(out, q, x []float32, ld int) {
	for r := range 4 {
		out[r] = dotGeneric(q, x[r*ld:][:len(q)])
	}
}

func squaredDistance4Generic(out, q, x []float32, ld int) {
	for r := range 4 {
		out[r] = squaredDistanceGeneric(q, x[r*ld:][:len(q)])
	}
}

func notAboveGeneric(mask []uint64, x []float32, limit float32) {
	for i := 0; i < len(x); i += 64 {
		var word uint64
		for j, v := range x[i:][:64] {
			if !(v > limit) {
				word |= 1 << j
			}
		}
		mask[i/64] = word
	}
}

func codeBoundsGeneric(mask []uint64, dots []int32, codes []uint8, rows []float32, q CodeQuery, k [3]float32, limit float32) {
	for b := range len(dots) / CodeRows {
		block := codes[b*CodeRows*len(q.codes):][:CodeRows*len(q.codes)]
		constants := rows[b*3*CodeRows:][:3*CodeRows]
		sums := dots[b*CodeRows:][:CodeRows]
		clear(sums)
		for g := 0; g < len(q.codes); g += CodeGroup {
			q0, q1, q2, q3 := int32(q.codes[g]), int32(q.codes[g+1]), int32(q.codes[g+2]), int32(q.codes[g+3])
			for r := range sums {
				c := block[g*CodeRows+r*CodeGroup:][:CodeGroup]
				sums[r] += q0*(int32(c[0])-128) + q1*(int32(c[1])-128) + q2*(int32(c[2])-128) + q3*(int32(c[3])-128)
			}
		}
		var bits uint64
		for r, dot := range sums {
			if v := k[0]*constants[r] - k[1]*(float32(dot)*constants[CodeRows+r]) - k[2]*constants[2*CodeRows+r]; !(v > limit) {
				bits |= 1 << r
			}
		}
		shift := b * CodeRows % 64
		mask[b*CodeRows/64] = mask[b*CodeRows/64]&^(0xffff<<shift) | bits<<shift
	}
}
