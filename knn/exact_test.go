package knn

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"lookalike/internal/sweeptest"
	"lookalike/tensor"
)

// squaredDistance returns the sum of squared differences, added up in order in
// float64. The conversion of each product forbids a fused multiply-add, so that
// the sum is the same on every processor.
func squaredDistance(a, b []float32) float64 {
	b = b[:len(a)]
	var sum float64
	for i, v := range a {
		d := float64(v) - float64(b[i])
		sum += float64(d * d)
	}
	return sum
}

// cosineDistance returns 1 - cos of the angle between two vectors of those
// scales, as half the squared distance of the vectors brought to length 1.
func cosineDistance(a, b []float32, scaleA, scaleB float64) float64 {
	if scaleA == 0 || scaleB == 0 {
		return 1
	}
	b = b[:len(a)]
	var sum float64
	for i, v := range a {
		d := float64(float64(v)*scaleA) - float64(float64(b[i])*scaleB)
		sum += float64(d * d)
	}
	return sum / 2
}

// bruteForce is the definition for every metric: all distances in float64, sorted.
func bruteForce(metric Metric, vectors *tensor.Tensor, q []float32, keep func(int) bool) []Neighbor {
	list := []Neighbor{}
	scaleQ := scale(q)
	for row := range vectors.Dim(0) {
		v := vectors.Row(row)
		if keep != nil && !keep(row) {
			continue
		}
		n := Neighbor{row, 0}
		switch metric {
		case Euclidean:
			n.Distance = math.Sqrt(squaredDistance(q, v))
		case Cosine:
			n.Distance = cosineDistance(q, v, scaleQ, scale(v))
		case InnerProduct:
			n.Distance = -dot(q, v)
		}
		list = append(list, n)
	}
	slices.SortFunc(list, compare)
	return list
}

// data are vectors of one kind, of which some are equal, and queries, of which some
// are among them.
func data(rng *rand.Rand, value func(*rand.Rand) float32, n, d, queries int) (*tensor.Tensor, [][]float32) {
	vectors := tensor.From(random(rng, value, n*d), n, d)
	for range n / 8 {
		copy(vectors.Row(rng.IntN(n)), vectors.Row(rng.IntN(n)))
	}
	for range n / 50 {
		clear(vectors.Row(rng.IntN(n)))
	}
	list := make([][]float32, queries)
	for i := range list {
		list[i] = random(rng, value, d)
		if n > 0 && i%3 == 0 {
			copy(list[i], vectors.Row(rng.IntN(n)))
		}
	}
	return vectors, list
}

