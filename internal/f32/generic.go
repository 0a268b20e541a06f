package f32

import (
	"math"
	"unsafe"
)

// The portable tier: the fallback on every processor, and what the others are
// tested against.

const genericMR, genericNR = 4, 8

var generic = &tier{
	name:            "generic",
	dot:             dotGeneric,
	squaredDistance: squaredDistanceGeneric,
	axpy:            axpyGeneric,
	axpy8:           axpy8Generic,
	exp:             expGeneric,
	elu:             eluGeneric,
	eluGrad:         eluGradGeneric,
	kernel: Kernel{"generic 4x8", genericMR, genericNR, nil, nil, nil,
		[][]tile{{tileGeneric(1)}, {tileGeneric(2)}, {tileGeneric(3)}, {tileGeneric(4)}}},
}

// dotGeneric keeps four sums: shorter chains of additions, and smaller rounding
// errors.
func dotGeneric(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

func squaredDistanceGeneric(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		d0, d1, d2, d3 := a[i]-b[i], a[i+1]-b[i+1], a[i+2]-b[i+2], a[i+3]-b[i+3]
		s0 += d0 * d0
		s1 += d1 * d1
		s2 += d2 * d2
		s3 += d3 * d3
	}
	for ; i < len(a); i++ {
		d := a[i] - b[i]
		s0 += d * d
	}
	return (s0 + s1) + (s2 + s3)
}

func axpyGeneric(y []float32, alpha float32, x []float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] += alpha * x[i]
	}
}

func axpy8Generic(y, a []float32, as int, b []float32, ldb int) {
	for u := range 8 {
		axpyGeneric(y, a[u*as], b[u*ldb:][:len(y)])
	}
}

func expGeneric(dst, src []float32) {
	for i, x := range src {
		dst[i] = float32(math.Exp(float64(x)))
	}
}

func eluGeneric(dst, src []float32, alpha float32) {
	for i, x := range src {
		if x <= 0 {
			x = alpha * float32(math.Expm1(float64(x)))
		}
		dst[i] = x
	}
}

func eluGradGeneric(dx, dy, y []float32, alpha float32) {
	for i, v := range y {
		d := dy[i]
		if !(v > 0) {
			d *= v + alpha
		}
		dx[i] = d
	}
}

// tileGeneric computes its tile row by row, the row's eight sums in registers.
func tileGeneric(rows int) tile {
	return func(cols, k int, a *float32, rs, cs int, b, start *float32, ss int, c *float32, cst int) {
		for r := range rows {
			var s0, s1, s2, s3, s4, s5, s6, s7 float32
			for p := range k {
				v := *at(a, r*rs+p*cs)
				w := (*[genericNR]float32)(unsafe.Pointer(at(b, p*genericNR)))
				s0 += v * w[0]
				s1 += v * w[1]
				s2 += v * w[2]
				s3 += v * w[3]
				s4 += v * w[4]
				s5 += v * w[5]
				s6 += v * w[6]
				s7 += v * w[7]
			}
			sums := [genericNR]float32{s0, s1, s2, s3, s4, s5, s6, s7}
			if start != nil {
				for j, v := range unsafe.Slice(at(start, r*ss), cols) {
					sums[j] += v
				}
			}
			copy(unsafe.Slice(at(c, r*cst), cols), sums[:])
		}
	}
}

// at returns the address of p[i]; Kernel.Mul has checked that it is there.
func at(p *float32, i int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*i))
}
