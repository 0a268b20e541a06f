package tensor

import (
	"fmt"
	"sync"

	"lookalike/internal/gemm"
)

// Filter is a convolution's kernel made ready to be applied to many pictures. It
// keeps a copy: later changes of the kernel do not reach it. Many goroutines may
// apply it at once.
type Filter struct {
	window Window
	kernel *Tensor // its shape is checked; its values may have changed since
	packed gemm.Packed
}

// NewFilter makes a kernel, [rows, columns, in, out], ready.
func NewFilter(kernel *Tensor, w Window) *Filter {
	f := new(Filter)
	f.prepare(kernel, w)
	return f
}

func (f *Filter) prepare(kernel *Tensor, w Window) {
	if len(kernel.shape) != 4 || kernel.shape[0] != w.Size[0] || kernel.shape[1] != w.Size[1] {
		panic(fmt.Sprintf("tensor.Conv2D: kernel %v does not fit with %+v", kernel.shape, w))
	}
	f.kernel, f.window = kernel, w
	f.packed.Pack(patchLen(kernel), kernel.shape[3], kernel.data, kernel.shape[3], false)
}

// filters keep the memory of filters that are used once.
var filters = sync.Pool{New: func() any { return new(Filter) }}

// Conv2D computes the convolution of x by the kernel as it was, with an
// epilogue. With Pool dst is [batch, oh/2, ow/2, out].
func (f *Filter) Conv2D(dst, x *Tensor, e Epilogue) {
	whole := *dst // the convolution before pooling
	if e.Pool && len(dst.shape) == 4 {
		whole.shape = []int{dst.shape[0], 2 * dst.shape[1], 2 * dst.shape[2], dst.shape[3]}
	}
	w := f.window
	checkConv("Conv2D", &whole, x, f.kernel, w)
	correlate(dst, x, &f.packed, biasData("Conv2D", e.Bias, f.kernel.shape[3]), e, grid{
		rows: whole.shape[1], cols: whole.shape[2], step: [2]int{1, 1},
		taps: w.Size, stride: w.Stride, offset: [2]int{-w.Pad[0], -w.Pad[1]},
	})
}
