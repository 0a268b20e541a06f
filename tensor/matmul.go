package tensor

import (
	"fmt"
	"slices"

	"lookalike/internal/gemm"
)

// MatMul computes dst = a·b, for a [m,k], b [k,n] and dst [m,n]. A bias [n] is
// added to every row unless it is nil.
func MatMul(dst, a, b, bias *Tensor) { MatMulFused(dst, a, b, bias, nil) }

// MatMulFused is MatMul that calls activate, unless it is nil, for each value once
// before it leaves the cache: in place, on parts of rows, from several goroutines.
func MatMulFused(dst, a, b, bias *Tensor, activate func(values []float32)) {
	m, k, n := product("MatMul", dst, a, b, 0, 1, 0, 1)
	e := gemm.Epilogue{Bias: biasData("MatMul", bias, n), Activate: activate}
	gemm.Mul(false, false, m, n, k, a.data, k, b.data, n, e, dst.data, n)
}

// MatMulTransA computes dst = aᵀ·b, for a [k,m], b [k,n] and dst [m,n]; with
// accumulate it adds to dst. It is the adjoint of MatMul in b.
func MatMulTransA(dst, a, b *Tensor, accumulate bool) {
	m, k, n := product("MatMulTransA", dst, a, b, 1, 0, 0, 1)
	gemm.Mul(true, false, m, n, k, a.data, m, b.data, n, gemm.Epilogue{Accumulate: accumulate}, dst.data, n)
}

// MatMulTransB computes dst = a·bᵀ, for a [m,k], b [n,k] and dst [m,n]. It is
// the adjoint of MatMul in a.
func MatMulTransB(dst, a, b *Tensor) {
	m, k, n := product("MatMulTransB", dst, a, b, 0, 1, 1, 0)
	gemm.Mul(false, true, m, n, k, a.data, k, b.data, k, gemm.Epilogue{}, dst.data, n)
}

// product checks a matrix product's shapes; am, ak, bk and bn tell which
// dimension of a and b plays which part.
func product(op string, dst, a, b *Tensor, am, ak, bk, bn int) (m, k, n int) {
	if len(a.Shape()) != 2 || len(b.Shape()) != 2 {
		panic(fmt.Sprintf("tensor.%s: needs two matrices, has %v and %v", op, a.Shape(), b.Shape()))
	}
	m, k, n = a.shape[am], a.shape[ak], b.shape[bn]
	if b.shape[bk] != k {
		panic(fmt.Sprintf("tensor.%s: inner dimensions differ: %v and %v", op, a.shape, b.shape))
	}
	checkShape(op, dst, m, n)
	return m, k, n
}

func biasData(op string, bias *Tensor, n int) []float32 {
	if bias == nil {
		return nil
	}
	if len(bias.shape) != 1 || bias.shape[0] != n {
		checkShape(op+" bias", bias, n) // the name takes memory
	}
	return bias.data
}

func checkShape(op string, t *Tensor, want ...int) {
	if len(t.Shape()) == len(want) {
		same := true
		for i, d := range want {
			same = same && t.shape[i] == d
		}
		if same {
			return
		}
	}
	panic(fmt.Sprintf("tensor.%s: shape is %v, needs %v", op, t.Shape(), slices.Clone(want)))
}
