package knn

import "math"

// squaredDistance returns the sum of squared differences, added up in order in
// float64. The conversion of each product forbids a fused multiply-add, so that
// the sum is the same on every processor.
func squaredDistance(a, b []float32) float64 {
	b = b[:len(a)]
	var sum float64
	for i, v := range a {
		d := float64(v) - float64(b[i])
		sum += float64(d * d)
	}
	return sum
}

// squaredDistances is squaredDistance from a to each of four vectors, to the
// same bits.
func squaredDistances(a, b0, b1, b2, b3 []float32) [4]float64 {
	b0, b1, b2, b3 = b0[:len(a)], b1[:len(a)], b2[:len(a)], b3[:len(a)]
	var s0, s1, s2, s3 float64
	for i, v := range a {
		v := float64(v)
		d0, d1, d2, d3 := v-float64(b0[i]), v-float64(b1[i]), v-float64(b2[i]), v-float64(b3[i])
		s0 += float64(d0 * d0)
		s1 += float64(d1 * d1)
		s2 += float64(d2 * d2)
		s3 += float64(d3 * d3)
	}
	return [4]float64{s0, s1, s2, s3}
}

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

// cosineDistance returns 1 - cos of the angle between two vectors of those
// scales, as half the squared distance of the vectors brought to length 1.
func cosineDistance(a, b []float32, scaleA, scaleB float64) float64 {
	if scaleA == 0 || scaleB == 0 {
		return 1
	}
	b = b[:len(a)]
	var sum float64
	for i, v := range a {
		d := float64(float64(v)*scaleA) - float64(float64(b[i])*scaleB)
		sum += float64(d * d)
	}
	return sum / 2
}
