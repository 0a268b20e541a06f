package nn

import (
	"fmt"
	"math"
	"slices"
	"time"

	"lookalike/internal/f32"
	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// Loss measures how far predictions are from their targets.
type Loss interface {
	// Loss returns the mean loss of a batch and writes its gradient to grad,
	// which has prediction's shape and may be the same tensor.
	Loss(grad, prediction, target *tensor.Tensor) float64
	String() string
}

// The losses, as Keras defines them: a mean over all values, for
// CategoricalCrossentropy over all rows of the last dimension.
var (
	MSE Loss = elementwise{"mean_squared_error", func(grad, p, t []float32, scale float64) float64 {
		return f32.SquaredError(grad, p, t, 2*scale)
	}}
	MAE Loss = elementwise{"mean_absolute_error", each(func(p, t float64) (float64, float64) {
		switch d := p - t; {
		case d > 0:
			return d, 1
		case d < 0:
			return -d, -1
		default:
			return d, 0 // NaN stays NaN
		}
	})}
	// BinaryCrossentropy takes probabilities.
	BinaryCrossentropy Loss = elementwise{"binary_crossentropy", each(binaryCrossentropy)}
	// BinaryCrossentropyFromLogits takes what a sigmoid would be applied to.
	BinaryCrossentropyFromLogits Loss = elementwise{"binary_crossentropy", each(binaryCrossentropyFromLogits)}
	// CategoricalCrossentropy takes probabilities, such as softmax gives them.
	CategoricalCrossentropy Loss = crossentropy{}
	// CategoricalCrossentropyFromLogits takes logits: it is more exact than
	// softmax followed by CategoricalCrossentropy.
	CategoricalCrossentropyFromLogits Loss = crossentropy{logits: true}
)

// Probabilities are clipped, in float32 as Keras does it, to keep logarithms
// finite.
var probabilityFloor, probabilityCeiling = float64(float32(1e-7)), float64(1 - float32(1e-7))

func binaryCrossentropy(p, t float64) (loss, grad float64) {
	clipped := min(max(p, probabilityFloor), probabilityCeiling)
	loss = -t*math.Log(clipped) - (1-t)*math.Log(1-clipped)
	if clipped != p && p == p {
		return loss, 0 // flat where it is clipped
	}
	return loss, (1-t)/(1-p) - t/p
}

func binaryCrossentropyFromLogits(z, t float64) (loss, grad float64) {
	// log(1+e^-|z|) neither overflows nor cancels.
	loss = max(z, 0) - z*t + math.Log1p(math.Exp(-math.Abs(z)))
	return loss, 1/(1+math.Exp(-z)) - t
}

// elementwise is the mean of a function of single values.
type elementwise struct {
	name string

	// sum adds up the function over some values and writes its derivatives, times
	// scale, to grad.
	sum func(grad, prediction, target []float32, scale float64) float64
}

// each makes elementwise.sum of a function of one prediction and one target.
func each(f func(p, t float64) (loss, derivative float64)) func(grad, p, t []float32, scale float64) float64 {
	return func(grad, p, t []float32, scale float64) float64 {
		var sum float64
		for i := range grad {
			loss, d := f(float64(p[i]), float64(t[i]))
			sum += loss
			grad[i] = float32(d * scale)
		}
		return sum
	}
}

func (l elementwise) String() string { return l.name }

func (l elementwise) Loss(grad, prediction, target *tensor.Tensor) float64 {
	checkLoss(l.String(), grad, prediction, target)
	scale := 1 / float64(prediction.Len())
	return sumLoss(grad, prediction, target, activationBlock, scale, l.sum) * scale
}

type crossentropy struct{ logits bool }

func (l crossentropy) String() string { return "categorical_crossentropy" }

func (l crossentropy) Loss(grad, prediction, target *tensor.Tensor) float64 {
	checkLoss(l.String(), grad, prediction, target)
	n := lastDim(prediction)
	row := probabilityRow
	if l.logits {
		row = logitRow
	}
	scale := 1 / float64(prediction.Len()/n)
	return sumLoss(grad, prediction, target, n, scale, row) * scale
}

// probabilityRow is -Σ t·log(q) of q = clip(p/Σp).
func probabilityRow(grad, p, t []float32, scale float64) float64 {
	var total, loss, weighted float64
	for _, v := range p {
		total += float64(v)
	}
	clip := func(v float32) (q float64, inside bool) {
		q = float64(v) / total
		c := min(max(q, probabilityFloor), probabilityCeiling)
		return c, c == q
	}
	for i, v := range p {
		q, inside := clip(v)
		loss -= float64(t[i]) * math.Log(q)
		if inside {
			weighted += float64(t[i])
		}
	}
	for i, v := range p {
		// d/dp of -Σ t·(log p - log Σp), over the terms that are not clipped.
		d := weighted / total
		if q, inside := clip(v); inside {
			d -= float64(t[i]) / (q * total)
		}
		grad[i] = float32(d * scale)
	}
	return loss
}

// logitRow is -Σ t·log softmax(z).
func logitRow(grad, z, t []float32, scale float64) float64 {
	top := math.Inf(-1)
	for _, v := range z {
		top = max(top, float64(v))
	}
	var sum, weight, loss float64
	for i, v := range z {
		sum += math.Exp(float64(v) - top)
		weight += float64(t[i])
	}
	log := math.Log(sum)
	for i, v := range z {
		logp := float64(v) - top - log
		loss -= float64(t[i]) * logp
		grad[i] = float32((weight*math.Exp(logp) - float64(t[i])) * scale)
	}
	return loss
}

// sumLoss adds up a function over pieces of n values, the last of which may be shorter,
// and has it write the gradients times scale. Several pieces are a part of fixed size,
// and parts are added up in a fixed order.
func sumLoss(grad, prediction, target *tensor.Tensor, n int, scale float64, f func(grad, p, t []float32, scale float64) float64) float64 {
	l := lossParts{grad.Data(), prediction.Data(), target.Data(), n, max(1, activationBlock/n) * n, scale, f, nil}
	l.sums = make([]float64, (len(l.p)+l.size-1)/l.size)
	losses.Spans(len(l.p), l.size, time.Duration(len(l.p)), l, lossParts.add)
	var sum float64
	for _, v := range l.sums {
		sum += v
	}
	return sum
}

// lossParts is a loss that is added up part by part.
type lossParts struct {
	grad, p, t []float32
	n, size    int // values of a piece, and of a part
	scale      float64
	f          func(grad, p, t []float32, scale float64) float64
	sums       []float64 // of each part
}

var losses parallel.Loop[lossParts]

func (l lossParts) add(lo, hi int) {
	var sum float64
	for at := lo; at < hi; at += l.n {
		end := min(hi, at+l.n)
		sum += l.f(l.grad[at:end], l.p[at:end], l.t[at:end], l.scale)
	}
	l.sums[lo/l.size] = sum
}

// checkTargets returns an error if a loss of ours cannot compare predictions with
// these targets; others may take what they like.
func checkTargets(l Loss, prediction, target *tensor.Tensor) error {
	switch l.(type) {
	case elementwise, crossentropy, ArcFace:
		if !slices.Equal(prediction.Shape(), target.Shape()) {
			return fmt.Errorf("%v of predictions %v and targets %v: shapes differ", l, prediction.Shape(), target.Shape())
		}
	}
	return nil
}

func checkLoss(name string, grad, prediction, target *tensor.Tensor) {
	if p := prediction.Shape(); !slices.Equal(p, target.Shape()) || !slices.Equal(p, grad.Shape()) {
		panic(fmt.Sprintf("nn: %s of predictions %v, targets %v, gradient %v: shapes differ", name, prediction.Shape(), target.Shape(), grad.Shape()))
	}
	if prediction.Len() == 0 {
		panic(fmt.Sprintf("nn: %s of no values (shape %v)", name, prediction.Shape()))
	}
}
