package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lookalike/nn"
	"lookalike/tensor"
)

// gradientCase is a layer, its reference and the shape of its inputs.
type gradientCase struct {
	name  string
	layer nn.Layer
	f     reference
	in    []int // of a batch
}

func gradientCases() []gradientCase {
	type (
		shape = []int
		p     = [2]int
	)
	var cases []gradientCase
	add := func(name string, layer nn.Layer, f reference, in ...int) {
		cases = append(cases, gradientCase{name, layer, f, in})
	}
	elu := activations[4]

	for _, c := range []struct {
		in           shape
		size, stride p
		padding      nn.Padding
	}{
		{shape{2, 7, 6, 3}, p{3, 3}, p{1, 1}, nn.Same},
		{shape{2, 7, 6, 3}, p{3, 3}, p{1, 1}, nn.Valid},
		{shape{1, 7, 5, 2}, p{3, 3}, p{2, 2}, nn.Same},
		{shape{1, 6, 8, 2}, p{2, 5}, p{2, 1}, nn.Valid},
		{shape{1, 8, 7, 2}, p{4, 2}, p{3, 2}, nn.Same},
		{shape{2, 5, 7, 3}, p{1, 1}, p{1, 1}, nn.Same},
		{shape{2, 5, 7, 3}, p{1, 1}, p{3, 2}, nn.Same}, // kernel < stride: pixels that nothing reads
		{shape{2, 8, 7, 2}, p{2, 1}, p{3, 3}, nn.Valid},
		{shape{2, 2, 3, 2}, p{5, 4}, p{1, 1}, nn.Same}, // kernel larger than the picture
		{shape{2, 3, 2, 2}, p{5, 5}, p{2, 3}, nn.Same},
		{shape{3, 1, 1, 4}, p{3, 3}, p{1, 1}, nn.Same},
		{shape{2, 4, 5, 2}, p{4, 5}, p{1, 1}, nn.Valid}, // one window
	} {
		w := windows{c.size, c.stride, c.padding}
		name := fmt.Sprintf("%v kernel %v stride %v %v", c.in, c.size, c.stride, c.padding)
		add("Conv2D "+name, &nn.Conv2D{Filters: 4, KernelSize: c.size, Strides: c.stride, Padding: c.padding, Activation: elu.activation},
			reference(w.conv).then(elu.f), c.in...)
		add("Conv2D without bias "+name, &nn.Conv2D{Filters: 1, KernelSize: c.size, Strides: c.stride, Padding: c.padding, NoBias: true},
			w.conv, c.in...)
		small := shape{c.in[0], (c.in[1] + 1) / 2, (c.in[2] + 1) / 2, c.in[3]}
		name = fmt.Sprintf("%v kernel %v stride %v %v", small, c.size, c.stride, c.padding)
		add("Conv2DTranspose "+name, &nn.Conv2DTranspose{Filters: 3, KernelSize: c.size, Strides: c.stride, Padding: c.padding, Activation: elu.activation},
			reference(w.transposed).then(elu.f), small...)
		add("Conv2DTranspose without bias "+name, &nn.Conv2DTranspose{Filters: 1, KernelSize: c.size, Strides: c.stride, Padding: c.padding, NoBias: true},
			w.transposed, small...)
		add("MaxPool2D "+name, &nn.MaxPool2D{PoolSize: c.size, Strides: c.stride, Padding: c.padding}, w.pool(slices.Max[[]float64]), c.in...)
		add("AveragePool2D "+name, &nn.AveragePool2D{PoolSize: c.size, Strides: c.stride, Padding: c.padding}, w.pool(mean), c.in...)
	}
	add("GlobalAveragePool2D", &nn.GlobalAveragePool2D{}, globalAverage, 2, 5, 3, 4)
	add("Flatten", &nn.Flatten{}, shaped(30), 3, 2, 5, 3)
	add("Reshape", &nn.Reshape{Target: []int{5, -1, 2}}, shaped(5, 3, 2), 3, 30)
	add("Dropout", &nn.Dropout{Rate: 0.3}, dropped(0.3), 3, 4, 5, 2)
	for _, in := range []shape{{4, 7}, {1, 1}, {2, 3, 5}, {2, 3, 2, 4}} {
		add(fmt.Sprint("Dense ", in), &nn.Dense{Units: 6, Activation: elu.activation}, reference(dense).then(elu.f), in...)
	}
	add("Dense without bias", &nn.Dense{Units: 1, NoBias: true}, dense, 5, 9)
	for _, in := range []shape{{4, 7}, {3, 1}, {2, 3, 5}, {2, 3, 2, 4}} {
		add(fmt.Sprint("UnitNorm ", in), &nn.UnitNorm{}, unitNorm, in...)
	}
	for _, in := range []shape{{4, 7}, {1, 1}, {70, 9}} {
		add(fmt.Sprint("UnitDense ", in), &nn.UnitDense{Units: 5}, unitDense, in...)
	}
	add("UnitNorm, UnitDense", nn.NewSequential("", &nn.Dense{Units: 6}, &nn.UnitNorm{}, &nn.UnitDense{Units: 4}),
		chain(stage{dense, 2}, stage{unitNorm, 0}, stage{unitDense, 1}), 5, 3)
	for _, a := range activations {
		add(fmt.Sprintf("Activate %v", a.activation), &nn.Activate{Activation: a.activation}, a.f, 2, 3, 4, 5)
		add(fmt.Sprintf("Dense %v", a.activation), &nn.Dense{Units: 7, Activation: a.activation}, reference(dense).then(a.f), 3, 8)
	}
	for _, in := range []shape{{5, 4}, {2, 3, 3, 4}, {3, 2, 7}, {1, 3}} { // the last: no variance
		add(fmt.Sprint("BatchNorm ", in), &nn.BatchNorm{}, batchNorm(float64(float32(1e-3))), in...)
	}
	add("BatchNorm epsilon 0.1", &nn.BatchNorm{Epsilon: 0.1, Momentum: 0.5}, batchNorm(float64(float32(0.1))), 2, 3, 3, 2)

	// A network with a network in it, through every kind of layer.
	square := func(size, stride int, padding nn.Padding) windows {
		return windows{p{size, size}, p{stride, stride}, padding}
	}
	add("Sequential", nn.NewSequential("outer",
		&nn.Conv2D{Filters: 4, Kernel: 3, Padding: nn.Same, Activation: nn.ELU},
		&nn.MaxPool2D{Padding: nn.Same},
		&nn.BatchNorm{},
		nn.NewSequential("inner",
			&nn.Conv2D{Filters: 6, Kernel: 3, Stride: 2, Padding: nn.Same, Activation: nn.LeakyReLU},
			&nn.Dropout{Rate: 0.25},
			&nn.Flatten{},
			&nn.Dense{Units: 12, Activation: nn.Tanh}),
		&nn.Reshape{Target: []int{2, 2, 3}},
		&nn.Conv2DTranspose{Filters: 3, Kernel: 3, Stride: 2, Padding: nn.Same, Activation: nn.ELU},
		&nn.AveragePool2D{Size: 2, Stride: 1},
		&nn.Conv2DTranspose{Filters: 2, Kernel: 2, Stride: 1, Activation: nn.Sigmoid},
	), chain(
		stage{reference(square(3, 1, nn.Same).conv).then(elu.f), 2},
		stage{square(2, 2, nn.Same).pool(slices.Max[[]float64]), 0},
		stage{batchNorm(float64(float32(1e-3))), 4},
		stage{reference(square(3, 2, nn.Same).conv).then(activations[2].f), 2},
		stage{dropped(0.25), 0},
		stage{shaped(2 * 2 * 6), 0},
		stage{reference(dense).then(activations[7].f), 2},
		stage{shaped(2, 2, 3), 0},
		stage{reference(square(3, 2, nn.Same).transposed).then(elu.f), 2},
		stage{square(2, 1, nn.Valid).pool(mean), 0},
		stage{reference(square(2, 1, nn.Valid).transposed).then(activations[6].f), 2},
	), 2, 7, 8, 3)
	// One size throughout: every gradient could be given any buffer.
	add("Sequential of one size", nn.NewSequential("",
		&nn.Conv2D{Filters: 3, Kernel: 3, Padding: nn.Same, Activation: nn.Tanh},
		&nn.BatchNorm{},
		&nn.Conv2DTranspose{Filters: 3, Kernel: 3, Padding: nn.Same},
		&nn.Activate{Activation: nn.Sigmoid},
		&nn.Flatten{},
		&nn.Dense{Units: 4 * 4 * 3},
		&nn.Dropout{Rate: 0.25},
		&nn.Reshape{Target: []int{4, 4, 3}},
		&nn.Conv2D{Filters: 3, Kernel: 3, Padding: nn.Same},
	), chain(
		stage{reference(square(3, 1, nn.Same).conv).then(activations[7].f), 2},
		stage{batchNorm(float64(float32(1e-3))), 4},
		stage{square(3, 1, nn.Same).transposed, 2},
		stage{activations[6].f, 0},
		stage{shaped(48), 0},
		stage{dense, 2},
		stage{dropped(0.25), 0},
		stage{shaped(4, 4, 3), 0},
		stage{square(3, 1, nn.Same).conv, 2},
	), 2, 4, 4, 3)
	gate := chain(stage{globalAverage, 0}, stage{reference(dense).then(activations[1].f), 2}, stage{reference(dense).then(activations[6].f), 2})
	add("a layer outside the package", &SqueezeExcite{Ratio: 2}, func(x array, params []array) array {
		y, gates := newArray(x.shape...), gate(x, params[:4])
		channels := x.shape[3]
		for i, v := range x.data {
			c := i % channels
			y.data[i] = v * params[4].data[c] * gates.data[i/(len(x.data)/x.shape[0])*channels+c]
		}
		return y
	}, 3, 4, 5, 6)
	return cases
}

