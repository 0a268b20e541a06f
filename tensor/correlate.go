package tensor

import (
	"sync"
	"time"

	"lookalike/internal/f32"
	"lookalike/internal/gemm"
	"lookalike/internal/hugepages"
	"lookalike/internal/parallel"
)

// grid places the output pixels of one correlation: pixel (y, x) of rows x cols
// reads taps from (y·stride+offset, x·stride+offset) and is written to
// (y·step+start, x·step+start) of the destination.
type grid struct {
	rows, cols  int
	start, step [2]int
	taps        [2]int
	stride      [2]int
	offset      [2]int
}

// phase returns the grid of the input gradient for the pixels of dx that meet
// kernel taps r, r+s, r+2s, … in rows and columns.
//
// Along one dimension dx[i] = Σ dy[o]·k[t] over o·s+t = i+pad. With t = r+s·j
// and i = s·q+r-pad this is Σ over j of dy[q-j]·k[r+s·j].
func phase(w Window, r [2]int, size []int) grid {
	g := grid{step: w.Stride, stride: [2]int{1, 1}}
	count := [2]int{}
	for d := range 2 {
		s := w.Stride[d]
		g.taps[d] = max(0, (w.Size[d]-r[d]+s-1)/s)
		q := (w.Pad[d] - r[d] + s - 1) / s // the first q whose pixel lies in the picture
		g.start[d] = s*q + r[d] - w.Pad[d]
		g.offset[d] = q - (g.taps[d] - 1)
		count[d] = (size[d] - g.start[d] + s - 1) / s
	}
	g.rows, g.cols = count[0], count[1]
	return g
}

// turned returns the window of the convolution that is w's adjoint where w has
// stride 1: its padding completes w's to the kernel's size.
func (w Window) turned() Window {
	w.Pad = [2]int{w.Size[0] - 1 - w.Pad[0], w.Size[1] - 1 - w.Pad[1]}
	return w
}

// phaseKernel picks a phase's taps from kernel, turned round and with input and
// output channels exchanged: [taps, taps, out, in]. The buffer is to be released.
func phaseKernel(kernel *Tensor, w Window, r, taps [2]int) *[]float32 {
	in, out := kernel.shape[2], kernel.shape[3]
	k := buffer(taps[0] * taps[1] * out * in)
	for i := range taps[0] {
		for j := range taps[1] {
			ky, kx := r[0]+w.Stride[0]*(taps[0]-1-i), r[1]+w.Stride[1]*(taps[1]-1-j)
			from := kernel.data[(ky*w.Size[1]+kx)*in*out:][:in*out]
			to := (*k)[(i*taps[1]+j)*in*out:][:in*out]
			for c := range in {
				for o := range out {
					to[o*in+c] = from[c*out+o]
				}
			}
		}
	}
	return k
}

// correlate fills dst's pixels of the grid with patches of x times the packed
// kernel, a block of rows at a time, and runs the epilogue on each block.
func correlate(dst, x *Tensor, kernel *gemm.Packed, bias []float32, e Epilogue, g grid) {
	k, n := kernel.Shape()
	run, height := grid.gathered, blockRows(g, k)
	if k > 0 && k*n <= directKernel {
		run, height = grid.direct, directRows
	}
	if e.Pool {
		height = (height + 1) / 2 * 2
	}
	blocks := (g.rows + height - 1) / height
	correlations.For(x.shape[0]*blocks, correlationTime(x.shape[0]*g.rows*g.cols*k*n), correlation{dst, x, kernel, bias, e, g, run, height, blocks}, correlation.block)
}

// correlation is what the blocks of a call of correlate have in common.
type correlation struct {
	dst, x         *Tensor
	kernel         *gemm.Packed
	bias           []float32
	e              Epilogue
	g              grid
	run            func(g grid, out []float32, pitch int, x *Tensor, kernel *gemm.Packed, bias []float32, b, lo, hi int)
	height, blocks int
}

var correlations parallel.Loop[correlation]

