package measure

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"lookalike/autoencoder"
	"lookalike/internal/f32"
	"lookalike/internal/gemm"
	"lookalike/internal/hugepages"
	"lookalike/internal/parallel"
	"lookalike/internal/tile"
	"lookalike/knn"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
)

// Task is one kind of work. Run measures it and hands out each row as soon as it
// is known; batches are those of the tasks that have a choice. Memory tells about how
// many bytes that takes at once.
type Task struct {
	Name, About string
	Memory      func(batches []int) (int64, error)
	Run         func(ctx context.Context, batches []int, emit func(Row)) error
}

// Tasks are all there are.
var Tasks = []Task{
	{"limits", "what the processor can do: reading memory, multiplying in cache", takes(limitsBytes), func(ctx context.Context, _ []int, emit func(Row)) error {
		return limits(ctx, limitsBytes, emit)
	}},
	{"gemm", "matrix products: square ones, then VGG16's layers", takes(4 * most(Products, productValues)), func(ctx context.Context, _ []int, emit func(Row)) error {
		return products(ctx, Products, emit)
	}},
	{"vgg16", "VGG16, forward, with random weights", forwardMemory, func(ctx context.Context, batches []int, emit func(Row)) error {
		return forward(ctx, vgg.Config{}, 224, vggFLOP, batches, emit)
	}},
	{"autoencoder", "the autoencoder: training, then encoding, in batches of 32", func([]int) (int64, error) {
		return autoencodeMemory(autoencoder.Config{}, encoded)
	}, func(ctx context.Context, _ []int, emit func(Row)) error {
		return autoencode(ctx, autoencoder.Config{}, encoded, emit)
	}},
	{"small", "small networks, one prediction at a time", takes(0), func(ctx context.Context, _ []int, emit func(Row)) error {
		return small(ctx, 50*time.Millisecond, emit)
	}},
	{"knn", "exact search for the 10 nearest vectors", takes(4 * most(searches, func(s [3]int) int { return (s[0] + s[2]) * s[1] })), func(ctx context.Context, _ []int, emit func(Row)) error {
		return search(ctx, searches, emit)
	}},
}

const (
	limitsBytes = 1 << 30 // that are read
	encoded     = 96      // pictures of the autoencoder
	beside      = 24e6    // that each task takes besides what it counts
)

// takes returns a Task's Memory that does not depend on batches.
func takes(bytes int) func([]int) (int64, error) {
	return func([]int) (int64, error) { return int64(bytes) + beside, nil }
}

// most returns the greatest of what the shapes give.
func most(shapes [][3]int, of func([3]int) int) int {
	n := 0
	for _, s := range shapes {
		n = max(n, of(s))
	}
	return n
}

// limits measures how fast all threads together read memory of that many bytes,
// and how many operations they do when the micro-kernel finds all in its cache:
// what bounds the products of thin and of large matrices.
func limits(ctx context.Context, bytes int, emit func(Row)) error {
	x := random(bytes/4, rand.New(rand.NewPCG(1, 0)))
	threads := runtime.GOMAXPROCS(0)
	var fastest Times
	for _, read := range []func(){func() { readApart(x) }, func() { readRows(x, threads) }} {
		times, err := Time(ctx, 7, func() error { read(); return nil })
		if err != nil {
			return err
		}
		if fastest == nil || times.min() < fastest.min() {
			fastest = times
		}
	}
	r := newRow("read bandwidth").took(fastest)
	r.MinMS, r.MedianMS = fastest.per(1)
	r.GBPerS = fastest.rate(float64(4 * len(x)))
	emit(r.Finish())

	// A and B of this depth fit in a first-level cache of 48 KB, and nearly in one of 32.
	// They lie side by side: the first level of some processors takes values that are a
	// power of two apart for the same at first, and then costs a twentieth.
	const depth, flops = 192, 1e9
	k := tile.Gemm()
	a, b := x[:k.MR*depth], x[k.MR*depth:][:depth*k.NR]
	mr, nr, multiply := k.MR, k.NR, func(c []float32) { k.Mul(k.MR, k.NR, depth, a, depth, 1, b, nil, 0, c, k.NR) }
	if p := tile.MultiplyParts(); p != nil {
		mr, nr = tile.PartsGroup, tile.PartsGroup
		sa, sb := make([]uint16, tile.PartsSize(mr, depth)), make([]uint16, tile.PartsSize(nr, depth))
		p.SplitA(sa, mr, depth, x, depth, false)
		p.SplitB(sb, depth, nr, x, nr, false)
		multiply = func(c []float32) { p.Mul(mr, nr, depth, sa, sb, nil, 0, c, nr) }
	}
	calls := int(flops / (2 * float64(mr*nr*depth)))
	times, err := Time(ctx, 7, func() error {
		parallel.For(threads, func(int) {
			c := make([]float32, mr*nr)
			for range calls {
				multiply(c)
			}
		})
		return nil
	})
	if err != nil {
		return err
	}
	r = newRow("micro-kernel").took(times)
	r.MinMS, r.MedianMS = times.per(1)
	r.GFLOPS = times.rate(2 * float64(mr*nr*depth) * float64(calls*threads))
	emit(r.Finish())
	return nil
}

