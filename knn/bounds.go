package knn

import "math"

// unit is the largest relative error of one rounding to float32, half a unit in the
// last place of 1.
const unit = 1.0 / (1 << 24)

// bounds say how far a score, computed in float32, may lie from the key that it
// stands for: the key is base + factor*score, give or take absolute, and relative
// times itself.
//
// Where they come from: a sum of m products, in whatever order, each operation
// rounded once or, fused, not at all, is off by at most γ(m)·Σ|products|, γ(m) =
// m·u/(1-m·u), u the unit (Higham, Accuracy and Stability of Numerical Algorithms,
// section 3.1). So
//
//   - a sum of squared differences, all positive, has a relative error of at most
//     γ(d+3): one rounding in each difference, which the square doubles;
//   - a product q·x has an absolute error of at most γ(d)·|q|·|x|, for Σ|qᵢxᵢ| is
//     at most |q|·|x| (Cauchy and Schwarz); and so is every part of the sum.
//
// A product or square too small for float32 loses at most its smallest number a
// term. A few units more than these formulas ask for cover what float64 rounds,
// which is 2^29 times less. Where sums might overflow, the bounds are infinite and
// prove nothing.
type bounds struct {
	base, factor, absolute, relative float64
}

// gamma is γ(m), infinite where the formula ends.
func gamma(m int) float64 {
	if mu := float64(m) * unit; mu < 1 {
		return mu / (1 - mu)
	}
	return math.Inf(1)
}

const (
	// tiny is more than a term loses to underflow.
	tiny = 0x1p-147

	// huge is less than the largest float32 by far more than rounding errors.
	huge = 1e37
)

// ofSquares returns the bounds of a sum of d squared differences.
func ofSquares(d int) bounds {
	g := gamma(d + 16)
	if g >= 0.5 {
		return bounds{0, 1, math.Inf(1), 0}
	}
	return bounds{0, 1, float64(d) * tiny, g / (1 - g)}
}

// ofProduct returns the bounds of base + factor·(start - q·x), where the product is
// a sum of m roundings over d terms, |q|·|x| is at most size, and the start, with a
// like error, is at most start.
func ofProduct(base, factor, size, start float64, m, d int) bounds {
	b := bounds{base, factor, math.Inf(1), 0}
	if most := size + start; most <= huge {
		b.absolute = factor*(gamma(m+16)*most+float64(d)*tiny) + 0x1p-50*float64(d)*math.Abs(base)
	}
	return b
}

// low returns the least key that a score may stand for.
func (b bounds) low(score float32) float64 {
	low := (b.base + b.factor*float64(score) - b.absolute) * (1 - b.relative)
	if low > huge {
		return huge // of infinity is known that it is large
	}
	if low == low {
		return low
	}
	return math.Inf(-1)
}

// high returns the greatest key that a score may stand for, or NaN if nothing is known.
func (b bounds) high(score float32) float64 {
	return (b.base + b.factor*float64(score) + b.absolute) * (1 + b.relative)
}

// score returns a number that the score of any key up to limit does not exceed.
func (b bounds) score(limit float64) float32 {
	return above((limit/(1-b.relative) + b.absolute - b.base) / b.factor)
}

// above returns a float32 that is not below v, and hardly greater. Where sums may
// overflow on the way there, it is infinity; for NaN too.
func above(v float64) float32 {
	if !(v <= huge) {
		return float32(math.Inf(1))
	}
	if v < -huge {
		v = -huge
	}
	return float32(v + math.Abs(v)*2*unit + 0x1p-149)
}
