package tensor

import (
	"fmt"
	"slices"
	"sync"

	"lookalike/internal/f32"
	"lookalike/internal/gemm"
	"lookalike/internal/parallel"
	"lookalike/internal/winograd"
)

// Window is how a kernel or a pool slides over a picture, in rows and columns:
// its size, its step, and how many zeros stand before the first row and column.
// What lies behind the last is implied by the output's shape.
type Window struct {
	Size, Stride, Pad [2]int
}

// Conv2D computes the cross-correlation that networks call convolution:
//
//	dst[b,y,x,o] = bias[o] + Σ over i,j,c of x[b, y·sy+i-py, x·sx+j-px, c] · kernel[i,j,c,o]
//
// for x [batch, height, width, in], kernel [rows, columns, in, out] and dst
// [batch, oh, ow, out]; what lies outside the picture is zero. bias may be nil.
func Conv2D(dst, x, kernel, bias *Tensor, w Window) {
	Conv2DFused(dst, x, kernel, w, Epilogue{Bias: bias})
}

// Epilogue is what happens to a convolution's values before they leave the
// cache, in this order.
type Epilogue struct {
	Bias     *Tensor                // [out], or nil
	Pool     bool                   // 2x2 max-pooling with stride 2, as MaxPool does it; an odd last row or column is left out
	Choice   []uint8                // with Pool: MaxPool's choice, or nil
	ReLU     bool                   // raise what is negative to zero
	Activate func(values []float32) // in place, on whole pixels, from several goroutines; or nil
}

// Conv2DFused computes Conv2D with an epilogue. With Pool dst is [batch, oh/2,
// ow/2, out]. Where the kernel lies on zeros alone and the bias is 0 the outcome is
// exactly 0, unless there is neither bias nor activation, or Pool without Choice;
// a [Filter] may leave a rest of what is near.
func Conv2DFused(dst, x, kernel *Tensor, w Window, e Epilogue) {
	f := filters.Get().(*Filter)
	defer filters.Put(f)
	f.reset(kernel, w)
	f.Conv2D(dst, x, e)
}

// Conv2DInputGrad is the adjoint of Conv2D in x: it computes the gradient dx
// from the gradient dy of Conv2D's output. With a bias [in] added it is the
// transposed convolution, whose kernel is [rows, columns, out, in] seen from
// its own side.
//
// With stride 1 it is one convolution, with stride s it is s², one for each phase
// of dx: no zeros are multiplied and nothing is scattered.
func Conv2DInputGrad(dx, dy, kernel, bias *Tensor, w Window) {
	checkConv("Conv2DInputGrad", dy, dx, kernel, w)
	in := kernel.shape[2]
	b := biasData("Conv2DInputGrad", bias, in)
	if t := w.turned(); w.Stride == [2]int{1, 1} && t.slides(dy, dx) {
		k := phaseKernel(kernel, w, [2]int{}, w.Size)
		defer release(k)
		turned := headers.Get().(*Tensor)
		defer headers.Put(turned)
		Conv2DFused(dx, dy, turned.Set(*k, w.Size[0], w.Size[1], kernel.shape[3], in), t, Epilogue{Bias: bias})
		return
	}
	p := packs.Get().(*gemm.Packed)
	defer packs.Put(p)
	for ry := range w.Stride[0] {
		for rx := range w.Stride[1] {
			r := [2]int{ry, rx}
			g := phase(w, r, dx.shape[1:3])
			if g.rows <= 0 || g.cols <= 0 {
				continue
			}
			k := phaseKernel(kernel, w, r, g.taps)
			p.Pack(g.taps[0]*g.taps[1]*kernel.shape[3], in, *k, in, false)
			release(k)
			correlate(dx, dy, p, b, Epilogue{}, g)
		}
	}
}

// headers are tensors that are over with the call that takes them.
var headers = sync.Pool{New: func() any { return new(Tensor) }}

