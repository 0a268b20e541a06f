package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/internal/cpu"
)

// pictures fills a tensor with what pooling finds hard.
var pictures = map[string]func(r *rand.Rand) float32{
	"ordinary": func(r *rand.Rand) float32 { return float32(r.NormFloat64()) },
	"ties":     func(r *rand.Rand) float32 { return float32(r.IntN(3) - 1) },
	"negative": func(r *rand.Rand) float32 { return float32(-1 - r.ExpFloat64()) }, // padding must not win with its zeros
	"lowest":   func(r *rand.Rand) float32 { return float32(math.Inf(-1)) },
	"infinite": func(r *rand.Rand) float32 { return float32(math.Inf(r.IntN(2)*2 - 1)) },
	"with NaN": func(r *rand.Rand) float32 {
		if r.IntN(6) == 0 {
			return float32(math.NaN())
		}
		return float32(r.IntN(5) - 2)
	},
}

func TestMaxPool(t *testing.T) {
	for name, value := range pictures {
		t.Run(name, func(t *testing.T) {
			r := newRand(t, 7)
			for range 100 {
				shape := []int{1 + r.IntN(3), 1 + r.IntN(13), 1 + r.IntN(13), 1 + r.IntN(20)}
				w, outShape := slide(r, shape, shape[3])
				x := New(shape...)
				for i := range x.data {
					x.data[i] = value(r)
				}
				y, choice, dy := dirty(outShape...), make([]uint8, Size(outShape)), random(r, outShape...)
				MaxPool(y, choice, x, w)

				want, first := filled(float32(math.Inf(-1)), outShape...), make([]int, y.Len())
				for i := range first {
					first[i] = -1
				}
				eachTap(y, x, w, func(yi, xi, tap int) {
					for c := range shape[3] {
						v, best := x.data[xi+c], want.data[yi+c]
						if first[yi+c] < 0 || best == best && (v > best || v != v) {
							want.data[yi+c], first[yi+c] = v, tap
						}
					}
				})
				dx, grads := dirty(shape...), sums(x.Len(), nil)
				MaxPoolGrad(dx, dy, choice, w)
				eachTap(y, x, w, func(yi, xi, tap int) {
					for c := range shape[3] {
						if int(choice[yi+c]) == tap {
							grads[xi+c].add(float64(dy.data[yi+c]))
						}
					}
				})
				what := fmt.Sprintf("%v to %v, %+v", x, y, w)
				for i, v := range want.data {
					if v != v { // any NaN may be chosen
						if y.data[i] == y.data[i] {
							t.Fatalf("%s: [%d] = %v, want NaN", what, i, y.data[i])
						}
					} else if y.data[i] != v || int(choice[i]) != first[i] {
						t.Fatalf("%s: [%d] = %v of tap %d, want %v of tap %d", what, i, y.data[i], choice[i], v, first[i])
					}
				}
				checkSums(t, "MaxPoolGrad "+what, dx, grads)
				silent := dirty(outShape...)
				MaxPool(silent, nil, x, w)
				for i, v := range silent.data {
					if v != y.data[i] && v == v {
						t.Fatalf("%s: without choice [%d] = %v, with it %v", what, i, v, y.data[i])
					}
				}
			}
		})
	}
}

func TestAveragePool(t *testing.T) {
	r := newRand(t, 8)
	for range 200 {
		shape := []int{1 + r.IntN(3), 1 + r.IntN(13), 1 + r.IntN(13), 1 + r.IntN(20)}
		w, outShape := slide(r, shape, shape[3])
		x, y, dx, dy := random(r, shape...), dirty(outShape...), dirty(shape...), random(r, outShape...)
		count := make([]float64, y.Len())
		eachTap(y, x, w, func(yi, _, _ int) { count[yi]++ })
		means, grads := sums(y.Len(), nil), sums(x.Len(), nil)
		eachTap(y, x, w, func(yi, xi, _ int) {
			for c := range shape[3] {
				means[yi+c].add(float64(x.data[xi+c]) / count[yi])
				grads[xi+c].add(float64(dy.data[yi+c]) / count[yi])
			}
		})
		what := fmt.Sprintf("%v to %v, %+v", x, y, w)
		AveragePool(y, x, w)
		checkSums(t, "AveragePool "+what, y, means)
		AveragePoolGrad(dx, dy, w)
		checkSums(t, "AveragePoolGrad "+what, dx, grads)
	}
}

func TestPoolIsTheSameOnAnyProcs(t *testing.T) {
	r := newRand(t, 9)
	x, dy := random(r, 7, 31, 29, 8), random(r, 7, 16, 15, 8)
	w := Window{Size: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: [2]int{1, 1}}
	choice := make([]uint8, dy.Len())
	sameOnAnyProcs(t, func() *Tensor { y := New(dy.shape...); MaxPool(y, choice, x, w); return y })
	sameOnAnyProcs(t, func() *Tensor { dx := New(x.shape...); MaxPoolGrad(dx, dy, choice, w); return dx })
	sameOnAnyProcs(t, func() *Tensor { y := New(dy.shape...); AveragePool(y, x, w); return y })
	sameOnAnyProcs(t, func() *Tensor { dx := New(x.shape...); AveragePoolGrad(dx, dy, w); return dx })
}

// BenchmarkPool pools 4 pictures as the autoencoder's first layer gives them, and
// VGG16's: 2x2 by 2, and 3x3 by 2, which has no kernel of its own.
func BenchmarkPool(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, c := range benchtest.Some([]int{32, 64}, 1) {
		for _, size := range benchtest.Some([]int{2, 3}, 1) {
			w := Window{Size: [2]int{size, size}, Stride: [2]int{2, 2}, Pad: [2]int{size - 2, size - 2}}
			x, dx := random(r, 4, 224, 224, c), New(4, 224, 224, c)
			y, choice := New(4, 112, 112, c), make([]uint8, 4*112*112*c)
			MaxPool(y, choice, x, w)
			for name, f := range map[string]func(){
				"max":         func() { MaxPool(y, nil, x, w) },
				"choice":      func() { MaxPool(y, choice, x, w) },
				"grad":        func() { MaxPoolGrad(dx, y, choice, w) },
				"average":     func() { AveragePool(y, x, w) },
				"averagegrad": func() { AveragePoolGrad(dx, y, w) },
			} {
				b.Run(fmt.Sprintf("tier=%s/window=%d/channels=%d/op=%s", cpu.Tier(), size, c, name), func(b *testing.B) {
					b.SetBytes(int64(4 * (len(x.data) + len(y.data))))
					for b.Loop() {
						f()
					}
				})
			}
		}
	}
}
