package nn

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"lookalike/tensor"
)

// Conv2D is a two-dimensional convolution with bias.
//
//	input   [batch, height, width, channels]
//	output  [batch, height', width', Filters]
//	kernel  [rows, columns, channels, Filters]
//
// With padding Same an output has ceil(size/stride) rows and columns, with
// Valid floor((size-kernel)/stride)+1.
type Conv2D struct {
	Name        string
	Filters     int
	Kernel      int    // side of a square kernel
	KernelSize  [2]int // rows and columns, in place of Kernel
	Stride      int    // 0: 1
	Strides     [2]int // by row and column, in place of Stride
	Padding     Padding
	Activation  Activation
	NoBias      bool
	Initializer Initializer
	Given       *tensor.Tensor `json:"-"` // the kernel, taken as it is and not copied; nil: Build makes one

	window       tensor.Window
	out          [2]int
	kernel, bias *Param
	activate     func(values []float32)
	filter       filterCache
	site
}

func (l *Conv2D) Identity() (name, class string) { return l.Name, "Conv2D" }

func (l *Conv2D) Params() []*Param { return params(l.kernel, l.bias) }

// Plan implements [Planner].
func (l *Conv2D) Plan(in []int) (out []int, values int64, err error) {
	w, size, err := l.place(in)
	if err != nil {
		return nil, 0, err
	}
	values, err = planned(l.NoBias, l.Filters, w.Size[0], w.Size[1], in[2], l.Filters)
	return []int{size[0], size[1], l.Filters}, values, err
}

// place returns the window of the kernel over a picture, and the output's size.
func (l *Conv2D) place(in []int) (w tensor.Window, out [2]int, err error) {
	if err := wantPicture(in); err != nil {
		return w, out, err
	}
	if l.Filters < 1 {
		return w, out, fmt.Errorf("needs a positive number of filters, has %d", l.Filters)
	}
	w, out, err = slide(in, pair(l.KernelSize, l.Kernel, 0), pair(l.Strides, l.Stride, 1), l.Padding)
	if err != nil {
		return w, out, err
	}
	return w, out, wantSize("an output", out[0], out[1], l.Filters)
}

func (l *Conv2D) Build(in []int, rng *rand.Rand) ([]int, error) {
	l.site = site{}
	out, _, err := l.Plan(in)
	if err != nil {
		return nil, err
	}
	l.window, l.out, _ = l.place(in)
	if l.kernel, err = givenKernel(l.Given, l.Initializer, rng, l.window.Size[0], l.window.Size[1], in[2], l.Filters); err != nil {
		return nil, err
	}
	l.bias = newBias(l.NoBias, l.Filters)
	l.activate = l.Activation.on(l.Filters)
	l.fix(in)
	return out, nil
}

func (l *Conv2D) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	y := p.New(x.Dim(0), l.out[0], l.out[1], l.Filters)
	l.convolve(p, y, x, l.epilogue())
	p.record(step{x: x, y: y, layer: l})
	return y
}

// epilogue returns bias and activation for the convolution to apply.
func (l *Conv2D) epilogue() tensor.Epilogue {
	e := tensor.Epilogue{Bias: value(l.bias)}
	if l.Activation.name == ReLU.name {
		e.ReLU = true
	} else {
		e.Activate = l.activate
	}
	return e
}

// convolve writes the convolution of x to y. In training the kernel changes with
// every step; otherwise it is made ready once, unless memory is short.
func (l *Conv2D) convolve(p *Pass, y, x *tensor.Tensor, e tensor.Epilogue) {
	if p.Training() || !keepsReady(readyValues(l.kernel)) {
		tensor.Conv2DFused(y, x, l.kernel.Value, l.window, e)
		return
	}
	l.filter.of(l.kernel, l.window).Conv2D(y, x, e)
}

func (l *Conv2D) take(t *taking, _ int64) {
	t.convolving, t.kernel = kernelParts*int64(l.kernel.Value.Len()), readyValues(l.kernel)
}

