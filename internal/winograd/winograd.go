// Package winograd computes 3x3 convolutions with stride 1 by Winograd's minimal
// filtering: F(2x2,3x3) takes 2.25 times, F(4x4,3x3) 4 times fewer multiplications
// than the direct method (Lavin and Gray, arXiv 1509.09308).
//
// A picture is cut into tiles of 2x2 or 4x4 output pixels. Each tile's input, two
// pixels wider, is transformed to 16 or 36 points; at every point the tiles by
// input channels are multiplied with the kernel's transform, input by output
// channels; the way back gives the tile's pixels, to which the bias is added, and
// the activation and the pool applied, before they are stored.
//
// The kernel's gradient goes the same way, tiles times tiles.
//
// Results are the same bits whatever GOMAXPROCS is, those of Convolve however many
// pictures there are in a batch; tiers and sizes of the second-level cache make a
// difference in the last digits.
//
// Accuracy against double precision, for normally distributed pictures and kernels:
// the norm of the error is 1.8e-7 (16 input channels) to 7e-7 (512) of the output's
// norm for F(2x2,3x3), 5e-7 to 2.1e-6 for F(4x4,3x3). An output was off by at most
// 1.2e-7 and 7e-7 of the sum of its terms' magnitudes. VGG16's deepest features on ten
// photographs, all layers chained, are 8e-7 and 2.1e-6 off the direct method's by
// norm; 1 minus the cosine is 2e-12 for F(4x4,3x3). A kernel's gradient is 4e-7 (one
// picture of 28x28) to 7e-7 (four of 112x112) off by norm, the direct method's 1.1e-7 to
// 2.4e-7, a value by at most 4e-6 of the root of the sum of its terms' squares.
//
// A NaN in the picture makes NaN of all outputs that it touches, and perhaps of
// others in their tiles; infinity makes NaN or infinity there.
package winograd

import (
	"fmt"
	"math"
	"time"

	"lookalike/internal/hugepages"
	"lookalike/internal/parallel"
	"lookalike/internal/tile"
)

//go:generate go run -C ../_asm . -root ..

// Kernel is a transformed convolution kernel. It may be used by many goroutines.
type Kernel struct {
	tile, in, out int
	u             []float32 // [panels of NR output channels][points][in][NR]
}

// Transform returns the transform of a kernel [3, 3, in, out] for output tiles of
// tile x tile pixels; tile is 2 or 4. It holds 16/9 or 4 times as many values as
// the kernel, computed in double precision.
func Transform(tile int, kernel []float32, in, out int) *Kernel {
	k := new(Kernel)
	k.Transform(tile, kernel, in, out)
	return k
}

// Transform makes k the transform of another kernel, in the same memory if that is
// large enough.
func (k *Kernel) Transform(tile int, kernel []float32, in, out int) {
	if tile != 2 && tile != 4 || in < 1 || out < 1 || len(kernel) != 9*in*out {
		panic(fmt.Sprintf("winograd.Transform: tile %d, kernel [3, 3, %d, %d] in %d values", tile, in, out, len(kernel)))
	}
	k.tile, k.in, k.out = tile, in, out
	nr := micro.NR
	panels := ceil(out, nr)
	if n := panels * k.points() * in * nr; cap(k.u) < n {
		k.u = hugepages.Floats(n)
	} else {
		k.u = k.u[:n]
		clear(k.panel(panels - 1)) // columns past the last
	}
	kernelTransforms.For(panels, time.Duration(k.points()*in*out), transform{k, kernel}, transform.panel)
}

// transform is a kernel to be transformed. It takes about a nanosecond for each value
// that comes out.
type transform struct {
	to     *Kernel
	kernel []float32
}

var kernelTransforms parallel.Loop[transform]

func (t transform) panel(i int) {
	k, first := t.to, i*micro.NR
	kernelTransform(k.tile, k.in, min(micro.NR, k.out-first), k.panel(i), t.kernel[first:], k.out)
}

func (k *Kernel) points() int { return (k.tile + 2) * (k.tile + 2) }

// panel returns NR output channels of all points.
func (k *Kernel) panel(i int) []float32 {
	size := k.points() * k.in * micro.NR
	return k.u[i*size:][:size]
}

// Epilogue is what happens to the sums before they are stored, in this order.
type Epilogue struct {
	Bias []float32 // one for each output channel, or nil
	ReLU bool      // raise what is negative to zero; NaN stays
	Pool bool      // keep the greatest of each 2x2 pixels, NaN if one of them is
}

// Convolve computes the cross-correlation that networks call convolution:
//
//	dst[b,y,x,o] = Σ over i,j,c of x[b, y+i-padTop, x+j-padLeft, c] · kernel[i,j,c,o]
//
// for x [batch, h, w, in] and dst [batch, oh, ow, out], or [batch, oh/2, ow/2, out]
// with a pool, which leaves out an odd last row and column. What lies outside the
// picture is zero. dst must not overlap x.
func (k *Kernel) Convolve(dst, x []float32, batch, h, w, padTop, padLeft, oh, ow int, ep Epilogue) {
	dh, dw := oh, ow
	if ep.Pool {
		dh, dw = oh/2, ow/2
	}
	if batch < 0 || h < 0 || w < 0 || oh < 0 || ow < 0 || padTop < 0 || padLeft < 0 ||
		len(x) != batch*h*w*k.in || len(dst) != batch*dh*dw*k.out || ep.Bias != nil && len(ep.Bias) != k.out {
		panic(fmt.Sprintf("winograd.Convolve: picture [%d, %d, %d, %d] in %d values, kernel [3, 3, %d, %d], padding %d, %d, bias of %d, output %dx%d, pooled %t, in %d values",
			batch, h, w, k.in, len(x), k.in, k.out, padTop, padLeft, len(ep.Bias), oh, ow, ep.Pool, len(dst)))
	}
	if len(dst) == 0 {
		return
	}
	// Registers may be wider than the last channels are many: hence the biases' length.
	bias := pixelScratch.get(ceil(k.out, micro.NR) * micro.NR)
	defer pixelScratch.put(bias)
	clear((*bias)[copy(*bias, ep.Bias):])
	c := convolution{
		Kernel: k, grid: grid{padTop, padLeft, ceil(oh, k.tile), ceil(ow, k.tile)},
		dst: dst, x: pictures{x, h, w, k.in}, dh: dh, dw: dw, pool: ep.Pool, bias: *bias, floor: float32(math.Inf(-1)),
	}
	if ep.ReLU {
		c.floor = 0
	}
	c.run(batch * c.down * c.across)
}

// micro is the micro-kernel of the matrix products.
var micro = tile.Gemm()

// ceil returns n/d, rounded up.
func ceil(n, d int) int { return (n + d - 1) / d }
