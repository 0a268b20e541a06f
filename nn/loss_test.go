package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"lookalike/nn"
	"lookalike/tensor"
)

// TestLossGradients holds every loss and its gradient against a float64
// definition and its central differences.
func TestLossGradients(t *testing.T) {
	square := func(p, t float64) float64 { return (p - t) * (p - t) }
	entropy := func(p, t float64) float64 { return -t*math.Log(p) - (1-t)*math.Log(1-p) }
	logistic := func(z, t float64) float64 { return entropy(1/(1+math.Exp(-z)), t) }
	absolute := func(p, t float64) float64 { return math.Abs(p - t) }
	// average makes a loss of single values, categorical one of rows that f turns
	// into probabilities.
	average := func(f func(p, t float64) float64) func(p, t array) float64 {
		return func(p, t array) float64 {
			var s float64
			for i, v := range p.data {
				s += f(v, t.data[i])
			}
			return s / float64(len(p.data))
		}
	}
	categorical := func(f reference) func(p, t array) float64 {
		return func(p, t array) float64 {
			n := p.shape[len(p.shape)-1]
			var s float64
			for i, v := range f(p, nil).data {
				s -= t.data[i] * math.Log(v)
			}
			return s / float64(len(p.data)/n)
		}
	}
	shares := func(x array, _ []array) array { // rows divided by their sums
		n, y := x.shape[len(x.shape)-1], newArray(x.shape...)
		for i := range x.data {
			for _, v := range x.data[i/n*n:][:n] {
				y.data[i] += v
			}
			y.data[i] = x.data[i] / y.data[i]
		}
		return y
	}
	for _, c := range []struct {
		name          string
		loss          nn.Loss
		want          func(p, t array) float64
		probabilities bool
	}{
		{"MSE", nn.MSE, average(square), false},
		{"MAE", nn.MAE, average(absolute), false},
		{"BinaryCrossentropy", nn.BinaryCrossentropy, average(entropy), true},
		{"BinaryCrossentropyFromLogits", nn.BinaryCrossentropyFromLogits, average(logistic), false},
		{"CategoricalCrossentropy", nn.CategoricalCrossentropy, categorical(shares), true},
		{"CategoricalCrossentropyFromLogits", nn.CategoricalCrossentropyFromLogits, categorical(softmax), false},
	} {
		for _, shape := range [][]int{{1, 2}, {7, 3}, {2, 3, 5, 4}} {
			t.Run(fmt.Sprint(c.name, shape), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(5, 5))
				p, target := normal(rng, shape...), tensor.New(shape...)
				for i := range p.Data() {
					if target.Data()[i] = rng.Float32(); c.probabilities {
						p.Data()[i] = 0.05 + 0.9*rng.Float32()
					}
				}
				input, goal := exact(p), exact(target)
				grad := tensor.New(shape...)
				want := c.want(input, goal)
				if got := c.loss.Loss(grad, p, target); !(math.Abs(got-want) <= 1e-12*max(1, want)) {
					t.Errorf("loss %v, want %v", got, want)
				}
				nearSlope(t, "gradient", grad, slope(input, func() float64 { return c.want(input, goal) }), 0)
				c.loss.Loss(p, p, target) // the gradient may overwrite the prediction
				near(t, "gradient in place", p, grad, 0)
			})
		}
	}
}

// TestLossesAtTheEdge: nothing infinite where logarithms end, NaN stays NaN.
func TestLossesAtTheEdge(t *testing.T) {
	nan, big := float32(math.NaN()), float32(1e4)
	for _, c := range []struct {
		loss   nn.Loss
		p, t   []float32
		finite bool
	}{
		{nn.BinaryCrossentropy, []float32{0, 1, 0, 1}, []float32{0, 1, 1, 0}, true},
		{nn.BinaryCrossentropyFromLogits, []float32{big, -big, big, -big}, []float32{1, 0, 0, 1}, true},
		{nn.CategoricalCrossentropy, []float32{0, 1}, []float32{1, 0}, true},
		{nn.CategoricalCrossentropyFromLogits, []float32{big, -big}, []float32{0, 1}, true},
		{nn.MSE, []float32{nan, 1}, []float32{0, 1}, false},
		{nn.MAE, []float32{nan, 1}, []float32{0, 1}, false},
		{nn.BinaryCrossentropy, []float32{nan, 0.5}, []float32{0, 1}, false},
		{nn.BinaryCrossentropyFromLogits, []float32{nan, 0.5}, []float32{0, 1}, false},
		{nn.CategoricalCrossentropy, []float32{nan, 0.5}, []float32{0, 1}, false},
		{nn.CategoricalCrossentropyFromLogits, []float32{nan, 0.5}, []float32{0, 1}, false},
	} {
		grad := tensor.New(1, len(c.p))
		loss := c.loss.Loss(grad, tensor.From(c.p, 1, len(c.p)), tensor.From(c.t, 1, len(c.t)))
		if finite := !math.IsNaN(loss) && !math.IsInf(loss, 0); finite != c.finite {
			t.Errorf("%v of %v: loss %v", c.loss, c.p, loss)
		}
		for _, g := range grad.Data() {
			if c.finite && !(math.Abs(float64(g)) < 1e8) {
				t.Errorf("%v of %v: gradient %v", c.loss, c.p, grad.Data())
			}
		}
	}
}
