package pca

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack/gonum"

	"lookalike/internal/parallel"
)

var errNoEigenvalues = errors.New("pca: the eigenvalues cannot be found: the iteration did not converge")

// tridiagonal is a symmetric matrix [n, n] reduced by reflections to one with
// the diagonal d and e beside it.
//
// LAPACK's drivers find all eigenvectors, which takes most of their time. Here
// the few that are wanted are found alone, by inverse iteration.
type tridiagonal struct {
	n          int
	d, e       []float64
	reflectors []float64 // row i is the vector of reflection i from place i+1 on
	tau        []float64
	values     []float64 // all eigenvalues, falling
}

// reduceSymmetric overwrites a.
func reduceSymmetric(a []float64, n int) (*tridiagonal, error) {
	var lapack gonum.Implementation
	t := &tridiagonal{n: n, d: make([]float64, n), e: make([]float64, n-1), tau: make([]float64, n-1)}
	size := make([]float64, 1)
	lapack.Dsytrd(blas.Lower, n, a, n, t.d, t.e, t.tau, size, -1)
	work := make([]float64, int(size[0]))
	lapack.Dsytrd(blas.Lower, n, a, n, t.d, t.e, t.tau, work, len(work))
	t.reflectors = a
	t.values = slices.Clone(t.d)
	if !lapack.Dsterf(n, t.values, slices.Clone(t.e)) {
		return nil, errNoEigenvalues
	}
	slices.Reverse(t.values)
	return t, nil
}

// eigen returns the k greatest eigenvalues of the symmetric matrix a, [n, n], in
// falling order, and their eigenvectors as the rows of [k, n]. It overwrites a.
func eigen(a []float64, n, k int) (values, rows []float64, err error) {
	t, err := reduceSymmetric(a, n)
	if err != nil {
		return nil, nil, err
	}
	return t.values[:k], t.back(t.vectors(k), k), nil
}

// vectors returns the tridiagonal matrix's own eigenvectors, [k, n].
func (t *tridiagonal) vectors(k int) []float64 {
	var lapack gonum.Implementation
	rng := rand.New(rand.NewPCG(1, 1)) // any start will do
	scale := max(math.Abs(t.values[0]), math.Abs(t.values[t.n-1]))
	rows := make([]float64, k*t.n)
	for i := range k {
		row := rows[i*t.n : (i+1)*t.n]
		for j := range row {
			row[j] = rng.NormFloat64()
		}
		// Three steps from any start leave nothing but the eigenvector, or, of
		// eigenvalues that are the same but for rounding, a vector of their
		// space; those before are taken out of it.
		shift := t.values[i]
		for step := 0; step < 3; {
			d, x := slices.Clone(t.d), slices.Clone(row)
			for j := range d {
				d[j] -= shift
			}
			if !lapack.Dgtsv(t.n, 1, slices.Clone(t.e), d, slices.Clone(t.e), x, 1) || !finite(x) {
				shift += 0x1p-50 * max(scale, math.SmallestNonzeroFloat64*0x1p60) // met exactly
				continue
			}
			unit(x) // before the products, which may overflow
			for range 2 {
				for before := range slices.Chunk(rows[:i*t.n], t.n) {
					add(x, -dot(x, before), before)
				}
				unit(x)
			}
			copy(row, x)
			step++
		}
	}
	return rows
}

func finite(x []float64) bool {
	return !slices.ContainsFunc(x, func(v float64) bool { return v-v != 0 })
}

// unit brings x to length 1. It first makes it small enough to be squared.
func unit(x []float64) {
	greatest := 0.0
	for _, v := range x {
		greatest = max(greatest, math.Abs(v))
	}
	for i := range x {
		x[i] /= greatest
	}
	length := math.Sqrt(dot(x, x))
	for i := range x {
		x[i] /= length
	}
}

// back turns vectors of the tridiagonal matrix, [k, n], into those of the one it
// was made from.
func (t *tridiagonal) back(rows []float64, k int) []float64 {
	n := t.n
	mirrors := make([][]float64, n-1)
	for i := range mirrors {
		v := make([]float64, n-i-1)
		v[0] = 1
		for j := 1; j < len(v); j++ {
			v[j] = t.reflectors[(i+1+j)*n+i]
		}
		mirrors[i] = v
	}
	parallel.For(k, func(r int) {
		row := rows[r*n : (r+1)*n]
		for i, v := range slices.Backward(mirrors) {
			x := row[i+1:]
			add(x, -t.tau[i]*dot(v, x), v)
		}
	})
	return rows
}