func (c correlation) block(i int) {
	_, n := c.kernel.Shape()
	b, lo := i/c.blocks, i%c.blocks*c.height
	hi := min(lo+c.height, c.g.rows)
	if c.e.Pool {
		z := buffer((hi - lo) * c.g.cols * n)
		defer release(z)
		c.run(c.g, *z, c.g.cols*n, c.x, c.kernel, c.bias, b, lo, hi)
		c.e.pool(c.dst, *z, c.g.cols*n, b, lo/2, hi/2)
		return
	}
	pitch := c.g.step[0] * c.dst.shape[2] * n
	out := c.g.row(c.dst, b, lo)
	c.run(c.g, out, pitch, c.x, c.kernel, c.bias, b, lo, hi)
	if c.e.ReLU || c.e.Activate != nil {
		c.e.activate(out[:(hi-lo)*pitch])
	}
}

// correlationTime returns about how long one goroutine takes for so many
// multiplications: the assembly does 16 to 40 a nanosecond.
func correlationTime(multiplications int) time.Duration { return time.Duration(multiplications) / 32 }

// pool writes rows [lo, hi) of picture b of dst from z, the rows that they are
// the maxima of, which are pitch apart.
func (e Epilogue) pool(dst *Tensor, z []float32, pitch, b, lo, hi int) {
	height, width, n := dst.shape[1], dst.shape[2], dst.shape[3]
	for y := lo; y < hi; y++ {
		at := (b*height + y) * width * n
		out := dst.data[at:][:width*n]
		var choice []uint8
		if e.Choice != nil {
			choice = e.Choice[at:][:width*n]
		}
		top := z[2*(y-lo)*pitch:]
		f32.MaxPool2x2(n, out, choice, top[:pitch], top[pitch:][:pitch])
		e.activate(out)
	}
}

// A kernel is applied directly where the whole of it stays in the second-level cache,
// since it is read for every row. (Its gradient also needs a row of taps that is long
// enough to pay for adding a product to memory.)
const (
	directTaps   = 8
	directKernel = 128 << 10
	directRows   = 8
)

// direct computes rows [lo, hi) of picture b in place: neighbouring pixels' patches
// overlap, so a row of the picture is itself the matrix of a tap row's patches, with
// the rows of the matrix one pixel apart, and the tap rows take turns. Only the zeros
// round a picture make a copy necessary. Rows of out are pitch apart.
func (g grid) direct(out []float32, pitch int, x *Tensor, kernel *gemm.Packed, bias []float32, b, lo, hi int) {
	_, n := kernel.Shape()
	rows, inPitch, padded := g.surround(x, b, lo, hi)
	if padded != nil {
		defer release(padded)
	}
	for y := range hi - lo {
		kernel.MulTurns(g.cols, g.taps[0], rows[y*g.stride[0]*inPitch:], g.stride[1]*x.shape[3], inPitch, bias, out[y*pitch:], n*g.step[1])
	}
}

// surround returns the part of picture b that output rows [lo, hi) read, and
// the number of values from one of its rows to the next. Where it reaches
// beyond the picture it is a copy in a buffer, to be released.
func (g grid) surround(x *Tensor, b, lo, hi int) (rows []float32, pitch int, padded *[]float32) {
	var (
		height, width, c = x.shape[1], x.shape[2], x.shape[3]
		picture          = x.data[b*height*width*c:][:height*width*c]
		top, left        = lo*g.stride[0] + g.offset[0], g.offset[1]
		tall             = (hi-lo-1)*g.stride[0] + g.taps[0]
		wide             = (g.cols-1)*g.stride[1] + g.taps[1]
	)
	if top >= 0 && top+tall <= height && left >= 0 && left+wide <= width {
		return picture[(top*width+left)*c:], width * c, nil
	}
	padded = buffer(tall * wide * c)
	pitch = wide * c
	first, last := max(0, -left), min(wide, width-left) // columns in the picture
	for i := range tall {
		row := (*padded)[i*pitch:][:pitch]
		y := top + i
		if y < 0 || y >= height || first >= last {
			clear(row)
			continue
		}
		clear(row[:first*c])
		copy(row[first*c:last*c], picture[(y*width+left+first)*c:])
		clear(row[last*c:])
	}
	return *padded, pitch, padded
}