func (l *Conv2D) backward(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	l.Activation.Gradient(dy, s.y)
	addBiasGrad(l.bias, dy)
	if g := l.kernel.Gradient(); g != nil {
		tensor.Conv2DKernelGrad(g, s.x, dy, l.window, true)
	}
	if !p.WantsGrad(s.x) {
		return nil
	}
	dx := p.New(s.x.Shape()...)
	tensor.Conv2DInputGrad(dx, dy, l.kernel.Value, nil, l.window)
	return dx
}

// pooledConv is a convolution together with the 2x2 max-pooling behind it, on the way
// back; the step's mask says which values that took.
type pooledConv Conv2D

// unpooledValues bounds the values of dz, the gradient in front of the pooling,
// that pooledConv holds at a time: 16 MB. For a whole batch of the first layer
// it would be the greatest tensor of all training.
const unpooledValues = 4 << 20

func (l *pooledConv) take(t *taking, batch int64) {
	each := l.out[0] * l.out[1] * l.Filters
	t.mask, t.backward, t.kernel = t.out, int64(l.unpooled(int(batch))*each), readyValues(l.kernel)
	t.convolving = max(kernelParts*int64(l.kernel.Value.Len()), min(batch, chosenPictures)*int64(each))
}

// unpooled is of how many pictures of a batch dz is made at a time.
func (l *pooledConv) unpooled(batch int) int {
	return min(batch, max(1, unpooledValues/(l.out[0]*l.out[1]*l.Filters)))
}

// backward goes back some pictures at a time.
func (l *pooledConv) backward(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	x, choice := s.x, s.mask
	l.Activation.Gradient(dy, s.y)
	addBiasGrad(l.bias, dy) // all else in dz is zero
	var dx *tensor.Tensor
	if p.WantsGrad(x) {
		dx = p.New(x.Shape()...)
	}
	kernel := l.kernel.Gradient()
	if kernel == nil && dx == nil {
		return nil
	}
	n, each := x.Dim(0), l.out[0]*l.out[1]*l.Filters
	some := l.unpooled(max(n, p.batch))
	for lo := 0; lo < n; lo += some {
		hi := min(n, lo+some)
		dz := p.lend(some*each, hi-lo, l.out[0], l.out[1], l.Filters)
		part := p.rows(dy, lo, hi)
		tensor.MaxPoolGrad(dz, part, choice[lo*len(choice)/n:][:part.Len()], halving)
		if kernel != nil {
			tensor.Conv2DKernelGrad(kernel, p.rows(x, lo, hi), dz, l.window, true)
		}
		if dx != nil {
			tensor.Conv2DInputGrad(p.rows(dx, lo, hi), dz, l.kernel.Value, nil, l.window)
		}
		p.Release(dz)
	}
	return dx
}

// forwardPooled runs the convolution and the 2x2 max-pooling that follows it. The
// activation rises with its argument, so it may come after the maximum: it is
// computed for a quarter of the values, and the whole picture never leaves the
// cache.
func (l *Conv2D) forwardPooled(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	y := p.New(x.Dim(0), l.out[0]/2, l.out[1]/2, l.Filters)
	e := l.epilogue()
	e.Pool = true
	if p.Training() {
		e.Choice = p.mask(y.Shape()...)
	}
	l.convolve(p, y, x, e)
	p.record(step{x: x, y: y, layer: (*pooledConv)(l), mask: e.Choice})
	return y
}

// Conv2DTranspose is the transposed convolution: the adjoint of a Conv2D from
// its output's shape to its input's.
//
//	input   [batch, height, width, channels]
//	output  [batch, height', width', Filters]
//	kernel  [rows, columns, Filters, channels]
//
// With padding Same an output has size·stride rows and columns, with Valid
// size·stride + max(kernel-stride, 0).
type Conv2DTranspose struct {
	Name        string
	Filters     int
	Kernel      int    // side of a square kernel
	KernelSize  [2]int // rows and columns, in place of Kernel
	Stride      int    // 0: 1
	Strides     [2]int // by row and column, in place of Stride
	Padding     Padding
	Activation  Activation
	NoBias      bool
	Initializer Initializer

	window       tensor.Window
	out          [2]int
	kernel, bias *Param
	site
}

func (l *Conv2DTranspose) Identity() (name, class string) { return l.Name, "Conv2DTranspose" }

func (l *Conv2DTranspose) Params() []*Param { return params(l.kernel, l.bias) }

