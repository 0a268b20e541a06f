package tile

import (
	"fmt"
	"math"
	"sync"
	"unsafe"
)

// Parts multiplies matrices of which each value is the sum of three bfloat16, its
// parts: the value rounded to 8 bits, what that misses, rounded to 8, and the rest,
// again of 8. A product of two values is the sum of nine products of parts, of which
// the six largest are added up in float32; the other three are at most 2^-24 of it. So
// it is as accurate as a product in float32, and where a processor multiplies bfloat16
// sixteen times as fast, more than twice as fast. (Henry, Tang, Heinecke, "Leveraging
// the bfloat16 Artificial Intelligence Datatype for Higher-Precision Computations",
// arXiv 1904.06376)
//
// Matrices are split first, groups of 32 rows of A and of 32 columns of B, 32 terms of
// the sums at a time.
//
// What float32 can do and this cannot: parts below 2^-126 are lost, so each value is
// off by up to 2^-126 besides, and a sum with an infinite term is NaN, as are perhaps
// those that overflow; values of 3.39e38 and more count as infinite.
type Parts struct {
	// splitRows splits up to 16 rows of A, 32 values for each block, to a tile of each
	// part. All strides are in bytes.
	splitRows func(rows, blocks int, a *float32, stride int, dst *uint16)
	// splitColumns splits 32 rows of panels of B, 32 values each, to tiles of each part;
	// apart is the stride from panel to panel of what is split.
	splitColumns func(panels int, b *float32, stride int, dst *uint16, apart int)
	// mul multiplies a group of A by groups of B, panels of C.
	mul func(rows, panels, blocks int, a, b *uint16, start *float32, ss int, c *float32, cst int)
}

// PartsGroup is the number of rows of A, or columns of B, that are split as a group;
// PartsDepth the number of terms that are split at a time.
const (
	PartsGroup = 32
	PartsDepth = 32

	partBlock = 3 * PartsGroup * PartsDepth // values of the parts of a group then
	partTile  = partBlock / 6               // 16 rows or columns, of one part
	partApart = 2 * partTile                // from a part to the next
)

// MultiplyParts returns the kernel that multiplies by parts, nil where the tier in use
// has none.
func MultiplyParts() *Parts { return active.parts }

// PartsSize returns the number of values that n rows of A, or columns of B, of depth k
// take when they are split. Groups follow each other.
func PartsSize(n, k int) int { return (n + PartsGroup - 1) / PartsGroup * groupSize(k) }

// groupSize is the size of one group.
func groupSize(k int) int { return (k + PartsDepth - 1) / PartsDepth * partBlock }

// SplitA splits A [m, k], with row stride lda; rows may overlap (lda < k). If transA,
// a holds A's transpose, [k, m] with row stride lda.
//
// A block holds tiles of 16 rows of A, in turn of the upper and the lower rows, for the
// three parts; a row of a tile holds terms 0, 16, 1, 17 and so on to 31.
func (p *Parts) SplitA(dst []uint16, m, k int, a []float32, lda int, transA bool) {
	checkSplit("SplitA", dst, PartsSize(m, k), m, k, a, lda, transA)
	split := func(to []uint16, rows, blocks int, from []float32, ld int) {
		p.splitRows(min(16, rows), blocks, &from[0], 4*ld, &to[0])
		if rows > 16 {
			p.splitRows(rows-16, blocks, &from[16*ld], 4*ld, &to[partTile])
		}
	}
	whole := k / PartsDepth
	if transA {
		whole = 0
	}
	for i := 0; i < m; i += PartsGroup {
		to, rows := dst[i/PartsGroup*groupSize(k):], min(PartsGroup, m-i)
		if whole > 0 {
			split(to, rows, whole, a[i*lda:], lda)
		}
		for q := whole * PartsDepth; q < k; q += PartsDepth {
			block := cut(a, lda, transA, i, q, rows, min(PartsDepth, k-q))
			split(to[q/PartsDepth*partBlock:], rows, 1, block[:], PartsDepth)
			partsBlocks.Put(block)
		}
	}
}

