// Package tensor holds arrays of float32 and the operations a convolutional
// network is made of, each with its adjoints.
//
// Pictures are channels last: [batch, height, width, channels]. Data is always
// contiguous, row-major; there are no strided views.
//
// A destination comes first, is never aliased with a source unless the
// operation says so, and is overwritten whole. Shapes that do not fit are
// programming errors: the operation panics with its name and the shapes.
// Results do not depend on GOMAXPROCS.
//
// Accuracy against float64: products and convolutions are sums as in
// internal/gemm, each off by at most its number of terms plus 2, times 2^-24 of the
// sum of the terms' magnitudes; where Winograd's method is taken, the figures
// are those of internal/winograd. ELU is at most 3 units in the last place
// off, and pooling is exact.
package tensor

import (
	"fmt"
	"math"
	"slices"

	"lookalike/internal/hugepages"
)

// Tensor is a contiguous, row-major array of float32.
type Tensor struct {
	shape []int
	data  []float32
	dims  [4]int // where shape lies, if it fits
}

// New returns a tensor of zeros.
func New(shape ...int) *Tensor {
	return new(Tensor).Set(hugepages.Floats(Size(shape)), shape...)
}

// From wraps data, which is not copied, as a tensor of the given shape.
func From(data []float32, shape ...int) *Tensor {
	return new(Tensor).Set(data, shape...)
}

// Set makes t what From returns, in memory that t has: whoever holds t or its shape
// sees the new one.
func (t *Tensor) Set(data []float32, shape ...int) *Tensor {
	if n := Size(shape); n != len(data) {
		panic(fmt.Sprintf("tensor.From: shape %v holds %d values, data has %d", slices.Clone(shape), n, len(data)))
	}
	if cap(t.shape) == 0 {
		t.shape = t.dims[:0]
	}
	t.shape, t.data = append(t.shape[:0], shape...), data
	return t
}

// most is how many values a tensor may hold: more has no address.
const most = math.MaxInt / 4 & (1<<45 - 1)

// Size returns the number of values that a shape holds, 0 if a dimension is 0. It
// panics if one is negative, or if there are more values than memory has addresses
// for.
func Size(shape []int) int {
	n, over, empty := 1, false, false
	for _, d := range shape {
		switch {
		case d < 0:
			panic(fmt.Sprintf("tensor: negative dimension in shape %v", slices.Clone(shape))) // the caller's stays on its stack)
		case d == 0:
			empty = true
		case n > most/d:
			over = true
		default:
			n *= d
		}
	}
	if empty {
		return 0
	}
	if over {
		panic(fmt.Sprintf("tensor: shape %v holds more values than there can be", slices.Clone(shape)))
	}
	return n
}

// Shape returns the dimensions; the caller must not change them. A nil tensor has
// none, so that it fits nowhere.
func (t *Tensor) Shape() []int {
	if t == nil {
		return nil
	}
	return t.shape
}

// Dim returns dimension i. It panics if there is none.
func (t *Tensor) Dim(i int) int {
	if t == nil || uint(i) >= uint(len(t.shape)) {
		t.lacks("Dim", i)
	}
	return t.shape[i]
}

// lacks panics where an operation asks for what t does not have. It stands apart so
// that the operation can be inlined.
//
//go:noinline
func (t *Tensor) lacks(op string, i int) {
	panic(fmt.Sprintf("tensor.%s: there is no %d in %v", op, i, t.Shape()))
}

// Data returns the values in row-major order; writing to them changes t. A nil
// tensor has none.
func (t *Tensor) Data() []float32 {
	if t == nil {
		return nil
	}
	return t.data
}

// Len returns the number of values.
func (t *Tensor) Len() int {
	if t == nil {
		return 0
	}
	return len(t.data)
}

// Reshape returns a tensor of another shape over the same data.
func (t *Tensor) Reshape(shape ...int) *Tensor {
	if t == nil || Size(shape) != len(t.data) {
		panic(fmt.Sprintf("tensor.Reshape: %v does not fit %v", t.Shape(), slices.Clone(shape)))
	}
	return new(Tensor).Set(t.data, shape...)
}

// Row returns the values of index i of the first dimension. It panics if there is none.
func (t *Tensor) Row(i int) []float32 {
	if t == nil || len(t.shape) == 0 || uint(i) >= uint(t.shape[0]) {
		t.lacks("Row", i)
	}
	n := len(t.data) / t.shape[0]
	return t.data[i*n : (i+1)*n : (i+1)*n]
}

// Rows returns the tensor of indices [lo, hi) of the first dimension, over the same
// data.
func (t *Tensor) Rows(lo, hi int) *Tensor {
	if len(t.Shape()) == 0 || lo < 0 || hi < lo || hi > t.shape[0] {
		panic(fmt.Sprintf("tensor.Rows: there are no rows %d to %d in %v", lo, hi, t.Shape()))
	}
	n := len(t.data) / max(1, t.shape[0])
	return From(t.data[lo*n:hi*n:hi*n], append([]int{hi - lo}, t.shape[1:]...)...)
}

// Clone returns a copy that shares nothing with t.
func (t *Tensor) Clone() *Tensor {
	if t == nil {
		panic("tensor.Clone: the tensor is nil")
	}
	return From(append([]float32(nil), t.data...), t.shape...)
}

// String gives the shape; values are too many to print.
func (t *Tensor) String() string { return fmt.Sprintf("float32%v", t.Shape()) }
