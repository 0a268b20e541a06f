package tsne

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/knn"
	"lookalike/tensor"
)

// fixture is testdata/tsne.json, made by testdata/make_tsne.py.
type fixture struct {
	Digits     []string
	Labels     []int
	Layouts    []struct{ Perplexity, Divergence, Trustworthiness float64 }
	Affinities [][]float64

	vectors *tensor.Tensor
}

func scikitLearn(t *testing.T) fixture {
	t.Helper()
	text, err := os.ReadFile("testdata/tsne.json")
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	f.vectors = tensor.New(len(f.Digits), 64)
	for i, digits := range f.Digits {
		for j := range f.vectors.Row(i) {
			v, err := strconv.ParseInt(digits[j:j+1], 36, 8)
			if err != nil {
				t.Fatal(err)
			}
			f.vectors.Row(i)[j] = float32(v)
		}
	}
	return f
}

func embed(t *testing.T, x *tensor.Tensor, metric knn.Metric, o Options) *Layout {
	t.Helper()
	l, err := Embed(t.Context(), x, metric, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// neighborhoodsOf are the affinities of vectors.
func neighborhoodsOf(t *testing.T, x *tensor.Tensor, metric knn.Metric, perplexity float64) *affinities {
	t.Helper()
	index, err := knn.New(x, metric)
	if err != nil {
		t.Fatal(err)
	}
	p, err := neighborhoods(t.Context(), index, x, perplexity)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// dense is the whole matrix of affinities.
func dense(t *testing.T, a *affinities) [][]float64 {
	t.Helper()
	n := len(a.start) - 1
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
		columns, p := a.row(i)
		for k, j := range columns {
			if m[i][j] != 0 {
				t.Fatalf("pair %d, %d occurs twice", i, j)
			}
			m[i][j] = p[k]
		}
	}
	return m
}

// Layouts are as good as scikit-learn's, by t-SNE's own measure and by whether
// those that are near on the map are near in truth.
func TestLayoutsAsGoodAsScikitLearns(t *testing.T) {
	f := scikitLearn(t)
	for _, want := range f.Layouts {
		l := embed(t, f.vectors, knn.Euclidean, Options{Perplexity: want.Perplexity})
		trust := trustworthiness(f.vectors, l.Points, 10)
		t.Logf("perplexity %v: divergence %.4f, scikit-learn %.4f; trustworthiness %.4f, scikit-learn %.4f",
			want.Perplexity, l.Divergence, want.Divergence, trust, want.Trustworthiness)
		if !(l.Divergence <= want.Divergence*1.05) {
			t.Errorf("perplexity %v: divergence %v, scikit-learn reaches %v", want.Perplexity, l.Divergence, want.Divergence)
		}
		if !(trust >= want.Trustworthiness-0.005) {
			t.Errorf("perplexity %v: trustworthiness %v, scikit-learn reaches %v", want.Perplexity, trust, want.Trustworthiness)
		}
	}
}

// trustworthiness is scikit-learn's: 1 less a penalty for each of the k nearest on
// the map that is not among the k nearest vectors, by how far down it comes.
func trustworthiness(x *tensor.Tensor, points [][2]float64, k int) float64 {
	n := len(points)
	penalty := 0
	for i := range points {
		order := func(distance func(j int) float64) []int {
			var rows []int
			distances := make([]float64, n)
			for j := range n {
				if j != i {
					rows = append(rows, j)
					distances[j] = distance(j)
				}
			}
			slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(distances[a], distances[b]) })
			return rows
		}
		rank := make([]int, n)
		for r, j := range order(func(j int) float64 {
			var s float64
			for c, v := range x.Row(j) {
				d := float64(v) - float64(x.Row(i)[c])
				s += d * d
			}
			return s
		}) {
			rank[j] = r + 1
		}
		for _, j := range order(func(j int) float64 {
			return math.Hypot(points[j][0]-points[i][0], points[j][1]-points[i][1])
		})[:k] {
			penalty += max(0, rank[j]-k)
		}
	}
	return 1 - 2/float64(n*k*(2*n-3*k-1))*float64(penalty)
}

