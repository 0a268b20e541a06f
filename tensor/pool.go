package tensor

import (
	"fmt"
	"time"

	"lookalike/internal/f32"
	"lookalike/internal/parallel"
)

// MaxPoolTaps is how many values a MaxPool window may hold: the place of the
// greatest is kept in a byte.
const MaxPoolTaps = 256

// MaxPool computes dst[b,y,x,c], the greatest value of the window over x at
// (y, x); what lies outside the picture does not count. Where choice is not
// nil it has dst's length and receives the place of that value in its window,
// rows first; of equal values the first is taken. NaN is greater than all, the
// last NaN the greatest.
func MaxPool(dst *Tensor, choice []uint8, x *Tensor, w Window) {
	checkPool("MaxPool", dst, x, w)
	if w.Size[0]*w.Size[1] > MaxPoolTaps {
		panic(fmt.Sprintf("tensor.MaxPool: window %v holds more than %d values", w.Size, MaxPoolTaps))
	}
	if choice != nil {
		checkChoice("MaxPool", choice, dst)
	}
	eachRow(pooling{dst, x, choice, w}, pooling.maxima)
}

// pooling is what the rows of a pool have in common: y is smaller, x larger, each
// either given or made.
type pooling struct {
	y, x   *Tensor
	choice []uint8
	w      Window
}

func (p pooling) maxima(b, y int) {
	c, x := p.x.shape[3], p.x
	out, at := p.y.row(b, y)
	var chosen []uint8
	if p.choice != nil {
		chosen = p.choice[at:][:len(out)]
	}
	if p.w.halves(x, p.y) {
		top, _ := x.row(b, 2*y)
		bottom, _ := x.row(b, 2*y+1)
		f32.MaxPool2x2(c, out, chosen, top, bottom)
		return
	}
	for at := 0; at < len(out); at += c {
		var places []uint8
		if chosen != nil {
			places = chosen[at:][:c]
		}
		p.w.over(x, b, y, at/c).max(out[at:][:c], places, x.data)
	}
}

// MaxPoolGrad is MaxPool's adjoint: each value of dy goes to the place that
// choice names; dx is overwritten.
func MaxPoolGrad(dx, dy *Tensor, choice []uint8, w Window) {
	checkPool("MaxPoolGrad", dy, dx, w)
	checkChoice("MaxPoolGrad", choice, dy)
	if w.halves(dx, dy) {
		halvesGrad(dx, dy, choice)
		return
	}
	eachPicture(pooling{dy, dx, choice, w}, pooling.maximaGrad)
}

func (p pooling) maximaGrad(b, _ int) {
	var (
		c             = p.x.shape[3]
		height, width = p.x.shape[1], p.x.shape[2]
		oh, ow        = p.y.shape[1], p.y.shape[2]
		picture       = p.x.data[b*height*width*c:][:height*width*c]
		at            = b * oh * ow * c
	)
	clear(picture)
	for y := range oh {
		for x := range ow {
			// Choices lie within the picture, so the corner itself may not.
			corner := ((y*p.w.Stride[0]-p.w.Pad[0])*width + x*p.w.Stride[1] - p.w.Pad[1]) * c
			grad, chosen := p.y.data[at:at+c], p.choice[at:at+c]
			for i, tap := range chosen {
				picture[corner+(int(tap)/p.w.Size[1]*width+int(tap)%p.w.Size[1])*c+i] += grad[i]
			}
			at += c
		}
	}
}

// halves tells whether w halves pictures of x: windows of 2x2 that lie side by
// side and within the picture.
func (w Window) halves(x, y *Tensor) bool {
	return w == Window{Size: [2]int{2, 2}, Stride: [2]int{2, 2}} && len(y.data) > 0 && 2*y.shape[1] <= x.shape[1] && 2*y.shape[2] <= x.shape[2]
}

// halvesGrad is MaxPoolGrad of windows that halve the picture. Each value of dx
// is written once; a row and a column that no window reaches are zero.
func halvesGrad(dx, dy *Tensor, choice []uint8) {
	eachRow(pooling{y: dy, x: dx, choice: choice}, pooling.halvesGrad)
}

func (p pooling) halvesGrad(b, y int) {
	dx, dy := p.x, p.y
	grad, at := dy.row(b, y)
	top, _ := dx.row(b, 2*y)
	bottom, _ := dx.row(b, 2*y+1)
	f32.MaxPool2x2Grad(dx.shape[3], top, bottom, grad, p.choice[at:][:len(grad)])
	clear(top[2*len(grad):])
	clear(bottom[2*len(grad):])
	if y == dy.shape[1]-1 {
		for rest := 2*y + 2; rest < dx.shape[1]; rest++ {
			row, _ := dx.row(b, rest)
			clear(row)
		}
	}
}

// AveragePool computes the mean of each window; what lies outside the picture
// is not counted.
func AveragePool(dst, x *Tensor, w Window) {
	checkPool("AveragePool", dst, x, w)
	eachRow(pooling{y: dst, x: x, w: w}, pooling.means)
}

