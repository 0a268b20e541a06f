package nn_test

import (
	"math"
	"slices"

	"lookalike/nn"
	"lookalike/tensor"
)

// array is a tensor in float64.
type array struct {
	shape []int
	data  []float64
}

func newArray(shape ...int) array { return array{shape, make([]float64, tensor.Size(shape))} }

func exact(t *tensor.Tensor) array {
	a := newArray(t.Shape()...)
	for i, v := range t.Data() {
		a.data[i] = float64(v)
	}
	return a
}

func (a array) rounded() *tensor.Tensor {
	t := tensor.New(a.shape...)
	for i, v := range a.data {
		t.Data()[i] = float32(v)
	}
	return t
}

// at returns a pointer to the value of pixel (y, x), channel c of picture b,
// nil outside the picture.
func (a array) at(b, y, x, c int) *float64 {
	if y < 0 || y >= a.shape[1] || x < 0 || x >= a.shape[2] {
		return nil
	}
	return &a.data[((b*a.shape[1]+y)*a.shape[2]+x)*a.shape[3]+c]
}

// reference is a layer in float64, naively from its definition: the outputs of
// a batch x, with the layer's parameters in their order.
type reference func(x array, params []array) array

// windows is how a kernel slides: what the layers' documentation says of sizes
// and padding.
type windows struct {
	size, stride [2]int
	padding      nn.Padding
}

// over returns the number of windows over a picture and where the first begins.
func (w windows) over(picture []int) (n, first [2]int) {
	for d := range 2 {
		if w.padding == nn.Valid {
			n[d] = (picture[d]-w.size[d])/w.stride[d] + 1
			continue
		}
		n[d] = int(math.Ceil(float64(picture[d]) / float64(w.stride[d])))
		missing := max(0, (n[d]-1)*w.stride[d]+w.size[d]-picture[d])
		first[d] = -(missing / 2) // the odd zero stands at the end
	}
	return n, first
}

// each calls f for every window (oy, ox), every tap (i, j) of it and the place
// (y, x) where it falls, which may lie outside the picture.
func (w windows) each(n, first [2]int, f func(oy, ox, i, j, y, x int)) {
	for oy := range n[0] {
		for ox := range n[1] {
			for i := range w.size[0] {
				for j := range w.size[1] {
					f(oy, ox, i, j, oy*w.stride[0]+first[0]+i, ox*w.stride[1]+first[1]+j)
				}
			}
		}
	}
}

func (w windows) conv(x array, params []array) array {
	k := params[0]
	in, out := k.shape[2], k.shape[3]
	n, first := w.over(x.shape[1:3])
	y := newArray(x.shape[0], n[0], n[1], out)
	addBias(y, params)
	for b := range x.shape[0] {
		w.each(n, first, func(oy, ox, i, j, py, px int) {
			for c := range in {
				if v := x.at(b, py, px, c); v != nil {
					for o := range out {
						*y.at(b, oy, ox, o) += *v * *k.at(i, j, c, o)
					}
				}
			}
		})
	}
	return y
}

// transposed is conv's adjoint: what conv gathers it scatters.
func (w windows) transposed(x array, params []array) array {
	k := params[0]
	out, in := k.shape[2], k.shape[3]
	var size [2]int
	for d := range 2 {
		size[d] = x.shape[1+d] * w.stride[d]
		if w.padding == nn.Valid {
			size[d] += max(w.size[d]-w.stride[d], 0)
		}
	}
	n, first := w.over(size[:])
	y := newArray(x.shape[0], size[0], size[1], out)
	addBias(y, params)
	for b := range x.shape[0] {
		w.each(n, first, func(oy, ox, i, j, py, px int) {
			for o := range out {
				if v := y.at(b, py, px, o); v != nil {
					for c := range in {
						*v += *x.at(b, oy, ox, c) * *k.at(i, j, o, c)
					}
				}
			}
		})
	}
	return y
}

// pool reduces the values of each window that lie in the picture.
func (w windows) pool(reduce func([]float64) float64) reference {
	return func(x array, _ []array) array {
		n, first := w.over(x.shape[1:3])
		y := newArray(x.shape[0], n[0], n[1], x.shape[3])
		for b := range x.shape[0] {
			for c := range x.shape[3] {
				values := make([][]float64, n[0]*n[1])
				w.each(n, first, func(oy, ox, _, _, py, px int) {
					if v := x.at(b, py, px, c); v != nil {
						values[oy*n[1]+ox] = append(values[oy*n[1]+ox], *v)
					}
				})
				for i, list := range values {
					*y.at(b, i/n[1], i%n[1], c) = reduce(list)
				}
			}
		}
		return y
	}
}

func mean(v []float64) float64 {
	var s float64
	for _, v := range v {
		s += v
	}
	return s / float64(len(v))
}

func globalAverage(x array, _ []array) array {
	w := windows{size: [2]int{x.shape[1], x.shape[2]}, stride: [2]int{1, 1}}
	return array{[]int{x.shape[0], x.shape[3]}, w.pool(mean)(x, nil).data}
}

