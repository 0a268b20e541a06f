package kerneltest

import "math/rand/v2"

// Eps is half a unit in the last place of 1.
const Eps = 1.0 / (1 << 24)

// Random returns n values of a normal distribution.
func Random(r *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(r.NormFloat64())
	}
	return s
}

// Lengths crosses every loop's and tail's border on every tier.
func Lengths() []int {
	var l []int
	for n := range 140 {
		l = append(l, n)
	}
	return append(l, 255, 1000, 4099)
}
