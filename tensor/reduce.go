package tensor

import (
	"fmt"
	"time"

	"lookalike/internal/f32"
	"lookalike/internal/parallel"
)

// reduceRows is how many rows one part of a column sum takes. It is fixed, so
// that the order of additions is the same on every number of cores.
const reduceRows = 4096

// reduceWidth is the least width of the rows that are added: narrow ones are
// taken several at a time, so that registers are full.
const reduceWidth = 32

// reduceRate is about how many values one goroutine adds in a nanosecond.
const reduceRate = 8

// columnSum is what the parts of a column sum have in common.
type columnSum struct {
	parts, x []float32
	n, wide  int
}

var columnSums parallel.Loop[columnSum]

func (c columnSum) add(lo, hi int) {
	sum, part := c.parts[lo/reduceRows*c.wide:][:c.wide], c.x[lo*c.n:hi*c.n]
	k := len(part) / c.wide
	f32.AddVecMat(sum, k, one, 0, part, c.wide)
	for at := k * c.wide; at < len(part); at += c.n {
		f32.Axpy(sum[:c.n], 1, part[at:][:c.n])
	}
}

var one = []float32{1}

// SumRows computes dst[c] = Σ over all rows of x[row, c], where x is seen as a
// matrix whose columns are the last dimension; with accumulate it adds to dst.
// It is the gradient of a bias.
func SumRows(dst, x *Tensor, accumulate bool) {
	if len(x.Shape()) == 0 || dst.Len() != x.shape[len(x.shape)-1] || dst == nil {
		panic(fmt.Sprintf("tensor.SumRows: %v does not fit the columns of %v", dst.Shape(), x.Shape()))
	}
	n := len(dst.data)
	if !accumulate {
		clear(dst.data)
	}
	if n == 0 {
		return
	}
	together := (reduceWidth + n - 1) / n
	wide := together * n
	rows := len(x.data) / n
	lent := buffer((rows + reduceRows - 1) / reduceRows * wide)
	defer release(lent)
	parts := *lent
	clear(parts)
	columnSums.Spans(rows, reduceRows, time.Duration(len(x.data)/reduceRate), columnSum{parts, x.data, n, wide}, columnSum.add)
	for p := 0; p < len(parts); p += n {
		f32.Axpy(dst.data, 1, parts[p:][:n])
	}
}
