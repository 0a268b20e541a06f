// Package regions finds out which parts of two pictures make them alike, from the
// outputs of a network's layer for both: maps, whose cells describe a part of the
// picture each.
package regions

import (
	"fmt"
	"math"
	"slices"

	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// Shares tells which parts of two pictures their likeness comes from. a and b are
// maps of shape [h, w, c], c the same for both. The likeness is the cosine of the
// angle between their mean cells, which is a sum over the cells of a map: of each
// cell's product with the other map's mean, by the lengths of the means (Stylianou,
// Souvenir and Pless, arXiv 1901.00536). Those parts are returned, row by row; each
// of the lists has the likeness as its sum. A cell may count against it, below 0.
// The likeness of a map of zeros with any is 0.
func Shares(a, b *tensor.Tensor) (ofA, ofB []float64, likeness float64) {
	check(a, b)
	meanA, meanB := mean(a), mean(b)
	scale := 1 / (norm(meanA) * norm(meanB))
	if math.IsInf(scale, 1) || math.IsNaN(scale) {
		scale = 0
	}
	ofA, ofB = shares(a, meanB, scale), shares(b, meanA, scale)
	return ofA, ofB, dot(meanA, meanB) * scale
}

func check(a, b *tensor.Tensor) {
	for _, m := range []*tensor.Tensor{a, b} {
		if len(m.Shape()) != 3 || m.Dim(0) < 1 || m.Dim(1) < 1 || m.Dim(2) != b.Dim(2) {
			panic(fmt.Sprintf("regions: maps of shapes %v and %v", a.Shape(), b.Shape()))
		}
	}
}

// cells returns the number of cells of a map.
func cells(m *tensor.Tensor) int { return m.Dim(0) * m.Dim(1) }

// cell returns what describes a part.
func cell(m *tensor.Tensor, i int) []float32 {
	c := m.Dim(2)
	return m.Data()[i*c : (i+1)*c]
}

func mean(m *tensor.Tensor) []float64 {
	sum := make([]float64, m.Dim(2))
	for i := range cells(m) {
		for c, v := range cell(m, i) {
			sum[c] += float64(v) / float64(cells(m))
		}
	}
	return sum
}

func shares(m *tensor.Tensor, other []float64, scale float64) []float64 {
	list := make([]float64, cells(m))
	for i := range list {
		for c, v := range cell(m, i) {
			list[i] += float64(v) * other[c] * scale / float64(len(list))
		}
	}
	return list
}

func dot(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

func norm(a []float64) float64 { return math.Sqrt(dot(a, a)) }

// Match is a part of one picture and a part of another that are each other's most
// alike.
type Match struct {
	A, B     int     // cells, row by row
	Likeness float64 // cosine of the angle between them
}

// Matches returns the cells of two maps [h, w, c] that are each other's nearest by
// cosine, the most alike first. A cell of zeros matches none.
func Matches(a, b *tensor.Tensor) []Match {
	check(a, b)
	unitA, unitB := units(a), units(b)
	toB, likeness := nearest(unitA, unitB)
	toA, _ := nearest(unitB, unitA)
	var list []Match
	for i, j := range toB {
		if j >= 0 && toA[j] == i {
			list = append(list, Match{i, j, likeness[i]})
		}
	}
	slices.SortStableFunc(list, func(m, n Match) int {
		switch {
		case m.Likeness > n.Likeness:
			return -1
		case m.Likeness < n.Likeness:
			return 1
		}
		return 0
	})
	return list
}

// units are the cells of a map brought to length 1, [cells, c].
func units(m *tensor.Tensor) *tensor.Tensor {
	u := tensor.New(cells(m), m.Dim(2))
	for i := range cells(m) {
		normalize(u.Row(i), cell(m, i))
	}
	return u
}

// normalize sets dst to v brought to length 1, or to zeros if v is.
func normalize(dst, v []float32) {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	scale := 0.0
	if square > 0 {
		scale = 1 / math.Sqrt(square)
	}
	for i, x := range v {
		dst[i] = float32(float64(x) * scale)
	}
}

// Join returns a map whose cells have both what a cell of the fine map has and what
// the cell of the coarse map there has, each brought to length 1.
func Join(fine, coarse *tensor.Tensor) *tensor.Tensor {
	h, w, c, d := fine.Dim(0), fine.Dim(1), fine.Dim(2), coarse.Dim(2)
	out := tensor.New(h, w, c+d)
	for y := range h {
		for x := range w {
			to := cell(out, y*w+x)
			normalize(to[:c], cell(fine, y*w+x))
			row, column := y*coarse.Dim(0)/h, x*coarse.Dim(1)/w
			normalize(to[c:], cell(coarse, row*coarse.Dim(1)+column))
		}
	}
	return out
}

// nearest returns for each row of a the row of b with the greatest product, the
// first of these, and that product; -1 where none is above 0.
func nearest(a, b *tensor.Tensor) (rows []int, products []float64) {
	rows, products = make([]int, a.Dim(0)), make([]float64, a.Dim(0))
	all := tensor.New(a.Dim(0), b.Dim(0))
	tensor.MatMulTransB(all, a, b)
	parallel.For(len(rows), func(i int) {
		rows[i] = -1
		for j, p := range all.Row(i) {
			if float64(p) > products[i] {
				rows[i], products[i] = j, float64(p)
			}
		}
	})
	return rows, products
}