func (p pooling) means(b, y int) {
	c, x := p.x.shape[3], p.x
	means, _ := p.y.row(b, y)
	clear(means)
	for at := 0; at < len(means); at += c {
		part, out := p.w.over(x, b, y, at/c), means[at:][:c]
		for i := range part.rows {
			for j := range part.cols {
				f32.Axpy(out, 1, x.data[part.value(i, j):][:c])
			}
		}
		scale := 1 / float32(part.rows*part.cols)
		for i := range out {
			out[i] *= scale
		}
	}
}

// AveragePoolGrad is AveragePool's adjoint; dx is overwritten.
func AveragePoolGrad(dx, dy *Tensor, w Window) {
	checkPool("AveragePoolGrad", dy, dx, w)
	clear(dx.data)
	eachPicture(pooling{y: dy, x: dx, w: w}, pooling.meansGrad)
}

func (p pooling) meansGrad(b, _ int) {
	c := p.x.shape[3]
	for y := range p.y.shape[1] {
		grads, _ := p.y.row(b, y)
		for at := 0; at < len(grads); at += c {
			part := p.w.over(p.x, b, y, at/c)
			scale := 1 / float32(part.rows*part.cols)
			for i := range part.rows {
				for j := range part.cols {
					f32.Axpy(p.x.data[part.value(i, j):][:c], scale, grads[at:][:c])
				}
			}
		}
	}
}

// window is the part of one window that lies in the picture.
type window struct {
	rows, cols int // how many of each
	origin     int // where the channels of its first value start
	row, pixel int // values from one row, and from one pixel, of the picture to the next
	tap        int // the first value's place in the whole window
	columns    int // of the whole window
}

// over returns the window of picture b of x that makes the pixel (y, column).
func (w Window) over(x *Tensor, b, y, column int) window {
	height, width, c := x.shape[1], x.shape[2], x.shape[3]
	top, left := y*w.Stride[0]-w.Pad[0], column*w.Stride[1]-w.Pad[1]
	i, j := max(0, -top), max(0, -left)
	return window{
		rows: min(w.Size[0], height-top) - i, cols: min(w.Size[1], width-left) - j,
		origin: ((b*height+top+i)*width + left + j) * c,
		row:    width * c, pixel: c,
		tap: i*w.Size[1] + j, columns: w.Size[1],
	}
}

// value returns where the channels of a value start.
func (w window) value(i, j int) int { return w.origin + i*w.row + j*w.pixel }

// max writes the greatest values of a window of x to out, and their places to
// choice unless that is nil.
func (w window) max(out []float32, choice []uint8, x []float32) {
	copy(out, x[w.origin:])
	for i := range choice {
		choice[i] = uint8(w.tap)
	}
	for i := range w.rows {
		for j := range w.cols {
			if i+j > 0 {
				f32.MaxInto(out, choice, x[w.value(i, j):][:len(out)], uint8(w.tap+i*w.columns+j))
			}
		}
	}
}

// row returns row y of picture b, and where it starts.
func (t *Tensor) row(b, y int) (values []float32, at int) {
	n := t.shape[2] * t.shape[3]
	at = (b*t.shape[1] + y) * n
	return t.data[at : at+n], at
}

// poolPart is about how many values of the picture one goroutine takes at a time.
const poolPart = 1 << 16

// poolRate is about how many values of the picture it takes in a nanosecond.
const poolRate = 8

// pooledRows is pooling some rows at a time.
type pooledRows struct {
	pooling
	f func(p pooling, b, row int)
}

var pools parallel.Loop[pooledRows]

func (p pooledRows) some(lo, hi int) {
	height := p.y.shape[1]
	for i := lo; i < hi; i++ {
		p.f(p.pooling, i/height, i%height)
	}
}

// eachRow calls f for every row of the pictures of p.y, some at a time in parallel.
func eachRow(p pooling, f func(p pooling, b, row int)) {
	if len(p.y.data) == 0 {
		return
	}
	n, size := p.y.shape[0]*p.y.shape[1], len(p.x.data)
	pools.Spans(n, max(1, poolPart/(1+size/n)), time.Duration(size/poolRate), pooledRows{p, f}, pooledRows.some)
}

// eachPicture calls f for every picture of p.x, in parallel, where windows of one may
// overlap.
func eachPicture(p pooling, f func(p pooling, b, _ int)) {
	pools.For(p.x.shape[0], time.Duration(len(p.x.data)), pooledRows{p, f}, pooledRows.picture)
}

func (p pooledRows) picture(b int) { p.f(p.pooling, b, 0) }

// checkPool panics unless y can be a pooling of x.
func checkPool(op string, y, x *Tensor, w Window) {
	if !w.slides(x, y) || x.shape[3] != y.shape[3] {
		panic(fmt.Sprintf("tensor.%s: picture %v and output %v do not fit with %+v", op, x.Shape(), y.Shape(), w))
	}
}

// checkChoice panics unless there is one choice for every value of y.
func checkChoice(op string, choice []uint8, y *Tensor) {
	if len(choice) != len(y.data) {
		panic(fmt.Sprintf("tensor.%s: %d choices for output %v", op, len(choice), y.shape))
	}
}