// SplitB splits B [k, n], with row stride ldb. If transB, b holds B's transpose,
// [n, k] with row stride ldb.
//
// A block holds tiles of 16 columns of B, in turn of the left and the right columns,
// for the three parts; row j of a tile holds, of each column, terms j and 16+j.
func (p *Parts) SplitB(dst []uint16, k, n int, b []float32, ldb int, transB bool) {
	checkSplit("SplitB", dst, PartsSize(n, k), k, n, b, ldb, transB)
	apart := groupSize(k)
	for q := 0; q < k; q += PartsDepth {
		to, depth := dst[q/PartsDepth*partBlock:], min(PartsDepth, k-q)
		whole := n / PartsGroup
		if transB || depth < PartsDepth {
			whole = 0
		}
		if whole > 0 {
			p.splitColumns(whole, &b[q*ldb], 4*ldb, &to[0], 2*apart)
		}
		for i := whole * PartsGroup; i < n; i += PartsGroup {
			block := cut(b, ldb, transB, q, i, depth, min(PartsGroup, n-i))
			p.splitColumns(1, &block[0], 4*PartsGroup, &to[i/PartsGroup*apart], 0)
			partsBlocks.Put(block)
		}
	}
}

// cut returns [rows, cols] of the matrix that x stores, or its transpose, from (row, col)
// on, and zeros where there is none; to be put back.
func cut(x []float32, ld int, trans bool, row, col, rows, cols int) *[PartsGroup * PartsDepth]float32 {
	block := partsBlocks.Get().(*[PartsGroup * PartsDepth]float32)
	if rows < PartsDepth || cols < PartsDepth {
		clear(block[:])
	}
	if trans {
		active.kernel.transpose(block[:], PartsDepth, rows, cols, x[col*ld+row:], ld)
		return block
	}
	for r := range rows {
		copy(block[r*PartsDepth:], x[(row+r)*ld+col:][:cols])
	}
	return block
}

// checkSplit checks a matrix that is to be split to size values.
func checkSplit(op string, dst []uint16, size, rows, cols int, x []float32, ld int, trans bool) {
	fits := rows >= 0 && cols >= 0 && ld >= 0 && len(dst) >= size
	if trans {
		rows, cols = cols, rows
	}
	if !fits || rows > 0 && cols > 0 && (rows-1)*ld+cols > len(x) {
		panic(fmt.Sprintf("tile.Parts.%s: [%d, %d] with stride %d in %d values to %d values", op, rows, cols, ld, len(x), len(dst)))
	}
}

// Mul computes C [rows, cols] = start + A·B, of depth k, for a group of A, rows <=
// PartsGroup, and groups of B that hold cols columns. start is nil for zeros, a row of
// biases with lds = 0, or c itself with lds = ldc to accumulate.
//
// The bits of a value depend on its row and column alone, not on what is computed
// with it.
func (p *Parts) Mul(rows, cols, k int, a, b []uint16, start []float32, lds int, c []float32, ldc int) {
	if rows < 1 || rows > PartsGroup || cols < 1 || k < 1 || lds < 0 || ldc < 0 ||
		len(a) < groupSize(k) || len(b) < PartsSize(cols, k) ||
		start != nil && (rows-1)*lds+cols > len(start) || (rows-1)*ldc+cols > len(c) {
		panic(fmt.Sprintf("tile.Parts.Mul: %dx%dx%d, strides of start %d and C %d, does not fit A %d, B %d, start %d, C %d values",
			rows, cols, k, lds, ldc, len(a), len(b), len(start), len(c)))
	}
	blocks, panels := groupSize(k)/partBlock, cols/PartsGroup
	if panels > 0 {
		p.mul(rows, panels, blocks, &a[0], &b[0], unsafe.SliceData(start), 4*lds, &c[0], 4*ldc)
	}
	done := panels * PartsGroup
	if done == cols {
		return
	}
	// The last columns, by way of a whole panel.
	panel := partsBlocks.Get().(*[PartsGroup * PartsGroup]float32)
	defer partsBlocks.Put(panel)
	clear(panel[:])
	if start != nil {
		for r := range rows {
			copy(panel[r*PartsGroup:], start[r*lds+done:r*lds+cols])
		}
	}
	p.mul(rows, 1, blocks, &a[0], &b[panels*groupSize(k)], &panel[0], 4*PartsGroup, &panel[0], 4*PartsGroup)
	for r := range rows {
		copy(c[r*ldc+done:r*ldc+cols], panel[r*PartsGroup:])
	}
}