// gathered computes rows [lo, hi) of picture b by copying the patches one after
// the other (im2col) into a buffer that stays in the cache, and multiplying
// them at once. Rows of out are pitch apart.
func (g grid) gathered(out []float32, pitch int, x *Tensor, kernel *gemm.Packed, bias []float32, b, lo, hi int) {
	k, n := kernel.Shape()
	patches := buffer((hi - lo) * g.cols * k)
	defer release(patches)
	g.gather(*patches, x, b, lo, hi)
	if pitch == g.cols*n {
		kernel.Mul((hi-lo)*g.cols, *patches, k, gemm.Epilogue{Bias: bias}, out, n)
		return
	}
	for y := range hi - lo {
		kernel.Mul(g.cols, (*patches)[y*g.cols*k:], k, gemm.Epilogue{Bias: bias}, out[y*pitch:], n*g.step[1])
	}
}

// row returns dst from the first pixel of the grid's row y of picture b on.
func (g grid) row(dst *Tensor, b, y int) []float32 {
	height, width, n := dst.shape[1], dst.shape[2], dst.shape[3]
	picture := dst.data[b*height*width*n:][:height*width*n]
	return picture[((y*g.step[0]+g.start[0])*width+g.start[1])*n:]
}

// gather copies the patches of picture b that output rows [lo, hi) read, zeros
// where a patch leaves the picture.
func (g grid) gather(patches []float32, x *Tensor, b, lo, hi int) {
	var (
		height, width, c = x.shape[1], x.shape[2], x.shape[3]
		picture          = x.data[b*height*width*c:][:height*width*c]
		row              = g.taps[1] * c
	)
	for y := lo; y < hi; y++ {
		for col := range g.cols {
			x0 := col*g.stride[1] + g.offset[1]
			first, last := max(0, -x0), min(g.taps[1], width-x0) // taps in the picture
			for i := range g.taps[0] {
				patch := patches[:row]
				patches = patches[row:]
				iy := y*g.stride[0] + g.offset[0] + i
				if iy < 0 || iy >= height || first >= last {
					clear(patch)
					continue
				}
				clear(patch[:first*c])
				copy(patch[first*c:last*c], picture[(iy*width+x0+first)*c:])
				clear(patch[last*c:])
			}
		}
	}
}

// patchBlock is how many values of patches are gathered before they are
// multiplied: half a mebibyte, which leaves room in a 1 MB second-level cache.
const patchBlock = 128 << 10

// blockRows returns how many output rows are gathered at a time.
func blockRows(g grid, k int) int {
	return max(1, min(g.rows, patchBlock/max(1, g.cols*k)))
}

// directKernelGrad adds to sum what rows [lo, hi) of picture b's dy give, row
// by row and tap row by tap row, as direct computes them.
func (g grid) directKernelGrad(sum []float32, x, dy *Tensor, b, lo, hi int) {
	c, n := x.shape[3], dy.shape[3]
	rows, pitch, padded := g.surround(x, b, lo, hi)
	if padded != nil {
		defer release(padded)
	}
	p := packs.Get().(*gemm.Packed)
	defer packs.Put(p)
	row := g.taps[1] * c
	for y := lo; y < hi; y++ {
		p.Pack(g.cols, n, g.row(dy, b, y), n, false)
		for i := range g.taps[0] {
			p.MulTransA(row, rows[((y-lo)*g.stride[0]+i)*pitch:], g.stride[1]*c, true, sum[i*row*n:], n)
		}
	}
}

// gatheredKernelGrad adds to sum what rows [lo, hi) of picture b's dy give, by
// copying the patches as gathered does.
func (g grid) gatheredKernelGrad(sum []float32, x, dy *Tensor, b, lo, hi int) {
	n := dy.shape[3]
	k := len(sum) / n
	pixels := (hi - lo) * g.cols
	patches := buffer(pixels * k)
	defer release(patches)
	g.gather(*patches, x, b, lo, hi)
	gemm.Mul(true, false, k, n, pixels, *patches, k, g.row(dy, b, lo), n, gemm.Epilogue{Accumulate: true}, sum, n)
}

// packs and buffers keep scratch memory between calls.
var (
	packs   = sync.Pool{New: func() any { return new(gemm.Packed) }}
	buffers = sync.Pool{New: func() any { return new([]float32) }}
)

func buffer(n int) *[]float32 {
	b := buffers.Get().(*[]float32)
	if cap(*b) < n {
		*b = hugepages.Floats(n)
	}
	*b = (*b)[:n]
	return b
}

func release(b *[]float32) { buffers.Put(b) }