func TestAffinitiesAreScikitLearns(t *testing.T) {
	f := scikitLearn(t)
	n := len(f.Affinities)
	got := dense(t, neighborhoodsOf(t, f.vectors.Rows(0, n), knn.Euclidean, 8))
	var sum float64
	for i, row := range f.Affinities {
		for j, want := range row {
			sum += got[i][j]
			if !(math.Abs(got[i][j]-want) <= 1e-4*want+1e-9) {
				t.Fatalf("pair %d, %d: %v, want %v", i, j, got[i][j], want)
			}
			if got[i][j] != got[j][i] {
				t.Fatalf("pair %d, %d: %v and %v", i, j, got[i][j], got[j][i])
			}
		}
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("the sum is %v", sum)
	}
}

// Each vector's probabilities have the entropy that was asked for, whatever the
// scale of the distances.
func TestCalibrate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, scale := range []float64{1e-20, 1, 1e20} {
		for range 50 {
			squares := make([]float64, 30)
			for i := range squares {
				squares[i] = scale * (3 + r.ExpFloat64())
			}
			var entropy float64
			for _, p := range calibrate(squares, 10) {
				entropy -= p * math.Log(p)
			}
			if !(math.Abs(math.Exp(entropy)-10) < 1e-6) {
				t.Fatalf("scale %g: perplexity %v", scale, math.Exp(entropy))
			}
		}
	}
	for _, p := range calibrate([]float64{2, 2, 2, 2}, 2) {
		if p != 0.25 {
			t.Errorf("of equal distances: %v", p)
		}
	}
	if p := calibrate([]float64{0, 1e-300, 1}, 1); !(p[0] > 0.3 && p[2] < 1e-6) {
		t.Errorf("perplexity 1: %v", p)
	}
}

// scattered returns an embedding of n random vectors at random points, some of
// which coincide.
func scattered(t *testing.T, n int, theta float64) *embedding {
	r := rand.New(rand.NewPCG(uint64(n), 0))
	x := tensor.New(n, 5)
	for i := range x.Data() {
		x.Data()[i] = float32(r.NormFloat64())
	}
	e := &embedding{p: neighborhoodsOf(t, x, knn.Euclidean, 12), points: make([][2]float64, n), theta: theta}
	for i := range e.points {
		e.points[i] = [2]float64{10 * r.NormFloat64(), 3 * r.NormFloat64()}
		if i%7 == 3 {
			e.points[i] = e.points[i/2]
		}
	}
	return e
}

// exact is the gradient and the divergence by their definitions.
func exact(p [][]float64, points [][2]float64) (gradient [][2]float64, divergence float64) {
	var sum float64
	q := func(i, j int) float64 {
		dx, dy := points[i][0]-points[j][0], points[i][1]-points[j][1]
		return 1 / (1 + dx*dx + dy*dy)
	}
	for i := range points {
		for j := range points {
			if i != j {
				sum += q(i, j)
			}
		}
	}
	gradient = make([][2]float64, len(points))
	for i := range points {
		for j := range points {
			if i == j {
				continue
			}
			for axis := range 2 {
				gradient[i][axis] += 4 * (p[i][j] - q(i, j)/sum) * q(i, j) * (points[i][axis] - points[j][axis])
			}
			if p[i][j] > 0 {
				divergence += p[i][j] * math.Log(p[i][j]/(q(i, j)/sum))
			}
		}
	}
	return gradient, divergence
}

func norm(points [][2]float64) float64 {
	var sum float64
	for _, p := range points {
		sum += p[0]*p[0] + p[1]*p[1]
	}
	return math.Sqrt(sum)
}

func minus(a, b [][2]float64) [][2]float64 {
	c := slices.Clone(a)
	for i := range c {
		c[i][0] -= b[i][0]
		c[i][1] -= b[i][1]
	}
	return c
}

