// Package tile multiplies tiles of matrices: the micro-kernels of the matrix product,
// single precision, with the sums in registers, and the packing of what they read. Each
// exists in the tiers of package cpu, and the assembly is written by internal/_asm.
// Lengths are checked here, in Go, before any of it is entered.
package tile

import (
	"fmt"
	"unsafe"

	"lookalike/internal/cpu"
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

	// Assembly that Pack and PackA use, or nil: packRows fills whole panels with rows
	// of B, dst[j*stride+p*NR+i] = b[p*ldb+j*NR+i]; packNarrow copies k rows,
	// dst[p*width+i] = src[p*ld+i], in registers of NR/2 values: it writes PackSlack
	// values more at most, and reads as far past a row as the next one reaches;
	// transpose8 turns 8 rows of 8*blocks values, dst[p*dstStride+i] =
	// src[i*srcStride+p].
	packRows   func(k, panels int, dst *float32, stride int, b *float32, ldb int)
	packNarrow func(k, cols int, dst *float32, width int, src *float32, ld int)
	transpose8 func(blocks int, dst *float32, dstStride int, src *float32, srcStride int)

	// tiles[r-1][v-1] computes r rows by v vectors of NR/len(tiles[r-1]) columns,
	// the last vector cut to the columns asked for.
	tiles [][]tile

	// reading[r-1] computes r rows by a whole panel that is still in place, and packs it
	// or leaves it there, which inPlace tells to be worth it. Reading may be nil.
	reading []readingTile
	inPlace bool

	// ahead are tiles of whole panels that pack another B meanwhile, the fastest first;
	// or nil.
	ahead []aheadTiles
}

// tile computes C[r, cols] = start + A[r, k]·B[k, cols] for its own number of
// rows; strides are in elements. start may be nil for zeros. For every FetchSteps of
// k it asks memory for FetchWidth values at the address ahead, which it then moves
// by jump values. A comes in turns of k columns, at least one, the next turn values
// behind; B has the rows of all of them.
type tile func(start *float32, ss int, c *float32, cst int, cols, k int, a *float32, rs, cs, turns, turn int, b *float32, ahead uintptr, jump int)

// readingTile is a tile that reads B in place, ldb elements from row to row, and may
// leave it in panel; k is not 0. For every row it asks memory for NR values at the
// address ahead, which it then moves by ldb values.
type readingTile func(start *float32, ss int, c *float32, cst int, k int, a *float32, rs, cs int, b *float32, ldb int, panel *float32, ahead uintptr)

// aheadTiles pack a row of a panel in a number of steps of k; tiles[r-1] has r rows.
type aheadTiles struct {
	steps int
	tiles []aheadTile
}

// aheadTile is a tile of a whole panel of a packed B that packs rows of panels of
// another one, which packing, a packingStep, describes.
type aheadTile func(start *float32, ss int, c *float32, cst int, k int, a *float32, rs, cs int, b *float32, packing *byte)

// tier is one implementation.
type tier struct {
	name   string
	kernel Kernel
	parts  *Parts // nil where they are no faster
}

var active = tierOf(cpu.Tier())

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
	t.MulAhead(rows, cols, k, a, ars, acs, b, Address(b, 0), 0, start, lds, c, ldc)
}

// MulAhead asks memory for FetchWidth values every FetchSteps of its k steps.
const (
	FetchSteps = 4
	FetchWidth = 32
)

