package tensor

import (
	"fmt"
	"testing"
)

// TestZerosStayZeros: where the kernel lies on zeros alone a convolution is its bias,
// not a rest of what lies beside it. A ReLU with a bias of 0 lets the gradient of half
// the rests pass, so that on photographs with a black background the gradients of
// biases would be half as large again as they are.
func TestZerosStayZeros(t *testing.T) {
	r := newRand(t, 1)
	for _, side := range []int{12, 34} { // tiles of 2x2 and of 4x4
		for pad := range 2 {
			for _, bias := range []*Tensor{New(18), nil, random(r, 18)} {
				if bias != nil {
					bias.data[3] = 0
				}
				x, kernel := New(6, side, side, 17), random(r, 3, 3, 17, 18)
				for b := range x.shape[0] { // one block of other values, at another place in each picture
					for y := 3 + b; y < 7+b; y++ {
						for i := range 5 * 17 {
							x.Row(b)[(y*side+2+b)*17+i] = float32(r.NormFloat64())
						}
					}
				}
				w := Window{Size: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [2]int{pad, pad}}
				out := side + 2*pad - 2
				zero := func(b, y, x0 int) bool {
					for dy := range 3 {
						for dx := range 3 {
							y, x1 := y+dy-pad, x0+dx-pad
							for c := range 17 {
								if y >= 0 && y < side && x1 >= 0 && x1 < side && x.Row(b)[(y*side+x1)*17+c] != 0 {
									return false
								}
							}
						}
					}
					return true
				}
				of := func(c int) float32 {
					if bias == nil {
						return 0
					}
					return bias.data[c]
				}
				step := func(values []float32) { // has a leap at 0
					for i, v := range values {
						values[i] = map[bool]float32{true: 1}[v > 0]
					}
				}
				for name, e := range map[string]Epilogue{"ReLU": {ReLU: true}, "activation": {Activate: step}, "linear": {}} {
					if e.Bias = bias; bias == nil && name == "linear" {
						continue // as in gradients, where rests do no harm
					}
					y := New(6, out, out, 18)
					Conv2DFused(y, x, kernel, w, e)
					n := 0
					for i, v := range y.data {
						b, c := i/(out*out*18), i%18
						if !zero(b, i/(out*18)%out, i/18%out) {
							continue
						}
						n++
						want := of(c)
						switch name {
						case "ReLU":
							want = max(want, 0)
						case "activation":
							want = map[bool]float32{true: 1}[want > 0]
						}
						if v != want {
							t.Fatalf("side %d, pad %d, %s: value %d is %v, want %v", side, pad, name, i, v, want)
						}
					}
					if n < len(y.data)/4 {
						t.Fatalf("only %d zeros", n)
					}
				}
				y := New(6, out/2, out/2, 18)
				choice := make([]uint8, y.Len())
				Conv2DFused(y, x, kernel, w, Epilogue{Bias: bias, ReLU: true, Pool: true, Choice: choice})
				for i, v := range y.data {
					b, py, px := i/(out/2*(out/2)*18), i/(out/2*18)%(out/2), i/18%(out/2)
					if zero(b, 2*py, 2*px) && zero(b, 2*py, 2*px+1) && zero(b, 2*py+1, 2*px) && zero(b, 2*py+1, 2*px+1) && (v != max(of(i%18), 0) || choice[i] != 0) {
						t.Fatalf("%s: pooled value %d is %v of place %d", fmt.Sprint(side, pad), i, v, choice[i])
					}
				}
			}
		}
	}
}