func dense(x array, params []array) array {
	k := params[0]
	in, out := k.shape[0], k.shape[1]
	shape := slices.Clone(x.shape)
	shape[len(shape)-1] = out
	y := newArray(shape...)
	addBias(y, params)
	for i := range y.data {
		for c := range in {
			y.data[i] += x.data[i/out*in+c] * k.data[c*out+i%out]
		}
	}
	return y
}

func unitNorm(x array, _ []array) array {
	n, y := x.shape[len(x.shape)-1], newArray(x.shape...)
	for r := 0; r < len(x.data); r += n {
		sum := 0.0
		for _, v := range x.data[r : r+n] {
			sum += v * v
		}
		for i, v := range x.data[r : r+n] {
			y.data[r+i] = v / math.Sqrt(sum)
		}
	}
	return y
}

// unitDense is dense with a kernel whose columns are brought to length 1.
func unitDense(x array, params []array) array {
	k := array{params[0].shape, slices.Clone(params[0].data)}
	in, out := k.shape[0], k.shape[1]
	for j := range out {
		sum := 0.0
		for i := range in {
			sum += k.data[i*out+j] * k.data[i*out+j]
		}
		for i := range in {
			k.data[i*out+j] /= math.Sqrt(sum)
		}
	}
	return dense(x, []array{k})
}

// addBias adds the parameter behind the kernel, if there is one.
func addBias(y array, params []array) {
	if len(params) > 1 {
		for i := range y.data {
			y.data[i] += params[1].data[i%len(params[1].data)]
		}
	}
}

func batchNorm(epsilon float64) reference {
	return func(x array, params []array) array {
		gamma, beta := params[0].data, params[1].data
		n, y := len(gamma), newArray(x.shape...)
		for c := range n {
			var channel, squares []float64
			for i := c; i < len(x.data); i += n {
				channel = append(channel, x.data[i])
			}
			m := mean(channel)
			for _, v := range channel {
				squares = append(squares, (v-m)*(v-m))
			}
			sigma := math.Sqrt(mean(squares) + epsilon)
			for i := c; i < len(x.data); i += n {
				y.data[i] = gamma[c]*(x.data[i]-m)/sigma + beta[c]
			}
		}
		return y
	}
}

// shaped gives every sample another shape.
func shaped(sample ...int) reference {
	return func(x array, _ []array) array {
		return array{append([]int{x.shape[0]}, sample...), slices.Clone(x.data)}
	}
}

// elementwise applies f to every value.
func elementwise(f func(float64) float64) reference {
	return func(x array, _ []array) array {
		y := newArray(x.shape...)
		for i, v := range x.data {
			y.data[i] = f(v)
		}
		return y
	}
}

func softmax(x array, _ []array) array {
	n, y := x.shape[len(x.shape)-1], newArray(x.shape...)
	for at := 0; at < len(x.data); at += n {
		var sum float64
		for _, v := range x.data[at : at+n] {
			sum += math.Exp(v)
		}
		for i, v := range x.data[at : at+n] {
			y.data[at+i] = math.Exp(v) / sum
		}
	}
	return y
}

// dropout returns a layer that has been built for x.
func dropout(rate float32, x *tensor.Tensor) nn.Layer {
	l := &nn.Dropout{Rate: rate}
	if _, err := l.Build(x.Shape()[1:], nil); err != nil {
		panic(err)
	}
	return l
}

// dropped multiplies by the mask that a layer of the same rate is seen to use.
func dropped(rate float32) reference {
	return func(x array, _ []array) array {
		ones := tensor.New(x.shape...)
		for i := range ones.Data() {
			ones.Data()[i] = 1
		}
		mask, _ := nn.Differentiate(dropout(rate, ones), ones, ones)
		y := newArray(x.shape...)
		for i, v := range x.data {
			y.data[i] = v * float64(mask.Data()[i])
		}
		return y
	}
}

// stage is a reference and how many parameters its layer has.
type stage struct {
	f      reference
	params int
}

// chain runs references one after the other.
func chain(stages ...stage) reference {
	return func(x array, params []array) array {
		for _, s := range stages {
			x = s.f(x, params[:s.params])
			params = params[s.params:]
		}
		return x
	}
}

// then is a reference with an activation behind it.
func (f reference) then(activation reference) reference {
	return func(x array, params []array) array { return activation(f(x, params), nil) }
}

// activations are those of package nn and what they are.
var activations = []struct {
	activation nn.Activation
	f          reference
}{
	{nn.Linear, elementwise(func(v float64) float64 { return v })},
	{nn.ReLU, elementwise(func(v float64) float64 { return max(v, 0) })},
	{nn.LeakyReLU, elementwise(func(v float64) float64 { return max(v, 0.2*v) })},
	{nn.LeakyReLU.WithAlpha(0.01), elementwise(func(v float64) float64 { return max(v, float64(float32(0.01))*v) })},
	{nn.ELU, elementwise(elu(1))},
	{nn.ELU.WithAlpha(0.5), elementwise(elu(0.5))},
	{nn.Sigmoid, elementwise(func(v float64) float64 { return 1 / (1 + math.Exp(-v)) })},
	{nn.Tanh, elementwise(math.Tanh)},
	{nn.Softmax, softmax},
}

func elu(alpha float64) func(float64) float64 {
	return func(v float64) float64 {
		if v < 0 {
			return alpha * math.Expm1(v)
		}
		return v
	}
}
