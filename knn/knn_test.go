package knn

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"lookalike/tensor"
)

// naive is the definition that Search is held to: every distance in float64,
// all sorted.
func naive(vectors *tensor.Tensor, q []float32, k int) []Neighbor {
	n, d := vectors.Dim(0), vectors.Dim(1)
	all := make([]Neighbor, n)
	for row := range n {
		sum := 0.0
		for j, v := range vectors.Data()[row*d : (row+1)*d] {
			diff := float64(q[j]) - float64(v)
			sum += float64(diff * diff)
		}
		all[row] = Neighbor{row, math.Sqrt(sum)}
	}
	slices.SortStableFunc(all, func(a, b Neighbor) int { return cmp.Compare(a.Distance, b.Distance) })
	return all[:min(k, n)]
}

// kinds of values, of which some give many equal or nearly equal distances.
var kinds = map[string]func(rng *rand.Rand) float32{
	"normal":     func(rng *rand.Rand) float32 { return float32(rng.NormFloat64()) },
	"few values": func(rng *rand.Rand) float32 { return float32(rng.IntN(3)) },
	"constant":   func(*rand.Rand) float32 { return 0.1 },
	"near 1000":  func(rng *rand.Rand) float32 { return 1000 + float32(rng.IntN(4))*0x1p-14 },
	"all sizes": func(rng *rand.Rand) float32 {
		return float32(math.Ldexp(rng.NormFloat64(), rng.IntN(250)-125))
	},
	"extremes": func(rng *rand.Rand) float32 {
		return []float32{math.MaxFloat32, -math.MaxFloat32, 0, math.SmallestNonzeroFloat32}[rng.IntN(4)]
	},
}

func random(rng *rand.Rand, value func(*rand.Rand) float32, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = value(rng)
	}
	return v
}

func checkSearch(t *testing.T, vectors *tensor.Tensor, queries [][]float32, k int) {
	t.Helper()
	x, err := New(vectors, Euclidean)
	if err != nil {
		t.Fatal(err)
	}
	got, err := x.Search(t.Context(), queries, k)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(queries) {
		t.Fatalf("%d results for %d queries", len(got), len(queries))
	}
	for i, q := range queries {
		if want := naive(vectors, q, k); !slices.Equal(got[i], want) {
			t.Fatalf("vectors %v, k %d, query %d of %d:\n got %v\nwant %v", vectors, k, i, len(queries), got[i], want)
		}
	}
}

// Rows, order and every bit of the distances equal the naive search's.
func TestEqualsNaive(t *testing.T) {
	for _, procs := range []int{1, 2, 5} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		for kind, value := range kinds {
			t.Run(kind, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(5, 6)) // the same cases for every procs
				for range 250 {
					n, d := rng.IntN(80), 1+rng.IntN(24)
					vectors := tensor.From(random(rng, value, n*d), n, d)
					queries := make([][]float32, rng.IntN(20))
					for i := range queries {
						queries[i] = random(rng, value, d)
						if n > 0 && i%2 == 0 {
							copy(queries[i], vectors.Row(rng.IntN(n)))
						}
					}
					checkSearch(t, vectors, queries, 1+rng.IntN(n+3))
				}
			})
		}
	}
}

// Shapes of more than one span, in both directions.
func TestManySpans(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, shape := range [][2]int{{100_003, 1}, {9001, 13}, {77, 4096}, {5, 100_000}} {
		for _, kind := range []string{"normal", "few values"} {
			n, d := shape[0], shape[1]
			vectors := tensor.From(random(rng, kinds[kind], n*d), n, d)
			queries := [][]float32{random(rng, kinds[kind], d), slices.Clone(vectors.Row(n - 1))}
			for _, k := range []int{1, 7, n} {
				checkSearch(t, vectors, queries, k)
			}
		}
	}
}

func TestDuplicates(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	vectors := tensor.From(random(rng, kinds["normal"], 50*300), 50, 300)
	for _, row := range []int{49, 3, 17, 30} {
		copy(vectors.Row(row), vectors.Row(8))
	}
	x, err := New(vectors, Euclidean)
	if err != nil {
		t.Fatal(err)
	}
	found, err := x.Search(t.Context(), [][]float32{vectors.Row(8)}, 5)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Neighbor{{3, 0}, {8, 0}, {17, 0}, {30, 0}, {49, 0}}; !slices.Equal(found[0], want) {
		t.Errorf("%v, want %v", found[0], want)
	}
}

