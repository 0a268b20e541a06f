package nn

import (
	"fmt"
	"math/rand/v2"
	"time"

	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// MaxPool2D takes the greatest value of each window. With padding Same what
// lies outside the picture does not count. A window holds at most 256 values.
//
//	input   [batch, height, width, channels]
//	output  [batch, height', width', channels], sizes as for Conv2D
type MaxPool2D struct {
	Name     string
	Size     int    // side of a square window; 0: 2
	PoolSize [2]int // rows and columns, in place of Size
	Stride   int    // 0: the window's own size
	Strides  [2]int // by row and column, in place of Stride
	Padding  Padding

	window tensor.Window
	out    [2]int
	site
}

func (l *MaxPool2D) Identity() (name, class string) { return l.Name, "MaxPooling2D" }

func (l *MaxPool2D) Params() []*Param { return nil }

func (l *MaxPool2D) Build(in []int, _ *rand.Rand) (out []int, err error) {
	l.site = site{}
	l.window, l.out, out, err = buildPool(in, l.Size, l.Stride, l.PoolSize, l.Strides, l.Padding)
	if n := l.window.Size[0] * l.window.Size[1]; err == nil && n > tensor.MaxPoolTaps {
		err = fmt.Errorf("a window of %dx%d holds more than %d values", l.window.Size[0], l.window.Size[1], tensor.MaxPoolTaps)
	}
	if err == nil {
		l.fix(in)
	}
	return out, err
}

func (l *MaxPool2D) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	y := p.New(x.Dim(0), l.out[0], l.out[1], x.Dim(3))
	var choice []uint8
	if p.Training() {
		choice = p.mask(y.Shape()...)
	}
	tensor.MaxPool(y, choice, x, l.window)
	p.record(step{x: x, y: y, layer: l, mask: choice})
	return y
}

func (l *MaxPool2D) take(t *taking, _ int64) { t.mask = t.out }

func (l *MaxPool2D) backward(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	if !p.WantsGrad(s.x) {
		return nil
	}
	dx := p.New(s.x.Shape()...)
	tensor.MaxPoolGrad(dx, dy, s.mask, l.window)
	return dx
}

// AveragePool2D takes the mean of each window. With padding Same what lies
// outside the picture is not counted.
//
//	input   [batch, height, width, channels]
//	output  [batch, height', width', channels], sizes as for Conv2D
type AveragePool2D struct {
	Name     string
	Size     int    // side of a square window; 0: 2
	PoolSize [2]int // rows and columns, in place of Size
	Stride   int    // 0: the window's own size
	Strides  [2]int // by row and column, in place of Stride
	Padding  Padding

	window tensor.Window
	out    [2]int
	site
}

func (l *AveragePool2D) Identity() (name, class string) { return l.Name, "AveragePooling2D" }

func (l *AveragePool2D) Params() []*Param { return nil }

func (l *AveragePool2D) Build(in []int, _ *rand.Rand) (out []int, err error) {
	l.site = site{}
	l.window, l.out, out, err = buildPool(in, l.Size, l.Stride, l.PoolSize, l.Strides, l.Padding)
	if err == nil {
		l.fix(in)
	}
	return out, err
}

func (l *AveragePool2D) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	y := p.New(x.Dim(0), l.out[0], l.out[1], x.Dim(3))
	tensor.AveragePool(y, x, l.window)
	p.record(step{x: x, y: y, layer: l})
	return y
}

func (l *AveragePool2D) backward(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	return averagePoolGrad(p, s, dy, l.window)
}

// GlobalAveragePool2D takes the mean of each channel.
//
//	input   [batch, height, width, channels]
//	output  [batch, channels]
type GlobalAveragePool2D struct {
	Name string

	window tensor.Window
	site
}

func (l *GlobalAveragePool2D) Identity() (name, class string) {
	return l.Name, "GlobalAveragePooling2D"
}

func (l *GlobalAveragePool2D) Params() []*Param { return nil }

func (l *GlobalAveragePool2D) Build(in []int, _ *rand.Rand) ([]int, error) {
	l.site = site{}
	if err := wantPicture(in); err != nil {
		return nil, err
	}
	l.window = tensor.Window{Size: [2]int{in[0], in[1]}, Stride: [2]int{1, 1}}
	l.fix(in)
	return in[2:], nil
}

