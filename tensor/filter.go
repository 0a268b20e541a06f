package tensor

import (
	"fmt"
	"slices"
	"sync"
	"time"

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
	exact  bool    // zeros stay zeros: see settle

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
var filters = sync.Pool{New: func() any { return &Filter{exact: true} }}

// Conv2D computes the convolution of x, with an epilogue. With Pool dst is
// [batch, oh/2, ow/2, out].
func (f *Filter) Conv2D(dst, x *Tensor, e Epilogue) {
	if dst == nil {
		panic("tensor.Conv2D: no tensor to write to")
	}
	if f == nil {
		panic("tensor.Conv2D: there is no kernel: the filter is nil")
	}
	var whole Tensor // the shape of the convolution before pooling
	whole.shape = append(whole.dims[:0], dst.shape...)
	if e.Pool && len(dst.shape) == 4 {
		whole.shape[1], whole.shape[2] = 2*dst.shape[1], 2*dst.shape[2]
	}
	w := f.window
	checkConv("Conv2D", &whole, x, f.kernel, w)
	oh, ow := whole.shape[1], whole.shape[2]
	bias := biasData("Conv2D", e.Bias, f.kernel.shape[3])
	if tile := winogradTile(w, &whole, x); tile > 0 {
		f.winograd(dst, oh, ow, x, tile, bias, e)
		return
	}
	correlate(dst, x, f.pack(), bias, e, grid{
		rows: oh, cols: ow, step: [2]int{1, 1},
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

// winograd computes Conv2D by Winograd's method; oh and ow are the sides before pooling.
func (f *Filter) winograd(dst *Tensor, oh, ow int, x *Tensor, tile int, bias []float32, e Epilogue) {
	k := f.transform(tile)
	batch, h, w := x.shape[0], x.shape[1], x.shape[2]
	if e.Choice == nil {
		k.Convolve(dst.data, x.data, batch, h, w, f.window.Pad[0], f.window.Pad[1], oh, ow, winograd.Epilogue{Bias: bias, ReLU: e.ReLU, Pool: e.Pool})
		if !e.Pool && (bias != nil || e.ReLU || e.Activate != nil) {
			f.settle(dst.data, x, 0, batch, oh, ow, bias, e.ReLU)
		}
		if e.Activate != nil {
			n := dst.shape[3]
			activations.Spans(len(dst.data), max(1, activationBlock/n)*n, time.Duration(len(dst.data)), activation{dst.data, e.Activate}, activation.apply)
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
		f.settle((*z)[:n*size], x, first, n, oh, ow, bias, false)
		chosenPools.For(n*dst.shape[1], time.Duration(n*size/poolRate), chosenPool{dst, e, *z, size, ow, first}, chosenPool.row)
	}
}

// settle puts the bias where the kernel lies on zeros alone, in n pictures from first on:
// Winograd's method leaves rests there of what else is in the tile. With a bias of 0 a
// ReLU would take half of them for values to be trained, all over a black background.
// Biases are 0 before the first step of training, and hardly ever again: otherwise
// rests do no harm, nor in prediction, and nothing is done.
func (f *Filter) settle(dst []float32, x *Tensor, first, n, oh, ow int, bias []float32, relu bool) {
	if !f.exact || n == 0 || bias != nil && !slices.Contains(bias, 0) {
		return
	}
	each := len(x.data) / x.shape[0]
	settlings.For(n*oh, time.Duration(n*each/settleRate), settling{
		dst: dst, x: x.data[first*each:][:n*each], bias: bias, relu: relu,
		h: x.shape[1], w: x.shape[2], in: x.shape[3], oh: oh, ow: ow, out: f.kernel.shape[3], pad: f.window.Pad,
	}, settling.row)
}

// settling is what the rows of settle have in common.
type settling struct {
	dst, x, bias []float32
	relu         bool
	h, w, in     int
	oh, ow, out  int
	pad          [2]int
}

var settlings parallel.Loop[settling]

// settleRate is about how many values of x are looked at in a nanosecond.
const settleRate = 2

func (s settling) row(i int) {
	b, y := i/s.oh, i%s.oh-s.pad[0] // where the kernel begins
	pictures := s.x[b*s.h*s.w*s.in:]
	zero := 0 // columns in a row in which the kernel finds nothing
	for x := -s.pad[1]; x < s.ow+2-s.pad[1]; x++ {
		zero++
		for yy := max(0, y); yy < min(s.h, y+3) && x >= 0 && x < s.w && zero > 0; yy++ {
			for _, v := range pictures[(yy*s.w+x)*s.in:][:s.in] {
				if v != 0 {
					zero = 0
					break
				}
			}
		}
		if zero >= 3 {
			to := s.dst[(i*s.ow+x-2+s.pad[1])*s.out:][:s.out]
			if clear(to); s.bias == nil {
				continue
			}
			for c, v := range s.bias {
				if to[c] = v; s.relu {
					to[c] = max(v, 0)
				}
			}
		}
	}
}

// activation is values to be activated. It takes about a nanosecond for each.
type activation struct {
	values   []float32
	activate func(values []float32)
}

var activations parallel.Loop[activation]

func (a activation) apply(lo, hi int) { a.activate(a.values[lo:hi]) }

// chosenPool is pooling, with the places of the maxima, of pictures z from first on.
type chosenPool struct {
	dst             *Tensor
	e               Epilogue
	z               []float32
	size, ow, first int
}

var chosenPools parallel.Loop[chosenPool]

func (p chosenPool) row(i int) {
	b, y, pitch := i/p.dst.shape[1], i%p.dst.shape[1], p.ow*p.dst.shape[3]
	p.e.pool(p.dst, p.z[b*p.size+2*y*pitch:], pitch, p.first+b, y, y+1)
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
