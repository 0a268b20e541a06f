package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"

	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
)

// TestPredictAtOnce: many goroutines predict with two networks, and get what
// one alone gets.
func TestPredictAtOnce(t *testing.T) {
	type job struct {
		net  *nn.Sequential
		x    *tensor.Tensor
		want []uint32
	}
	var jobs []job
	for _, n := range []int{1, 5, 32, 33, 70} {
		for seed := range uint64(2) {
			pictures, vectors := small(t, seed), linear(t)
			x, v := normal(rand.New(rand.NewPCG(seed, 1)), n, 16, 16, 3), normal(rand.New(rand.NewPCG(seed, 2)), n, 3)
			jobs = append(jobs, job{pictures, x, floatBits(pictures.Predict(x))}, job{vectors, v, floatBits(vectors.Predict(v))})
		}
	}
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			for i := range jobs {
				j := jobs[(i+g*3)%len(jobs)]
				if got := j.net.Predict(j.x); !slices.Equal(floatBits(got), j.want) {
					t.Errorf("goroutine %d: prediction of %v differs", g, j.x)
				}
			}
		})
	}
	wait.Wait()
}

// TestTrainAtOnce: networks that are trained at the same time share nothing.
func TestTrainAtOnce(t *testing.T) {
	train := func(seed uint64) []uint32 {
		net := small(t, seed)
		fit(t, net, pictures(12), nn.FitConfig{Epochs: 2, Batch: 5, Seed: seed, ValidationSplit: 0.2})
		return weightBits(net)
	}
	var alone [3][]uint32
	for i := range alone {
		alone[i] = train(uint64(i))
	}
	var wait sync.WaitGroup
	for i := range alone {
		wait.Go(func() {
			if !slices.Equal(train(uint64(i)), alone[i]) {
				t.Errorf("network %d: weights differ", i)
			}
		})
	}
	wait.Wait()
}

// TestPredict: parts of a network, no samples, more than one batch, and no
// layers at all.
func TestPredict(t *testing.T) {
	net, x := small(t, 1), pictures(37).X
	encoder, decoder := net.Layers[0].(*nn.Sequential), net.Layers[1].(*nn.Sequential)
	all := net.Predict(x)
	if got := decoder.Predict(encoder.Predict(x)); !slices.Equal(floatBits(got), floatBits(all)) {
		t.Error("encoder and decoder apart differ from the network")
	}
	kept := x.Clone()
	for _, i := range []int{0, 31, 32, 36} {
		one := net.Predict(tensor.From(x.Row(i), 1, 16, 16, 3))
		near(t, fmt.Sprintf("sample %d alone", i), one, tensor.From(all.Row(i), one.Shape()...), 128)
	}
	if !slices.Equal(floatBits(x), floatBits(kept)) {
		t.Error("Predict changed its input")
	}
	if got := net.Predict(tensor.New(0, 16, 16, 3)); fmt.Sprint(got.Shape()) != "[0 16 16 3]" {
		t.Errorf("of no samples: shape %v", got.Shape())
	}
	nothing := nn.NewSequential("nothing", &nn.Dropout{Rate: 0.5})
	if err := nothing.Init(1, 16, 16, 3); err != nil {
		t.Fatal(err)
	}
	same := nothing.Predict(x)
	if same.Data()[0]++; x.Data()[0] == same.Data()[0] {
		t.Error("Predict gives its input back, not a copy")
	}
}

// TestBuffersAreNotSharedTooSoon: layers whose outputs have one size get each
// other's buffers, but none that is still read.
func TestBuffersAreNotSharedTooSoon(t *testing.T) {
	net := nn.NewSequential("",
		&nn.Activate{Activation: nn.Tanh}, &nn.Flatten{}, &nn.Dense{Units: 32}, &nn.Dropout{Rate: 0.5}, &nn.BatchNorm{},
		nn.NewSequential("", &nn.Reshape{Target: []int{4, 4, 2}}, &nn.Conv2D{Filters: 2, Kernel: 3, Padding: nn.Same}, &nn.Flatten{}),
		&nn.Dense{Units: 32}, &nn.Dense{Units: 32})
	if err := net.Init(1, 4, 4, 2); err != nil {
		t.Fatal(err)
	}
	x := normal(rand.New(rand.NewPCG(6, 6)), 3, 4, 4, 2)
	want := x
	for _, layer := range net.Layers {
		want = nn.Infer(layer, want)
	}
	for range 3 { // the last runs have the first's buffers
		if got := net.Predict(x); !slices.Equal(floatBits(got), floatBits(want)) {
			t.Error("the network differs from its layers, one by one")
		}
	}
}

