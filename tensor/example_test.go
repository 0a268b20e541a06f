package tensor_test

import (
	"fmt"

	"lookalike/tensor"
)

// A row times a matrix, and the bias added.
func ExampleMatMul() {
	a := tensor.From([]float32{1, 2}, 1, 2)
	b := tensor.From([]float32{1, 0, 1, 0, 1, 1}, 2, 3)
	bias := tensor.From([]float32{10, 20, 30}, 3)
	sum := tensor.New(1, 3)
	tensor.MatMul(sum, a, b, bias)
	fmt.Println(sum.Row(0))
	// Output: [11 22 33]
}
