package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"lookalike/internal/f32"
	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// Activation is an element-wise function, or softmax over the last dimension.
// The zero value is linear. Each is differentiated from its output alone.
type Activation struct {
	name  string
	alpha float32
	apply func(x []float32, n int, alpha float32)     // in place; n is the last dimension
	back  func(dy, y []float32, n int, alpha float32) // turns dy into dx in place
}

// The activations, as Keras defines them.
var (
	Linear    = Activation{}
	ReLU      = Activation{name: "relu", apply: relu, back: reluGrad}
	LeakyReLU = Activation{name: "leaky_relu", alpha: 0.2, apply: leaky, back: leakyGrad} // x<0: alpha·x
	ELU       = Activation{name: "elu", alpha: 1, apply: elu, back: eluGrad}              // x<0: alpha·(eˣ-1)
	Sigmoid   = Activation{name: "sigmoid", apply: sigmoid, back: sigmoidGrad}
	Tanh      = Activation{name: "tanh", apply: tanh, back: tanhGrad}
	Softmax   = Activation{name: "softmax", apply: softmax, back: softmaxGrad}
)

// WithAlpha returns the activation with another slope (LeakyReLU) or scale
// (ELU), which must be positive for the gradient to be found from the output.
func (a Activation) WithAlpha(alpha float32) Activation {
	if !(alpha > 0 && alpha <= math.MaxFloat32) {
		panic(fmt.Sprintf("nn.Activation.WithAlpha: %v is not a positive number", alpha))
	}
	a.alpha = alpha
	return a
}

// elementwise tells whether a value depends on one argument alone. It then never
// falls while that rises.
func (a Activation) elementwise() bool { return a.name != Softmax.name }

func (a Activation) String() string {
	if a.name == "" {
		return "linear"
	}
	return a.name
}

// activationBlock is about how many values one goroutine takes at a time.
const activationBlock = 1 << 16

// Apply replaces x by the activation of x, for layers of one's own.
func (a Activation) Apply(x *tensor.Tensor) {
	if a.apply == nil || x.Len() == 0 {
		return
	}
	eachRows(x, activating{a, x.Data(), nil, lastDim(x)}, activating.forward)
}

// on returns the activation of parts of a tensor whose last dimension is n, in
// place; nil for linear.
func (a Activation) on(n int) func([]float32) {
	if a.apply == nil {
		return nil
	}
	return func(x []float32) { a.apply(x, n, a.alpha) }
}

// Gradient turns dy, the gradient of the output y, into that of the input.
func (a Activation) Gradient(dy, y *tensor.Tensor) {
	if dy.Len() != y.Len() {
		panic(fmt.Sprintf("nn.Activation.Gradient: outputs %v and their gradient %v differ", y.Shape(), dy.Shape()))
	}
	if a.back == nil || y.Len() == 0 {
		return
	}
	eachRows(y, activating{a, y.Data(), dy.Data(), lastDim(y)}, activating.backward)
}

// activating is an activation of y, or of its gradient.
type activating struct {
	Activation
	y, dy []float32
	n     int // y's last dimension
}

var activations parallel.Loop[activating]

func (a activating) forward(lo, hi int)  { a.apply(a.y[lo:hi], a.n, a.alpha) }
func (a activating) backward(lo, hi int) { a.back(a.dy[lo:hi], a.y[lo:hi], a.n, a.alpha) }

// eachRows cuts the values of x into parts of whole rows; each takes some nanoseconds.
func eachRows(x *tensor.Tensor, a activating, f func(a activating, lo, hi int)) {
	activations.Spans(x.Len(), wholeRows(a.n), time.Duration(x.Len()), a, f)
}

// wholeRows returns how many values one goroutine takes at a time: rows of n, which may be 0.
func wholeRows(n int) int {
	n = max(1, n)
	return (activationBlock + n - 1) / n * n
}

func lastDim(x *tensor.Tensor) int { return x.Dim(len(x.Shape()) - 1) }

func relu(x []float32, _ int, _ float32)              { f32.ReLU(x, x) }
func reluGrad(dy, y []float32, _ int, _ float32)      { f32.ReLUGrad(dy, dy, y) }
func leaky(x []float32, _ int, alpha float32)         { f32.LeakyReLU(x, x, alpha) }
func leakyGrad(dy, y []float32, _ int, alpha float32) { f32.LeakyReLUGrad(dy, dy, y, alpha) }
func elu(x []float32, _ int, alpha float32)           { f32.ELU(x, x, alpha) }
func eluGrad(dy, y []float32, _ int, alpha float32)   { f32.ELUGrad(dy, dy, y, alpha) }

func sigmoid(x []float32, _ int, _ float32) {
	for i, v := range x {
		x[i] = float32(1 / (1 + math.Exp(-float64(v))))
	}
}

func sigmoidGrad(dy, y []float32, _ int, _ float32) {
	for i, v := range y {
		dy[i] *= v * (1 - v)
	}
}

func tanh(x []float32, _ int, _ float32) {
	for i, v := range x {
		x[i] = float32(math.Tanh(float64(v)))
	}
}

func tanhGrad(dy, y []float32, _ int, _ float32) {
	for i, v := range y {
		dy[i] *= 1 - v*v
	}
}

func softmax(x []float32, n int, _ float32) {
	for row := range rows(x, n) {
		top := float32(math.Inf(-1))
		for _, v := range row {
			top = max(top, v)
		}
		var sum float64
		for i, v := range row {
			e := math.Exp(float64(v - top))
			row[i] = float32(e)
			sum += e
		}
		for i, v := range row {
			row[i] = float32(float64(v) / sum)
		}
	}
}

func softmaxGrad(dy, y []float32, n int, _ float32) {
	for at := 0; at < len(y); at += n {
		dy, y := dy[at:at+n], y[at:at+n]
		var dot float64
		for i, v := range y {
			dot += float64(v) * float64(dy[i])
		}
		for i, v := range y {
			dy[i] = float32(float64(v) * (float64(dy[i]) - dot))
		}
	}
}

// rows yields the consecutive rows of n values.
func rows(x []float32, n int) func(yield func([]float32) bool) {
	return func(yield func([]float32) bool) {
		for at := 0; at < len(x); at += n {
			if !yield(x[at : at+n]) {
				return
			}
		}
	}
}

// Activate is an activation as a layer of its own.
type Activate struct {
	Name       string
	Activation Activation

	site
}

func (l *Activate) Identity() (name, class string) { return l.Name, "Activation" }

func (l *Activate) Params() []*Param { return nil }

func (l *Activate) Build(in []int, _ *rand.Rand) ([]int, error) {
	l.site = site{}
	if err := wantSize("an input", in...); err != nil {
		return nil, err
	}
	if len(in) == 0 {
		return nil, fmt.Errorf("needs at least one dimension")
	}
	l.fix(in)
	return in, nil
}

func (l *Activate) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	y := p.New(x.Shape()...)
	copy(y.Data(), x.Data())
	l.Activation.Apply(y)
	p.record(step{x: x, y: y, layer: l})
	return y
}

func (l *Activate) take(t *taking, _ int64) { t.inPlace = true }

func (l *Activate) backward(_ *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	l.Activation.Gradient(dy, s.y)
	return dy
}