// MulAhead is Mul that asks memory for FetchWidth values at the address ahead, then
// for those jump values further on, and so on, so that they are in the second-level
// cache when they are needed. Nothing need be there.
func (t *Kernel) MulAhead(rows, cols, k int, a []float32, ars, acs int, b []float32, ahead uintptr, jump int, start []float32, lds int, c []float32, ldc int) {
	if uint(rows-1) >= uint(t.MR) || uint(cols-1) >= uint(t.NR) || k < 0 || ars < 0 || acs < 0 || lds < 0 || ldc < 0 ||
		k > 0 && ((rows-1)*ars+(k-1)*acs >= len(a) || k*t.NR > len(b)) ||
		start != nil && (rows-1)*lds+cols > len(start) || (rows-1)*ldc+cols > len(c) {
		panic(fmt.Sprintf("tile.Kernel.Mul: %s: %dx%dx%d with strides A (%d, %d), start %d, C %d does not fit A %d, B %d, start %d, C %d values",
			t.Name, rows, cols, k, ars, acs, lds, ldc, len(a), len(b), len(start), len(c)))
	}
	t.tile(rows, cols)(unsafe.SliceData(start), lds, unsafe.SliceData(c), ldc, cols, k, unsafe.SliceData(a), ars, acs, 1, 0, unsafe.SliceData(b), ahead, jump)
}

// tile returns the smallest tile that holds so many rows and columns.
func (t *Kernel) tile(rows, cols int) tile {
	v := t.tiles[rows-1]
	return v[(cols-1)*len(v)/t.NR]
}

// MulTurns is Mul for a row-major A whose columns lie in turns, k of each: B has
// turns*k rows, and A's element (r, t*k+p) is a[r*ars+t*turn+p]. So a kernel of several
// rows is applied to a picture in place, a row of the picture for each turn.
func (t *Kernel) MulTurns(rows, cols, turns, k int, a []float32, ars, turn int, b, start []float32, lds int, c []float32, ldc int) {
	if uint(rows-1) >= uint(t.MR) || uint(cols-1) >= uint(t.NR) || k < 1 || turns < 1 || ars < 0 || turn < 0 || lds < 0 || ldc < 0 ||
		(rows-1)*ars+(turns-1)*turn+k > len(a) || turns*k*t.NR > len(b) ||
		start != nil && (rows-1)*lds+cols > len(start) || (rows-1)*ldc+cols > len(c) {
		panic(fmt.Sprintf("tile.Kernel.MulTurns: %s: %dx%d, %d turns of %d, with strides A (%d, %d), start %d, C %d does not fit A %d, B %d, start %d, C %d values",
			t.Name, rows, cols, turns, k, ars, turn, lds, ldc, len(a), len(b), len(start), len(c)))
	}
	t.tile(rows, cols)(unsafe.SliceData(start), lds, unsafe.SliceData(c), ldc, cols, k, unsafe.SliceData(a), ars, 1, turns, turn, unsafe.SliceData(b), Address(b, 0), 0)
}

// Address returns where s[i] is, or would be, for MulAhead.
func Address(s []float32, i int) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(s))) + uintptr(i)*unsafe.Sizeof(float32(0))
}

// MulPack is Mul for NR columns of a B that is not packed yet, b[p*ldb+j], and that
// comes from memory: it packs them to panel on the way, or if that is nil leaves them
// where they are, which needs InPlace. It asks memory for a B of the same shape at the
// address ahead, that of the panel that comes next. Nothing need be there.
func (t *Kernel) MulPack(rows, k int, a []float32, ars, acs int, b []float32, ldb int, panel []float32, ahead uintptr, start []float32, lds int, c []float32, ldc int) {
	if uint(rows-1) >= uint(t.MR) || k < 0 || ars < 0 || acs < 0 || ldb < 0 || lds < 0 || ldc < 0 ||
		k > 0 && ((rows-1)*ars+(k-1)*acs >= len(a) || (k-1)*ldb+t.NR > len(b) || panel != nil && k*t.NR > len(panel) || panel == nil && !t.InPlace()) ||
		start != nil && (rows-1)*lds+t.NR > len(start) || (rows-1)*ldc+t.NR > len(c) {
		panic(fmt.Sprintf("tile.Kernel.MulPack: %s: %d rows, depth %d, with strides A (%d, %d), B %d, start %d, C %d does not fit A %d, B %d, panel %d, start %d, C %d values",
			t.Name, rows, k, ars, acs, ldb, lds, ldc, len(a), len(b), len(panel), len(start), len(c)))
	}
	if t.reading == nil || k == 0 {
		t.Pack(panel, k*t.NR, k, t.NR, b, ldb, false)
		t.Mul(rows, t.NR, k, a, ars, acs, panel, start, lds, c, ldc)
		return
	}
	t.reading[rows-1](unsafe.SliceData(start), lds, unsafe.SliceData(c), ldc, k, unsafe.SliceData(a), ars, acs, unsafe.SliceData(b), ldb, unsafe.SliceData(panel), ahead)
}

