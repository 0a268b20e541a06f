package tensor

import (
	"fmt"
	"math"
	"testing"

	"lookalike/internal/misusetest"
)

// TestMisusePanics: a panic names the operation and the shapes that do not fit.
func TestMisusePanics(t *testing.T) {
	three := Window{Size: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [2]int{1, 1}}
	two := Window{Size: [2]int{2, 2}, Stride: [2]int{2, 2}}
	picture := func() *Tensor { return New(1, 6, 6, 2) }
	for _, c := range []struct {
		run  func()
		want string // what the panic must say
	}{
		{func() { MatMul(New(3, 6), New(3, 4), New(5, 6), nil) }, "MatMul|[3 4]|[5 6]"},
		{func() { MatMul(New(3, 7), New(3, 4), New(4, 6), nil) }, "MatMul|[3 7]|[3 6]"},
		{func() { MatMul(New(3, 6), New(3, 4, 1), New(4, 6), nil) }, "MatMul|[3 4 1]|[4 6]"},
		{func() { MatMul(New(3, 6), New(3, 4), New(4, 6), New(5)) }, "MatMul bias|[5]|[6]"},
		{func() { MatMulTransA(New(3, 6), New(4, 3), New(5, 6), false) }, "MatMulTransA|[4 3]|[5 6]"},
		{func() { MatMulTransB(New(3, 6), New(3, 4), New(6, 5)) }, "MatMulTransB|[3 4]|[6 5]"},
		{func() { Conv2D(picture(), picture(), New(3, 3, 3, 2), nil, three) }, "Conv2D|[1 6 6 2]|[3 3 3 2]"},
		{func() { Conv2D(New(2, 6, 6, 2), picture(), New(3, 3, 2, 2), nil, three) }, "Conv2D|[2 6 6 2]|[1 6 6 2]"},
		{func() { Conv2D(New(1, 8, 6, 2), picture(), New(3, 3, 2, 2), nil, three) }, "Conv2D|[1 8 6 2]|[1 6 6 2]"}, // a window beyond the end
		{func() { Conv2D(New(1, 6, 6), picture(), New(3, 3, 2, 2), nil, three) }, "Conv2D|[1 6 6]|[1 6 6 2]"},
		{func() { Conv2D(picture(), picture(), New(5, 5, 2, 2), nil, three) }, "Conv2D|[5 5 2 2]|Size:[3 3]"},
		{func() { Conv2D(picture(), picture(), New(3, 3, 2, 2), New(3), three) }, "Conv2D bias|[3]|[2]"},
		{func() { Conv2D(picture(), picture(), New(3, 3, 2, 2), nil, Window{Size: [2]int{3, 3}}) }, "Conv2D|Stride:[0 0]"},
		{func() { Conv2DInputGrad(New(1, 6, 6, 5), picture(), New(3, 3, 2, 2), nil, three) }, "Conv2DInputGrad|[1 6 6 5]|[3 3 2 2]"},
		{func() { Conv2DInputGrad(New(1, 4, 6, 2), picture(), New(3, 3, 2, 2), nil, three) }, "Conv2DInputGrad|[1 4 6 2]|[1 6 6 2]"},
		{func() { Conv2DInputGrad(picture(), picture(), New(3, 3, 2, 2), New(3), three) }, "Conv2DInputGrad bias|[3]|[2]"},
		{func() { Conv2DKernelGrad(New(3, 3, 2, 4), picture(), picture(), three, false) }, "Conv2DKernelGrad|[3 3 2 4]|[1 6 6 2]"},
		{func() {
			Conv2D(New(1, 9, 9, 2), picture(), New(3, 3, 2, 2), nil, Window{Size: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [2]int{3, 3}})
		}, "Conv2D|[1 9 9 2]|Pad:[3 3]"}, // a window before the beginning
		{func() { MaxPool(New(1, 4, 3, 2), nil, picture(), two) }, "MaxPool|[1 4 3 2]|[1 6 6 2]"},
		{func() { MaxPool(New(1, 3, 3, 2), make([]uint8, 17), picture(), two) }, "MaxPool|17|[1 3 3 2]"},
		{func() {
			MaxPool(New(1, 1, 1, 1), nil, New(1, 20, 20, 1), Window{Size: [2]int{20, 20}, Stride: [2]int{1, 1}})
		}, "MaxPool|[20 20]|256"},
		{func() { MaxPoolGrad(picture(), New(1, 3, 3, 1), nil, two) }, "MaxPoolGrad|[1 6 6 2]|[1 3 3 1]"},
		{func() { MaxPoolGrad(picture(), New(1, 3, 3, 2), nil, two) }, "MaxPoolGrad|0|[1 3 3 2]"},
		{func() { AveragePool(New(2, 3, 3, 2), picture(), two) }, "AveragePool|[2 3 3 2]|[1 6 6 2]"},
		{func() { AveragePoolGrad(picture(), New(1, 3, 4, 2), two) }, "AveragePoolGrad|[1 6 6 2]|[1 3 4 2]"},
		{func() { SumRows(New(3), picture(), false) }, "SumRows|[3]|[1 6 6 2]"},
		{func() { From(make([]float32, 5), 2, 3) }, "From|[2 3]|6|5"},
		{func() { New(2, -3) }, "tensor|[2 -3]"},
		{func() { New(math.MaxInt, math.MaxInt) }, "tensor|more values"},
		{func() { Size([]int{math.MaxInt/4 + 1}) }, "tensor|more values"},
		{func() { From(nil, math.MaxInt/2+1, 4) }, "tensor|more values"},
		{func() { picture().Reshape(math.MaxInt/2+1, 2) }, "tensor|more values"},
		{func() { picture().Rows(0, 2) }, "tensor.Rows|0 to 2|[1 6 6 2]"},
		{func() { picture().Rows(1, 0) }, "tensor.Rows|1 to 0"},
		{func() { picture().Dim(4) }, "tensor.Dim|4|[1 6 6 2]"},
		{func() { picture().Dim(-1) }, "tensor.Dim|-1|[1 6 6 2]"},
		{func() { (*Tensor)(nil).Dim(0) }, "tensor.Dim|0|[]"},
		{func() { picture().Row(1) }, "tensor.Row|1|[1 6 6 2]"},
		{func() { New(0, 3).Row(0) }, "tensor.Row|0|[0 3]"},
		{func() { New().Row(0) }, "tensor.Row|0|[]"},
		{func() { (*Tensor)(nil).Row(0) }, "tensor.Row|0|[]"},
		{func() { (*Tensor)(nil).Rows(0, 1) }, "tensor.Rows|[]"},
		{func() { (*Tensor)(nil).Reshape(1) }, "tensor.Reshape|[1]|[]"},
		{func() { (*Tensor)(nil).Clone() }, "tensor.Clone|nil"},
		{func() { (*Filter)(nil).Conv2D(picture(), picture(), Epilogue{}) }, "tensor.Conv2D|no kernel"},
		{func() { new(Filter).Conv2D(picture(), picture(), Epilogue{}) }, "tensor.Conv2D|[]"},
		{func() { panic(fmt.Sprint((*Tensor)(nil), (*Tensor)(nil).Data() == nil)) }, "float32[] true"},
		{func() { MatMul(nil, New(3, 4), New(4, 6), nil) }, "tensor.MatMul|[]|[3 6]"},
		{func() { MatMul(New(3, 6), nil, New(4, 6), nil) }, "tensor.MatMul|[]|[4 6]"},
		{func() { MatMulTransA(New(3, 6), New(4, 3), nil, false) }, "tensor.MatMulTransA|[4 3]|[]"},
		{func() { Conv2D(picture(), nil, New(3, 3, 2, 2), nil, three) }, "tensor.Conv2D|[]"},
		{func() { Conv2D(picture(), picture(), nil, nil, three) }, "tensor.Conv2D|[]"},
		{func() { NewFilter(nil, three) }, "tensor.Conv2D|[]"},
		{func() { MaxPool(nil, nil, picture(), two) }, "tensor.MaxPool|[]"},
		{func() { AveragePool(New(1, 3, 3, 2), nil, two) }, "tensor.AveragePool|[]"},
		{func() { SumRows(nil, picture(), false) }, "tensor.SumRows|[]"},
		{func() { SumRows(New(2), nil, false) }, "tensor.SumRows|[]"},
		{func() { picture().Reshape(5, 5) }, "Reshape|[1 6 6 2]|[5 5]"},
	} {
		misusetest.Says(t, misusetest.Panic(t, c.run), c.want)
	}
}

