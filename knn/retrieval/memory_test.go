package retrieval

import (
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"slices"
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/knn"
	"lookalike/tensor"
)

// A memory limit cuts products into blocks, and changes no bit of them nor of what follows.
func TestProductsInBlocks(t *testing.T) {
	x, labels := classes(rand.New(rand.NewPCG(3, 4)), 700, 90, 4, 0.7)
	every := append(sample(350, 350), 1, 2, 2, 699)
	for _, metric := range []knn.Metric{knn.Euclidean, knn.Cosine, knn.InnerProduct} {
		of := func() (*ranker, *Threshold, *Report) {
			r, err := newRanker(x, every, metric)
			if err != nil {
				t.Fatal(err)
			}
			threshold, err := ByLabels(t.Context(), x, labels, metric, 0.5, nil)
			if err != nil {
				t.Fatal(err)
			}
			report, err := Evaluate(t.Context(), x, labels, metric, nil)
			if err != nil {
				t.Fatal(err)
			}
			return r, threshold, report
		}
		r, threshold, report := of()
		whole := slices.Clone(r.products(10, 266, 0, len(every)))
		for _, block := range [][2]int{{0, 32}, {32, 70}, {70, 354}} {
			part := r.products(10, 266, block[0], block[1])
			for i := range 256 {
				if n := block[1] - block[0]; !slices.Equal(part[i*n:][:n], whole[i*len(every):][block[0]:block[1]]) {
					t.Fatalf("%v: query %d, vectors %v: other products than in one block", metric, i, block)
				}
			}
		}
		before := debug.SetMemoryLimit(4 << 20)
		_, limited, again := of()
		debug.SetMemoryLimit(before)
		if !reflect.DeepEqual(limited, threshold) || !reflect.DeepEqual(again, report) {
			t.Errorf("%v: with little memory %+v, else %+v", metric, limited, threshold)
		}
	}
}

// Vectors are not copied, nor are those of a sample.
func TestRankerKeepsNoCopy(t *testing.T) {
	benchtest.SkipRacing(t)
	x := tensor.New(2000, 1000)
	for i := range x.Data() {
		x.Data()[i] = float32(i % 7)
	}
	for _, rows := range [][]int{sample(2000, 2000), sample(2000, 1000)} {
		took := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := newRanker(x, rows, knn.Cosine); err != nil {
					b.Fatal(err)
				}
			}
		}).AllocedBytesPerOp()
		if took > 1<<20 {
			t.Errorf("%d bytes for %d of 2000 vectors of 4000 bytes", took, len(rows))
		}
	}
}
