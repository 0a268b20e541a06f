package regions

import (
	"math"
	"math/rand/v2"
	"testing"

	"lookalike/tensor"
)

// random is a map of values above 0, as a network's activations are.
func random(seed uint64, h, w, c int) *tensor.Tensor {
	r := rand.New(rand.NewPCG(seed, 0))
	m := tensor.New(h, w, c)
	for i := range m.Data() {
		m.Data()[i] = float32(math.Max(0, r.NormFloat64()))
	}
	return m
}

// The shares of all parts add up to the likeness, which is that of the means.
func TestShares(t *testing.T) {
	a, b := random(1, 7, 5, 30), random(2, 4, 6, 30)
	ofA, ofB, likeness := Shares(a, b)
	meanA, meanB := make([]float64, 30), make([]float64, 30)
	for i, v := range a.Data() {
		meanA[i%30] += float64(v) / 35
	}
	for i, v := range b.Data() {
		meanB[i%30] += float64(v) / 24
	}
	var ab, aa, bb, sumA, sumB float64
	for i := range meanA {
		ab += meanA[i] * meanB[i]
		aa += meanA[i] * meanA[i]
		bb += meanB[i] * meanB[i]
	}
	for _, v := range ofA {
		sumA += v
	}
	for _, v := range ofB {
		sumB += v
	}
	want := ab / math.Sqrt(aa*bb)
	if len(ofA) != 35 || len(ofB) != 24 || math.Abs(likeness-want) > 1e-12 || math.Abs(sumA-want) > 1e-12 || math.Abs(sumB-want) > 1e-12 {
		t.Errorf("likeness %v, sums %v and %v, want %v", likeness, sumA, sumB, want)
	}

	// A part that the other picture has nothing of adds nothing.
	lone := tensor.New(1, 2, 2)
	copy(lone.Data(), []float32{1, 0, 0, 5})
	other := tensor.New(1, 1, 2)
	other.Data()[0] = 3
	if of, _, _ := Shares(lone, other); of[1] != 0 || of[0] <= 0 {
		t.Errorf("shares %v", of)
	}
	if of, _, likeness := Shares(tensor.New(2, 2, 2), other); likeness != 0 || of[0] != 0 {
		t.Errorf("zeros: %v, %v", of, likeness)
	}
}

// shifted is a map as seen through another window: its cell y, x is that of m at
// top + y, left + x, from right to left if mirrored.
func shifted(m *tensor.Tensor, top, left, h, w int, mirrored bool) *tensor.Tensor {
	out := tensor.New(h, w, m.Dim(2))
	for y := range h {
		for x := range w {
			from := left + x
			if mirrored {
				from = left + w - 1 - x
			}
			copy(cell(out, y*w+x), cell(m, (top+y)*m.Dim(1)+from))
		}
	}
	return out
}

// Parts of a cut or mirrored copy are found again, and how it lies.
func TestPlace(t *testing.T) {
	a := random(3, 20, 24, 40)
	for _, mirrored := range []bool{false, true} {
		b := shifted(a, 4, 6, 14, 16, mirrored)
		matches := Matches(a, b)
		if len(matches) != 14*16 {
			t.Fatalf("%d matches of %d parts", len(matches), 14*16)
		}
		for i, m := range matches {
			if !(m.Likeness > 1-1e-6) || i > 0 && m.Likeness > matches[i-1].Likeness {
				t.Fatalf("match %d: %+v", i, m)
			}
		}
		p, ok := Place(matches, [2]int{20, 24}, [2]int{14, 16})
		want := Placement{X: -6.0 / 16, Y: -4.0 / 14, ScaleX: 24.0 / 16, ScaleY: 20.0 / 14}
		if mirrored {
			want.X, want.ScaleX = 1-want.X, -want.ScaleX
		}
		if !ok || len(p.Matches) != len(matches) || math.Abs(p.X-want.X) > 0.1 || math.Abs(p.Y-want.Y) > 0.1 || math.Abs(p.ScaleX-want.ScaleX) > 0.1 || math.Abs(p.ScaleY-want.ScaleY) > 0.1 {
			t.Errorf("mirrored %v: %v, %v of %d matches, want %v", mirrored, ok, p, len(matches), want)
		}
	}
}

// Other pictures agree on nothing, and little says nothing.
func TestNoPlace(t *testing.T) {
	a, b := random(4, 20, 20, 40), random(5, 20, 20, 40)
	matches := Matches(a, b)
	if len(matches) == 0 {
		t.Fatal("no matches")
	}
	if p, ok := Place(matches, [2]int{20, 20}, [2]int{20, 20}); ok {
		t.Errorf("%d matches, placed as %v", len(matches), p)
	}
	if _, ok := Place(Matches(a, a)[:5], [2]int{20, 20}, [2]int{20, 20}); ok {
		t.Error("five matches are enough")
	}
	if _, ok := Place(nil, [2]int{20, 20}, [2]int{20, 20}); ok {
		t.Error("no matches are enough")
	}
	if m := Matches(tensor.New(3, 3, 2), tensor.New(3, 3, 2)); len(m) != 0 {
		t.Errorf("parts of zeros match: %v", m)
	}
}

// A cell of a joined map has the fine map's values and those of the coarse one at
// the same place, each of length 1.
func TestJoin(t *testing.T) {
	fine, coarse := random(5, 4, 6, 3), random(6, 2, 3, 7)
	m := Join(fine, coarse)
	if h, w, c := m.Dim(0), m.Dim(1), m.Dim(2); h != 4 || w != 6 || c != 10 {
		t.Fatalf("shape %v", m.Shape())
	}
	unit := func(v []float32) []float64 {
		list, length := make([]float64, len(v)), 0.0
		for _, x := range v {
			length += float64(x) * float64(x)
		}
		for i, x := range v {
			if length > 0 {
				list[i] = float64(x) / math.Sqrt(length)
			}
		}
		return list
	}
	for y := range 4 {
		for x := range 6 {
			want := append(unit(cell(fine, y*6+x)), unit(cell(coarse, y/2*3+x/2))...)
			for i, got := range cell(m, y*6+x) {
				if !(math.Abs(float64(got)-want[i]) < 1e-6) {
					t.Fatalf("row %d, column %d, value %d: %v, want %v", y, x, i, got, want[i])
				}
			}
		}
	}
}