func (l *GlobalAveragePool2D) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	y := p.New(x.Dim(0), 1, 1, x.Dim(3))
	tensor.AveragePool(y, x, l.window)
	p.record(step{x: x, y: y, layer: l})
	return p.view(y.Data(), x.Dim(0), x.Dim(3))
}

func (l *GlobalAveragePool2D) backward(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	return averagePoolGrad(p, s, dy, l.window)
}

// GlobalMaxPool2D takes the greatest value of each channel. Values that share it
// share its gradient.
//
//	input   [batch, height, width, channels]
//	output  [batch, channels]
type GlobalMaxPool2D struct {
	Name string

	site
}

func (l *GlobalMaxPool2D) Identity() (name, class string) { return l.Name, "GlobalMaxPooling2D" }

func (l *GlobalMaxPool2D) Params() []*Param { return nil }

func (l *GlobalMaxPool2D) Build(in []int, _ *rand.Rand) ([]int, error) {
	l.site = site{}
	if err := wantPicture(in); err != nil {
		return nil, err
	}
	l.fix(in)
	return in[2:], nil
}

func (l *GlobalMaxPool2D) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	y := p.New(x.Dim(0), x.Dim(3))
	globalPools.For(x.Dim(0), time.Duration(x.Len()), globalPool{x: x, y: y}, globalPool.greatest)
	p.record(step{x: x, y: y, layer: l})
	return y
}

func (l *GlobalMaxPool2D) backward(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	if !p.WantsGrad(s.x) {
		return nil
	}
	dx := p.New(s.x.Shape()...)
	share := p.New(s.y.Shape()...)
	globalPools.For(dx.Dim(0), time.Duration(2*dx.Len()), globalPool{s.x, s.y, dx, dy, share}, globalPool.grad)
	p.Release(share)
	return dx
}

// globalPool is a batch of pictures, their greatest values, and the gradients of both and
// of one pixel that has the greatest value.
type globalPool struct{ x, y, dx, dy, share *tensor.Tensor }

var globalPools parallel.Loop[globalPool]

func (g globalPool) greatest(b int) {
	top := g.y.Row(b)
	copy(top, g.x.Row(b))
	for pixel := range rows(g.x.Row(b), len(top)) {
		for c, v := range pixel {
			top[c] = max(top[c], v)
		}
	}
}

func (g globalPool) grad(b int) {
	shareGrad(g.dx.Row(b), g.share.Row(b), g.dy.Row(b), g.x.Row(b), g.y.Row(b))
}

// shareGrad writes to dx, for each channel, the gradient dy of the greatest value
// top in equal parts to all pixels of x that have it. A part goes to share.
func shareGrad(dx, share, dy, x, top []float32) {
	clear(share)
	for pixel := range rows(x, len(top)) {
		for c, v := range pixel {
			if v == top[c] {
				share[c]++
			}
		}
	}
	for c, count := range share {
		share[c] = dy[c] / count
	}
	for i, v := range x {
		c := i % len(top)
		dx[i] = 0
		if v == top[c] {
			dx[i] = share[c]
		}
	}
}

// averagePoolGrad goes back through an average pooling; gradients may come in any
// shape of the output's size.
func averagePoolGrad(p *Pass, s step, dy *tensor.Tensor, w tensor.Window) *tensor.Tensor {
	if !p.WantsGrad(s.x) {
		return nil
	}
	dx := p.New(s.x.Shape()...)
	tensor.AveragePoolGrad(dx, p.view(dy.Data(), s.y.Shape()...), w)
	return dx
}

func buildPool(in []int, size, stride int, sizes, strides [2]int, padding Padding) (w tensor.Window, out [2]int, shape []int, err error) {
	if err = wantPicture(in); err != nil {
		return w, out, nil, err
	}
	sizes = pair(sizes, size, 2)
	if strides == [2]int{} && stride == 0 {
		strides = sizes
	}
	w, out, err = slide(in, sizes, pair(strides, stride, 0), padding)
	return w, out, []int{out[0], out[1], in[2]}, err
}
