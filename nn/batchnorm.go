package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// BatchNorm normalises each channel (the last dimension) to mean 0 and
// variance 1, then scales it by gamma and shifts it by beta (Ioffe and Szegedy,
// arXiv 1502.03167). In training mean and variance are those of the batch and
// the moving averages follow them; otherwise the moving averages are used.
type BatchNorm struct {
	Name     string
	Momentum float32 // of the moving averages; 0: 0.99
	Epsilon  float32 // added to the variance; 0: 0.001

	gamma, beta, mean, variance *Param
}

func (l *BatchNorm) Identity() (name, class string) { return l.Name, "BatchNormalization" }

func (l *BatchNorm) Params() []*Param { return params(l.gamma, l.beta, l.mean, l.variance) }

func (l *BatchNorm) Build(in []int, _ *rand.Rand) ([]int, error) {
	if len(in) == 0 || tensor.Size(in) == 0 {
		return nil, fmt.Errorf("needs inputs with channels, got shape %v", in)
	}
	if !(l.Momentum >= 0 && l.Momentum < 1 && l.Epsilon >= 0 && l.Epsilon <= math.MaxFloat32) {
		return nil, fmt.Errorf("momentum %v is not in [0, 1) or epsilon %v is not a number from 0", l.Momentum, l.Epsilon)
	}
	n := in[len(in)-1]
	l.gamma, l.beta = newParam("gamma", ones(n)), newParam("beta", tensor.New(n))
	l.mean = &Param{Name: "moving_mean", Value: tensor.New(n), fixed: true}
	l.variance = &Param{Name: "moving_variance", Value: ones(n), fixed: true}
	return in, nil
}

func (l *BatchNorm) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	n := l.gamma.Value.Len()
	mean, variance := toFloat64(l.mean.Value), toFloat64(l.variance.Value)
	if p.Training() {
		mean, variance = moments(x.Data(), n)
		momentum := float64(orDefault(l.Momentum, 0.99))
		follow(l.mean.Value, mean, momentum)
		follow(l.variance.Value, variance, momentum)
	}
	center, scale, inverse := make([]float32, n), make([]float32, n), make([]float64, n)
	for c := range n {
		inverse[c] = 1 / math.Sqrt(variance[c]+float64(orDefault(l.Epsilon, 1e-3)))
		center[c] = float32(mean[c])
		scale[c] = float32(float64(l.gamma.Value.Data()[c]) * inverse[c])
	}
	shift := l.beta.Value.Data()
	y := p.New(x.Shape()...)
	eachBlock(x, func(lo, hi int) {
		in, out := x.Data(), y.Data()
		for at := lo; at < hi; at += n {
			for c := range n {
				out[at+c] = (in[at+c]-center[c])*scale[c] + shift[c]
			}
		}
	})
	if p.Training() {
		p.Record(x, y, func(dy *tensor.Tensor) *tensor.Tensor {
			return l.backward(dy, x, mean, inverse)
		})
	}
	return y
}

// backward adds up the gradients of gamma and beta and turns dy into
//
//	dx = gamma/σ · (dy - mean(dy) - x̂·mean(dy·x̂)),  x̂ = (x-mean)/σ
func (l *BatchNorm) backward(dy, x *tensor.Tensor, mean, inverse []float64) *tensor.Tensor {
	n := len(mean)
	sums := columnSums(x.Len()/n, 2*n, func(row int, sum []float64) {
		in, g := x.Data()[row*n:][:n], dy.Data()[row*n:][:n]
		for c := range n {
			sum[c] += float64(g[c])
			sum[n+c] += float64(g[c]) * (float64(in[c]) - mean[c]) * inverse[c]
		}
	})
	count := float64(x.Len() / n)
	for c := range n {
		l.beta.grad().Data()[c] += float32(sums[c])
		l.gamma.grad().Data()[c] += float32(sums[n+c])
	}
	eachBlock(x, func(lo, hi int) {
		in, g := x.Data(), dy.Data()
		for at := lo; at < hi; at += n {
			for c := range n {
				normal := (float64(in[at+c]) - mean[c]) * inverse[c]
				d := float64(g[at+c]) - (sums[c]+normal*sums[n+c])/count
				g[at+c] = float32(float64(l.gamma.Value.Data()[c]) * inverse[c] * d)
			}
		}
	})
	return dy
}

// moments returns the mean and the (biased) variance of each of n channels.
func moments(x []float32, n int) (mean, variance []float64) {
	rows := len(x) / n
	mean = columnSums(rows, n, func(row int, sum []float64) {
		for c, v := range x[row*n:][:n] {
			sum[c] += float64(v)
		}
	})
	for c := range mean {
		mean[c] /= float64(rows)
	}
	variance = columnSums(rows, n, func(row int, sum []float64) {
		for c, v := range x[row*n:][:n] {
			d := float64(v) - mean[c]
			sum[c] += d * d
		}
	})
	for c := range variance {
		variance[c] /= float64(rows)
	}
	return mean, variance
}

// sumRows is how many rows columnSums takes in one part; fixed, so that the
// order of additions does not depend on the number of cores.
const sumRows = 4096

// columnSums adds up n columns over all rows, in float64.
func columnSums(rows, n int, add func(row int, sum []float64)) []float64 {
	parts := make([][]float64, (rows+sumRows-1)/sumRows)
	parallel.Spans(rows, sumRows, func(lo, hi int) {
		sum := make([]float64, n)
		for row := lo; row < hi; row++ {
			add(row, sum)
		}
		parts[lo/sumRows] = sum
	})
	total := make([]float64, n)
	for _, part := range parts {
		for c, v := range part {
			total[c] += v
		}
	}
	return total
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

func toFloat64(t *tensor.Tensor) []float64 {
	out := make([]float64, t.Len())
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
