package nn_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"lookalike/nn"
	"lookalike/nn/netfile"
	"lookalike/optim"
	"lookalike/tensor"
)

// SqueezeExcite weights the channels of a picture by what the picture shows (Hu et
// al., arXiv 1709.01507): a small network looks at the means of all channels, and
// says for each how much of it is let through.
//
//	input   [batch, height, width, channels]
//	output  [batch, height, width, channels]
//	scale   [channels], by which each channel is multiplied besides
//	usage   [channels], how much of each training has let through lately
type SqueezeExcite struct {
	Name  string
	Ratio int // channels for each unit of the inner layer; default 4

	gate         *nn.Sequential
	scale, usage *nn.Param
}

// Files name a layer by its class; Register says which type that is.
func init() { nn.Register(&SqueezeExcite{}) }

func (l *SqueezeExcite) Identity() (name, class string) { return l.Name, "SqueezeExcite" }

// network returns the one that looks at the channels.
func (l *SqueezeExcite) network(in []int) (*nn.Sequential, error) {
	if len(in) != 3 || in[2] < 1 {
		return nil, fmt.Errorf("needs pictures of shape [height, width, channels], got %v", in)
	}
	if l.Ratio < 0 {
		return nil, fmt.Errorf("ratio %d is negative", l.Ratio)
	}
	ratio := l.Ratio
	if ratio == 0 {
		ratio = 4
	}
	return nn.NewSequential("",
		&nn.GlobalAveragePool2D{},
		&nn.Dense{Units: max(1, in[2]/ratio), Activation: nn.ReLU},
		&nn.Dense{Units: in[2], Activation: nn.Sigmoid},
	), nil
}

// Plan lets a file be refused whose numbers would make Build take memory for nothing.
func (l *SqueezeExcite) Plan(in []int) (out []int, values int64, err error) {
	gate, err := l.network(in)
	if err != nil {
		return nil, 0, err
	}
	_, values, err = nn.Plan(gate, in)
	return in, values + 2*int64(in[2]), err
}

func (l *SqueezeExcite) Build(in []int, rng *rand.Rand) (out []int, err error) {
	if l.gate, err = l.network(in); err != nil {
		return nil, err
	}
	if _, err = l.gate.Build(in, rng); err != nil {
		return nil, err
	}
	ones := tensor.New(in[2])
	for i := range ones.Data() {
		ones.Data()[i] = 1
	}
	l.scale = nn.NewParam("scale", ones)               // learned by the optimizer
	l.usage = nn.NewBuffer("usage", tensor.New(in[2])) // moved by the layer itself
	return in, nil
}

func (l *SqueezeExcite) Params() []*nn.Param {
	if l.gate == nil {
		return nil // before Build
	}
	return append(l.gate.Params(), l.scale, l.usage)
}

// Forward leads the picture two ways: past the gate as it is, and through it.
func (l *SqueezeExcite) Forward(p *nn.Pass, x *tensor.Tensor) *tensor.Tensor {
	channels := x.Dim(3)
	join := func(outputs []*tensor.Tensor) *tensor.Tensor {
		gates := outputs[1]
		if p.Training() && !l.usage.Frozen() {
			for i, g := range gates.Data() {
				u := &l.usage.Value.Data()[i%channels]
				*u += 0.1 / float32(x.Dim(0)) * (g - *u)
			}
		}
		y, scale := p.New(x.Shape()...), l.scale.Value.Data()
		for b := range x.Dim(0) {
			in, out, gate := x.Row(b), y.Row(b), gates.Row(b)
			for i, v := range in {
				out[i] = v * gate[i%channels] * scale[i%channels]
			}
		}
		return y
	}
	split := func(dy *tensor.Tensor, outputs, grads []*tensor.Tensor) {
		scale, learned := l.scale.Value.Data(), l.scale.Gradient() // nil while frozen
		clear(grads[1].Data())
		for b := range x.Dim(0) {
			in, gate, d := outputs[0].Row(b), outputs[1].Row(b), dy.Row(b)
			dIn, dGate := grads[0].Row(b), grads[1].Row(b)
			for i, g := range d {
				c := i % channels
				dIn[i] = g * gate[c] * scale[c]
				dGate[c] += g * in[i] * scale[c]
				if learned != nil {
					learned.Data()[c] += g * in[i] * gate[c]
				}
			}
		}
	}
	return p.Fork(x, []nn.Layer{nil, l.gate}, join, split)
}