// checkIndex compares Search, Within and Pairs of x with brute force.
func checkIndex(t *testing.T, x *Index, vectors *tensor.Tensor, queries [][]float32, k int, keep func(int) bool) {
	t.Helper()
	got, err := x.Search(t.Context(), queries, k)
	if err != nil {
		t.Fatal(err)
	}
	radius := 0.0
	sorted := make([][]Neighbor, len(queries))
	for i, q := range queries {
		all := bruteForce(x.metric, vectors, q, keep)
		sorted[i] = all
		want := all[:min(k, len(all))]
		if !slices.Equal(got[i], want) {
			t.Fatalf("k %d, query %d of %d:\n got %v\nwant %v", k, i, len(queries), got[i], want)
		}
		if i == 0 && len(all) > 0 {
			radius = all[len(all)/3].Distance
		}
	}
	within, err := x.Within(t.Context(), queries, radius)
	if err != nil {
		t.Fatal(err)
	}
	for i, all := range sorted {
		want := slices.DeleteFunc(all, func(n Neighbor) bool { return n.Distance > radius })
		if !slices.Equal(within[i], want) {
			t.Fatalf("within %g, query %d:\n got %v\nwant %v", radius, i, within[i], want)
		}
	}
	var pairs, want []Pair
	for p, err := range x.Pairs(t.Context(), radius) {
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	for row := range vectors.Dim(0) {
		if keep != nil && !keep(row) {
			continue
		}
		for _, n := range bruteForce(x.metric, vectors, vectors.Row(row), keep) {
			if n.Row > row && n.Distance <= radius {
				want = append(want, Pair{row, n.Row, n.Distance})
			}
		}
	}
	if !slices.Equal(pairs, want) {
		t.Fatalf("pairs within %g:\n got %v\nwant %v", radius, pairs, want)
	}
}

var moreKinds = map[string]func(rng *rand.Rand) float32{
	"tiny":     func(rng *rand.Rand) float32 { return float32(rng.NormFloat64() * 1e-30) },
	"huge":     func(rng *rand.Rand) float32 { return float32(rng.NormFloat64() * 1e25) },
	"denormal": func(rng *rand.Rand) float32 { return float32(rng.IntN(9)-4) * 0x1p-149 },
	"offset":   func(rng *rand.Rand) float32 { return 100 + float32(rng.NormFloat64()) },
}

// Every metric, by one query and by many, with and without prefilter and filter,
// finds what brute force finds, to the bit.
func TestExact(t *testing.T) {
	const shapes = 3
	for _, set := range []map[string]func(*rand.Rand) float32{kinds, moreKinds} {
		for kind, value := range set {
			for _, metric := range []Metric{Euclidean, Cosine, InnerProduct} {
				t.Run(fmt.Sprint(kind, " ", metric), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(13, 14))
					for range shapes {
						n, d := rng.IntN(60), 1+rng.IntN(40)
						if rng.IntN(6) == 0 {
							n, d = 100+rng.IntN(500), 1+rng.IntN(9)
						}
						vectors, queries := data(rng, value, n, d, rng.IntN(2*scanQueries))
						x, err := New(vectors, metric)
						if err != nil {
							t.Fatal(err)
						}
						keep := func(row int) bool { return row%3 != 1 }
						for _, k := range []int{0, 1, 1 + rng.IntN(20), n + 2} {
							checkIndex(t, x, vectors, queries, k, nil)
							checkIndex(t, x.Prefiltered(), vectors, queries, k, nil)
							checkIndex(t, x.Where(keep), vectors, queries, k, keep)
							checkIndex(t, x.Where(keep).Prefiltered(), vectors, queries, k, keep)
						}
					}
				})
			}
		}
	}
}

// sieveAll makes the searches of a test sieve all tiles.
func sieveAll(t *testing.T) {
	alwaysSieve, firstMultiplied = true, 0
	t.Cleanup(func() { alwaysSieve, firstMultiplied = false, 1 })
}

func TestSieveExact(t *testing.T) {
	sieveAll(t)
	t.Run("small", TestExact)
	if !sweeptest.Quick() { // the same code as without it, but for the sieve, which is in the others too
		t.Run("large", TestExactLarge)
		t.Run("stages", TestStages)
	}
	t.Run("self-join", TestSelfJoin)
	t.Run("concurrent", TestConcurrentSearches)
}

// Large shapes: many tiles, many groups, several parts of each sum, and all but the last so
// much work that several goroutines share it.
func TestExactLarge(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, metric := range []Metric{Euclidean, Cosine, InnerProduct} {
		for _, shape := range [][3]int{{6000, 5, 300}, {1400, 1024, 9}, {700, 4096, 3}, {2000, 33, 1}} {
			for _, kind := range []string{"normal", "few values"} {
				vectors, queries := data(rng, kinds[kind], shape[0], shape[1], shape[2])
				var want [][]Neighbor
				for _, q := range queries {
					want = append(want, bruteForce(metric, vectors, q, nil)[:10])
				}
				x, err := New(vectors, metric)
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range []*Index{x, x.Prefiltered()} {
					for _, procs := range []int{1, 3} {
						runtime.GOMAXPROCS(procs)
						found, err := x.Search(t.Context(), queries, 10)
						if err != nil {
							t.Fatal(err)
						}
						for i := range queries {
							if !slices.Equal(found[i], want[i]) {
								t.Fatalf("%v %v %s, prefilter %t, %d processors, query %d:\n got %v\nwant %v", metric, shape, kind, x.codes != nil, procs, i, found[i], want[i])
							}
						}
					}
				}
			}
		}
	}
}

