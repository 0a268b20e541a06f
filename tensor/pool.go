package tensor

import (
	"fmt"
	"math"

	"lookalike/internal/parallel"
)

// MaxPoolTaps is how many values a MaxPool window may hold: the place of the
// greatest is kept in a byte.
const MaxPoolTaps = 256

// MaxPool computes dst[b,y,x,c], the greatest value of the window over x at
// (y, x); what lies outside the picture does not count. Where choice is not
// nil it has dst's length and receives the place of that value in its window,
// rows first; of equal values the first is taken. NaN is greater than all.
func MaxPool(dst *Tensor, choice []uint8, x *Tensor, w Window) {
	checkPool("MaxPool", dst, x, w)
	if w.Size[0]*w.Size[1] > MaxPoolTaps {
		panic(fmt.Sprintf("tensor.MaxPool: window %v holds more than %d values", w.Size, MaxPoolTaps))
	}
	if choice != nil {
		checkChoice("MaxPool", choice, dst)
	}
	c := x.shape[3]
	eachWindow(dst, x, w, func(at int, win window) {
		out := dst.data[at : at+c]
		var chosen []uint8
		if choice != nil {
			chosen = choice[at : at+c]
		}
		for i := range out {
			out[i] = float32(math.Inf(-1))
		}
		first := true
		win.each(func(tap, from int) {
			in := x.data[from : from+c]
			in, out := in[:len(out)], out
			for i, v := range in {
				if first || v > out[i] || v != v {
					out[i] = v
					if chosen != nil {
						chosen[i] = uint8(tap)
					}
				}
			}
			first = false
		})
	})
}

// MaxPoolGrad is MaxPool's adjoint: each value of dy goes to the place that
// choice names; dx is overwritten.
func MaxPoolGrad(dx, dy *Tensor, choice []uint8, w Window) {
	checkPool("MaxPoolGrad", dy, dx, w)
	checkChoice("MaxPoolGrad", choice, dy)
	var (
		c             = dx.shape[3]
		height, width = dx.shape[1], dx.shape[2]
		oh, ow        = dy.shape[1], dy.shape[2]
	)
	parallel.For(dx.shape[0], func(b int) {
		picture := dx.data[b*height*width*c:][:height*width*c]
		clear(picture)
		at := b * oh * ow * c
		for y := range oh {
			for x := range ow {
				// Choices lie within the picture, so the corner itself may not.
				corner := ((y*w.Stride[0]-w.Pad[0])*width + x*w.Stride[1] - w.Pad[1]) * c
				grad, chosen := dy.data[at:at+c], choice[at:at+c]
				for i, tap := range chosen {
					picture[corner+(int(tap)/w.Size[1]*width+int(tap)%w.Size[1])*c+i] += grad[i]
				}
				at += c
			}
		}
	})
}

// AveragePool computes the mean of each window; what lies outside the picture
// is not counted.
func AveragePool(dst, x *Tensor, w Window) {
	checkPool("AveragePool", dst, x, w)
	c := x.shape[3]
	eachWindow(dst, x, w, func(at int, win window) {
		out := dst.data[at : at+c]
		clear(out)
		win.each(func(_, from int) {
			for i, v := range x.data[from : from+c] {
				out[i] += v
			}
		})
		scale := 1 / float32(win.count())
		for i := range out {
			out[i] *= scale
		}
	})
}

// AveragePoolGrad is AveragePool's adjoint; dx is overwritten.
func AveragePoolGrad(dx, dy *Tensor, w Window) {
	checkPool("AveragePoolGrad", dy, dx, w)
	c := dx.shape[3]
	clear(dx.data)
	eachWindow(dy, dx, w, func(at int, win window) {
		grad := dy.data[at : at+c]
		scale := 1 / float32(win.count())
		win.each(func(_, from int) {
			out := dx.data[from : from+c]
			for i, v := range grad {
				out[i] += v * scale
			}
		})
	})
}

// window is the part of one window that lies in the picture: its rows and
// columns, and where each value's channels start.
type window struct {
	rows, cols [2]int // first tap, and the one behind the last
	columns    int    // of the whole window
	origin     int    // where tap (0, 0) would be
	row, pixel int    // values from one row, and from one pixel, to the next
}

func (w window) count() int {
	return (w.rows[1] - w.rows[0]) * (w.cols[1] - w.cols[0])
}

// each calls f with every tap's number and where its channels start.
func (w window) each(f func(tap, from int)) {
	for i := w.rows[0]; i < w.rows[1]; i++ {
		for j := w.cols[0]; j < w.cols[1]; j++ {
			f(i*w.columns+j, w.origin+i*w.row+j*w.pixel)
		}
	}
}

// eachWindow calls f for every pixel of y, in order within a picture and with
// pictures in parallel, with where its channels start in y and its window in x.
func eachWindow(y, x *Tensor, w Window, f func(at int, win window)) {
	height, width, c := x.shape[1], x.shape[2], x.shape[3]
	oh, ow := y.shape[1], y.shape[2]
	parallel.For(x.shape[0], func(b int) {
		win := window{columns: w.Size[1], row: width * c, pixel: c}
		for oy := range oh {
			top := oy*w.Stride[0] - w.Pad[0]
			win.rows = [2]int{max(0, -top), min(w.Size[0], height-top)}
			for ox := range ow {
				left := ox*w.Stride[1] - w.Pad[1]
				win.cols = [2]int{max(0, -left), min(w.Size[1], width-left)}
				win.origin = ((b*height+top)*width + left) * c
				f(((b*oh+oy)*ow+ox)*c, win)
			}
		}
	})
}

// checkPool panics unless y can be a pooling of x.
func checkPool(op string, y, x *Tensor, w Window) {
	if !w.slides(x, y) || x.shape[3] != y.shape[3] {
		panic(fmt.Sprintf("tensor.%s: picture %v and output %v do not fit with %+v", op, x.shape, y.shape, w))
	}
}

// checkChoice panics unless there is one choice for every value of y.
func checkChoice(op string, choice []uint8, y *Tensor) {
	if len(choice) != len(y.data) {
		panic(fmt.Sprintf("tensor.%s: %d choices for output %v", op, len(choice), y.shape))
	}
}
