package measure

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"lookalike/autoencoder"
	"lookalike/vgg"
)

// TestKeysJoinPeers: rows as the scripts in shared/peers print them have the keys
// of ours.
func TestKeysJoinPeers(t *testing.T) {
	for _, c := range []struct{ line, key string }{
		{`{"task": "gemm", "engine": "openblas", "threads": 2, "m": 64, "n": 50176, "k": 576, "min_ms": 8.1, "gflops": 456.0, "cpu": "x", "maxrss_mb": 700}`,
			"gemm 64x50176x576 threads 2"},
		{`{"task": "vgg16", "engine": "mnn", "threads": 2, "batch": 8, "min_ms_per_image": 73.5, "median_ms_per_image": 76.8, "gflops": 420.8, "cpu": "x"}`,
			"vgg16 batch 8 threads 2"},
		{`{"task": "knn", "engine": "faiss flat", "metric": "euclidean", "threads": 1, "n": 9144, "d": 32, "queries": 9144, "k": 10, "min_ms_per_query": 0.1}`,
			"knn euclidean 9144x32, 9144 queries threads 1"},
		{`{"task": "knn", "engine": "faiss flat", "metric": "inner product", "threads": 1, "n": 9144, "d": 4096, "queries": 1, "k": 10, "min_ms_per_query": 0.1}`,
			"knn inner product 9144x4096, 1 query threads 1"},
	} {
		var r Row
		if err := json.Unmarshal([]byte(c.line), &r); err != nil {
			t.Fatal(err)
		}
		if got := r.Key(); got != c.key {
			t.Errorf("key %q, want %q", got, c.key)
		}
		if !(r.BestMS() > 0) {
			t.Errorf("%s: no time", c.key)
		}
	}
}

func TestTime(t *testing.T) {
	calls := 0
	times, err := Time(t.Context(), 3, func() error {
		calls++
		time.Sleep(time.Duration(5-calls) * time.Millisecond) // 4 to warm up, then 3, 2, 1
		return nil
	})
	if err != nil || calls != 4 || len(times) != 3 {
		t.Fatalf("%d calls, %d times, %v; want 4, 3", calls, len(times), err)
	}
	if times.min() < time.Millisecond || times[0] > times[1] || times[1] > times[2] {
		t.Errorf("times %v are not of the last three calls, in order", times)
	}
	wrong := errors.New("wrong")
	if _, err := Time(t.Context(), 3, func() error { return wrong }); err != wrong {
		t.Errorf("error %v, want %v", err, wrong)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls = 0
	_, err = Time(ctx, 3, func() error { calls++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("%d calls, error %v, want 1 and that the context ended", calls, err)
	}
}

func TestTimes(t *testing.T) {
	times := Times{20 * time.Millisecond, 25 * time.Millisecond, 40 * time.Millisecond}
	best, median := times.per(10)
	if best != 2 || median != 2.5 {
		t.Errorf("%v and %v ms, want 2 and 2.5", best, median)
	}
	if got := times.spread(); got != 0.8 {
		t.Errorf("spread %v, want 0.8", got)
	}
	if got := times.rate(3e9); got != 150 {
		t.Errorf("rate %v, want 150", got)
	}
}

// TestTasks runs every task at a small size.
func TestTasks(t *testing.T) {
	var rows []Row
	emit := func(r Row) { rows = append(rows, r) }
	ctx := t.Context()
	for _, err := range []error{
		limits(ctx, 1<<20, emit),
		products(ctx, [][3]int{{30, 50, 70}, {1, 40, 20}}, emit),
		forward(ctx, vgg.Config{NoTop: true, Input: [2]int{32, 32}}, 32, 1e9, []int{1, 2}, emit),
		autoencode(ctx, autoencoder.Config{Size: 16, Code: 2, Widths: []int{4}}, 3, emit),
		search(ctx, [][3]int{{50, 8, 1}, {20, 4, 20}}, emit),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var keys []string
	for _, r := range rows {
		if !(r.BestMS() > 0) || !(r.MidMS() >= r.BestMS()) || r.Runs < 3 || !(r.Spread >= 0) {
			t.Errorf("%s: best %v, median %v of %d runs, spread %v", r.Key(), r.BestMS(), r.MidMS(), r.Runs, r.Spread)
		}
		if r.CPU == "" || r.Kernels == "" || r.Engine != "lookalike" || r.Threads < 1 {
			t.Errorf("%s does not say what it ran on: %+v", r.Key(), r)
		}
		r.Threads = 0
		keys = append(keys, r.Key())
	}
	want := []string{
		"read bandwidth threads 0", "micro-kernel threads 0", "gemm 30x50x70 threads 0", "gemm 1x40x20 threads 0",
		"vgg16 batch 1 threads 0", "vgg16 batch 2 threads 0", "autoencoder train batch 32 threads 0", "autoencoder encode batch 32 threads 0",
		"knn euclidean 50x8, 1 query threads 0", "knn euclidean 20x4, 20 queries threads 0",
	}
	if !reflect.DeepEqual(keys, want) {
		t.Errorf("rows %q, want %q", keys, want)
	}
}

// TestProductsOf: what is timed computes the product of the size that is named.
func TestProductsOf(t *testing.T) {
	for _, shape := range [][3]int{{4, 3, 2}, {7, 5, 6}} {
		var a, b, c []float32
		err := ProductsOf(t.Context(), newRow("gemm"), [][3]int{{9, 9, 9}, shape}, func(m, n, k int, x, y, z []float32) (func() error, error) {
			a, b, c = x, y, z
			return ours(m, n, k, x, y, z)
		}, 1, func(Row) {})
		if err != nil {
			t.Fatal(err)
		}
		m, n, k := shape[0], shape[1], shape[2]
		if len(a) != m*k || len(b) != k*n || len(c) != m*n {
			t.Fatalf("%v: %d, %d and %d values", shape, len(a), len(b), len(c))
		}
		for i := range m {
			for j := range n {
				want := 0.0
				for p := range k {
					want += float64(a[i*k+p]) * float64(b[p*n+j])
				}
				if got := float64(c[i*n+j]); !(math.Abs(got-want) <= float64(k)*1e-6) {
					t.Errorf("%v: element (%d, %d) is %v, want %v", shape, i, j, got, want)
				}
			}
		}
	}
}
