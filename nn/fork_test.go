package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
)

// fork is a layer as a user may write one: the sum of several branches that all
// begin at its input.
type fork []nn.Layer

func (f fork) Identity() (name, class string) { return "fork", "Fork" }

func (f fork) Build(in []int, rng *rand.Rand) (out []int, err error) {
	for _, branch := range f {
		if out, err = branch.Build(in, rng); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (f fork) Params() []*nn.Param {
	var list []*nn.Param
	for _, branch := range f {
		list = append(list, branch.Params()...)
	}
	return list
}

func (f fork) Forward(p *nn.Pass, x *tensor.Tensor) *tensor.Tensor {
	var dy, dx *tensor.Tensor // of the sum and, once it is known, of x
	keep := func(d *tensor.Tensor) {
		switch {
		case d == nil:
		case dx == nil:
			dx = d.Reshape(x.Shape()...).Clone()
		default:
			add(dx, d)
		}
	}
	if p.Training() {
		p.Record(x, x, func(d *tensor.Tensor) *tensor.Tensor {
			if keep(d); dx == nil {
				return nil
			}
			d = p.New(x.Shape()...)
			copy(d.Data(), dx.Data())
			return d
		})
	}
	var outputs []*tensor.Tensor
	for i, branch := range f {
		y := branch.Forward(p, x)
		outputs = append(outputs, y)
		if p.Training() && i < len(f)-1 {
			p.Record(y, y, func(d *tensor.Tensor) *tensor.Tensor {
				keep(d)
				d = p.New(dy.Shape()...)
				copy(d.Data(), dy.Data())
				return d
			})
		}
	}
	sum := p.New(outputs[0].Shape()...)
	clear(sum.Data())
	for _, y := range outputs {
		add(sum, y)
	}
	if p.Training() {
		p.Record(outputs[len(f)-1], sum, func(d *tensor.Tensor) *tensor.Tensor {
			dy = d.Clone()
			return d
		})
	}
	return sum
}

func add(to, from *tensor.Tensor) {
	for i, v := range from.Data() {
		to.Data()[i] += v
	}
}

// forked is the reference of a fork; params says how many each branch takes.
func forked(branches ...stage) reference {
	return func(x array, params []array) array {
		var sum array
		for _, b := range branches {
			y := b.f(x, params[:b.params])
			params = params[b.params:]
			if sum.data == nil {
				sum = newArray(y.shape...)
			}
			for i, v := range y.data {
				sum.data[i] += v
			}
		}
		return sum
	}
}

// TestForks: training reaches every branch, whichever of them begins at the
// network's input, and so has nobody to give a gradient to.
func TestForks(t *testing.T) {
	same := func(x array, _ []array) array { return x }
	tanh := reference(dense).then(activations[7].f)
	layer := func(units int) nn.Layer { return &nn.Dense{Units: units, Activation: nn.Tanh} }
	inner := func(layers ...nn.Layer) nn.Layer { return nn.NewSequential("", layers...) }
	for _, c := range []struct {
		name   string
		layers []nn.Layer
		f      reference
	}{
		{"at the input", []nn.Layer{fork{layer(4), layer(4)}, layer(2)},
			chain(stage{forked(stage{tanh, 2}, stage{tanh, 2}), 4}, stage{tanh, 2})},
		{"three at the input, the first longer", []nn.Layer{fork{inner(layer(5), layer(4)), layer(4), inner(layer(3), layer(4))}, layer(2)},
			chain(stage{forked(stage{chain(stage{tanh, 2}, stage{tanh, 2}), 4}, stage{tanh, 2}, stage{chain(stage{tanh, 2}, stage{tanh, 2}), 4}), 10}, stage{tanh, 2})},
		{"past the input itself", []nn.Layer{fork{inner(layer(5), layer(3)), &nn.Flatten{}}, layer(2)},
			chain(stage{forked(stage{chain(stage{tanh, 2}, stage{tanh, 2}), 4}, stage{same, 0}), 4}, stage{tanh, 2})},
		{"a fork in the first branch", []nn.Layer{fork{inner(layer(5), fork{layer(4), layer(4)}), layer(4)}, layer(2)},
			chain(stage{forked(stage{chain(stage{tanh, 2}, stage{forked(stage{tanh, 2}, stage{tanh, 2}), 4}), 6}, stage{tanh, 2}), 8}, stage{tanh, 2})},
		{"behind a layer", []nn.Layer{layer(6), fork{layer(4), inner(layer(3), layer(4)), layer(4)}, layer(2)},
			chain(stage{tanh, 2}, stage{forked(stage{tanh, 2}, stage{chain(stage{tanh, 2}, stage{tanh, 2}), 4}, stage{tanh, 2}), 8}, stage{tanh, 2})},
	} {
		t.Run(c.name, func(t *testing.T) {
			net := nn.NewSequential("net", c.layers...)
			if err := net.Init(1, 3); err != nil {
				t.Fatal(err)
			}
			data := vectors(7)
			var params []array
			var before []*tensor.Tensor
			names := map[string]bool{}
			for _, p := range net.Params() {
				params = append(params, exact(p.Value))
				before = append(before, p.Value.Clone())
				names[p.Name] = true
			}
			if len(names) != len(params) {
				t.Errorf("%d names of %d parameters", len(names), len(params))
			}
			optimizer := &firstGradients{Optimizer: &optim.SGD{}}
			fit(t, net, data, nn.FitConfig{Batch: 7, NoShuffle: true, Optimizer: optimizer})
			x, y := exact(data.X), exact(data.Y)
			loss := func() float64 {
				var sum float64
				for i, v := range c.f(x, params).data {
					sum += (v - y.data[i]) * (v - y.data[i])
				}
				return sum / float64(len(y.data))
			}
			for i, p := range net.Params() {
				nearSlope(t, p.Name, optimizer.kept[p.Name], slope(params[i], loss), 100)
				if slices.Equal(p.Value.Data(), before[i].Data()) {
					t.Errorf("%s has not been trained", p.Name)
				}
			}
		})
	}
}

// side is a layer as a user may write one: its branches' outputs side by side.
type side struct{ fork }

func (s side) Identity() (name, class string) { return "side", "Side" }

func (s side) Build(in []int, rng *rand.Rand) ([]int, error) {
	width := 0
	for _, branch := range s.fork {
		out, err := branch.Build(in, rng)
		if err != nil {
			return nil, err
		}
		width += out[0]
	}
	return []int{width}, nil
}

func (s side) Forward(p *nn.Pass, x *tensor.Tensor) *tensor.Tensor {
	var dy, dx *tensor.Tensor // of the whole and, once it is known, of x
	var outputs []*tensor.Tensor
	// begin returns the gradient that branch i begins with on the way back.
	begin := func(i int) *tensor.Tensor {
		d, at := p.New(outputs[i].Shape()...), 0
		for _, y := range outputs[:i] {
			at += y.Dim(1)
		}
		for r := range d.Dim(0) {
			copy(d.Row(r), dy.Row(r)[at:])
		}
		return d
	}
	keep := func(d *tensor.Tensor) {
		switch {
		case d == nil:
		case dx == nil:
			dx = d.Reshape(x.Shape()...).Clone()
		default:
			add(dx, d)
		}
	}
	if p.Training() {
		p.Record(x, x, func(d *tensor.Tensor) *tensor.Tensor {
			if keep(d); dx == nil {
				return nil
			}
			d = p.New(x.Shape()...)
			copy(d.Data(), dx.Data())
			return d
		})
	}
	width := 0
	for i, branch := range s.fork {
		y := branch.Forward(p, x)
		outputs = append(outputs, y)
		width += y.Dim(1)
		if p.Training() && i < len(s.fork)-1 {
			p.Record(y, y, func(d *tensor.Tensor) *tensor.Tensor {
				keep(d)
				return begin(i)
			})
		}
	}
	whole := p.New(x.Dim(0), width)
	for r := range x.Dim(0) {
		at := 0
		for _, y := range outputs {
			at += copy(whole.Row(r)[at:], y.Row(r))
		}
	}
	if p.Training() {
		p.Record(outputs[len(outputs)-1], whole, func(d *tensor.Tensor) *tensor.Tensor {
			dy = d.Clone()
			return begin(len(outputs) - 1)
		})
	}
	return whole
}

// beside is the reference of a side.
func beside(branches ...stage) reference {
	return func(x array, params []array) array {
		var parts []array
		width := 0
		for _, b := range branches {
			y := b.f(x, params[:b.params])
			params = params[b.params:]
			parts, width = append(parts, y), width+y.shape[1]
		}
		all := newArray(x.shape[0], width)
		for r := range x.shape[0] {
			at := r * width
			for _, y := range parts {
				at += copy(all.data[at:], y.data[r*y.shape[1]:][:y.shape[1]])
			}
		}
		return all
	}
}

// summed is a fork by Pass.Fork, of which a branch may be nil: the input itself.
type summed struct{ fork }

func (s summed) Identity() (name, class string) { return "summed", "Summed" }

// layers are the branches that are layers.
func (s summed) layers() (list fork) {
	for _, branch := range s.fork {
		if branch != nil {
			list = append(list, branch)
		}
	}
	return list
}

func (s summed) Build(in []int, rng *rand.Rand) ([]int, error) {
	_, err := s.layers().Build(in, rng)
	return in, err
}

func (s summed) Params() []*nn.Param { return s.layers().Params() }

func (s summed) Forward(p *nn.Pass, x *tensor.Tensor) *tensor.Tensor {
	return p.Fork(x, s.fork, func(outputs []*tensor.Tensor) *tensor.Tensor {
		y := p.New(outputs[0].Shape()...)
		clear(y.Data())
		for _, o := range outputs {
			add(y, o)
		}
		return y
	}, func(dy *tensor.Tensor, outputs, grads []*tensor.Tensor) {
		for _, g := range grads {
			copy(g.Data(), dy.Data())
		}
	})
}

// TestRandomForks: sums and rows of branches within one another, of which any may do
// nothing or begin at the network's input: no gradient is lost or counted twice, and
// every parameter has a name of its own. What is frozen stays as it is and has no
// gradient, and all else learns as ever.
func TestRandomForks(t *testing.T) {
	same := func(x array, _ []array) array { return x }
	tanh := reference(dense).then(activations[7].f)
	rounds := 40
	if !testing.Short() {
		rounds = 300
	}
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 9))
			// Every part takes and gives rows of 3, so that it fits anywhere.
			var part func(depth int) (nn.Layer, stage)
			part = func(depth int) (nn.Layer, stage) {
				kind := r.IntN(8)
				if depth == 0 {
					kind = r.IntN(2)
				}
				n := 2 + r.IntN(2)
				var layers []nn.Layer
				var stages []stage
				sum := 0
				for range n {
					if kind < 2 {
						break
					}
					if kind > 5 && r.IntN(3) == 0 {
						layers, stages = append(layers, nil), append(stages, stage{same, 0})
						continue
					}
					l, s := part(depth - 1)
					layers, stages, sum = append(layers, l), append(stages, s), sum+s.params
				}
				switch kind {
				case 0:
					return &nn.Flatten{}, stage{same, 0}
				case 1:
					return &nn.Dense{Units: 3, Activation: nn.Tanh}, stage{tanh, 2}
				case 2, 3:
					return nn.NewSequential("", fork(layers)), stage{forked(stages...), sum}
				case 4:
					return nn.NewSequential("", side{layers}, &nn.Dense{Units: 3, Activation: nn.Tanh}), stage{chain(stage{beside(stages...), sum}, stage{tanh, 2}), sum + 2}
				}
				if kind > 5 {
					return nn.NewSequential("", summed{layers}), stage{forked(stages...), sum}
				}
				return nn.NewSequential("", layers...), stage{chain(stages...), sum}
			}
			first, a := part(3)
			second, b := part(2)
			net := nn.NewSequential("net", first, second, &nn.Dense{Units: 2, Activation: nn.Tanh})
			if err := net.Init(uint64(seed), 3); err != nil {
				t.Fatal(err)
			}
			f := chain(a, b, stage{tanh, 2})
			data := vectors(5)
			var params []array
			freeze := r.IntN(2) == 0
			for _, p := range net.Params() {
				params = append(params, exact(p.Value))
				if freeze && r.IntN(2) == 0 {
					p.Freeze()
				}
			}
			if freeze && r.IntN(2) == 0 {
				nn.Freeze(first)
			}
			optimizer := &firstGradients{Optimizer: &optim.SGD{}}
			fit(t, net, data, nn.FitConfig{Batch: 5, NoShuffle: true, Optimizer: optimizer})
			x, y := exact(data.X), exact(data.Y)
			loss := func() float64 {
				var sum float64
				for i, v := range f(x, params).data {
					sum += (v - y.data[i]) * (v - y.data[i])
				}
				return sum / float64(len(y.data))
			}
			var want []array
			greatest, names := 0.0, map[string]bool{}
			for i, p := range net.Params() {
				want = append(want, slope(params[i], loss))
				for _, v := range want[i].data {
					greatest = max(greatest, math.Abs(v))
				}
				names[p.Name] = true
			}
			if len(names) != len(params) {
				t.Errorf("%d names of %d parameters", len(names), len(params))
			}
			for i, p := range net.Params() {
				if p.Frozen() {
					if p.Grad != nil || p.Trainable() || !slices.Equal(exact(p.Value).data, params[i].data) {
						t.Errorf("%s is frozen and has a gradient %v, or has changed", p.Name, p.Grad)
					}
					continue
				}
				for j, v := range optimizer.kept[p.Name].Data() {
					if d := math.Abs(float64(v) - want[i].data[j]); !(d <= 1e-4*greatest+5e-6) {
						t.Fatalf("%s[%d] = %v, want %v: off by %.3g", p.Name, j, v, want[i].data[j], d)
					}
				}
			}
		})
	}
}