// raceEnabled tells whether the race detector runs, which makes pools forget.
func raceEnabled() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// TestAllocations: what a prediction and a training step allocate does not grow
// with the picture, but for the outputs that Predict returns. Max-pooling is
// tested alone and as a part of the convolution in front of it.
func TestAllocations(t *testing.T) {
	if raceEnabled() {
		t.Skip("the race detector empties pools")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would empty the pools
	// perRun returns the allocations and bytes of one of n runs.
	perRun := func(n int, f func()) (count, size float64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			f()
		}
		runtime.ReadMemStats(&after)
		return float64(after.Mallocs-before.Mallocs) / float64(n), float64(after.TotalAlloc-before.TotalAlloc) / float64(n)
	}
	type cost struct{ count, size float64 }
	var predict, step []cost
	const batch, filters = 8, 4
	sides := []int{16, 64}
	for _, side := range sides {
		net := nn.NewSequential("", &nn.Conv2D{Filters: filters, Kernel: 3, Padding: nn.Same, Activation: nn.ELU}, &nn.MaxPool2D{},
			&nn.Dropout{Rate: 0.1}, &nn.MaxPool2D{Size: 3, Stride: 1, Padding: nn.Same}, &nn.Conv2DTranspose{Filters: 3, Kernel: 3, Stride: 2, Padding: nn.Same})
		if err := net.Init(1, side, side, 3); err != nil {
			t.Fatal(err)
		}
		x := normal(rand.New(rand.NewPCG(1, 1)), batch, side, side, 3)
		net.Predict(x) // fills the pools
		count, size := perRun(20, func() { net.Predict(x) })
		predict = append(predict, cost{count, size - float64(4*x.Len())})

		// What two trainings differ in is their steps.
		many := normal(rand.New(rand.NewPCG(1, 1)), 12*batch, side, side, 3)
		train := func(steps int) (count, size float64) {
			data := rows(nn.InMemory{X: many, Y: many}, 0, steps*batch)
			o := &optim.Adamax{}
			return perRun(1, func() { fit(t, net, data, nn.FitConfig{Batch: batch, Optimizer: o}) })
		}
		train(2)
		count2, size2 := train(2)
		o := &optim.Adamax{}
		fit(t, net, rows(nn.InMemory{X: many, Y: many}, 0, 1), nn.FitConfig{Batch: batch, Optimizer: o})
		_, smaller := perRun(1, func() {
			fit(t, net, rows(nn.InMemory{X: many, Y: many}, 0, 2*batch-3), nn.FitConfig{Batch: batch, Optimizer: o})
		})
		if smaller > size2 {
			t.Errorf("a smaller last batch takes %.0f bytes, a whole one %.0f", smaller, size2)
		}
		count12, size12 := train(12)
		step = append(step, cost{(count12 - count2) / 10, (size12 - size2) / 10})
	}
	t.Logf("Predict of %d: %.0f allocations, %.0f bytes besides the outputs at side %d; %.0f, %.0f at side %d",
		batch, predict[0].count, predict[0].size, sides[0], predict[1].count, predict[1].size, sides[1])
	t.Logf("step of %d: %.0f allocations, %.0f bytes at side %d; %.0f, %.0f at side %d",
		batch, step[0].count, step[0].size, sides[0], step[1].count, step[1].size, sides[1])
	for what, c := range map[string][]cost{"Predict": predict, "step": step} {
		for i, c := range c {
			const count, size = 200, 16 << 10
			if !(c.count <= count && math.Abs(c.size) <= size) {
				t.Errorf("%s at side %d: %.0f allocations of %.0f bytes, at most %d of %d", what, sides[i], c.count, c.size, count, size)
			}
		}
		const growth = 1 << 10 // a picture of the larger side has 45 KiB more
		if !(math.Abs(c[1].size-c[0].size) <= growth) {
			t.Errorf("%s: %.0f bytes at side %d, %.0f at side %d", what, c[0].size, sides[0], c[1].size, sides[1])
		}
	}
}