// Conv2DKernelGrad is the adjoint of Conv2D in the kernel: it computes dk
// [rows, columns, in, out] from x and the gradient dy of Conv2D's output; with
// accumulate it adds to dk.
func Conv2DKernelGrad(dk, x, dy *Tensor, w Window, accumulate bool) {
	checkConv("Conv2DKernelGrad", dy, x, dk, w)
	var (
		k, n  = patchLen(dk), dk.shape[3]
		rows  = dy.shape[1]
		g     = grid{rows: rows, cols: dy.shape[2], step: [2]int{1, 1}, taps: w.Size, stride: w.Stride, offset: [2]int{-w.Pad[0], -w.Pad[1]}}
		total = x.shape[0] * rows // rows of all pictures, one behind the other
		parts = min(kernelGradParts, total)
	)
	if !accumulate {
		clear(dk.data)
	}
	if parts == 0 || len(dk.data) == 0 {
		return
	}
	if winogradTile(w, dy, x) > 0 {
		winograd.KernelGrad(dk.data, x.data, dy.data, x.shape[0], x.shape[1], x.shape[2], x.shape[3], w.Pad[0], w.Pad[1], rows, dy.shape[2], n)
		return
	}
	run, height := grid.gatheredKernelGrad, blockRows(g, k)
	if w.Size[1]*x.shape[3] >= directTaps && k*n <= directKernel {
		run, height = grid.directKernelGrad, directRows
	}
	sums := buffer(parts * len(dk.data))
	defer release(sums)
	clear(*sums)
	kernelGrads.For(parts, correlationTime(total*g.cols*k*n), kernelGrad{*sums, x, dy, g, run, height, parts}, kernelGrad.part)
	for p := range parts {
		f32.Axpy(dk.data, 1, (*sums)[p*len(dk.data):][:len(dk.data)])
	}
}

// kernelGrad is what the parts of a kernel's gradient have in common.
type kernelGrad struct {
	sums          []float32 // of each part
	x, dy         *Tensor
	g             grid
	run           func(g grid, sum []float32, x, dy *Tensor, b, lo, hi int)
	height, parts int
}

var kernelGrads parallel.Loop[kernelGrad]

func (k kernelGrad) part(part int) {
	size, rows := len(k.sums)/k.parts, k.g.rows
	sum, total := k.sums[part*size:][:size], k.x.shape[0]*rows
	for r, end := part*total/k.parts, (part+1)*total/k.parts; r < end; {
		b, y := r/rows, r%rows
		next := min(end, r+k.height, (b+1)*rows)
		k.run(k.g, sum, k.x, k.dy, b, y, y+next-r)
		r = next
	}
}

// kernelGradParts is into how many parts the pixels are cut whose kernel
// gradients are summed apart. It is fixed, so that the order of additions is the
// same on every number of cores; each part costs memory of a kernel's size.
const kernelGradParts = 8

func patchLen(kernel *Tensor) int { return kernel.shape[0] * kernel.shape[1] * kernel.shape[2] }

// slides tells whether w can slide over pictures of x to give those of y: as
// many pictures, and every window meets its picture. The last may hang over the
// end by less than its size.
func (w Window) slides(x, y *Tensor) bool {
	fits := len(x.Shape()) == 4 && len(y.Shape()) == 4 && x.shape[0] == y.shape[0]
	for d := range 2 {
		fits = fits && w.Size[d] > 0 && w.Stride[d] > 0 && w.Pad[d] >= 0 && w.Pad[d] < w.Size[d] &&
			(y.shape[1+d] == 0 || (y.shape[1+d]-1)*w.Stride[d]-w.Pad[d] < x.shape[1+d])
	}
	return fits
}

// checkConv panics unless y can be the convolution of x by kernel.
func checkConv(op string, y, x, kernel *Tensor, w Window) {
	if !w.slides(x, y) || len(kernel.Shape()) != 4 || kernel.shape[0] != w.Size[0] || kernel.shape[1] != w.Size[1] ||
		x.shape[3] != kernel.shape[2] || y.shape[3] != kernel.shape[3] {
		panic(fmt.Sprintf("tensor.%s: picture %v, kernel %v and output %v do not fit with %+v", op, x.Shape(), kernel.Shape(), slices.Clone(y.Shape()), w)) // y may be on a stack
	}
}