// neighbors.json is made by testdata/make_neighbors.py.
func TestScikitLearn(t *testing.T) {
	text, err := os.ReadFile("testdata/neighbors.json")
	if err != nil {
		t.Fatal(err)
	}
	var fixture struct {
		Vectors, Queries [][]float32
		Rows             [][]int
		Distances        [][]float64
	}
	if err := json.Unmarshal(text, &fixture); err != nil {
		t.Fatal(err)
	}
	x, err := New(tensor.From(slices.Concat(fixture.Vectors...), len(fixture.Vectors), len(fixture.Vectors[0])), Euclidean)
	if err != nil {
		t.Fatal(err)
	}
	found, err := x.Search(t.Context(), fixture.Queries, len(fixture.Rows[0]))
	if err != nil {
		t.Fatal(err)
	}
	for i, neighbors := range found {
		for j, n := range neighbors {
			row, distance := fixture.Rows[i][j], fixture.Distances[i][j]
			if n.Row != row || !(math.Abs(n.Distance-distance) <= 1e-14*distance) {
				t.Errorf("query %d, neighbour %d: %v, want row %d at %v", i, j, n, row, distance)
			}
		}
	}
}

// faiss.json is made by testdata/make_faiss.py. FAISS computes in float32.
func TestFAISS(t *testing.T) {
	text, err := os.ReadFile("testdata/faiss.json")
	if err != nil {
		t.Fatal(err)
	}
	var fixture struct {
		Vectors, Queries [][]float32
		Found            map[string]struct {
			Rows      [][]int
			Distances [][]float64
		}
	}
	if err := json.Unmarshal(text, &fixture); err != nil {
		t.Fatal(err)
	}
	vectors := tensor.From(slices.Concat(fixture.Vectors...), len(fixture.Vectors), len(fixture.Vectors[0]))
	for _, metric := range []Metric{Euclidean, Cosine, InnerProduct} {
		x, err := New(vectors, metric)
		if err != nil {
			t.Fatal(err)
		}
		want := fixture.Found[metric.String()]
		for _, x := range []*Index{x, x.Prefiltered()} {
			found, err := x.Search(t.Context(), fixture.Queries, len(want.Rows[0]))
			if err != nil {
				t.Fatal(err)
			}
			for i, neighbors := range found {
				for j, n := range neighbors {
					row, distance := want.Rows[i][j], want.Distances[i][j]
					if n.Row != row || !(math.Abs(n.Distance-distance) <= 1e-5*max(1, math.Abs(distance))) {
						t.Errorf("%v, query %d, neighbour %d: %v, want row %d at %v", metric, i, j, n, row, distance)
					}
				}
			}
		}
	}
}

// Cosine and InnerProduct find what their definitions give in float64.
func TestOtherMetrics(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	product := func(a, b []float32) (sum float64) {
		for i, v := range a {
			sum += float64(v) * float64(b[i])
		}
		return sum
	}
	for metric, distance := range map[Metric]func(a, b []float32) float64{
		Cosine: func(a, b []float32) float64 {
			return 1 - product(a, b)/math.Sqrt(product(a, a)*product(b, b))
		},
		InnerProduct: func(a, b []float32) float64 { return -product(a, b) },
	} {
		for range 200 {
			n, d := 1+rng.IntN(60), 2+rng.IntN(20)
			vectors := tensor.From(random(rng, kinds["normal"], n*d), n, d)
			q := random(rng, kinds["normal"], d)
			x, err := New(vectors, metric)
			if err != nil {
				t.Fatal(err)
			}
			found, err := x.Search(t.Context(), [][]float32{q}, n)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[int]bool{}
			for i, f := range found[0] {
				if want := distance(q, vectors.Row(f.Row)); !(math.Abs(f.Distance-want) <= 1e-14*float64(d)) {
					t.Fatalf("%v: row %d at %v, want %v", metric, f.Row, f.Distance, want)
				}
				if i > 0 && compare(found[0][i-1], f) >= 0 {
					t.Fatalf("%v: %v is before %v", metric, found[0][i-1], f)
				}
				seen[f.Row] = true
			}
			if len(seen) != n {
				t.Fatalf("%v: %d of %d rows found", metric, len(seen), n)
			}
		}
	}
}

// Cosine has its digits where vectors nearly coincide, and a place for vectors
// of zeros.
func TestCosine(t *testing.T) {
	vectors := tensor.From([]float32{3, 4, 6, 8, 3, 4.000001, -3, -4, 4, -3, 0, 0}, 6, 2)
	x, err := New(vectors, Cosine)
	if err != nil {
		t.Fatal(err)
	}
	found, err := x.Search(t.Context(), [][]float32{{3, 4}, {0, 0}}, 6)
	if err != nil {
		t.Fatal(err)
	}
	angle := math.Atan2(float64(float32(4.000001)), 3) - math.Atan2(4, 3)
	for i, want := range []Neighbor{{0, 0}, {1, 0}, {2, 2 * math.Pow(math.Sin(angle/2), 2)}, {4, 1}, {5, 1}, {3, 2}} {
		if got := found[0][i]; got.Row != want.Row && want.Distance != 1 || !(math.Abs(got.Distance-want.Distance) <= 1e-7*want.Distance) {
			t.Errorf("neighbour %d is %v, want %v", i, got, want)
		}
	}
	for i, got := range found[1] {
		if want := (Neighbor{i, 1}); got != want {
			t.Errorf("from zeros: neighbour %d is %v, want %v", i, got, want)
		}
	}
}

