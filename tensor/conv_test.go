package tensor

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// convolution is a random case of x, kernel, bias and the gradient dy.
type convolution struct {
	w               Window
	x, k, bias, b2  *Tensor // b2 is a bias of the transposed convolution
	dy, kernelStart *Tensor
}

func (c convolution) String() string { return fmt.Sprintf("%v * %v = %v, %+v", c.x, c.k, c.dy, c.w) }

func convolutions(t *testing.T, n int) []convolution {
	r := newRand(t, 1)
	list := make([]convolution, n)
	for i := range list {
		in, out := 1+r.IntN(20), 1+r.IntN(20)
		x := []int{1 + r.IntN(3), 1 + r.IntN(13), 1 + r.IntN(13), in}
		w, y := slide(r, x, out)
		list[i] = convolution{w, random(r, x...), random(r, w.Size[0], w.Size[1], in, out), random(r, out), random(r, in),
			random(r, y...), random(r, w.Size[0], w.Size[1], in, out)}
	}
	return list
}

// eachProduct calls f for every product that the convolution sums up, with the
// places of its output, its input and its kernel value.
func (c convolution) eachProduct(f func(y, x, k int)) {
	in, out := c.k.shape[2], c.k.shape[3]
	eachTap(c.dy, c.x, c.w, func(y, x, tap int) {
		for i := range in {
			for o := range out {
				f(y+o, x+i, (tap*in+i)*out+o)
			}
		}
	})
}

// TestConvolutionEqualsLoops holds Conv2D and its two adjoints against their
// definition: three sums over the same products.
func TestConvolutionEqualsLoops(t *testing.T) {
	for _, c := range convolutions(t, 300) {
		y, plain := sums(c.dy.Len(), c.bias), sums(c.dy.Len(), nil)
		dx, transposed := sums(c.x.Len(), nil), sums(c.x.Len(), c.b2)
		dk, more := sums(c.k.Len(), nil), sums(c.k.Len(), c.kernelStart)
		c.eachProduct(func(yi, xi, ki int) {
			x, k, d := float64(c.x.data[xi]), float64(c.k.data[ki]), float64(c.dy.data[yi])
			y[yi].add(x * k)
			plain[yi].add(x * k)
			dx[xi].add(d * k)
			transposed[xi].add(d * k)
			dk[ki].add(d * x)
			more[ki].add(d * x)
		})
		got := dirty(c.dy.shape...)
		Conv2D(got, c.x, c.k, c.bias, c.w)
		checkSums(t, "Conv2D "+c.String(), got, y)
		Conv2D(got, c.x, c.k, nil, c.w)
		checkSums(t, "Conv2D without bias "+c.String(), got, plain)

		got = dirty(c.x.shape...)
		Conv2DInputGrad(got, c.dy, c.k, nil, c.w)
		checkSums(t, "Conv2DInputGrad "+c.String(), got, dx)
		Conv2DInputGrad(got, c.dy, c.k, c.b2, c.w)
		checkSums(t, "Conv2DInputGrad with bias "+c.String(), got, transposed)

		got = dirty(c.k.shape...)
		Conv2DKernelGrad(got, c.x, c.dy, c.w, false)
		checkSums(t, "Conv2DKernelGrad "+c.String(), got, dk)
		got = c.kernelStart.Clone()
		Conv2DKernelGrad(got, c.x, c.dy, c.w, true)
		checkSums(t, "Conv2DKernelGrad accumulating "+c.String(), got, more)
	}
}

// TestConvolutionAdjoints holds <dy, Conv(x, k)> = <InputGrad(dy, k), x> =
// <KernelGrad(x, dy), k>.
func TestConvolutionAdjoints(t *testing.T) {
	for _, c := range convolutions(t, 300) {
		var want sum // the terms of all three
		c.eachProduct(func(y, x, k int) {
			want.add(float64(c.dy.data[y]) * float64(c.x.data[x]) * float64(c.k.data[k]))
		})
		y, dx, dk := New(c.dy.shape...), New(c.x.shape...), New(c.k.shape...)
		Conv2D(y, c.x, c.k, nil, c.w)
		Conv2DInputGrad(dx, c.dy, c.k, nil, c.w)
		Conv2DKernelGrad(dk, c.x, c.dy, c.w, false)
		products := [3]float64{dot(c.dy, y), dot(dx, c.x), dot(dk, c.k)}
		for i, got := range products {
			// A value's rounding error is a share of its own sum, so √n is generous.
			if off := math.Abs(got - want.value); !(off <= want.tolerance()) {
				t.Fatalf("%v: product %d is %v of %v, want %v: off by %.3g, allowed %.3g", c, i, got, products, want.value, off, want.tolerance())
			}
		}
	}
}

func dot(a, b *Tensor) (s float64) {
	for i, v := range a.data {
		s += float64(v) * float64(b.data[i])
	}
	return s
}

// TestConvolutionOfManyBlocks takes pictures whose patches do not fit in one
// block of the cache.
func TestConvolutionOfManyBlocks(t *testing.T) {
	r := newRand(t, 2)
	x, k := random(r, 2, 61, 67, 32), random(r, 3, 3, 32, 2)
	c := convolution{w: Window{Size: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [2]int{1, 1}}, x: x, k: k, dy: random(r, 2, 61, 67, 2)}
	y, dx, dk := sums(c.dy.Len(), nil), sums(x.Len(), nil), sums(k.Len(), nil)
	c.eachProduct(func(yi, xi, ki int) {
		y[yi].add(float64(x.data[xi]) * float64(k.data[ki]))
		dx[xi].add(float64(c.dy.data[yi]) * float64(k.data[ki]))
		dk[ki].add(float64(c.dy.data[yi]) * float64(x.data[xi]))
	})
	got := dirty(c.dy.shape...)
	Conv2D(got, x, k, nil, c.w)
	checkSums(t, "Conv2D", got, y)
	got = dirty(x.shape...)
	Conv2DInputGrad(got, c.dy, k, nil, c.w)
	checkSums(t, "Conv2DInputGrad", got, dx)
	got = dirty(k.shape...)
	Conv2DKernelGrad(got, x, c.dy, c.w, false)
	checkSums(t, "Conv2DKernelGrad", got, dk)
}

