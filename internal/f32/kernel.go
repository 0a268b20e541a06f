package f32

import (
	"fmt"
	"unsafe"
)

// Kernel is a matrix micro-kernel. It computes one tile of C, at most MR rows by
// NR columns, with the sums in registers.
//
// B comes in packed panels: [k][NR], contiguous, columns past the matrix's last
// filled with zeros. A is read in place through two strides. Every element of C
// is one sum over p in ascending order, from zero, to which the start value is
// added last; it is the same whatever tile it is computed in.
type Kernel struct {
	Name   string
	MR, NR int

	// tiles[r-1][v-1] computes r rows by v vectors of NR/len(tiles[r-1]) columns,
	// the last vector cut to the columns asked for.
	tiles [][]tile
}

// tile computes C[r, cols] = start + A[r, k]·B[k, cols] for its own number of
// rows; strides are in elements. start may be nil for zeros.
type tile func(cols, k int, a *float32, rs, cs int, b, start *float32, ss int, c *float32, cst int)

// Gemm returns the micro-kernel of the tier in use.
func Gemm() *Kernel { return &active.kernel }

// Mul computes one tile, with 1 <= rows <= MR and 1 <= cols <= NR:
//
//	for r := range rows {
//		for j := range cols {
//			sum := 0
//			for p := range k {
//				sum += a[r*ars+p*acs] * b[p*NR+j]
//			}
//			c[r*ldc+j] = start[r*lds+j] + sum
//		}
//	}
//
// ars and acs are A's strides from row to row and from column to column: (lda, 1)
// for a row-major A, whose rows may overlap, (1, lda) for a transposed one, (1,
// MR) for one packed k-major. start is nil for zeros, a row of biases with lds =
// 0, or c itself with lds = ldc to accumulate; c is not read otherwise.
func (t *Kernel) Mul(rows, cols, k int, a []float32, ars, acs int, b, start []float32, lds int, c []float32, ldc int) {
	if uint(rows-1) >= uint(t.MR) || uint(cols-1) >= uint(t.NR) || k < 0 || ars < 0 || acs < 0 || lds < 0 || ldc < 0 ||
		k > 0 && ((rows-1)*ars+(k-1)*acs >= len(a) || k*t.NR > len(b)) ||
		start != nil && (rows-1)*lds+cols > len(start) || (rows-1)*ldc+cols > len(c) {
		panic(fmt.Sprintf("f32.Kernel.Mul: %s: %dx%dx%d with strides A (%d, %d), start %d, C %d does not fit A %d, B %d, start %d, C %d values",
			t.Name, rows, cols, k, ars, acs, lds, ldc, len(a), len(b), len(start), len(c)))
	}
	v := t.tiles[rows-1]
	v[(cols-1)*len(v)/t.NR](cols, k, unsafe.SliceData(a), ars, acs, unsafe.SliceData(b), unsafe.SliceData(start), lds, unsafe.SliceData(c), ldc)
}