func TestEmptyIndex(t *testing.T) {
	x, err := New(tensor.New(0, 3), Euclidean)
	if err != nil {
		t.Fatal(err)
	}
	found, err := x.Search(t.Context(), [][]float32{{1, 2, 3}, {4, 5, 6}}, 4)
	if err != nil || len(found) != 2 || len(found[0])+len(found[1]) != 0 {
		t.Errorf("%v, %v; want two empty results", found, err)
	}
	if x.Len() != 0 || x.Dim() != 3 {
		t.Errorf("length %d, dimension %d", x.Len(), x.Dim())
	}
}

func TestErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	_, rank := New(tensor.New(4), Euclidean)
	_, flat := New(tensor.New(4, 0), Euclidean)
	_, metric := New(tensor.New(4, 1), Metric(99))
	_, badNaN := New(tensor.From([]float32{0, 0, 0, 0, nan, 0}, 3, 2), Euclidean)
	_, badInf := New(tensor.From([]float32{0, 0, 0, -inf, 0, 0}, 3, 2), Euclidean)
	_, name := ParseMetric("manhattan")
	x, err := New(tensor.New(3, 2), Euclidean)
	if err != nil {
		t.Fatal(err)
	}
	_, negative := x.Search(t.Context(), nil, -1)
	_, dimension := x.Search(t.Context(), [][]float32{{1, 2}, {1, 2, 3}}, 1)
	_, queryNaN := x.Search(t.Context(), [][]float32{{1, 2}, {1, nan}}, 1)
	for _, c := range []struct {
		err  error
		want string
	}{
		{rank, "shape [4]"}, {flat, "shape [4 0]"}, {metric, "Metric(99)"},
		{badNaN, "row 2 has NaN at place 0"}, {badInf, "row 1 has -Inf at place 1"},
		{name, `"manhattan"; there is euclidean, cosine, inner-product`},
		{negative, "-1 neighbours"},
		{dimension, "query 1 has 3 dimensions, the index has 2"}, {queryNaN, "query 1 has NaN at place 1"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", c.err, c.want)
		}
	}
}

func TestMetricNames(t *testing.T) {
	for i, name := range metricNames {
		if m, err := ParseMetric(name); err != nil || m != Metric(i) || m.String() != name {
			t.Errorf("%q: %v, %v", name, m, err)
		}
	}
}

// stopping is a context that ends when it has been asked a number of times.
type stopping struct {
	context.Context
	left chan struct{}
}

func (s stopping) Err() error {
	select {
	case <-s.left:
		return nil
	default:
		return context.Canceled
	}
}

func TestContextStops(t *testing.T) {
	x, err := New(tensor.New(100_000, 4), Euclidean)
	if err != nil {
		t.Fatal(err)
	}
	queries := slices.Repeat([][]float32{{1, 2, 3, 4}}, 20)
	for asked := range 40 { // there are more checks than this in the search
		ctx := stopping{t.Context(), make(chan struct{}, asked)}
		for range asked {
			ctx.left <- struct{}{}
		}
		if found, err := x.Search(ctx, queries, 3); !errors.Is(err, context.Canceled) || found != nil {
			t.Fatalf("ended after %d checks: %v, %v", asked, found, err)
		}
	}
}

// After the end of the context nothing more is computed, not even of what has been
// found: with a wide radius that would take longer than all before.
func TestContextStopsBeforeResults(t *testing.T) {
	x, err := New(tensor.New(20_000, 4), Euclidean)
	if err != nil {
		t.Fatal(err)
	}
	queries := slices.Repeat([][]float32{{1, 2, 3, 4}}, roundQueries)
	for _, x := range []*Index{x, x.Prefiltered()} {
		const asked = 9 // in the first groups
		ctx := stopping{t.Context(), make(chan struct{}, asked)}
		for range asked {
			ctx.left <- struct{}{}
		}
		found := make([][]Neighbor, len(queries))
		new(round).find(ctx, x, queries, wanted{most: math.MaxInt, radius: 3, after: -1}, found)
		for i, list := range found {
			if list != nil {
				t.Fatalf("query %d has a result", i)
			}
		}
	}
}
