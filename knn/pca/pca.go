// Package pca is principal component analysis: it turns vectors into shorter
// ones that keep as much of their variance as any linear map can.
//
// It follows scikit-learn's PCA: the same mean, components, explained variances
// (of n-1 degrees of freedom) and signs. Results are the same bits whatever
// GOMAXPROCS is.
package pca

import (
	"fmt"
	"math"
	"time"

	"lookalike/internal/gemm"
	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// PCA is a fitted analysis of k components in d dimensions. Many goroutines may
// use it at once.
type PCA struct {
	Mean       *tensor.Tensor // [d], of the vectors fitted
	Components *tensor.Tensor // [k, d]: orthonormal rows, that of the greatest variance first

	ExplainedVariance      []float64 // of each component, along it
	ExplainedVarianceRatio []float64 // the same as a part of the whole variance
	SingularValues         []float64 // of the centred vectors: sqrt((n-1) ExplainedVariance)
}

// Solver is how the components are found.
type Solver int

const (
	// Auto is Full where the smaller of n and d is at most 512 or a quarter of
	// it does not exceed the number of components, else Randomized.
	Auto Solver = iota

	// Full decomposes the Gram matrix of the smaller side, all in float64. A
	// component's variance is exact up to 1e-15 of the greatest one. It takes
	// time with the cube of that side.
	Full

	// Randomized is subspace iteration with Chebyshev filters (Zhou, Saad, Tiago
	// and Chelikowsky 2006) from random vectors, half as many again as there are
	// components, by products in float32 with the Gram matrix of the smaller side,
	// or with the data where that side is over 8192 or the spectrum is steep. It
	// ends when the residuals leave the variances no more than 2e-5 to be off by
	// (that the filter has missed no direction is likely, not proven). Variances
	// are within 1e-4 of Full's as long as they are over 1e-6 of the greatest;
	// directions are as sure as their variances differ. Full takes over where it
	// does not end or is not for: more components than a third of the smaller
	// side, or squares that float32 does not hold.
	Randomized
)

// Options choose how to fit. The zero value is a good choice.
type Options struct {
	Solver Solver
	Seed   uint64 // of Randomized: the same seed, the same result
}

// Fit analyses vectors of shape [n, d]; it needs n of 2 or more and between 1
// and min(n, d) components. Vectors that are all the same, and a NaN or an
// infinity in one of them, whose row is named, are errors too.
func Fit(x *tensor.Tensor, components int, o Options) (*PCA, error) {
	if len(x.Shape()) != 2 {
		return nil, fmt.Errorf("pca: vectors have shape %v, want [n, d]", x.Shape())
	}
	n, d := x.Dim(0), x.Dim(1)
	short := min(n, d)
	switch {
	case n < 2:
		return nil, fmt.Errorf("pca: %d vectors have no variance, at least 2 are needed", n)
	case components < 1 || components > short:
		return nil, fmt.Errorf("pca: %d components of %d vectors in %d dimensions; there are 1 to %d", components, n, d, short)
	case o.Solver < Auto || o.Solver > Randomized:
		return nil, fmt.Errorf("pca: there is no solver %d", o.Solver)
	}
	c, err := centre(x)
	if err != nil {
		return nil, err
	}
	if c.variance == 0 {
		return nil, fmt.Errorf("pca: all %d vectors are the same, there is no variance to explain", n)
	}
	var rows *tensor.Tensor
	var squares []float64 // of the singular values
	if o.Solver == Full || o.Solver == Auto && (short <= 512 || components >= short/4) {
		rows, squares, err = c.full(components)
	} else {
		rows, squares, err = c.randomized(components, o.Seed)
	}
	if err != nil {
		return nil, err
	}
	p := &PCA{Mean: tensor.From(c.mean, d), Components: rows}
	for i, s := range squares {
		s = max(s, 0)
		variance := s / float64(n-1)
		p.ExplainedVariance = append(p.ExplainedVariance, variance)
		p.ExplainedVarianceRatio = append(p.ExplainedVarianceRatio, variance/c.variance)
		p.SingularValues = append(p.SingularValues, math.Sqrt(s))
		turn(rows.Row(i))
	}
	return p, nil
}

// turn gives a component the sign of scikit-learn's svd_flip: the value of the
// greatest magnitude is positive.
func turn(row []float32) {
	var greatest float32
	for _, v := range row {
		if max(v, -v) > max(greatest, -greatest) {
			greatest = v
		}
	}
	if greatest < 0 {
		for i := range row {
			row[i] = -row[i]
		}
	}
}

// dims returns the number of components and of dimensions. It panics where mean and
// components are not those of an analysis.
func (p *PCA) dims(op string) (k, d int) {
	if p == nil {
		panic("pca." + op + ": the analysis is nil; Fit makes one")
	}
	c := p.Components.Shape()
	if len(c) != 2 || len(p.Mean.Shape()) != 1 || p.Mean.Dim(0) != c[1] {
		panic(fmt.Sprintf("pca.%s: Mean of shape %v and Components of %v are not [d] and [k d], as Fit makes them", op, p.Mean.Shape(), c))
	}
	return c[0], c[1]
}

// transformRows is how many vectors are centred at a time.
const transformRows = 256

// Transform returns the vectors' places along the components: from [n, d] to
// [n, k]. Another d panics.
func (p *PCA) Transform(x *tensor.Tensor) *tensor.Tensor {
	k, d := p.dims("Transform")
	if len(x.Shape()) != 2 || x.Dim(1) != d {
		panic(fmt.Sprintf("pca.Transform: vectors have shape %v, components %v", x.Shape(), p.Components.Shape()))
	}
	out := tensor.New(x.Dim(0), k)
	block := make([]float32, min(transformRows, x.Dim(0))*d)
	for lo := 0; lo < x.Dim(0); lo += transformRows {
		n := min(transformRows, x.Dim(0)-lo)
		centrings.For(n, time.Duration(n*d/2), centring{block, x, lo, p.Mean.Data()}, centring.row)
		gemm.Mul(false, true, n, k, d, block, d, p.Components.Data(), d, gemm.Epilogue{}, out.Data()[lo*k:], k)
	}
	return out
}

// centring takes the mean off the rows of x from lo on.
type centring struct {
	block []float32
	x     *tensor.Tensor
	lo    int
	mean  []float32
}

var centrings parallel.Loop[centring]

func (c centring) row(i int) {
	d := len(c.mean)
	subtract(c.block[i*d:][:d], c.x.Row(c.lo+i), c.mean)
}

// Inverse returns the vectors, [n, d], that lie at the given places along the
// components, [n, k]: the nearest to the original ones that k components can
// describe. Another k panics.
func (p *PCA) Inverse(y *tensor.Tensor) *tensor.Tensor {
	k, d := p.dims("Inverse")
	if len(y.Shape()) != 2 || y.Dim(1) != k {
		panic(fmt.Sprintf("pca.Inverse: places have shape %v, components %v", y.Shape(), p.Components.Shape()))
	}
	out := tensor.New(y.Dim(0), d)
	tensor.MatMul(out, y, p.Components, p.Mean)
	return out
}

// subtract sets dst = a - b.
func subtract(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}
