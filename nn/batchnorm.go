package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// BatchNorm normalises each channel (the last dimension) to mean 0 and
// variance 1, then scales it by gamma and shifts it by beta (Ioffe and Szegedy,
// arXiv 1502.03167). In training mean and variance are those of the batch and
// the moving averages follow them; otherwise, and where the layer is frozen, the
// moving averages are used.
type BatchNorm struct {
	Name     string
	Momentum float32 // of the moving averages; 0: 0.99
	Epsilon  float32 // added to the variance; 0: 0.001

	gamma, beta, mean, variance *Param
	site
}

func (l *BatchNorm) Identity() (name, class string) { return l.Name, "BatchNormalization" }

func (l *BatchNorm) Params() []*Param { return params(l.gamma, l.beta, l.mean, l.variance) }

// Plan implements [Planner].
func (l *BatchNorm) Plan(in []int) (out []int, values int64, err error) {
	if err := wantValues(in); err != nil {
		return nil, 0, err
	}
	if !(l.Momentum >= 0 && l.Momentum < 1 && l.Epsilon >= 0 && l.Epsilon <= math.MaxFloat32) {
		return nil, 0, fmt.Errorf("momentum %v is not in [0, 1) or epsilon %v is not a number from 0", l.Momentum, l.Epsilon)
	}
	return in, 4 * int64(in[len(in)-1]), nil
}

func (l *BatchNorm) Build(in []int, _ *rand.Rand) ([]int, error) {
	l.site = site{}
	if _, _, err := l.Plan(in); err != nil {
		return nil, err
	}
	n := in[len(in)-1]
	l.gamma, l.beta = NewParam("gamma", ones(n)), NewParam("beta", tensor.New(n))
	l.mean, l.variance = NewBuffer("moving_mean", tensor.New(n)), NewBuffer("moving_variance", ones(n))
	l.fix(in)
	return in, nil
}

func (l *BatchNorm) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	n := l.gamma.Value.Len()
	var mean, variance []float64
	if p.Training() && l.follows() {
		mean, variance = p.moments(x.Data(), n)
		momentum := float64(orDefault(l.Momentum, 0.99))
		follow(l.mean.Value, mean, momentum)
		follow(l.variance.Value, variance, momentum)
	} else {
		mean, variance = p.toFloat64(l.mean.Value), p.toFloat64(l.variance.Value)
	}
	kept := p.numbers(2 * n) // mean and inverse
	copy(kept, mean)
	inverse := kept[n:]
	center, scale := p.lend(n, n), p.lend(n, n)
	for c := range n {
		inverse[c] = 1 / math.Sqrt(variance[c]+float64(orDefault(l.Epsilon, 1e-3)))
		center.Data()[c] = float32(mean[c])
		scale.Data()[c] = float32(float64(l.gamma.Value.Data()[c]) * inverse[c])
	}
	y := p.New(x.Shape()...)
	normalizations.Spans(x.Len(), wholeRows(n), time.Duration(x.Len()),
		normalization{x.Data(), y.Data(), center.Data(), scale.Data(), l.beta.Value.Data()}, normalization.part)
	p.Release(center)
	p.Release(scale)
	p.record(step{x: x, y: y, layer: l, numbers: kept})
	return y
}

// follows tells whether training normalizes by the batch, which the moving averages
// follow.
func (l *BatchNorm) follows() bool { return !l.mean.Frozen() && !l.variance.Frozen() }

// normalization is y = (x-center)·scale + shift, channel by channel.
type normalization struct{ x, y, center, scale, shift []float32 }

var normalizations parallel.Loop[normalization]

func (f normalization) part(lo, hi int) {
	n := len(f.center)
	for at := lo; at < hi; at += n {
		for c := range n {
			f.y[at+c] = (f.x[at+c]-f.center[c])*f.scale[c] + f.shift[c]
		}
	}
}

func (l *BatchNorm) take(t *taking, _ int64) { t.inPlace = true }

// backward adds up the gradients of gamma and beta and turns dy into
//
//	dx = gamma/σ · (dy - mean(dy) - x̂·mean(dy·x̂)),  x̂ = (x-mean)/σ
//
// Without the means where the moving averages are used, which do not hang on x.
func (l *BatchNorm) backward(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	n := l.gamma.Value.Len()
	mean, inverse := s.numbers[:n], s.numbers[n:]
	sums := p.columnSums(columns{a: s.x.Data(), b: dy.Data(), n: n, mean: mean, inverse: inverse}, 2*n, columns.normalGrads)
	if g := l.beta.Gradient(); g != nil {
		addTo(g, sums[:n])
	}
	if g := l.gamma.Gradient(); g != nil {
		addTo(g, sums[n:])
	}
	if !l.follows() {
		clear(sums)
	}
	normalGrads.Spans(s.x.Len(), wholeRows(n), time.Duration(2*s.x.Len()),
		normalGrad{s.x.Data(), dy.Data(), l.gamma.Value.Data(), mean, inverse, sums}, normalGrad.part)
	return dy
}

func addTo(t *tensor.Tensor, sums []float64) {
	for i, v := range sums {
		t.Data()[i] += float32(v)
	}
}

// normalGrad turns dy into dx.
type normalGrad struct {
	x, dy, gamma        []float32
	mean, inverse, sums []float64
}

var normalGrads parallel.Loop[normalGrad]

func (f normalGrad) part(lo, hi int) {
	n := len(f.gamma)
	count := float64(len(f.x) / n)
	for at := lo; at < hi; at += n {
		for c := range n {
			normal := (float64(f.x[at+c]) - f.mean[c]) * f.inverse[c]
			d := float64(f.dy[at+c]) - (f.sums[c]+normal*f.sums[n+c])/count
			f.dy[at+c] = float32(float64(f.gamma[c]) * f.inverse[c] * d)
		}
	}
}

// moments returns the mean and the (biased) variance of each of n channels.
func (p *Pass) moments(x []float32, n int) (mean, variance []float64) {
	rows := float64(len(x) / n)
	mean = p.columnSums(columns{a: x, n: n}, n, columns.values)
	for c := range mean {
		mean[c] /= rows
	}
	variance = p.columnSums(columns{a: x, n: n, mean: mean}, n, columns.squares)
	for c := range variance {
		variance[c] /= rows
	}
	return mean, variance
}

// follow moves an average towards the value of this batch.
func follow(average *tensor.Tensor, batch []float64, momentum float64) {
	for c, v := range average.Data() {
		average.Data()[c] = float32(float64(v)*momentum + batch[c]*(1-momentum))
	}
}

func ones(n int) *tensor.Tensor {
	t := tensor.New(n)
	for i := range t.Data() {
		t.Data()[i] = 1
	}
	return t
}

func (p *Pass) toFloat64(t *tensor.Tensor) []float64 {
	out := p.numbers(t.Len())
	for i, v := range t.Data() {
		out[i] = float64(v)
	}
	return out
}

// orDefault returns v, or the default where v was left at zero.
func orDefault(v, otherwise float32) float32 {
	if v == 0 {
		return otherwise
	}
	return v
}
