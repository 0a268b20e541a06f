package nn

import (
	"time"

	"lookalike/internal/parallel"
)

// columns are matrices of n columns, whose values are added up column by column, in
// float64.
type columns struct {
	a, b          []float32
	n             int
	mean, inverse []float64 // of the columns of a; inverse is 1/σ
}

// Each of these adds up rows lo to hi.

func (c columns) values(lo, hi int, sum []float64) {
	for at := lo * c.n; at < hi*c.n; at += c.n {
		for i, v := range c.a[at:][:c.n] {
			sum[i] += float64(v)
		}
	}
}

func (c columns) squares(lo, hi int, sum []float64) {
	for at := lo * c.n; at < hi*c.n; at += c.n {
		for i, v := range c.a[at:][:c.n] {
			d := float64(v) - c.mean[i]
			sum[i] += d * d
		}
	}
}

func (c columns) products(lo, hi int, sum []float64) {
	for at := lo * c.n; at < hi*c.n; at += c.n {
		b := c.b[at:][:c.n]
		for i, v := range c.a[at:][:c.n] {
			sum[i] += float64(v) * float64(b[i])
		}
	}
}

// normalGrads adds up b, and behind that b times a normalised.
func (c columns) normalGrads(lo, hi int, sum []float64) {
	n := c.n
	for at := lo * n; at < hi*n; at += n {
		in, g := c.a[at:][:n], c.b[at:][:n]
		for i := range n {
			sum[i] += float64(g[i])
			sum[n+i] += float64(g[i]) * (float64(in[i]) - c.mean[i]) * c.inverse[i]
		}
	}
}

// sumRows is how many rows columnSums takes in one part; fixed, so that the
// order of additions does not depend on the number of cores.
const sumRows = 4096

// columnSums returns the sums that add makes of all rows, as many as width.
func (p *Pass) columnSums(c columns, width int, add func(c columns, lo, hi int, sum []float64)) []float64 {
	rows := len(c.a) / c.n
	parts := p.numbers((rows + sumRows - 1) / sumRows * width)
	clear(parts)
	columnParts.Spans(rows, sumRows, time.Duration(rows*width), columnPart{c, width, parts, add}, columnPart.sum)
	total := p.numbers(width)
	clear(total)
	for at := 0; at < len(parts); at += width {
		for i, v := range parts[at:][:width] {
			total[i] += v
		}
	}
	return total
}

// columnPart is a sum of columns of which some rows are added up.
type columnPart struct {
	columns
	width int
	sums  []float64 // of each part
	add   func(c columns, lo, hi int, sum []float64)
}

var columnParts parallel.Loop[columnPart]

func (c columnPart) sum(lo, hi int) {
	c.add(c.columns, lo, hi, c.sums[lo/sumRows*c.width:][:c.width])
}