// InPlace tells whether MulPack can do without packing.
func (t *Kernel) InPlace() bool { return t.inPlace }

// Pack writes B [k, n], with row stride ldb, or if transB the transpose of b,
// [n, k] with row stride ldb, to dst as panels that are stride values apart.
func (t *Kernel) Pack(dst []float32, stride, k, n int, b []float32, ldb int, transB bool) {
	if k <= 0 || n <= 0 {
		return
	}
	rows, cols := k, n
	if transB {
		rows, cols = n, k
	}
	if ldb < 0 || (rows-1)*ldb+cols > len(b) || stride < k*t.NR || (n-1)/t.NR*stride+k*t.NR > len(dst) {
		panic(fmt.Sprintf("tile.Kernel.Pack: %s: B [%d, %d], transposed %t, with stride %d in %d values, to panels %d apart in %d values",
			t.Name, k, n, transB, ldb, len(b), stride, len(dst)))
	}
	j := 0
	if whole := n / t.NR; whole > 0 && !transB && t.packRows != nil {
		t.packRows(k, whole, unsafe.SliceData(dst), stride, unsafe.SliceData(b), ldb)
		j = whole * t.NR
	}
	for ; j < n; j += t.NR {
		panel := dst[j/t.NR*stride:][:k*t.NR]
		width := min(t.NR, n-j)
		if width < t.NR {
			clear(panel)
		}
		if transB {
			t.transpose(panel, t.NR, k, width, b[j*ldb:], ldb)
			continue
		}
		for p := range k {
			copy(panel[p*t.NR:], b[p*ldb+j:][:width])
		}
	}
}

// PackSlack is the number of values that PackA needs behind the last that it
// fills.
const PackSlack = 16

// PackA copies k rows of cols <= width <= MR values, ld apart, to dst, width apart:
// a tile of a transposed A as Mul reads it with strides (1, width). It may write
// up to PackSlack values more.
func (t *Kernel) PackA(dst []float32, width, k, cols int, src []float32, ld int) {
	if k <= 0 {
		return
	}
	if width > t.MR || uint(cols-1) >= uint(width) || ld < 0 || (k-1)*ld+cols > len(src) || k*width+PackSlack > len(dst) {
		panic(fmt.Sprintf("tile.Kernel.PackA: %s: %d rows of %d with stride %d in %d values, to stride %d in %d values",
			t.Name, k, cols, ld, len(src), width, len(dst)))
	}
	if t.packNarrow != nil && ld+cols >= t.NR/2 {
		t.packNarrow(k, cols, unsafe.SliceData(dst), width, unsafe.SliceData(src), ld)
		return
	}
	for p := range k {
		copy(dst[p*width:], src[p*ld:][:cols])
	}
}

// transpose writes the transpose of b, [width, k], to dst, stride values from row to row.
func (t *Kernel) transpose(dst []float32, stride, k, width int, b []float32, ldb int) {
	i, blocks := 0, k/8
	if t.transpose8 != nil && blocks > 0 {
		for ; i+8 <= width; i += 8 {
			t.transpose8(blocks, &dst[i], stride, &b[i*ldb], ldb)
			for u := i; u < i+8; u++ {
				for p := blocks * 8; p < k; p++ {
					dst[p*stride+u] = b[u*ldb+p]
				}
			}
		}
	}
	for ; i < width; i++ {
		for p, v := range b[i*ldb:][:k] {
			dst[p*stride+i] = v
		}
	}
}
