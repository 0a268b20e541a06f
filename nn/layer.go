package nn

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"lookalike/tensor"
)

// Layer is one step of a network. Shapes are those of one sample, without the
// batch. The package's comment says how to write one.
type Layer interface {
	// Identity returns the name given to the layer, or "", and Keras's name of
	// its class.
	Identity() (name, class string)

	// Build fixes the layer to inputs of shape in, creates its parameters with
	// rng and returns the shape of its outputs. With a nil rng kernels are zero,
	// to be loaded.
	Build(in []int, rng *rand.Rand) (out []int, err error)

	// Forward returns the outputs for a batch x, which it leaves as it is, in a
	// tensor that belongs to the pass. In training it records how to go back.
	Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor

	// Params returns the parameters, in the same order every time; nil before Build.
	Params() []*Param
}

// site is what Build has fixed a layer of ours to.
type site struct {
	in []int // shape of a sample; nil before Build
}

func (s *site) fix(in []int) { s.in = append([]int{}, in...) }

// check panics unless the layer has been built and x is a batch of its inputs.
func (s *site) check(l Layer, p *Pass, x *tensor.Tensor) {
	if p == nil || s.in == nil || x == nil || len(x.Shape()) != len(s.in)+1 || !slices.Equal(x.Shape()[1:], s.in) {
		s.refuse(l, p, x)
	}
}

func (s *site) refuse(l Layer, p *Pass, x *tensor.Tensor) {
	name, class := l.Identity()
	if name != "" {
		class += fmt.Sprintf(" %q", name)
	}
	switch {
	case p == nil:
		panic(fmt.Sprintf("nn.%s: Forward has no pass; new(nn.Pass) is one of prediction", class))
	case s.in == nil:
		panic(fmt.Sprintf("nn.%s: the layer has not been built", class))
	}
	panic(fmt.Sprintf("nn.%s: batch has shape %v, the layer takes [n %v]", class, x.Shape(), strings.Trim(fmt.Sprint(s.in), "[]")))
}

// Param is a tensor that belongs to a layer. Its name has the path of the
// layers around it, such as "encoder/conv2d_1/kernel".
type Param struct {
	Name string

	// Value may be changed between runs, as a whole: a layer that has predicted
	// keeps its kernel in another form, and notices when training or loading
	// has changed it. To change single values, set Value to a changed clone.
	Value *tensor.Tensor

	// Grad has Value's shape and holds the gradient of the last batch. It is
	// nil until the first, so that networks that only predict do without.
	Grad *tensor.Tensor

	buffer, frozen bool
}

// NewParam returns a parameter for optimizers to change. Its name is the layer's
// own word for it, such as "kernel": networks put their layers' names in front.
func NewParam(name string, value *tensor.Tensor) *Param {
	if value == nil {
		panic(fmt.Sprintf("nn.NewParam: %q has no value", name))
	}
	return &Param{Name: name, Value: value}
}

// NewBuffer returns a parameter that optimizers leave alone: a constant, or an
// average that the layer itself moves in training. It is saved and loaded like
// others.
func NewBuffer(name string, value *tensor.Tensor) *Param {
	p := NewParam(name, value)
	p.buffer = true
	return p
}

// Trainable tells whether optimizers may change the parameter: it is neither a
// buffer nor frozen.
func (p *Param) Trainable() bool { return !p.buffer && !p.frozen }

// Frozen tells whether the parameter has been frozen; a buffer that is stays as it
// is in training too.
func (p *Param) Frozen() bool { return p.frozen }

// Freeze lets optimizers leave the parameter alone; its gradient is not computed.
// While the network trains it is to be called from a callback at an epoch's end
// only, and so is Unfreeze.
func (p *Param) Freeze() { p.frozen = true }

// Unfreeze ends what Freeze began.
func (p *Param) Unfreeze() { p.frozen = false }

// Freeze freezes all parameters of layers that have been built; a network is a
// layer. It is Keras's layer.trainable = False: a frozen BatchNorm works in training
// as it does in prediction, and a Dropout goes on dropping. Training does not go back
// into what stands in front of the first layer that learns. Building a layer makes
// new parameters, which are not frozen.
func Freeze(layers ...Layer) { eachParam("Freeze", layers, (*Param).Freeze) }

// Unfreeze ends what Freeze began.
func Unfreeze(layers ...Layer) { eachParam("Unfreeze", layers, (*Param).Unfreeze) }

