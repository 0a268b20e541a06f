package nn

import (
	"fmt"
	"math"

	"lookalike/tensor"
)

// ArcFace is the loss of Deng et al., "ArcFace: Additive Angular Margin Loss for
// Deep Face Recognition" (arXiv 1801.07698). It takes the cosines of the angles θ
// between embeddings and the weights of the classes (see UnitDense), and one-hot
// targets; both are [batch, classes]. The angle to the target's weights is
// widened by Margin, all cosines are multiplied by Scale, and the rest is
// categorical cross-entropy: an embedding must be nearer to its own class than to
// any other by the margin.
//
// cos(θ+m) only falls up to θ = π-m and would rise again behind it, which would
// push an embedding that is that far off further away. There the target's value
// is cosθ - m·sin m instead, which goes on falling; where the two meet it drops
// by m·sin m - 1 + cos m (0.12 for the usual margin). With Easy the margin only
// acts on angles below π/2, and the others are taken as they are: an embedding
// that starts far off its class is not pushed any harder for it.
//
// The derivative of cos(θ+m) by cosθ is cos m + sin m·cosθ/sinθ, which has no
// bound as θ goes to 0. sinθ counts as no less than 2^-11.5 in it, the least that
// a float32 cosine below 1 can give.
type ArcFace struct {
	Margin float64 // in radians, below π; default 0.5, the paper's
	Scale  float64 // radius of the hypersphere; default 64, the paper's
	Easy   bool
}

func (l ArcFace) String() string { return "arcface" }

func (l ArcFace) Loss(grad, prediction, target *tensor.Tensor) float64 {
	checkLoss(l.String(), grad, prediction, target)
	if l.Margin == 0 {
		l.Margin = 0.5
	}
	if l.Scale == 0 {
		l.Scale = 64
	}
	if !(l.Margin > 0 && l.Margin < math.Pi && l.Scale > 0 && l.Scale <= math.MaxFloat32) {
		panic(fmt.Sprintf("nn.ArcFace: margin %v is not between 0 and π, or scale %v is not a positive number", l.Margin, l.Scale))
	}
	n := lastDim(prediction)
	count := float64(prediction.Len() / n)
	return sumLoss(grad, prediction, target, n, 1/count, l.row) / count
}

// row is the loss of one embedding; weight is what it counts in the batch's.
func (l ArcFace) row(grad, cosines, target []float32, weight float64) float64 {
	own := 0
	for i, t := range target {
		if t > target[own] {
			own = i
		}
	}
	widened, slope := l.widen(float64(cosines[own]))
	for i, c := range cosines {
		grad[i] = float32(l.Scale * float64(c))
	}
	grad[own] = float32(l.Scale * widened)
	loss := logitRow(grad, grad, target, weight*l.Scale)
	grad[own] = float32(float64(grad[own]) * slope)
	return loss
}

// leastSine is that of the largest float32 cosine below 1, about.
var leastSine = math.Sqrt(0x1p-23)

// widen returns what becomes of the cosine of the angle to the target, and its
// derivative.
func (l ArcFace) widen(cosine float64) (widened, slope float64) {
	threshold := -math.Cos(l.Margin) // the cosine of π-m
	if l.Easy {
		threshold = 0
	}
	if !(cosine > threshold) { // or NaN
		if l.Easy {
			return cosine, 1
		}
		return cosine - l.Margin*math.Sin(l.Margin), 1
	}
	sin, cos := math.Sincos(l.Margin)
	c := min(cosine, 1) // rounding may lead beyond
	sine := math.Sqrt((1 - c) * (1 + c))
	return c*cos - sine*sin, cos + sin*c/max(sine, leastSine)
}