// readApart reads both halves of x at once, 256 KB of each at a time.
func readApart(x []float32) {
	const span = 1 << 16
	half := len(x) / 2
	sums := make([]float32, (half+span-1)/span)
	parallel.Spans(half, span, func(lo, hi int) { sums[lo/span] = f32.Dot(x[lo:hi], x[half+lo:half+hi]) })
}

// readRows reads x some rows of 16 KB at a time, asking for each some lines in
// advance. Which way is the faster depends on the processor.
func readRows(x []float32, threads int) {
	const row = 1 << 12
	one, rows := []float32{1}, len(x)/row
	parallel.For(threads, func(i int) {
		lo, hi := i*rows/threads, (i+1)*rows/threads
		f32.ReadVecMat(make([]float32, row), hi-lo, one, 0, x[lo*row:], row)
	})
}

// Products are the sizes m, n, k of shared/peers/gemm.py: two square ones, VGG16's
// convolutions as products, and its first dense layer for one picture and for 32.
var Products = [][3]int{
	{1024, 1024, 1024}, {2048, 2048, 2048}, {64, 50176, 576}, {128, 12544, 1152}, {256, 3136, 2304},
	{512, 784, 4608}, {512, 196, 4608}, {1, 4096, 25088}, {32, 4096, 25088},
}

// productValues counts the values of the matrices of a product.
func productValues(s [3]int) int { return s[0]*s[2] + s[2]*s[1] + s[0]*s[1] }

func products(ctx context.Context, shapes [][3]int, emit func(Row)) error {
	return ProductsOf(ctx, newRow("gemm"), shapes, ours, 7, emit)
}

func ours(m, n, k int, a, b, c []float32) (func() error, error) {
	return func() error { gemm.Mul(false, false, m, n, k, a, k, b, n, gemm.Epilogue{}, c, n); return nil }, nil
}

// Multiplier prepares the product C = A·B of row-major matrices. What it returns
// computes it, and may be called again and again.
type Multiplier func(m, n, k int, a, b, c []float32) (multiply func() error, err error)

// ProductsOf measures anybody's matrix products; r has what is known beforehand.
func ProductsOf(ctx context.Context, r Row, shapes [][3]int, prepare Multiplier, runs int, emit func(Row)) error {
	values := random(most(shapes, productValues), rand.New(rand.NewPCG(1, 0)))
	for _, s := range shapes {
		m, n, k := s[0], s[1], s[2]
		a, b, c := values[:m*k], values[m*k:][:k*n], values[m*k+k*n:][:m*n]
		multiply, err := prepare(m, n, k, a, b, c)
		if err != nil {
			return fmt.Errorf("product %dx%dx%d: %w", m, n, k, err)
		}
		times, err := Time(ctx, runs, multiply)
		if err != nil {
			return fmt.Errorf("product %dx%dx%d: %w", m, n, k, err)
		}
		r := r.took(times)
		r.M, r.N, r.K = m, n, k
		r.MinMS, r.MedianMS = times.per(1)
		r.GFLOPS = times.rate(2 * float64(m) * float64(n) * float64(k))
		emit(r.Finish())
	}
	return nil
}

// vggFLOP is how many operations VGG16 does for a picture, counted directly.
const vggFLOP = 30.94e9

func forward(ctx context.Context, c vgg.Config, side int, flop float64, batches []int, emit func(Row)) error {
	net, err := vgg.New16(c, rand.New(rand.NewPCG(1, 0)))
	if err != nil {
		return err
	}
	for _, batch := range batches {
		x := tensor.From(random(batch*side*side*3, rand.New(rand.NewPCG(2, 0))), batch, side, side, 3)
		runs := 6
		if batch >= 32 {
			runs = 3
		}
		times, err := Time(ctx, runs, func() error { net.Predict(x); return nil })
		if err != nil {
			return err
		}
		r := newRow("vgg16").took(times)
		r.Batch = batch
		r.MinMSPerImage, r.MedianMSPerImage = times.per(batch)
		r.GFLOPS = times.rate(flop * float64(batch))
		emit(r.Finish())
	}
	return nil
}