// TestPredictSeesNewWeights: a network that has predicted takes weights that are
// loaded or learned afterwards.
func TestPredictSeesNewWeights(t *testing.T) {
	build := func(seed uint64) *nn.Sequential {
		net := nn.NewSequential("", &nn.Conv2D{Filters: 40, Kernel: 3, Padding: nn.Same}, &nn.Flatten{})
		if err := net.Init(seed, 6, 6, 20); err != nil {
			t.Fatal(err)
		}
		return net
	}
	x := tensor.New(1, 6, 6, 20)
	for i := range x.Data() {
		x.Data()[i] = float32(i % 7)
	}
	a, b := build(1), build(2)
	before := a.Predict(x)
	for i, p := range a.Params() {
		copy(p.Value.Data(), b.Params()[i].Value.Data())
	}
	if got, want := a.Predict(x).Data(), b.Predict(x).Data(); !slices.Equal(got, want) || slices.Equal(got, before.Data()) {
		t.Error("after loading, the network predicts with other weights than it has")
	}
	changed := a.Params()[0].Value.Clone()
	changed.Data()[77] += 100
	a.Params()[0].Value = changed
	if slices.Equal(a.Predict(x).Data(), b.Predict(x).Data()) {
		t.Error("a kernel set to another tensor was not noticed")
	}
}

// TestSlice: a part of a network shares its layers and gives their outputs, one
// part behind the other what the whole gives.
func TestSlice(t *testing.T) {
	net := nn.NewSequential("net", &nn.Conv2D{Filters: 17, Kernel: 3, Padding: nn.Same, Activation: nn.ReLU}, &nn.MaxPool2D{}, &nn.Flatten{}, &nn.Dense{Units: 3})
	if err := net.Init(1, 6, 8, 16); err != nil {
		t.Fatal(err)
	}
	x := tensor.New(2, 6, 8, 16)
	for i := range x.Data() {
		x.Data()[i] = float32(i%13) - 6
	}
	want := net.Predict(x)
	for cut, shape := range [][]int{{6, 8, 16}, {6, 8, 17}, {3, 4, 17}, {204}, {3}} {
		first, rest := net.Slice(0, cut), net.Slice(cut, 4)
		if got := first.OutputShape(); !slices.Equal(got, shape) {
			t.Errorf("%d layers give %v, want %v", cut, got, shape)
		}
		if got := rest.Predict(first.Predict(x)); !slices.Equal(got.Data(), want.Data()) {
			t.Errorf("cut behind layer %d the network gives another output", cut)
		}
		if n := len(first.Params()) + len(rest.Params()); n != 4 {
			t.Errorf("cut behind layer %d: %d parameters", cut, n)
		}
	}
	if got, want := net.Slice(1, 4).Params()[0], net.Params()[2]; got != want || got.Name != "dense/kernel" {
		t.Errorf("a part has a parameter %q of its own", got.Name)
	}
}

// A kernel that is given is used where it is, and none is drawn for it.
func TestGiven(t *testing.T) {
	drawn := func(conv, dense *tensor.Tensor) *nn.Sequential {
		net := nn.NewSequential("", &nn.Conv2D{Filters: 2, Kernel: 3, Given: conv}, &nn.Flatten{}, &nn.Dense{Units: 4, Given: dense})
		if err := net.Init(1, 5, 5, 3); err != nil {
			t.Fatal(err)
		}
		return net
	}
	want := drawn(nil, nil)
	p := want.Params()
	got := drawn(p[0].Value, p[2].Value)
	for i, g := range got.Params() {
		if shared := &g.Value.Data()[0] == &p[i].Value.Data()[0]; shared != (i%2 == 0) || g.Name != p[i].Name {
			t.Errorf("%s for %s, in the same memory: %t", g.Name, p[i].Name, shared)
		}
	}
	x := tensor.New(2, 5, 5, 3)
	for i := range x.Data() {
		x.Data()[i] = float32(i%7) - 3
	}
	if y := got.Predict(x); !slices.Equal(y.Data(), want.Predict(x).Data()) {
		t.Error("the same kernels, given and drawn, predict different values")
	}
}

// A dense layer that activates as it stores predicts the bits of one without an
// activation and a layer that activates, one sample and many.
func TestDenseActivates(t *testing.T) {
	for _, a := range []nn.Activation{nn.Linear, nn.ReLU, nn.LeakyReLU, nn.ELU.WithAlpha(0.7), nn.Sigmoid, nn.Tanh, nn.Softmax} {
		fused, apart := nn.NewSequential("", &nn.Dense{Units: 2000, Activation: a}), nn.NewSequential("", &nn.Dense{Units: 2000}, &nn.Activate{Activation: a})
		for _, net := range []*nn.Sequential{fused, apart} {
			if err := net.Init(1, 70); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range []int{1, 3, 40} {
			x := normal(rand.New(rand.NewPCG(2, 0)), n, 70)
			if y := fused.Predict(x); !slices.Equal(y.Data(), apart.Predict(x).Data()) {
				t.Errorf("%v of %d samples: other bits than in a layer of its own", a, n)
			}
		}
	}
}
