package knn

import "math"

// dot returns the sum of products, added up in order in float64.
func dot(a, b []float32) float64 {
	b = b[:len(a)]
	var sum float64
	for i, v := range a {
		sum += float64(float64(v) * float64(b[i]))
	}
	return sum
}

// scale returns what brings a vector to length 1, or 0 for a vector of zeros.
func scale(a []float32) float64 {
	if length := math.Sqrt(dot(a, a)); length > 0 {
		return 1 / length
	}
	return 0
}