// forwardMemory tells what forward takes for VGG16: its dense layers have most weights.
func forwardMemory(batches []int) (int64, error) {
	net, err := vgg.New16(vgg.Config{NoTop: true}, nil)
	if err != nil {
		return 0, err
	}
	const dense = 138_357_544 - 14_714_688
	batch := slices.Max(batches)
	return net.PredictionMemory(batch) + 4*int64(dense+batch*224*224*3) + beside, nil
}

// autoencodeMemory tells what autoencode takes.
func autoencodeMemory(c autoencoder.Config, n int) (int64, error) {
	m, err := autoencoder.New(c, 1)
	if err != nil {
		return 0, err
	}
	training, err := c.TrainingMemory(nn.FitConfig{Batch: encodeBatch})
	values := int64(n * m.Config.Size * m.Config.Size * 3)
	return max(training, 4*values+m.Encoder.PredictionMemory(n)) + values + beside, err
}

const encodeBatch = 32

// autoencode trains and encodes n random pictures.
func autoencode(ctx context.Context, c autoencoder.Config, n int, emit func(Row)) error {
	const runs, batch = 3, encodeBatch
	m, err := autoencoder.New(c, 1)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(2, 0))
	pictures := make(autoencoder.Pictures, n)
	for i := range pictures {
		pictures[i] = picture.New(m.Config.Size, m.Config.Size)
		for j := range pictures[i].Pix {
			pictures[i].Pix[j] = uint8(rng.Uint32())
		}
	}
	// One call of Fit, as memory is kept from epoch to epoch; the first warms up.
	history, err := m.Fit(ctx, pictures, nn.FitConfig{Epochs: 1 + runs, Batch: batch, Optimizer: &optim.Adamax{}, NoShuffle: true})
	if err != nil {
		return err
	}
	var times Times
	for _, epoch := range history[1:] {
		times = append(times, epoch.Duration)
	}
	slices.Sort(times)
	r := newRow("autoencoder train").took(times)
	r.Batch = batch
	r.MinMSPerImage, r.MedianMSPerImage = times.per(n)
	emit(r.Finish())

	x := m.Input(pictures)
	times, err = Time(ctx, runs, func() error { m.Encoder.Predict(x); return nil })
	if err != nil {
		return err
	}
	r = newRow("autoencoder encode").took(times)
	r.Batch = batch
	r.MinMSPerImage, r.MedianMSPerImage = times.per(n)
	emit(r.Finish())
	return nil
}

// searches are numbers of vectors, of their values and of queries: those of
// shared/peers/knn.py that take seconds at most.
var searches = [][3]int{{9144, 4096, 1}, {200000, 512, 1}, {9144, 32, 9144}}

func search(ctx context.Context, shapes [][3]int, emit func(Row)) error {
	rng := rand.New(rand.NewPCG(1, 0))
	for _, s := range shapes {
		n, d, q := s[0], s[1], s[2]
		index, err := knn.New(tensor.From(random(n*d, rng), n, d), knn.Euclidean)
		if err != nil {
			return err
		}
		queries := make([][]float32, q)
		for i := range queries {
			queries[i] = random(d, rng)
		}
		r := newRow("knn")
		r.N, r.D, r.Metric = n, d, knn.Euclidean.String()
		if err := SearchOf(ctx, r, index, queries, 3, emit); err != nil {
			return err
		}
	}
	return nil
}

// Searcher finds the k nearest neighbours of each query, nearest first. Engines
// other than [Index] may implement it.
type Searcher interface {
	Search(ctx context.Context, queries [][]float32, k int) ([][]knn.Neighbor, error)
}

// SearchOf measures anybody's search for the 10 nearest vectors of each query; r has what
// is known beforehand.
func SearchOf(ctx context.Context, r Row, s Searcher, queries [][]float32, runs int, emit func(Row)) error {
	const neighbours = 10
	times, err := Time(ctx, runs, func() error {
		_, err := s.Search(ctx, queries, neighbours)
		return err
	})
	if err != nil {
		return err
	}
	r = r.took(times)
	r.Queries, r.K = len(queries), neighbours
	r.MinMSPerQuery, r.MedianMSPerQuery = times.per(len(queries))
	emit(r.Finish())
	return nil
}

// random returns n values from -1 to 1.
func random(n int, rng *rand.Rand) []float32 {
	x := hugepages.Floats(n)
	for i := range x {
		x[i] = 2*rng.Float32() - 1
	}
	return x
}