// TestEmptyBatch: no pictures give no outputs and no gradients.
func TestEmptyBatch(t *testing.T) {
	w := Window{Size: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: [2]int{1, 1}}
	x, y, k, c := New(0, 6, 6, 2), New(0, 3, 3, 4), New(3, 3, 2, 4), New(0, 3, 3, 2)
	Conv2D(y, x, k, New(4), w)
	Conv2DInputGrad(x, y, k, nil, w)
	MaxPool(c, nil, x, w)
	MaxPoolGrad(x, c, nil, w)
	AveragePool(c, x, w)
	AveragePoolGrad(x, c, w)
	MatMul(New(0, 4), New(0, 3), New(3, 4), New(4))
	dk, sum, dw := dirty(3, 3, 2, 4), dirty(4), dirty(3, 4)
	Conv2DKernelGrad(dk, x, y, w, false)
	SumRows(sum, y, false)
	MatMulTransA(dw, New(0, 3), New(0, 4), false)
	for what, got := range map[string]*Tensor{"Conv2DKernelGrad": dk, "SumRows": sum, "MatMulTransA": dw} {
		for i, v := range got.data {
			if v != 0 {
				t.Errorf("%s of nothing: [%d] = %v", what, i, v)
			}
		}
	}
}

func TestTensorBasics(t *testing.T) {
	x := From([]float32{1, 2, 3, 4, 5, 6}, 3, 2)
	if x.Len() != 6 || x.Dim(1) != 2 || x.String() != "float32[3 2]" {
		t.Errorf("%v: length %d, columns %d", x, x.Len(), x.Dim(1))
	}
	row, copied, shaped := x.Row(1), x.Clone(), x.Reshape(2, 3)
	row[0] = 30
	if x.Data()[2] != 30 || shaped.Data()[2] != 30 || copied.Data()[2] != 3 || len(row) != 2 || cap(row) != 2 {
		t.Errorf("row %v of capacity %d, reshaped %v, clone %v", row, cap(row), shaped.Data(), copied.Data())
	}
	shape := []int{2, 2}
	if n := Size([]int{math.MaxInt, 0, math.MaxInt}); n != 0 {
		t.Errorf("an empty shape holds %d values", n)
	}
	y := New(shape...)
	shape[0] = 9
	if y.Dim(0) != 2 {
		t.Error("a tensor keeps its caller's shape")
	}
}