// Many queries of few values, so that several tiles are tested before what passed is
// computed, and the last ones are cut short; equal rows and distances, numbers of every
// size, and numbers of neighbours on either side of where the ways part.
func TestStages(t *testing.T) {
	for _, procs := range []int{1, 2, 5} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		for _, set := range []map[string]func(*rand.Rand) float32{kinds, moreKinds} {
			for kind, value := range set {
				rng := rand.New(rand.NewPCG(19, 20))
				for i, metric := range []Metric{Euclidean, Cosine, InnerProduct} {
					n, d, k := 900+rng.IntN(400), []int{1, 7, 32}[(i+rng.IntN(2))%3], []int{1, 10, 16, 17, 64, 65}[rng.IntN(6)]
					vectors, queries := data(rng, value, n, d, 50+rng.IntN(30))
					x, err := New(vectors, metric)
					if err != nil {
						t.Fatal(err)
					}
					var keep func(int) bool
					if rng.IntN(2) == 0 { // whole places are left out
						keep = func(row int) bool { return row%300 > 130 }
						x = x.Where(keep)
					}
					found, err := x.Search(t.Context(), queries, k)
					if err != nil {
						t.Fatal(err)
					}
					for j, q := range queries {
						all := bruteForce(metric, vectors, q, keep)
						if want := all[:min(k, len(all))]; !slices.Equal(found[j], want) {
							t.Fatalf("%s, %v, %d x %d, k %d, query %d:\n got %v\nwant %v", kind, metric, n, d, k, j, found[j], want)
						}
					}
				}
			}
		}
	}
}

// All vectors against themselves, of which many are equal.
func TestSelfJoin(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	for _, kind := range []string{"normal", "few values", "constant"} {
		vectors, _ := data(rng, kinds[kind], 1000, 6, 0)
		var queries [][]float32
		for row := range vectors.Dim(0) {
			queries = append(queries, vectors.Row(row))
		}
		x, err := New(vectors, Euclidean)
		if err != nil {
			t.Fatal(err)
		}
		checkIndex(t, x, vectors, queries, 10, nil)
	}
}

// A limit is not below as many upper bounds as are wanted, and for many it is the least such
// one.
func TestLeastBounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 24))
	for range 500 {
		most := 1 + rng.IntN(fewWanted)
		var l leastBounds
		var all []float32
		for range 30 {
			highs := make([]float32, rng.IntN(1+40*rng.IntN(3)+rng.IntN(3)))
			for i := range highs {
				highs[i] = float32(rng.IntN(1 + rng.IntN(200)))
			}
			limit := l.add(most, highs)
			all = append(all, highs...)
			slices.Sort(all)
			switch {
			case len(all) < most:
				if !math.IsInf(float64(limit), 1) {
					t.Fatalf("limit %g of %d bounds, want %d", limit, len(all), most)
				}
			case limit < all[most-1]:
				t.Fatalf("limit %g, but the bounds of %d are %v", limit, most, all[:most])
			case most > 16 && limit != all[most-1]:
				t.Fatalf("limit %g of %d, want %g", limit, most, all[most-1])
			}
		}
	}
}

func TestConcurrentSearches(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	vectors, queries := data(rng, kinds["normal"], 2000, 16, 24)
	plain, err := New(vectors, Euclidean)
	if err != nil {
		t.Fatal(err)
	}
	x := plain.Prefiltered()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for i := range queries {
				found, err := x.Search(context.Background(), queries[i:min(len(queries), i+12)], 5)
				if want := bruteForce(Euclidean, vectors, queries[i], nil)[:5]; err != nil || !slices.Equal(found[0], want) {
					t.Errorf("query %d: %v, %v; want %v", i, found, err, want)
				}
			}
		})
	}
	wait.Wait()
}

func FuzzExact(f *testing.F) {
	f.Add(uint64(1), uint8(20), uint8(3), uint8(4), uint8(0), false)
	f.Add(uint64(2), uint8(255), uint8(9), uint8(70), uint8(2), true)
	f.Fuzz(func(t *testing.T, seed uint64, n, d, k, choice uint8, prefilter bool) {
		rng := rand.New(rand.NewPCG(seed, 1))
		values := []func(*rand.Rand) float32{kinds["normal"], kinds["few values"], kinds["all sizes"], kinds["extremes"], moreKinds["tiny"]}
		vectors, queries := data(rng, values[int(choice)%len(values)], int(n), 1+int(d), 1+rng.IntN(2*scanQueries))
		x, err := New(vectors, Metric(choice%3))
		if err != nil {
			t.Fatal(err)
		}
		if prefilter {
			x = x.Prefiltered()
		}
		found, err := x.Search(t.Context(), queries, int(k))
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range queries {
			all := bruteForce(x.metric, vectors, q, nil)
			if want := all[:min(int(k), len(all))]; !slices.Equal(found[i], want) {
				t.Fatalf("query %d:\n got %v\nwant %v", i, found[i], want)
			}
		}
	})
}