// partsBlocks keeps blocks of A and B, and panels of C, that are made for a moment.
var partsBlocks = sync.Pool{New: func() any { return new([PartsGroup * PartsGroup]float32) }}

// PortableParts is the oracle of the tiers' kernels, and lets their users be tested on
// any processor.
var PortableParts = &Parts{splitRows: splitRowsGeneric, splitColumns: splitColumnsGeneric, mul: mulPartsGeneric}

func splitRowsGeneric(rows, blocks int, a *float32, stride int, dst *uint16) {
	for r := range rows {
		for q := range blocks {
			from := at(a, r*stride/4+q*PartsDepth)
			splitPairs(from, at(from, 16), part(dst, q*partBlock+32*r))
		}
	}
}

func splitColumnsGeneric(panels int, b *float32, stride int, dst *uint16, apart int) {
	for j := range 16 {
		for i := range 2 * panels {
			lo := at(b, j*stride/4+16*i)
			splitPairs(lo, at(lo, 16*stride/4), part(dst, i/2*apart/2+i%2*partTile+32*j))
		}
	}
}

// splitPairs writes the parts of 16 values of lo and 16 of hi, in turns, to dst and the
// next tiles of the same half.
func splitPairs(lo, hi *float32, dst *uint16) {
	for i := range 16 {
		for turn, v := range [2]float32{*at(lo, i), *at(hi, i)} {
			for k := range 3 {
				bits := toBfloat16(v)
				*part(dst, k*partApart+2*i+turn) = bits
				v -= fromBfloat16(bits)
			}
		}
	}
}

// toBfloat16 rounds v to the nearest bfloat16, the even one of two; what is smaller
// than any normal number becomes zero.
func toBfloat16(v float32) uint16 {
	bits := math.Float32bits(v)
	switch {
	case v != v:
		return uint16(bits>>16 | 64) // quiet
	case bits&0x7f800000 == 0:
		return uint16(bits >> 16 & 0x8000)
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

func fromBfloat16(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

func mulPartsGeneric(rows, panels, blocks int, a, b *uint16, start *float32, ss int, c *float32, cst int) {
	for r := range rows {
		for j := range panels * PartsGroup {
			sum := float32(0)
			if start != nil {
				sum = *at(start, r*ss/4+j)
			}
			for q := range blocks {
				ta := part(a, q*partBlock+r/16*partTile+r%16*32)
				tb := part(b, (j/PartsGroup*blocks+q)*partBlock+j%PartsGroup/16*partTile+j%16*2)
				for _, pair := range [][2]int{{2, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}, {0, 2}} {
					pa, pb := part(ta, pair[0]*partApart), part(tb, pair[1]*partApart)
					var even, odd float32
					for i := range 16 {
						even += float32(fromBfloat16(*part(pa, 2*i)) * fromBfloat16(*part(pb, 32*i)))
						odd += float32(fromBfloat16(*part(pa, 2*i+1)) * fromBfloat16(*part(pb, 32*i+1)))
					}
					sum += even + odd
				}
			}
			*at(c, r*cst/4+j) = sum
		}
	}
}

// part returns the address of p[i]; Parts' methods have checked that it is there.
func part(p *uint16, i int) *uint16 {
	return (*uint16)(unsafe.Add(unsafe.Pointer(p), 2*i))
}
