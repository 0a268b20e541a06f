package retrieval

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/knn"
	"lookalike/tensor"
)

// quality.json is made by testdata/make_quality.py.
func TestNumPy(t *testing.T) {
	text, err := os.ReadFile("testdata/quality.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Vectors [][]float32
		Labels  []string
		Quality map[string]struct {
			All     []float64
			Classes [][]float64
		}
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 3 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		x := tensor.From(slices.Concat(c.Vectors...), len(c.Vectors), len(c.Vectors[0]))
		for _, metric := range []knn.Metric{knn.Euclidean, knn.Cosine, knn.InnerProduct} {
			want := c.Quality[metric.String()]
			what := fmt.Sprintf("%v %v", x, metric)
			told := 0
			r, err := Evaluate(t.Context(), x, c.Labels, metric, func(n int) { told = n })
			if err != nil || told != x.Dim(0) {
				t.Fatal(err, told)
			}
			same(t, what, r.Quality, want.All)
			if len(r.Classes) != len(want.Classes) || r.Pictures != x.Dim(0) || r.Metric != metric.String() {
				t.Fatalf("%s: %+v", what, r)
			}
			for i, class := range r.Classes {
				same(t, what+" "+class.Label, class.Quality, want.Classes[i])
				sum := 0.0
				for _, part := range r.Confusion[i] {
					sum += part
				}
				if right := r.Confusion[i][i]; !(math.Abs(right-class.PrecisionAt5) <= 1e-12) || !(math.Abs(sum-1) <= 1e-12) {
					t.Errorf("%s %s: confusion %v of precision %v", what, class.Label, r.Confusion[i], class.PrecisionAt5)
				}
			}
		}
	}
}

func same(t *testing.T, what string, got Quality, want []float64) {
	t.Helper()
	for i, v := range got.values() {
		if !(math.Abs(*v-want[i]) <= 1e-12) {
			t.Errorf("%s: number %d is %v, want %v", what, i, *v, want[i])
		}
	}
}

// The order is that of float64 brute force, also where float32 cannot tell it:
// vectors that nearly coincide, far from the origin, near zero, and duplicates.
func TestRankingIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for name, value := range map[string]func() float32{
		"normal":     func() float32 { return float32(rng.NormFloat64()) },
		"far":        func() float32 { return 100 + float32(rng.NormFloat64())*1e-4 },
		"few values": func() float32 { return float32(rng.IntN(2)) },
		"near zero":  func() float32 { return float32(rng.NormFloat64()) * 1e-21 },
		"large":      func() float32 { return float32(rng.NormFloat64()) * 1e12 },
	} {
		for _, d := range []int{1, 3, 200, 700} {
			n := 60
			x := tensor.New(n, d)
			for i := range x.Data() {
				x.Data()[i] = value()
			}
			for _, metric := range []knn.Metric{knn.Euclidean, knn.Cosine, knn.InnerProduct} {
				r, err := newRanker(x, sample(n, n), metric)
				if err != nil {
					t.Fatal(err)
				}
				for query := range n {
					want := make([]int, 0, n)
					for row := range n {
						if row != query {
							want = append(want, row)
						}
					}
					slices.SortStableFunc(want, func(a, b int) int { return cmp.Compare(r.exact(query, a), r.exact(query, b)) })
					if got := r.rank(query, r.products(query, query+1, 0, n), nil); !slices.Equal(got, want) {
						t.Fatalf("%s, %d dimensions, %v: query %d ranks %v, want %v", name, d, metric, query, got, want)
					}
				}
			}
		}
	}
}

// The same bits whatever GOMAXPROCS is.
func TestRepeatable(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	x, labels := tensor.New(300, 150), make([]string, 300)
	for i := range x.Data() {
		x.Data()[i] = float32(rng.NormFloat64())
	}
	for i := range labels {
		labels[i] = fmt.Sprint(i % 7)
	}
	var first *Report
	for _, procs := range []int{1, 2, 7} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		r, err := Evaluate(t.Context(), x, labels, knn.Cosine, nil)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = r
		}
		if !reflect.DeepEqual(r, first) {
			t.Errorf("%d processors: %+v, want %+v", procs, r, first)
		}
	}
}

func TestErrors(t *testing.T) {
	x := tensor.From([]float32{1, 2, 3, 4, 5, 6}, 3, 2)
	bad := tensor.From([]float32{1, 2, 3, float32(math.NaN()), 5, 6}, 3, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Evaluate(ctx, x, []string{"a", "a", "b"}, knn.Cosine, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for _, c := range []struct {
		x      *tensor.Tensor
		labels []string
		want   string
	}{
		{x, []string{"a", "a", "a"}, "3 pictures with 1 labels"},
		{tensor.New(0, 2), nil, "0 pictures with 0 labels"},
		{bad, []string{"a", "a", "b"}, "row 1 has NaN at place 1"},
		{tensor.From([]float32{1e30, 2, 3, 4, 5, 6}, 3, 2), []string{"a", "a", "b"}, "beyond float32"},
	} {
		if _, err := Evaluate(t.Context(), c.x, c.labels, knn.Euclidean, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	for _, d := range benchtest.Some([]int{100, 512, 25088}, 1) {
		b.Run(fmt.Sprintf("d=%d", d), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(3, 3))
			x, labels := tensor.New(3068, d), make([]string, 3068)
			for i := range labels {
				labels[i] = fmt.Sprint(i / 46)
				for j := range x.Row(i) { // directions that the classes share
					x.Row(i)[j] = max(0, float32(rng.NormFloat64()+2*math.Sin(float64(i/46*j))))
				}
			}
			for b.Loop() {
				if _, err := Evaluate(b.Context(), x, labels, knn.Cosine, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
