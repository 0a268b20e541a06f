package pca

import (
	"math"
	"math/rand/v2"
	"slices"

	"lookalike/internal/gemm"
	"lookalike/tensor"
)

const (
	// krylovBlock is how many vectors the basis grows by. Fewer need a smaller
	// basis, more make better products.
	krylovBlock = 32

	// settled is how little, as a part of each, the greatest eigenvalues change
	// while the basis grows by a sixth before they count as found. What is
	// missing then is less, for the convergence is geometric at least.
	settled = 5e-5
)

// randomized returns what full returns, by a block Krylov method: the span of
// V, AV, A²V, … for A the Gram matrix of the shorter side and random V, one
// orthonormal block at a time.
func (c *centred) randomized(k int, seed uint64) (*tensor.Tensor, []float64, error) {
	b := basis{dim: c.short, rng: rand.New(rand.NewPCG(seed, 0))}
	block := b.random(krylovBlock)
	var last []float64
	var reduced *tridiagonal
	for check := 2*k + krylovBlock; ; {
		b.add(block)
		w := c.apply(block)
		lengths := rowLengths(w)
		b.reduce(w)
		if whole := b.n == c.short; whole || b.n >= check {
			var err error
			if reduced, err = reduceSymmetric(b.symmetric(), b.n); err != nil {
				return nil, nil, err
			}
			if values := reduced.values[:k]; whole || unchanged(last, values) {
				break
			} else {
				last, check = values, b.n+max(krylovBlock, b.n/6)
			}
		}
		if block = b.orthonormal(w, lengths); block == nil { // all that the start leads to
			block = b.random(krylovBlock)
		}
	}
	vectors := reduced.back(reduced.vectors(k), k)
	best := tensor.New(k, c.short)
	tensor.MatMul(best, narrow(vectors, k, b.n), tensor.From(b.rows, b.n, b.dim), nil)
	return c.refine(best)
}

// unchanged tells whether values have settled since the last check.
func unchanged(last, values []float64) bool {
	for i, v := range values {
		if last == nil || !(math.Abs(v-last[i]) <= settled*v+noVariance*values[0]) {
			return false
		}
	}
	return true
}

// refine solves the problem exactly among combinations of v, [k, short],
// orthonormal rows.
func (c *centred) refine(v *tensor.Tensor) (*tensor.Tensor, []float64, error) {
	k := v.Dim(0)
	gram, part := make([]float64, k*k), make([]float32, k*k)
	var z *tensor.Tensor
	if c.wide {
		z = tensor.New(c.long, k)
	}
	c.project(v, func(lo, hi int, y *tensor.Tensor, _ []float32, _ int) {
		gemm.Mul(true, false, k, k, hi-lo, y.Data(), k, y.Data(), k, nil, false, part, k)
		for i, p := range part {
			gram[i] += float64(p)
		}
		if c.wide {
			copy(z.Data()[lo*k:], y.Data())
		}
	})
	squares, vectors, err := eigen(gram, k, k)
	if err != nil {
		return nil, nil, err
	}
	out := tensor.New(k, c.x.Dim(1))
	if c.wide {
		tensor.MatMulTransB(out, narrow(vectors, k, k), z)
	} else {
		tensor.MatMul(out, narrow(vectors, k, k), v, nil)
	}
	rows := make([]float64, out.Len())
	for i, v := range out.Data() {
		rows[i] = float64(v)
	}
	normalize(rows, k, squares)
	return narrow(rows, k, c.x.Dim(1)), squares, nil
}

// narrow returns values as float32.
func narrow(values []float64, shape ...int) *tensor.Tensor {
	t := tensor.New(shape...)
	for i, v := range values {
		t.Data()[i] = float32(v)
	}
	return t
}

// basis is an orthonormal basis that grows, and a symmetric matrix reduced to it.
type basis struct {
	dim, n  int
	rows    []float32   // [n, dim]
	columns [][]float64 // of the reduced matrix, each as long as the basis was then
	rng     *rand.Rand
}

// add takes in a block of orthonormal rows that are orthogonal to the others.
func (b *basis) add(block *tensor.Tensor) {
	b.rows = append(b.rows, block.Data()...)
	b.n += block.Dim(0)
}