// Without approximation the gradient is the formula's; with it, it is near.
func TestGradientIsExact(t *testing.T) {
	for _, n := range []int{3, 9, 40, 700} {
		for _, c := range []struct{ theta, tolerance float64 }{{0, 1e-12}, {theta, 0.02}} {
			e := scattered(t, n, c.theta)
			want, divergence := exact(dense(t, e.p), e.points)
			got := make([][2]float64, n)
			e.gradient(got, 1)
			if off := norm(minus(got, want)) / norm(want); !(off <= c.tolerance) {
				t.Errorf("%d points, theta %v: off by %v of its length", n, c.theta, off)
			}
			if d := e.divergence(); !(math.Abs(d-divergence) <= c.tolerance*divergence) {
				t.Errorf("%d points, theta %v: divergence %v, want %v", n, c.theta, d, divergence)
			}
		}
	}
}

// The formula is the derivative of the divergence.
func TestGradientIsTheDerivative(t *testing.T) {
	e := scattered(t, 40, 0)
	p := dense(t, e.p)
	gradient := make([][2]float64, 40)
	e.gradient(gradient, 1)
	const step = 1e-5
	for i := range e.points {
		for axis := range 2 {
			was := e.points[i][axis]
			e.points[i][axis] = was + step
			_, up := exact(p, e.points)
			e.points[i][axis] = was - step
			_, down := exact(p, e.points)
			e.points[i][axis] = was
			if slope := (up - down) / (2 * step); !(math.Abs(slope-gradient[i][axis]) <= 1e-8) {
				t.Fatalf("point %d, axis %d: %v, the divergence changes by %v", i, axis, gradient[i][axis], slope)
			}
		}
	}
}

// The tree holds each point once and, with theta 0, adds up all pairs.
func TestTree(t *testing.T) {
	for name, points := range map[string][][2]float64{
		"one":      {{3, 4}},
		"coincide": slices.Repeat([][2]float64{{1, -2}}, 30),
		"on a line": func() (p [][2]float64) {
			for i := range 100 {
				p = append(p, [2]float64{float64(i % 37), 0})
			}
			return p
		}(),
		"far apart": append(slices.Repeat([][2]float64{{1e-9, 0}, {0, 1e-9}, {0, 0}}, 5), [2]float64{1e9, 1e9}),
		"tiny":      {{0, 0}, {5e-324, 0}, {0, 5e-324}},
	} {
		var tr tree
		tr.build(points)
		if whole := tr.nodes[0]; whole.mass != float64(len(points)) {
			t.Errorf("%s: %v points in the tree", name, whole.mass)
		}
		for _, p := range points {
			var want float64
			for _, other := range points {
				dx, dy := p[0]-other[0], p[1]-other[1]
				want += 1 / (1 + dx*dx + dy*dy)
			}
			if _, near := tr.repel(p, 0); !(math.Abs(near-(want-1)) <= 1e-12*want) {
				t.Errorf("%s: %v at %v, want %v", name, near, p, want-1)
			}
		}
	}
}

// The same bits for any GOMAXPROCS; another seed, another layout.
func TestDeterministic(t *testing.T) {
	x := scikitLearn(t).vectors
	o := Options{Iterations: 60, Seed: 3}
	want := embed(t, x, knn.Cosine, o)
	for _, procs := range []int{1, 3} {
		was := runtime.GOMAXPROCS(procs)
		got := embed(t, x, knn.Cosine, o)
		runtime.GOMAXPROCS(was)
		if !slices.Equal(got.Points, want.Points) || got.Divergence != want.Divergence {
			t.Errorf("another layout on %d processors", procs)
		}
	}
	o.Seed = 4
	if slices.Equal(embed(t, x, knn.Cosine, o).Points, want.Points) {
		t.Error("the seed changes nothing")
	}
}

// Cosine is Euclidean of vectors of length 1.
func TestCosine(t *testing.T) {
	x := scikitLearn(t).vectors.Rows(0, 100)
	unit := x.Clone()
	for i := range 100 {
		var square float64
		for _, v := range x.Row(i) {
			square += float64(v) * float64(v)
		}
		for j := range unit.Row(i) {
			unit.Row(i)[j] /= float32(math.Sqrt(square))
		}
	}
	a, b := dense(t, neighborhoodsOf(t, x, knn.Cosine, 9)), dense(t, neighborhoodsOf(t, unit, knn.Euclidean, 9))
	for i := range a {
		for j := range a {
			if !(math.Abs(a[i][j]-b[i][j]) <= 1e-5*b[i][j]) {
				t.Fatalf("pair %d, %d: %v and %v", i, j, a[i][j], b[i][j])
			}
		}
	}
}