func eachParam(op string, layers []Layer, f func(*Param)) {
	for i, l := range layers {
		if isNil(l) {
			panic(fmt.Sprintf("nn.%s: layer %d of %d is nil", op, i+1, len(layers)))
		}
		if s, ok := l.(*Sequential); ok {
			s.mustBeBuilt(op)
		}
		for _, p := range l.Params() {
			f(p)
		}
	}
}

// trains tells whether a layer has a parameter that optimizers may change.
func trains(l Layer) bool { return slices.ContainsFunc(l.Params(), (*Param).Trainable) }

// Gradient returns Grad for a layer to add to on its way back, made of zeros where
// there is none yet. It is nil where nobody needs it: the parameter is frozen, or
// a buffer.
func (p *Param) Gradient() *tensor.Tensor {
	if !p.Trainable() {
		return nil
	}
	if p.Grad == nil {
		p.Grad = tensor.New(p.Value.Shape()...)
	}
	return p.Grad
}

// Padding says what stands round a picture before a kernel slides over it.
type Padding int

const (
	Valid Padding = iota // nothing: the kernel stays inside
	Same                 // zeros, so that stride 1 keeps the size
)

func (p Padding) String() string {
	if p == Same {
		return "same"
	}
	return "valid"
}

// pair returns full unless it is zero, in which case both are side, or
// fallback where that is zero too.
func pair(full [2]int, side, fallback int) [2]int {
	if full != [2]int{} {
		return full
	}
	if side == 0 {
		side = fallback
	}
	return [2]int{side, side}
}

// slide returns the window of the given size and stride over a picture of
// height x width, and how often it fits, by Keras's rules: 'same' gives
// ceil(size/stride) outputs, with the odd zero of the border at the end.
func slide(picture []int, size, stride [2]int, padding Padding) (tensor.Window, [2]int, error) {
	w := tensor.Window{Size: size, Stride: stride}
	var out [2]int
	if padding != Valid && padding != Same {
		return w, out, fmt.Errorf("padding %d is neither Valid nor Same", int(padding))
	}
	for d := range 2 {
		if size[d] < 1 || stride[d] < 1 {
			return w, out, fmt.Errorf("kernel %v and stride %v must be positive", size, stride)
		}
		if size[d] > maxWindow || stride[d] > maxWindow {
			return w, out, fmt.Errorf("kernel %v or stride %v is over %d", size, stride, maxWindow)
		}
		if padding == Same {
			out[d] = (picture[d] + stride[d] - 1) / stride[d]
			w.Pad[d] = max(0, (out[d]-1)*stride[d]+size[d]-picture[d]) / 2
			continue
		}
		if picture[d] < size[d] {
			return w, out, fmt.Errorf("a picture of %dx%d is smaller than the kernel %dx%d; use padding 'same' or a larger picture",
				picture[0], picture[1], size[0], size[1])
		}
		out[d] = (picture[d]-size[d])/stride[d] + 1
	}
	return w, out, nil
}

// maxWindow bounds kernels and strides, so that sizes computed from them cannot
// overflow, maxValues what a kernel or the output for one sample holds (8 GB), and
// maxRank its dimensions.
const (
	maxWindow = 1 << 15
	maxValues = 1<<31 - 1
	maxRank   = 64
)

// wantSize returns an error unless a tensor of that shape can be made.
func wantSize(what string, shape ...int) error {
	if len(shape) > maxRank {
		return fmt.Errorf("%s of %d dimensions cannot be: at most %d", what, len(shape), maxRank)
	}
	n := 1
	for _, d := range shape {
		if d < 0 || d > 0 && n > maxValues/d {
			return fmt.Errorf("%s of shape %v cannot be: dimensions are not negative, and it holds at most %d values", what, shape, maxValues)
		}
		n *= d
	}
	return nil
}

// wantValues returns an error unless inputs of shape in can be, and hold a value.
func wantValues(in []int) error {
	if err := wantSize("an input", in...); err != nil {
		return err
	}
	if len(in) == 0 || tensor.Size(in) == 0 {
		return fmt.Errorf("needs inputs of at least one value, got shape %v", in)
	}
	return nil
}

// wantPicture returns an error unless in is [height, width, channels].
func wantPicture(in []int) error {
	if err := wantSize("an input", in...); err != nil {
		return err
	}
	if len(in) != 3 || tensor.Size(in) == 0 {
		return fmt.Errorf("needs pictures of shape [height, width, channels], got %v", in)
	}
	return nil
}