// reduce is given what the matrix makes of the last block, [r, dim]. It notes
// the part within the basis and leaves the rest.
func (b *basis) reduce(w *tensor.Tensor) {
	h, rounding := b.subtract(w), b.subtract(w)
	for i := range w.Dim(0) {
		column := make([]float64, b.n)
		for j := range column {
			column[j] = float64(h[i*b.n+j]) + float64(rounding[i*b.n+j])
		}
		b.columns = append(b.columns, column)
	}
}

// subtract takes the part within the basis away from w and returns its
// coordinates, [r, n].
func (b *basis) subtract(w *tensor.Tensor) []float32 {
	r := w.Dim(0)
	h := make([]float32, r*b.n)
	if b.n == 0 {
		return h
	}
	gemm.Mul(false, true, r, b.n, b.dim, w.Data(), b.dim, b.rows, b.dim, nil, false, h, b.n)
	negative := make([]float32, len(h))
	for i, v := range h {
		negative[i] = -v
	}
	gemm.Mul(false, false, r, b.dim, b.n, negative, b.n, b.rows, b.dim, nil, true, w.Data(), b.dim)
	return h
}

// symmetric returns the reduced matrix, [n, n].
func (b *basis) symmetric() []float64 {
	a := make([]float64, b.n*b.n)
	for j, column := range b.columns {
		for i, v := range column {
			// An element that was reduced from both sides is their mean.
			if i < len(b.columns) && j < len(b.columns[i]) {
				v = (v + b.columns[i][j]) / 2
			}
			a[i*b.n+j], a[j*b.n+i] = v, v
		}
	}
	return a
}

// random returns up to r new rows in random directions.
func (b *basis) random(r int) *tensor.Tensor {
	w := tensor.New(min(r, b.dim-b.n), b.dim)
	for i := range w.Data() {
		w.Data()[i] = float32(b.rng.NormFloat64())
	}
	lengths := rowLengths(w)
	b.subtract(w)
	b.subtract(w)
	return b.orthonormal(w, lengths)
}

// lost is the part of a vector's length that float32 cannot tell from none once
// the rest has been subtracted.
const lost = 1e-5

// orthonormal makes an orthonormal basis of the rows of w, which are orthogonal
// to b's. Rows of which next to nothing is left of the length they had are left
// out; it returns nil if that is all of them.
func (b *basis) orthonormal(w *tensor.Tensor, lengths []float64) *tensor.Tensor {
	block := gramSchmidt(w, func(i int) float64 { return lost * lengths[i] })
	if block == nil {
		return nil
	}
	block = block.Rows(0, min(block.Dim(0), b.dim-b.n))
	// Rows of which little was left have lost digits: once more.
	b.subtract(block)
	return gramSchmidt(block, func(int) float64 { return 0.5 })
}

// gramSchmidt makes the rows of w orthonormal, in order, in float64. A row of
// which no more is left than a length of least(i) is left out; without rows it
// returns nil.
func gramSchmidt(w *tensor.Tensor, least func(i int) float64) *tensor.Tensor {
	dim := w.Dim(1)
	var kept []float64
	for i := range w.Dim(0) {
		row := make([]float64, dim)
		for j, v := range w.Row(i) {
			row[j] = float64(v)
		}
		for other := range slices.Chunk(kept, dim) {
			add(row, -dot(row, other), other)
		}
		length := math.Sqrt(dot(row, row))
		if !(length > least(i)) {
			continue
		}
		for j := range row {
			row[j] /= length
		}
		kept = append(kept, row...)
	}
	if len(kept) == 0 {
		return nil
	}
	return narrow(kept, len(kept)/dim, dim)
}

// rowLengths returns the lengths of the rows.
func rowLengths(w *tensor.Tensor) []float64 {
	lengths := make([]float64, w.Dim(0))
	for i := range lengths {
		sum := 0.0
		for _, v := range w.Row(i) {
			sum += float64(float64(v) * float64(v))
		}
		lengths[i] = math.Sqrt(sum)
	}
	return lengths
}