// TestKernelGradByWinograd takes channels enough for Winograd's method, whose errors
// are other than those of a sum: it holds their norm.
func TestKernelGradByWinograd(t *testing.T) {
	r := newRand(t, 4)
	x, start, dy := random(r, 2, 29, 26, 20), random(r, 3, 3, 20, 18), random(r, 2, 29, 24, 18)
	c := convolution{w: Window{Size: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [2]int{1, 0}}, x: x, k: start, dy: dy}
	want := sums(start.Len(), nil)
	c.eachProduct(func(y, x, k int) { want[k].add(float64(c.dy.data[y]) * float64(c.x.data[x])) })
	for _, accumulate := range []bool{false, true} {
		dk := start.Clone()
		Conv2DKernelGrad(dk, x, dy, c.w, accumulate)
		var off, norm float64
		for i, v := range dk.data {
			err := float64(v) - want[i].value
			if accumulate {
				err -= float64(start.data[i])
			}
			off += err * err
			norm += want[i].value * want[i].value
		}
		if !(off <= 4e-12*norm) {
			t.Errorf("accumulate %t: off by %g of the norm", accumulate, math.Sqrt(off/norm))
		}
	}
}

func TestConvolutionIsTheSameOnAnyProcs(t *testing.T) {
	r := newRand(t, 3)
	x, k, bias, dy := random(r, 5, 41, 39, 24), random(r, 3, 3, 24, 20), random(r, 20), random(r, 5, 21, 20, 20)
	w := Window{Size: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: [2]int{1, 1}}
	sameOnAnyProcs(t, func() *Tensor { y := New(dy.shape...); Conv2D(y, x, k, bias, w); return y })
	sameOnAnyProcs(t, func() *Tensor { dx := New(x.shape...); Conv2DInputGrad(dx, dy, k, nil, w); return dx })
	sameOnAnyProcs(t, func() *Tensor { dk := New(k.shape...); Conv2DKernelGrad(dk, x, dy, w, false); return dk })

	dy, w = random(r, 5, 41, 39, 20), Window{Size: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [2]int{1, 1}}
	sameOnAnyProcs(t, func() *Tensor { dk := New(k.shape...); Conv2DKernelGrad(dk, x, dy, w, false); return dk })
}

// TestNotANumberSurvivesConvolution: no product with zero is skipped.
func TestNotANumberSurvivesConvolution(t *testing.T) {
	w := Window{Size: [2]int{1, 1}, Stride: [2]int{1, 1}}
	x, k, y := dirty(1, 2, 2, 1), New(1, 1, 1, 3), New(1, 2, 2, 3)
	Conv2D(y, x, k, nil, w)
	dk := New(1, 1, 1, 3)
	Conv2DKernelGrad(dk, x, New(1, 2, 2, 3), w, false)
	dx := New(1, 2, 2, 1)
	Conv2DInputGrad(dx, dirty(1, 2, 2, 3), k, nil, w)
	for what, got := range map[string]*Tensor{"Conv2D": y, "Conv2DKernelGrad": dk, "Conv2DInputGrad": dx} {
		for i, v := range got.data {
			if v == v {
				t.Errorf("%s: NaN·0 became %v at %d", what, v, i)
			}
		}
	}
}

// TestFusedEqualsSteps: an epilogue gives the bits that its steps give one after
// the other.
func TestFusedEqualsSteps(t *testing.T) {
	r := newRand(t, 9)
	for _, s := range []struct{ batch, h, w, in, out int }{{2, 12, 14, 3, 5}, {1, 9, 7, 20, 33}, {3, 2, 2, 1, 1}, {1, 40, 30, 64, 40}, {1, 6, 6, 200, 90}} {
		x, kernel, bias := random(r, s.batch, s.h, s.w, s.in), random(r, 3, 3, s.in, s.out), random(r, s.out)
		relu := func(v []float32) {
			for i := range v {
				v[i] = max(v[i], 0)
			}
		}
		w := Window{Size: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [2]int{1, 1}}
		whole := New(s.batch, s.h, s.w, s.out)
		Conv2D(whole, x, kernel, bias, w)
		want, places := New(s.batch, s.h/2, s.w/2, s.out), make([]uint8, s.batch*(s.h/2)*(s.w/2)*s.out)
		MaxPool(want, places, whole, Window{Size: [2]int{2, 2}, Stride: [2]int{2, 2}})
		relu(want.Data())
		got, choice := New(want.Shape()...), make([]uint8, want.Len())
		Conv2DFused(got, x, kernel, w, Epilogue{Bias: bias, Pool: true, Choice: choice, Activate: relu})
		if !slices.Equal(got.Data(), want.Data()) || !slices.Equal(choice, places) {
			t.Errorf("%+v: pooled otherwise than step by step", s)
		}
		relu(whole.Data())
		active := New(whole.Shape()...)
		Conv2DFused(active, x, kernel, w, Epilogue{Bias: bias, Activate: relu})
		if !slices.Equal(active.Data(), whole.Data()) {
			t.Errorf("%+v: activated otherwise than step by step", s)
		}
	}
}