// joined is a fork that does not record a step between its branches.
type joined struct{ fork }

func (f joined) Forward(p *nn.Pass, x *tensor.Tensor) *tensor.Tensor {
	var sum, last *tensor.Tensor
	for _, branch := range f.fork {
		if last = branch.Forward(p, x); sum == nil {
			sum = p.New(last.Shape()...)
			clear(sum.Data())
		}
		add(sum, last)
	}
	if p.Training() {
		p.Record(last, sum, func(d *tensor.Tensor) *tensor.Tensor { return d })
	}
	return sum
}

// TestForkWithoutStepBetween: a branch that has nothing to begin with on the way back
// is said to lack the step that gives it.
func TestForkWithoutStepBetween(t *testing.T) {
	layer := func(units int) nn.Layer { return &nn.Dense{Units: units, Activation: nn.Tanh} }
	net := nn.NewSequential("net", joined{fork{nn.NewSequential("", layer(5), layer(4)), layer(4)}}, layer(2))
	if err := net.Init(1, 3); err != nil {
		t.Fatal(err)
	}
	defer func() { says(t, fmt.Sprint(recover()), "nn.Record|between two branches") }()
	fit(t, net, vectors(7), nn.FitConfig{Optimizer: &optim.SGD{}})
}

// TestLayerUsedTwice: what two branches share has the sum of both gradients and
// takes one step a batch.
func TestLayerUsedTwice(t *testing.T) {
	const rate = 0.5
	shared := &nn.Dense{Units: 2, NoBias: true}
	net := nn.NewSequential("net", fork{shared, shared})
	if err := net.Init(1, 3); err != nil {
		t.Fatal(err)
	}
	params := net.Params()
	if len(params) != 1 || params[0].Name != "fork/kernel" {
		t.Fatalf("%d parameters, the first %q, want fork/kernel alone", len(params), params[0].Name)
	}
	data, before := vectors(7), exact(params[0].Value)
	want := slope(before, func() float64 {
		var sum float64
		y := exact(data.Y)
		for i, v := range dense(exact(data.X), []array{before}).data {
			sum += (2*v - y.data[i]) * (2*v - y.data[i])
		}
		return sum / float64(len(y.data))
	})
	fit(t, net, data, nn.FitConfig{Batch: 7, NoShuffle: true, Optimizer: &optim.SGD{LearningRate: rate}})
	for i, v := range params[0].Value.Data() {
		if w := before.data[i] - rate*want.data[i]; !(math.Abs(float64(v)-w) <= 1e-6) {
			t.Errorf("kernel[%d] = %v, want %v", i, v, w)
		}
	}
}
