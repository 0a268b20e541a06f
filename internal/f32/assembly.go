//go:build (amd64 || arm64) && !purego

package f32

import "unsafe"

// newTier wraps assembly in functions of slices.
func newTier(name string, a assembly) *tier {
	return &tier{
		name: name,
		dot: func(x, y []float32) float32 {
			return a.dot(len(x), unsafe.SliceData(x), unsafe.SliceData(y))
		},
		squaredDistance: func(x, y []float32) float32 {
			return a.squaredDistance(len(x), unsafe.SliceData(x), unsafe.SliceData(y))
		},
		axpy: func(y []float32, alpha float32, x []float32) {
			a.axpy(len(y), unsafe.SliceData(y), alpha, unsafe.SliceData(x))
		},
		axpy4: func(y, x []float32, as int, b []float32, ldb int) {
			a.axpy4(len(y), unsafe.SliceData(y), unsafe.SliceData(x), as, unsafe.SliceData(b), ldb)
		},
		axpy8: func(y, x []float32, as int, b []float32, ldb int) {
			a.axpy8(len(y), unsafe.SliceData(y), unsafe.SliceData(x), as, unsafe.SliceData(b), ldb)
		},
		panel: a.panel,
		vecMat: func(y, x []float32, k, as int, b []float32, ldb int) {
			a.vecMat(k, unsafe.SliceData(y), unsafe.SliceData(x), as, unsafe.SliceData(b), ldb)
		},
		exp: func(dst, src []float32) {
			a.exp(len(src), unsafe.SliceData(dst), unsafe.SliceData(src))
		},
		elu: func(dst, src []float32, alpha float32) {
			a.elu(len(src), unsafe.SliceData(dst), unsafe.SliceData(src), alpha)
		},
		eluGrad: func(dx, dy, y []float32, alpha float32) {
			a.eluGrad(len(y), unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(y), alpha)
		},
		relu: func(dst, src []float32) {
			a.relu(len(src), unsafe.SliceData(dst), unsafe.SliceData(src))
		},
		reluGrad: func(dx, dy, y []float32) {
			a.reluGrad(len(y), unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(y))
		},
		leaky: func(dst, src []float32, alpha float32) {
			a.leaky(len(src), unsafe.SliceData(dst), unsafe.SliceData(src), alpha)
		},
		leakyGrad: func(dx, dy, y []float32, alpha float32) {
			a.leakyGrad(len(y), unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(y), alpha)
		},
		// Pixels of less than a register of channels are left to the portable pooling.
		maxPool: func(channels int, y []float32, choice []uint8, top, bottom []float32) {
			switch {
			case len(y) == 0:
			case channels < a.lanes:
				maxPoolGeneric(channels, y, choice, top, bottom)
			case choice == nil:
				a.maxPool(len(y)/channels, channels, unsafe.SliceData(y), unsafe.SliceData(top), unsafe.SliceData(bottom))
			default:
				a.maxPoolChoice(len(y)/channels, channels, unsafe.SliceData(y), unsafe.SliceData(choice), unsafe.SliceData(top), unsafe.SliceData(bottom))
			}
		},
		maxInto: func(y []float32, choice []uint8, x []float32, place uint8) {
			switch {
			case len(y) < a.lanes:
				maxIntoGeneric(y, choice, x, place)
			case choice == nil:
				a.maxInto(len(y), unsafe.SliceData(y), unsafe.SliceData(x))
			default:
				a.maxIntoChoice(len(y), unsafe.SliceData(y), unsafe.SliceData(choice), unsafe.SliceData(x), uint32(place))
			}
		},
		maxPoolGrad: func(channels int, top, bottom, y []float32, choice []uint8) {
			switch {
			case len(y) == 0:
			case channels < a.lanes:
				maxPoolGradGeneric(channels, top, bottom, y, choice)
			default:
				a.maxPoolGrad(len(y)/channels, channels, unsafe.SliceData(top), unsafe.SliceData(bottom), unsafe.SliceData(y), unsafe.SliceData(choice))
			}
		},
		adamax: func(w, g, m, u []float32, mix, decay, rate, rest, epsilon float32) {
			a.adamax(len(w), unsafe.SliceData(w), unsafe.SliceData(g), unsafe.SliceData(m), unsafe.SliceData(u), mix, decay, rate, rest, epsilon)
		},
		adam: func(w, g, m, v []float32, mix1, mix2, decay, rate, step, epsilon float32) {
			a.adam(len(w), unsafe.SliceData(w), unsafe.SliceData(g), unsafe.SliceData(m), unsafe.SliceData(v), mix1, mix2, decay, rate, step, epsilon)
		},
		squaredError: func(grad, p, t []float32, scale float64) float64 {
			return a.squaredError(len(grad), unsafe.SliceData(grad), unsafe.SliceData(p), unsafe.SliceData(t), scale)
		},
	}
}
