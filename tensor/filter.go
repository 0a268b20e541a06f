package tensor

import (
	"fmt"
	"sync"

	"lookalike/internal/f32"
	"lookalike/internal/gemm"
	"lookalike/internal/parallel"
	"lookalike/internal/winograd"
)

// Filter is a convolution's kernel in the forms in which it is applied. Each is
// made when it is first needed; the kernel must not change in between. Many
// goroutines may apply a filter at once.
type Filter struct {
	window Window
	kernel *Tensor // [rows, columns, in, out]

	making      sync.Mutex
	isPacked    bool
	packed      gemm.Packed
	transformed [2]struct { // for tiles of 2x2 and of 4x4 pixels
		done bool
		winograd.Kernel
	}
}

// NewFilter makes a kernel, [rows, columns, in, out], ready to be applied to many
// pictures.
func NewFilter(kernel *Tensor, w Window) *Filter {
	f := new(Filter)
	f.reset(kernel, w)
	return f
}

func (f *Filter) reset(kernel *Tensor, w Window) {
	if len(kernel.Shape()) != 4 || kernel.shape[0] != w.Size[0] || kernel.shape[1] != w.Size[1] {
		panic(fmt.Sprintf("tensor.Conv2D: kernel %v does not fit with %+v", kernel.Shape(), w))
	}
	f.kernel, f.window = kernel, w
	f.isPacked = false
	for i := range f.transformed {
		f.transformed[i].done = false
	}
}

// pack returns the kernel for the direct method.
func (f *Filter) pack() *gemm.Packed {
	f.making.Lock()
	defer f.making.Unlock()
	if !f.isPacked {
		out := f.kernel.shape[3]
		f.packed.Pack(patchLen(f.kernel), out, f.kernel.data, out, false)
		f.isPacked = true
	}
	return &f.packed
}

// transform returns the kernel for Winograd's method.
func (f *Filter) transform(tile int) *winograd.Kernel {
	f.making.Lock()
	defer f.making.Unlock()
	t := &f.transformed[tile/2-1]
	if !t.done {
		t.Transform(tile, f.kernel.data, f.kernel.shape[2], f.kernel.shape[3])
		t.done = true
	}
	return &t.Kernel
}

// filters keep the memory of filters that are used once.
var filters = sync.Pool{New: func() any { return new(Filter) }}

// Conv2D computes the convolution of x, with an epilogue. With Pool dst is
// [batch, oh/2, ow/2, out].
func (f *Filter) Conv2D(dst, x *Tensor, e Epilogue) {
	if dst == nil {
		panic("tensor.Conv2D: no tensor to write to")
	}
	whole := *dst // the convolution before pooling
	if e.Pool && len(dst.shape) == 4 {
		whole.shape = []int{dst.shape[0], 2 * dst.shape[1], 2 * dst.shape[2], dst.shape[3]}
	}
	w := f.window
	checkConv("Conv2D", &whole, x, f.kernel, w)
	bias := biasData("Conv2D", e.Bias, f.kernel.shape[3])
	if tile := winogradTile(w, &whole, x); tile > 0 {
		f.winograd(dst, &whole, x, tile, bias, e)
		return
	}
	correlate(dst, x, f.pack(), bias, e, grid{
		rows: whole.shape[1], cols: whole.shape[2], step: [2]int{1, 1},
		taps: w.Size, stride: w.Stride, offset: [2]int{-w.Pad[0], -w.Pad[1]},
	})
}

// winogradTile returns the side of the tiles by which Winograd's method computes a
// convolution fastest, or 0 where the direct method does. Tiles of 4x4 pixels take
// the fewest multiplications, but four times the kernel's memory: of small
// pictures there are too few tiles to pay for reading it. Measured in
// bench/NOTES.md, "Winograd".
func winogradTile(w Window, y, x *Tensor) int {
	side := min(y.shape[1], y.shape[2])
	switch {
	case w.Size != [2]int{3, 3} || w.Stride != [2]int{1, 1} || min(x.shape[3], y.shape[3]) < 16 || side < 4:
		return 0
	case side < 28:
		return 2
	}
	return 4
}

// winograd computes Conv2D by Winograd's method.
func (f *Filter) winograd(dst, whole, x *Tensor, tile int, bias []float32, e Epilogue) {
	k := f.transform(tile)
	batch, h, w := x.shape[0], x.shape[1], x.shape[2]
	oh, ow := whole.shape[1], whole.shape[2]
	if e.Choice == nil {
		k.Convolve(dst.data, x.data, batch, h, w, f.window.Pad[0], f.window.Pad[1], oh, ow, winograd.Epilogue{Bias: bias, ReLU: e.ReLU, Pool: e.Pool})
		if e.Activate != nil {
			n := dst.shape[3]
			parallel.Spans(len(dst.data), max(1, activationBlock/n)*n, func(lo, hi int) { e.Activate(dst.data[lo:hi]) })
		}
		return
	}
	// The places of the maxima are wanted: some pictures are computed whole, and
	// pooled while they are in the last-level cache.
	size := oh * ow * dst.shape[3]
	z := buffer(min(batch, chosenPictures) * size)
	defer release(z)
	for first := 0; first < batch; first += chosenPictures {
		n := min(chosenPictures, batch-first)
		k.Convolve((*z)[:n*size], x.data[first*len(x.data)/batch:][:n*len(x.data)/batch], n, h, w,
			f.window.Pad[0], f.window.Pad[1], oh, ow, winograd.Epilogue{Bias: bias})
		parallel.For(n*dst.shape[1], func(i int) {
			b, y := i/dst.shape[1], i%dst.shape[1]
			e.pool(dst, (*z)[b*size+2*y*ow*dst.shape[3]:], ow*dst.shape[3], first+b, y, y+1)
		})
	}
}

const (
	activationBlock = 1 << 14 // values that one goroutine activates at a time
	chosenPictures  = 4       // computed before they are pooled
)

// activate applies the epilogue's activation to values that are done otherwise.
func (e Epilogue) activate(values []float32) {
	if e.ReLU {
		f32.ReLU(values, values)
	}
	if e.Activate != nil {
		e.Activate(values)
	}
}