// farthest compares a layer's gradients with differences: it returns how far they are
// apart at most, of the inputs and of all parameters that learn.
func farthest(l nn.Layer, x, dy *tensor.Tensor) float64 {
	value := func() (sum float64) { // whose gradient by the outputs is dy
		y, _ := nn.Differentiate(l, x, dy)
		for i, v := range y.Data() {
			sum += float64(v) * float64(dy.Data()[i])
		}
		return sum
	}
	for _, p := range l.Params() {
		p.Grad = nil // to which Differentiate adds
	}
	_, dx := nn.Differentiate(l, x, dy)
	values, grads := [][]float32{x.Data()}, [][]float32{dx.Data()}
	for _, p := range l.Params() {
		if p.Trainable() {
			values, grads = append(values, p.Value.Data()), append(grads, p.Grad.Clone().Data())
		}
	}
	const step = 1.0 / 256
	worst := 0.0
	for k := range values {
		for i, v := range values[k] {
			values[k][i] = v + step
			up := value()
			values[k][i] = v - step
			down := value()
			values[k][i] = v
			worst = max(worst, math.Abs((up-down)/(2*step)-float64(grads[k][i])))
		}
	}
	return worst
}

// A layer outside this package: it makes parameters, leads its input two ways and
// back, is checked, trained, frozen, saved and loaded.
func Example_layer() {
	// Each picture has noise in all channels, and in one of them a sign, bright or
	// dark, of what is to be learned.
	rng := rand.New(rand.NewPCG(1, 2))
	x, y := tensor.New(200, 6, 6, 4), tensor.New(200, 1)
	for i := range 200 {
		for j := range x.Row(i) {
			x.Row(i)[j] = float32(rng.NormFloat64())
		}
		y.Row(i)[0] = float32(i % 2)
		for j := 2; j < len(x.Row(i)); j += 4 {
			x.Row(i)[j] += float32(i%2) - 0.5
		}
	}
	layer := &SqueezeExcite{Ratio: 2}
	net := nn.NewSequential("net", layer, &nn.GlobalAveragePool2D{}, &nn.Dense{Units: 1, Activation: nn.Sigmoid})
	if err := net.Init(7, 6, 6, 4); err != nil {
		log.Fatal(err)
	}
	for _, p := range layer.Params() {
		fmt.Println(p.Name, p.Value.Shape(), p.Trainable())
	}
	some := x.Rows(0, 2).Clone()
	fmt.Println("gradients are right:", farthest(layer, some, some.Clone()) < 1e-2)

	// The scale stays as it is, the gate learns.
	layer.scale.Freeze()
	history, err := net.Fit(context.Background(), nn.InMemory{X: x, Y: y}, nn.FitConfig{
		Epochs: 30, Optimizer: &optim.Adam{LearningRate: 0.02}, Loss: nn.BinaryCrossentropy, Metrics: []nn.Metric{nn.Accuracy},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("scale:", layer.scale.Value.Data())
	fmt.Println("accuracy above 0.9:", history[len(history)-1].Value("accuracy") > 0.9)
	fmt.Println("the channel with the sign is let through most:", mostUsed(layer) == 2)

	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "net.safetensors")
	if err := netfile.Save(path, net); err != nil {
		log.Fatal(err)
	}
	loaded, err := netfile.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("loaded it predicts the same:", fmt.Sprint(loaded.Predict(x).Data()) == fmt.Sprint(net.Predict(x).Data()))
	// Output:
	// squeeze_excite/dense/kernel [4 2] true
	// squeeze_excite/dense/bias [2] true
	// squeeze_excite/dense_1/kernel [2 4] true
	// squeeze_excite/dense_1/bias [4] true
	// squeeze_excite/scale [4] true
	// squeeze_excite/usage [4] false
	// gradients are right: true
	// scale: [1 1 1 1]
	// accuracy above 0.9: true
	// the channel with the sign is let through most: true
	// loaded it predicts the same: true
}

// mostUsed returns the channel that training has let through most.
func mostUsed(l *SqueezeExcite) int {
	most, usage := 0, l.usage.Value.Data()
	for c, u := range usage {
		if u > usage[most] {
			most = c
		}
	}
	return most
}