// Few vectors, equal ones, one dimension: always a finite layout.
func TestCorners(t *testing.T) {
	for _, shape := range [][2]int{{0, 3}, {1, 3}, {2, 1}, {2, 3}, {3, 1}, {4, 2}, {5, 1}, {100, 1}} {
		for _, equal := range []bool{false, true} {
			for _, metric := range []knn.Metric{knn.Euclidean, knn.Cosine} {
				x := tensor.New(shape[0], shape[1])
				for i := range x.Data() {
					x.Data()[i] = 2
					if !equal {
						x.Data()[i] = float32(i*i%11) - 3
					}
				}
				l := embed(t, x, metric, Options{Iterations: 400})
				if len(l.Points) != shape[0] || !finite(l) {
					t.Errorf("%v %v, equal %v: %v", shape, metric, equal, l)
				}
			}
		}
	}
	// Duplicates lie together.
	x := scikitLearn(t).vectors.Rows(0, 80).Clone()
	copy(x.Row(41), x.Row(7))
	l := embed(t, x, knn.Euclidean, Options{})
	apart := math.Hypot(l.Points[7][0]-l.Points[41][0], l.Points[7][1]-l.Points[41][1])
	if wide := norm(l.Points) / math.Sqrt(80); !(apart < wide/10) {
		t.Errorf("duplicates are %v apart on a map of radius %v", apart, wide)
	}
}

func finite(l *Layout) bool {
	return !slices.ContainsFunc(l.Points, func(p [2]float64) bool { return math.IsNaN(p[0]+p[1]) || math.IsInf(p[0]+p[1], 0) }) &&
		!math.IsNaN(l.Divergence)
}

func TestErrors(t *testing.T) {
	x := scikitLearn(t).vectors.Rows(0, 50).Clone()
	bad := x.Clone()
	bad.Row(12)[3] = float32(math.NaN())
	for _, c := range []struct {
		x      *tensor.Tensor
		metric knn.Metric
		o      Options
		want   string
	}{
		{x, knn.InnerProduct, Options{}, "inner-product"},
		{x, knn.Metric(9), Options{}, "Metric(9)"},
		{x, knn.Euclidean, Options{Perplexity: 0.5}, "perplexity of 0.5"},
		{x, knn.Euclidean, Options{Perplexity: math.NaN()}, "perplexity of NaN"},
		{x, knn.Euclidean, Options{Perplexity: math.Inf(1)}, "perplexity of +Inf"},
		{x, knn.Euclidean, Options{Iterations: -1}, "-1 iterations"},
		{bad, knn.Euclidean, Options{}, "row 12"},
		{tensor.New(3), knn.Euclidean, Options{}, "shape [3]"},
	} {
		if _, err := Embed(t.Context(), c.x, c.metric, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var told []int
	_, err := Embed(ctx, x, knn.Euclidean, Options{Progress: func(done int) {
		if told = append(told, done); done == 5 {
			cancel()
		}
	}})
	if want := []int{0, 1, 2, 3, 4, 5}; !errors.Is(err, context.Canceled) || !slices.Equal(told, want) {
		t.Errorf("told of %v, want %v; %v", told, want, err)
	}
}

func BenchmarkEmbed(b *testing.B) {
	for _, n := range benchtest.Some([]int{3000, 20000}, 1) {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 0))
			x := tensor.New(n, 32)
			for i := range n { // 60 groups
				for j := range x.Row(i) {
					x.Row(i)[j] = float32(3*math.Sin(float64((i%60+1)*(j+1)*(j+3))) + r.NormFloat64())
				}
			}
			for b.Loop() {
				if _, err := Embed(b.Context(), x, knn.Euclidean, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