// Plan implements [Planner].
func (l *Conv2DTranspose) Plan(in []int) (out []int, values int64, err error) {
	w, size, err := l.place(in)
	if err != nil {
		return nil, 0, err
	}
	values, err = planned(l.NoBias, l.Filters, w.Size[0], w.Size[1], l.Filters, in[2])
	return []int{size[0], size[1], l.Filters}, values, err
}

// place returns the window of the kernel over an output, and the output's size.
func (l *Conv2DTranspose) place(in []int) (w tensor.Window, out [2]int, err error) {
	if err := wantPicture(in); err != nil {
		return w, out, err
	}
	if l.Filters < 1 {
		return w, out, fmt.Errorf("needs a positive number of filters, has %d", l.Filters)
	}
	size, stride := pair(l.KernelSize, l.Kernel, 0), pair(l.Strides, l.Stride, 1)
	if _, _, err := slide(in, [2]int{1, 1}, stride, l.Padding); err != nil {
		return w, out, err
	}
	for d := range 2 {
		out[d] = in[d] * stride[d]
		if l.Padding == Valid {
			out[d] += max(0, size[d]-stride[d])
		}
	}
	if w, _, err = slide(out[:], size, stride, l.Padding); err != nil {
		return w, out, err
	}
	return w, out, wantSize("an output", out[0], out[1], l.Filters)
}

func (l *Conv2DTranspose) Build(in []int, rng *rand.Rand) ([]int, error) {
	l.site = site{}
	out, _, err := l.Plan(in)
	if err != nil {
		return nil, err
	}
	l.window, l.out, _ = l.place(in)
	if l.kernel, err = givenKernel(nil, l.Initializer, rng, l.window.Size[0], l.window.Size[1], l.Filters, in[2]); err != nil {
		return nil, err
	}
	l.bias = newBias(l.NoBias, l.Filters)
	l.fix(in)
	return out, nil
}

func (l *Conv2DTranspose) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	y := p.New(x.Dim(0), l.out[0], l.out[1], l.Filters)
	tensor.Conv2DInputGrad(y, x, l.kernel.Value, value(l.bias), l.window)
	l.Activation.Apply(y)
	p.record(step{x: x, y: y, layer: l})
	return y
}

func (l *Conv2DTranspose) take(t *taking, _ int64) {
	t.convolving = kernelParts * int64(l.kernel.Value.Len())
}

func (l *Conv2DTranspose) backward(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	l.Activation.Gradient(dy, s.y)
	addBiasGrad(l.bias, dy)
	if g := l.kernel.Gradient(); g != nil {
		tensor.Conv2DKernelGrad(g, dy, s.x, l.window, true)
	}
	if !p.WantsGrad(s.x) {
		return nil
	}
	dx := p.New(s.x.Shape()...)
	tensor.Conv2D(dx, dy, l.kernel.Value, nil, l.window)
	return dx
}

// givenKernel returns a kernel, without a drawing or memory of its own if there is
// one already.
func givenKernel(given *tensor.Tensor, k Initializer, rng *rand.Rand, shape ...int) (*Param, error) {
	switch {
	case given == nil:
		return NewParam("kernel", k.New(rng, shape...)), nil
	case !slices.Equal(given.Shape(), shape):
		return nil, fmt.Errorf("the kernel that is given has shape %v, needs %v", given.Shape(), shape)
	}
	return NewParam("kernel", given), nil
}

func newBias(none bool, n int) *Param {
	if none {
		return nil
	}
	return NewParam("bias", tensor.New(n))
}

// addBiasGrad adds up the gradient of a bias, which may be nil or frozen, for dy, the
// gradient of what it was added to.
func addBiasGrad(bias *Param, dy *tensor.Tensor) {
	if bias == nil {
		return
	}
	if g := bias.Gradient(); g != nil {
		tensor.SumRows(g, dy, true)
	}
}

// params lists those that exist.
func params(all ...*Param) []*Param {
	var list []*Param
	for _, p := range all {
		if p != nil {
			list = append(list, p)
		}
	}
	return list
}

func value(p *Param) *tensor.Tensor {
	if p == nil {
		return nil
	}
	return p.Value
}
