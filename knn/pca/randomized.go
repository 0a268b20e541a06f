package pca

import (
	"math"
	"math/rand/v2"

	"lookalike/internal/gemm"
	"lookalike/tensor"
)

const (
	// certain is how far the residuals let the variances be off, as a part of
	// each, when they count as found.
	certain = 2e-5

	// rounding is how far off float32 may leave a variance, as a part of the
	// greatest.
	rounding = 1e-11

	// gramSides is how long the shorter side is at most if its Gram matrix is
	// made: 256 MB. Products with it take a fraction of the time of those with
	// the data.
	gramSides = 8192

	// steep is the ratio of the last variance to the greatest below which the
	// Gram matrix is not accurate enough and products are with the data, whose
	// singular values only span the root of that.
	steep = 1e-4

	// A filter amplifies the greatest variance's direction at most by spread
	// more than the last wanted one's, lest in float32 the first hides the last;
	// and it has a degree of at most degrees.
	spread  = 1e5
	degrees = 16

	// rounds is after how many the full solver takes over.
	rounds = 64

	// Of whole variances beyond these the products might leave float32.
	least, most = 1e-10, 1e20
)

// randomized returns what full returns, by subspace iteration with Chebyshev
// filters: the directions of a block of random vectors that are wanted are
// amplified, the block is made orthonormal and the problem is solved within it,
// until the residuals tell that the first k variances are right.
func (c *centred) randomized(k int, seed uint64) (*tensor.Tensor, []float64, error) {
	size := k + max(k/2, 16)
	if 2*size > c.short || c.variance < least || c.variance > most {
		return c.full(k)
	}
	apply := c.apply
	if c.short <= gramSides {
		apply = c.gram().apply
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	v := tensor.New(size, c.short)
	for i := range size {
		random(v.Row(i), rng)
	}
	for round := range rounds {
		v = orthonormal(v, rng)
		av := apply(v)
		small := products(v, av)
		if !finite(small) {
			break
		}
		values, turned, err := eigen(small, size, size)
		if err != nil {
			return nil, nil, err
		}
		turn := narrow(turned, size, size)
		v, av = multiply(turn, v), multiply(turn, av)
		if found(values, k, v, av) {
			return c.refine(v, k)
		}
		if values[k-1] < steep*values[0] {
			apply = c.apply
		}
		degree := 1
		for top := min(degrees, 1<<min(round, 10)); degree < top && contrast(values, k, degree+1) <= spread; {
			degree++
		}
		v = filter(v, av, edge(values), degree, apply)
	}
	return c.full(k)
}

// found tells whether the first k values are right, by what the matrix's product
// with v, av, has outside the block: an eigenvalue is no farther off than the length
// of that, and no farther than its square over the distance from the eigenvalues
// outside the block, the greatest of which are about as great as the block's last.
func found(values []float64, k int, v, av *tensor.Tensor) bool {
	within, outside := tensor.New(v.Dim(0), v.Dim(0)), tensor.New(v.Shape()...)
	tensor.MatMulTransB(within, av, v)
	tensor.MatMul(outside, within, v, nil)
	for i, value := range values[:k] {
		square := 0.0
		image := av.Row(i)
		for j, x := range outside.Row(i) {
			r := float64(image[j]) - float64(x)
			square += float64(r * r)
		}
		off := math.Sqrt(square)
		if gap := value - values[len(values)-1]; gap > 0 {
			off = min(off, square/gap)
		}
		if !(off <= certain*value+rounding*values[0]) {
			return false
		}
	}
	return true
}

// edge is the value up to which a filter damps: the block's last, as those outside
// it are about as great at most.
func edge(values []float64) float64 {
	return max(values[len(values)-1], noVariance*values[0])
}

// contrast is how much more a filter of that degree amplifies the first value
// than the value of place k.
func contrast(values []float64, k, degree int) float64 {
	chebyshev := func(value float64) float64 {
		return math.Cosh(float64(degree) * math.Acosh(max(1, 2*value/edge(values)-1)))
	}
	return chebyshev(values[0]) / chebyshev(values[k-1])
}

// filter applies the Chebyshev polynomial of that degree that is at most 1 from 0
// to edge and grows fast beyond, to the rows of v, given av, the matrix's product
// with them.
func filter(v, av *tensor.Tensor, edge float64, degree int, apply func(*tensor.Tensor) *tensor.Tensor) *tensor.Tensor {
	scale := float32(2 / edge)
	before, now := v, tensor.New(v.Shape()...)
	for i, x := range av.Data() {
		now.Data()[i] = scale*x - v.Data()[i]
	}
	for range degree - 1 {
		next := apply(now)
		for i, x := range next.Data() {
			next.Data()[i] = 2*(scale*x-now.Data()[i]) - before.Data()[i]
		}
		before, now = now, next
	}
	return now
}

// lost is the part of the square of a row's length that float32 cannot tell from
// none once what other rows have in common with it has been subtracted.
const lost = 1e-5

// orthonormal makes the rows of v orthonormal by their products' Cholesky
// decomposition, again and again until that changes nothing but rounding. Random
// rows take the place of those that depend on others. It overwrites v.
func orthonormal(v *tensor.Tensor, rng *rand.Rand) *tensor.Tensor {
	n := v.Dim(0)
	for {
		for i := range n {
			scaleToUnit(v.Row(i), rng)
		}
		s := products(v, v)
		inverse, dependent, sure := inverseCholesky(s, n)
		v = multiply(narrow(inverse, n, n), v)
		for _, i := range dependent {
			random(v.Row(i), rng)
		}
		if sure {
			return v
		}
	}
}

// inverseCholesky returns the inverse of the lower triangular L with LLᵀ = s, a
// symmetric matrix [n, n] with a diagonal of 1, and which rows depend on those
// before, which are zero in it; sure tells whether s was the identity already,
// more or less. It overwrites s.
func inverseCholesky(s []float64, n int) (inverse []float64, dependent []int, sure bool) {
	inverse, sure = make([]float64, n*n), true
	for i := range n {
		row, out := s[i*n:(i+1)*n], inverse[i*n:(i+1)*n]
		// The row of L, and what is left of the diagonal.
		left := row[i]
		for j := range i {
			sure = sure && math.Abs(row[j]) < 1e-3
		}
		for j := range i {
			other := s[j*n : (j+1)*n]
			if other[j] == 0 {
				row[j] = 0
				continue
			}
			row[j] = (row[j] - dot(row[:j], other)) / other[j]
			left -= float64(row[j] * row[j])
		}
		if !(left > lost) {
			dependent, sure = append(dependent, i), false
			row[i] = 0
			continue
		}
		row[i] = math.Sqrt(left)
		for j := range i {
			add(out[:i], -row[j], inverse[j*n:j*n+i])
		}
		out[i] = 1
		for j := range i + 1 {
			out[j] /= row[i]
		}
	}
	return inverse, dependent, sure
}

// random fills a row with random values.
func random(row []float32, rng *rand.Rand) {
	for i := range row {
		row[i] = float32(rng.NormFloat64())
	}
}

// scaleToUnit brings a row to length 1; one that has none becomes random.
func scaleToUnit(row []float32, rng *rand.Rand) {
	for {
		square := 0.0
		for _, x := range row {
			square += float64(float64(x) * float64(x))
		}
		if square > 0 {
			factor := 1 / math.Sqrt(square)
			for i, x := range row {
				row[i] = float32(factor * float64(x))
			}
			return
		}
		random(row, rng)
	}
}

// products returns the products of the rows of a with those of b, as many.
func products(a, b *tensor.Tensor) []float64 {
	n := a.Dim(0)
	part := tensor.New(n, n)
	tensor.MatMulTransB(part, a, b)
	out := make([]float64, n*n)
	for i := range n {
		for j := range n { // the mean of both ways, which differ by rounding
			out[i*n+j] = (float64(part.Row(i)[j]) + float64(part.Row(j)[i])) / 2
		}
	}
	return out
}

func multiply(a, b *tensor.Tensor) *tensor.Tensor {
	out := tensor.New(a.Dim(0), b.Dim(1))
	tensor.MatMul(out, a, b, nil)
	return out
}

// refine solves the problem exactly among combinations of v, [b, short],
// orthonormal rows, by products with the data, and returns the first k.
func (c *centred) refine(v *tensor.Tensor, k int) (*tensor.Tensor, []float64, error) {
	b := v.Dim(0)
	gram, part := make([]float64, b*b), make([]float32, b*b)
	var z *tensor.Tensor
	if c.wide {
		z = tensor.New(c.long, b)
	}
	c.project(v, func(lo, hi int, y *tensor.Tensor, _ []float32, _ int) {
		gemm.Mul(true, false, b, b, hi-lo, y.Data(), b, y.Data(), b, gemm.Epilogue{}, part, b)
		for i, p := range part {
			gram[i] += float64(p)
		}
		if c.wide {
			copy(z.Data()[lo*b:], y.Data())
		}
	})
	squares, vectors, err := eigen(gram, b, k)
	if err != nil {
		return nil, nil, err
	}
	out := tensor.New(k, c.x.Dim(1))
	if c.wide {
		tensor.MatMulTransB(out, narrow(vectors, k, b), z)
	} else {
		tensor.MatMul(out, narrow(vectors, k, b), v, nil)
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