// TestGradients holds every layer's outputs against its float64 reference, and
// the gradients of its inputs and parameters against the reference's central
// differences.
func TestGradients(t *testing.T) {
	for _, c := range gradientCases() {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, uint64(len(c.name))))
			if _, err := c.layer.Build(c.in[1:], rng); err != nil {
				t.Fatal(err)
			}
			x := normal(rng, c.in...)
			var params []array
			for _, p := range c.layer.Params() {
				if len(p.Value.Shape()) == 1 && p.Trainable() { // not all zero or one
					for i := range p.Value.Data() {
						p.Value.Data()[i] += float32(0.3 * rng.NormFloat64())
					}
				}
				params = append(params, exact(p.Value))
			}
			input := exact(x)
			want := c.f(input, params)
			dy := normal(rng, want.shape...)
			y, dx := nn.Differentiate(c.layer, x, dy)

			terms := x.Len() + want.rounded().Len()
			near(t, "y", y, want.rounded(), terms)
			value := func() float64 {
				var s float64
				for i, v := range c.f(input, params).data {
					s += v * float64(dy.Data()[i])
				}
				return s
			}
			nearSlope(t, "dx", dx, slope(input, value), terms)
			nn.Differentiate(c.layer, x, dy) // which adds the same once more
			for i, p := range c.layer.Params() {
				if p.Trainable() {
					want := slope(params[i], value)
					for i := range want.data {
						want.data[i] *= 2
					}
					nearSlope(t, "2·d_"+p.Name, p.Grad, want, terms)
				}
			}
		})
	}
}

