package main

import (
	"math"
	"testing"

	"lookalike/internal/gemm"
	"lookalike/internal/measure"
)

// TestEnginesAgree: the engines compute the product that ours does.
func TestEnginesAgree(t *testing.T) {
	for name, prepare := range engines {
		err := measure.ProductsOf(t.Context(), measure.Row{}, [][3]int{{5, 7, 11}, {1, 64, 30}}, func(m, n, k int, a, b, c []float32) (func() error, error) {
			multiply, err := prepare(m, n, k, a, b, c)
			if err != nil {
				return nil, err
			}
			return func() error {
				want := make([]float32, m*n)
				gemm.Mul(false, false, m, n, k, a, k, b, n, gemm.Epilogue{}, want, n)
				if err := multiply(); err != nil {
					return err
				}
				for i, v := range c {
					if !(math.Abs(float64(v)-float64(want[i])) <= 1e-6*float64(k)) {
						t.Fatalf("%s: %dx%dx%d, element %d is %v, ours %v", name, m, n, k, i, v, want[i])
					}
				}
				return nil
			}, nil
		}, 1, func(measure.Row) {})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