// slope returns the central differences of f in every value of a.
func slope(a array, f func() float64) array {
	const h = 1e-6
	d := newArray(a.shape...)
	for i, v := range a.data {
		a.data[i] = v + h
		up := f()
		a.data[i] = v - h
		down := f()
		a.data[i] = v
		d.data[i] = (up - down) / (2 * h)
	}
	return d
}

// nearSlope is near, with room for the noise of differences: about 1e-9.
func nearSlope(t *testing.T, what string, got *tensor.Tensor, want array, terms int) {
	t.Helper()
	const noise = 1e-8
	var scale float64
	for _, v := range want.data {
		scale = max(scale, math.Abs(v))
	}
	tolerance := (4+math.Sqrt(float64(terms)))/(1<<23)*scale + noise
	if fmt.Sprint(got.Shape()) != fmt.Sprint(want.shape) {
		t.Fatalf("%s: shape %v, want %v", what, got.Shape(), want.shape)
	}
	for i, w := range want.data {
		if d := math.Abs(float64(got.Data()[i]) - w); !(d <= tolerance) {
			t.Fatalf("%s[%d] = %v, want %v: off by %.3g, allowed %.3g", what, i, got.Data()[i], w, d, tolerance)
		}
	}
}

func normal(rng *rand.Rand, shape ...int) *tensor.Tensor {
	t := tensor.New(shape...)
	for i := range t.Data() {
		t.Data()[i] = float32(rng.NormFloat64())
	}
	return t
}

// TestDropoutMask: values are dropped or scaled, the share is about the rate,
// and without training nothing happens.
func TestDropoutMask(t *testing.T) {
	const rate = 0.3
	x := tensor.New(100, 100)
	for i := range x.Data() {
		x.Data()[i] = 1
	}
	y, _ := nn.Differentiate(dropout(rate, x), x, x)
	kept, scale := 0, float32(1)/(1-float32(rate))
	for i, v := range y.Data() {
		if v != 0 && v != scale {
			t.Fatalf("[%d] = %v, want 0 or %v", i, v, scale)
		}
		if v != 0 {
			kept++
		}
	}
	sigma := math.Sqrt(rate * (1 - rate) * float64(x.Len()))
	if off := math.Abs(float64(kept) - (1-rate)*float64(x.Len())); !(off <= 4*sigma) {
		t.Errorf("%d of %d kept", kept, x.Len())
	}
	near(t, "without training", nn.Infer(dropout(rate, x), x), x, 0)
}
