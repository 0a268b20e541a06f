package nn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
)

// small returns a network with every layer whose training could depend on
// order: it takes pictures of 16x16 and gives them back.
func small(t testing.TB, seed uint64) *nn.Sequential {
	t.Helper()
	net := nn.NewSequential("small",
		nn.NewSequential("encoder",
			&nn.Conv2D{Filters: 6, Kernel: 3, Padding: nn.Same, Activation: nn.ELU},
			&nn.BatchNorm{},
			&nn.MaxPool2D{},
			&nn.Dropout{Rate: 0.2},
			&nn.Conv2D{Filters: 8, Kernel: 3, Stride: 2, Padding: nn.Same, Activation: nn.LeakyReLU},
			&nn.Flatten{},
			&nn.Dense{Units: 5}),
		nn.NewSequential("decoder",
			&nn.Dense{Units: 4 * 4 * 8},
			&nn.Reshape{Target: []int{4, 4, 8}},
			&nn.Conv2DTranspose{Filters: 6, Kernel: 3, Stride: 2, Padding: nn.Same, Activation: nn.ELU},
			&nn.Conv2DTranspose{Filters: 3, Kernel: 3, Stride: 2, Padding: nn.Same}))
	if err := net.Init(seed, 16, 16, 3); err != nil {
		t.Fatal(err)
	}
	return net
}

// linear returns a network of one layer from 3 values to 2.
func linear(t testing.TB) *nn.Sequential {
	t.Helper()
	net := nn.NewSequential("linear", &nn.Dense{Units: 2})
	if err := net.Init(1, 3); err != nil {
		t.Fatal(err)
	}
	return net
}

// pictures returns n random pictures that are their own targets.
func pictures(n int) nn.InMemory {
	x := normal(rand.New(rand.NewPCG(1, uint64(n))), n, 16, 16, 3)
	return nn.InMemory{X: x, Y: x}
}

// vectors returns n random samples for linear.
func vectors(n int) nn.InMemory {
	rng := rand.New(rand.NewPCG(2, uint64(n)))
	return nn.InMemory{X: normal(rng, n, 3), Y: normal(rng, n, 2)}
}

// rows returns the samples [lo, hi).
func rows(d nn.InMemory, lo, hi int) nn.InMemory {
	cut := func(t *tensor.Tensor) *tensor.Tensor {
		n := t.Len() / t.Dim(0)
		return tensor.From(t.Data()[lo*n:hi*n], append([]int{hi - lo}, t.Shape()[1:]...)...)
	}
	part := nn.InMemory{X: cut(d.X)}
	if part.Y = part.X; d.Y != d.X {
		part.Y = cut(d.Y)
	}
	return part
}

// fit trains and fails the test on an error. The optimizer is Adamax unless
// there is one.
func fit(t testing.TB, net *nn.Sequential, data nn.Dataset, cfg nn.FitConfig) nn.History {
	t.Helper()
	if cfg.Optimizer == nil {
		cfg.Optimizer = &optim.Adamax{}
	}
	history, err := net.Fit(t.Context(), data, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return history
}

// weightBits returns the bits of all parameters, moving averages included.
func weightBits(net *nn.Sequential) []uint32 {
	var all []uint32
	for _, p := range net.Params() {
		all = append(all, floatBits(p.Value)...)
	}
	return all
}

func floatBits(t *tensor.Tensor) []uint32 {
	bits := make([]uint32, t.Len())
	for i, v := range t.Data() {
		bits[i] = math.Float32bits(v)
	}
	return bits
}

// distance is the greatest difference of two tensors as a share of the greatest
// value of want.
func distance(got, want *tensor.Tensor) float64 {
	var off, size float64
	for i, w := range want.Data() {
		d := math.Abs(float64(got.Data()[i]) - float64(w))
		if d != d {
			return d
		}
		off, size = max(off, d), max(size, math.Abs(float64(w)))
	}
	return off / size
}

// firstGradients is an optimizer that keeps the gradients of the first batch.
type firstGradients struct {
	nn.Optimizer
	kept map[string]*tensor.Tensor
}

func (o *firstGradients) Step(params []*nn.Param) {
	if o.kept == nil {
		o.kept = map[string]*tensor.Tensor{}
		for _, p := range params {
			o.kept[p.Name] = p.Grad.Clone()
		}
	}
	o.Optimizer.Step(params)
}

// TestTrainingEqualsKeras goes through three epochs of the autoencoder, from
// the weights that Keras began with, beside Keras.
func TestTrainingEqualsKeras(t *testing.T) {
	f := fixture(t, "autoencoder32.safetensors")
	var config struct {
		Size, Code, Batch, Epochs int
		Widths                    []int
	}
	var names []string
	for key, v := range map[string]any{"config": &config, "weights": &names} {
		if err := json.Unmarshal([]byte(f.Metadata()[key]), v); err != nil {
			t.Fatal(err)
		}
	}
	encoder, decoder := nn.NewSequential("encoder"), nn.NewSequential("decoder")
	for _, filters := range config.Widths {
		encoder.Layers = append(encoder.Layers,
			&nn.Conv2D{Filters: filters, Kernel: 3, Padding: nn.Same, Activation: nn.ELU}, &nn.MaxPool2D{})
	}
	encoder.Layers = append(encoder.Layers, &nn.Flatten{}, &nn.Dense{Units: config.Code})
	last := len(config.Widths) - 1
	side, top := config.Size>>len(config.Widths), config.Widths[last]
	decoder.Layers = append(decoder.Layers, &nn.Dense{Units: side * side * top}, &nn.Reshape{Target: []int{side, side, top}})
	for i := last - 1; i >= 0; i-- {
		decoder.Layers = append(decoder.Layers,
			&nn.Conv2DTranspose{Filters: config.Widths[i], Kernel: 3, Stride: 2, Padding: nn.Same, Activation: nn.ELU})
	}
	decoder.Layers = append(decoder.Layers, &nn.Conv2DTranspose{Filters: 3, Kernel: 3, Stride: 2, Padding: nn.Same})
	net := nn.NewSequential("autoencoder", encoder, decoder)
	if err := net.Init(1, config.Size, config.Size, 3); err != nil {
		t.Fatal(err)
	}
	var ours []string
	for _, p := range net.Params() {
		ours = append(ours, p.Name)
		copy(p.Value.Data(), get(t, f, "initial/"+p.Name).Data())
	}
	if !slices.Equal(ours, names) {
		t.Fatalf("weights %v, Keras %v", ours, names)
	}
	check := func(what string, got *tensor.Tensor, name string, allowed float64) float64 {
		d := distance(got, get(t, f, name))
		if !(d <= allowed) {
			t.Errorf("%s: %.3g of the greatest off, allowed %.3g", what, d, allowed)
		}
		return d
	}

	images := get(t, f, "images")
	before := check("codes before", encoder.Predict(images), "codes_before", 1e-4)
	optimizer := &firstGradients{Optimizer: &optim.Adamax{}}
	losses := get(t, f, "losses").Data()
	var loss float64 // the greatest difference, as a share
	fit(t, net, nn.InMemory{X: images, Y: images}, nn.FitConfig{
		Epochs: config.Epochs, Batch: config.Batch, NoShuffle: true, Optimizer: optimizer,
		Callbacks: []nn.Callback{nn.OnBatch(func(b nn.BatchStats) error {
			want := float64(losses[(b.Epoch-1)*b.Batches+b.Batch-1])
			d := math.Abs(b.Loss-want) / want
			if !(d <= 1e-4) {
				t.Errorf("epoch %d batch %d: loss %v, Keras %v", b.Epoch, b.Batch, b.Loss, want)
			}
			loss = max(loss, d)
			return nil
		})},
	})
	var gradient, final float64
	for _, p := range net.Params() {
		gradient = max(gradient, check("gradient of "+p.Name, optimizer.kept[p.Name], "gradient/"+p.Name, 2e-5))
		final = max(final, check("final "+p.Name, p.Value, "final/"+p.Name, 1e-4))
	}
	after := check("codes after", encoder.Predict(images), "codes_after", 1e-4)
	pictures := check("reconstructions", net.Predict(images), "reconstructions_after", 1e-4)
	t.Logf("greatest relative differences: losses %.2g, first gradients %.2g, final weights %.2g, codes %.2g before and %.2g after, reconstructions %.2g",
		loss, gradient, final, before, after, pictures)
}

// TestTrainingIsTheSameOnAnyProcs, with dropout, batch norm and shuffling.
func TestTrainingIsTheSameOnAnyProcs(t *testing.T) {
	train := func(seed uint64) ([]uint32, nn.History) {
		net := small(t, 1)
		history := fit(t, net, pictures(24), nn.FitConfig{Epochs: 2, Batch: 7, Seed: seed, ValidationSplit: 0.25})
		for i := range history {
			history[i].Duration = 0
		}
		return weightBits(net), history
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want, history := train(1)
	for _, procs := range []int{2, 5} {
		runtime.GOMAXPROCS(procs)
		got, h := train(1)
		if !slices.Equal(got, want) || fmt.Sprint(h) != fmt.Sprint(history) {
			t.Errorf("GOMAXPROCS %d and 1 differ: %v and %v", procs, h, history)
		}
	}
	if other, _ := train(2); slices.Equal(other, want) {
		t.Error("two seeds give the same weights")
	}
	if slices.Equal(weightBits(small(t, 1)), weightBits(small(t, 2))) {
		t.Error("two seeds give the same initial weights")
	}
}

// TestShuffling: every sample once an epoch, in another order each.
func TestShuffling(t *testing.T) {
	var epochs [][]int
	data := &stream{n: 40}
	fit(t, linear(t), data, nn.FitConfig{Epochs: 3, Batch: 8, Callbacks: []nn.Callback{nn.OnEpoch(func(nn.EpochStats) error {
		epochs, data.rows = append(epochs, data.rows), nil
		return nil
	})}})
	for i, order := range epochs {
		if slices.IsSorted(order) || i > 0 && slices.Equal(order, epochs[i-1]) {
			t.Errorf("epoch %d: order %v", i+1, order)
		}
		if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, upTo(40)) {
			t.Errorf("epoch %d learned from %v", i+1, sorted)
		}
	}
	fit(t, linear(t), data, nn.FitConfig{NoShuffle: true, Batch: 8})
	if !slices.Equal(data.rows, upTo(40)) {
		t.Errorf("without shuffling: %v", data.rows)
	}
}

// seen is a loss that keeps the predictions of every batch.
type seen struct {
	of          nn.Loss
	predictions [][]uint32
}

func (l *seen) Loss(grad, prediction, target *tensor.Tensor) float64 {
	l.predictions = append(l.predictions, floatBits(prediction))
	return l.of.Loss(grad, prediction, target)
}

func (l *seen) String() string { return l.of.String() }

// TestDropoutIsDrawnAnew for every batch and every epoch, by the seed.
func TestDropoutIsDrawnAnew(t *testing.T) {
	x := tensor.New(12, 40)
	for i := range x.Data() {
		x.Data()[i] = 1
	}
	masks := func(seed uint64) map[string]bool {
		net, loss := nn.NewSequential("", &nn.Dropout{Rate: 0.5}), &seen{of: nn.MSE}
		if err := net.Init(1, 40); err != nil {
			t.Fatal(err)
		}
		fit(t, net, nn.InMemory{X: x, Y: x}, nn.FitConfig{Epochs: 3, Batch: 4, Seed: seed, Loss: loss})
		set := map[string]bool{}
		for _, p := range loss.predictions {
			set[fmt.Sprint(p)] = true
		}
		return set
	}
	one, two := masks(1), masks(2)
	if len(one) != 9 || len(two) != 9 {
		t.Errorf("%d and %d masks for 9 batches", len(one), len(two))
	}
	for mask := range two {
		if one[mask] {
			t.Error("two seeds share a mask")
		}
	}
}

func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// TestResume: two epochs, then two more in a new network and optimizer, are
// four epochs to the bit.
func TestResume(t *testing.T) {
	cfg := nn.FitConfig{Epochs: 4, Batch: 7, Seed: 3}
	unbroken := small(t, 1)
	want := fit(t, unbroken, pictures(20), cfg)

	first, optimizer := small(t, 1), &optim.Adamax{}
	cfg.Epochs, cfg.Optimizer = 2, optimizer
	fit(t, first, pictures(20), cfg)
	second, fresh := small(t, 9), &optim.Adamax{}
	for i, p := range second.Params() {
		copy(p.Value.Data(), first.Params()[i].Value.Data())
	}
	if err := fresh.Restore(optimizer.State(), second.Params()); err != nil {
		t.Fatal(err)
	}
	cfg.InitialEpoch, cfg.Epochs, cfg.Optimizer = 2, 4, fresh
	got := fit(t, second, pictures(20), cfg)
	if !slices.Equal(weightBits(second), weightBits(unbroken)) {
		t.Error("weights differ from those of unbroken training")
	}
	for i, e := range got {
		if w := want[2+i]; e.Epoch != w.Epoch || e.Loss != w.Loss {
			t.Errorf("epoch %d loss %v, unbroken epoch %d loss %v", e.Epoch, e.Loss, w.Epoch, w.Loss)
		}
	}
	if history := fit(t, second, pictures(20), nn.FitConfig{InitialEpoch: 4, Epochs: 4}); len(history) != 0 {
		t.Errorf("nothing left to do, but %v", history)
	}
}

// TestValidationSplit: the last samples are validated on and not learned from.
func TestValidationSplit(t *testing.T) {
	all := pictures(20)
	split, apart := small(t, 1), small(t, 1)
	cfg := nn.FitConfig{Epochs: 2, Batch: 4, ValidationSplit: 0.3}
	got := fit(t, split, all, cfg)
	cfg.ValidationSplit, cfg.Validation = 0, rows(all, 14, 20)
	want := fit(t, apart, rows(all, 0, 14), cfg)
	if !slices.Equal(weightBits(split), weightBits(apart)) {
		t.Error("weights differ from training on the first 14 samples")
	}
	for i, e := range got {
		if e.Samples != 14 || e.Loss != want[i].Loss || e.ValLoss != want[i].ValLoss {
			t.Errorf("%+v, apart %+v", e, want[i])
		}
	}
	cfg.ValidationSplit = 0.5
	if e := fit(t, small(t, 1), rows(all, 0, 14), cfg)[1]; e.Samples != 14 || e.ValLoss != want[1].ValLoss {
		t.Errorf("with samples to validate on nothing is split off: %+v, want %+v", e, want[1])
	}
	// Validation runs without dropout, on the moving averages; its batches are
	// smaller than those of Predict, so sums may be rounded otherwise.
	last, y := rows(all, 14, 20), apart.Predict(rows(all, 14, 20).X)
	loss := nn.MSE.Loss(tensor.New(y.Shape()...), y, last.Y)
	if v := got[1].ValLoss; !(math.Abs(v-loss) <= 1e-7*loss) {
		t.Errorf("validation loss %v, of the predictions %v", v, loss)
	}
}

// TestLastBatch: the samples left over make a smaller batch, in the same memory
// as the others, and count by their number.
func TestLastBatch(t *testing.T) {
	network := func() *nn.Sequential { // nothing random
		net := nn.NewSequential("", &nn.Conv2D{Filters: 4, Kernel: 3, Activation: nn.ELU}, &nn.BatchNorm{}, &nn.MaxPool2D{},
			&nn.GlobalAveragePool2D{}, &nn.Dense{Units: 768}, &nn.Reshape{Target: []int{16, 16, 3}})
		if err := net.Init(5, 16, 16, 3); err != nil {
			t.Fatal(err)
		}
		return net
	}
	all := pictures(10)
	whole, steps, optimizer := network(), network(), &optim.Adamax{}
	var batches []nn.BatchStats
	history := fit(t, whole, all, nn.FitConfig{Batch: 7, NoShuffle: true, Callbacks: []nn.Callback{
		nn.OnBatch(func(b nn.BatchStats) error { batches = append(batches, b); return nil })}})
	one := fit(t, steps, rows(all, 0, 7), nn.FitConfig{Batch: 7, NoShuffle: true, Optimizer: optimizer})
	two := fit(t, steps, rows(all, 7, 10), nn.FitConfig{Batch: 7, NoShuffle: true, Optimizer: optimizer})
	if !slices.Equal(weightBits(whole), weightBits(steps)) {
		t.Error("weights differ from two steps")
	}
	mean := (7*one[0].Loss + 3*two[0].Loss) / 10
	want := []nn.BatchStats{
		{Epoch: 1, Epochs: 1, Batch: 1, Batches: 2, Samples: 7, Loss: one[0].Loss, MeanLoss: one[0].Loss},
		{Epoch: 1, Epochs: 1, Batch: 2, Batches: 2, Samples: 10, Loss: two[0].Loss, MeanLoss: mean},
	}
	if !slices.Equal(batches, want) {
		t.Errorf("batches %+v, want %+v", batches, want)
	}
	if e := history[0]; e.Loss != mean || e.Samples != 10 || !math.IsNaN(e.ValLoss) {
		t.Errorf("epoch %+v, want loss %v", e, mean)
	}
	if got, err := steps.Evaluate(t.Context(), all, nn.MSE, 4); err != nil || !(math.Abs(got-evaluate(steps, all)) <= 1e-7*got) {
		t.Errorf("Evaluate: %v, %v; of the predictions %v", got, err, evaluate(steps, all))
	}
}

func evaluate(net *nn.Sequential, d nn.InMemory) float64 {
	y := net.Predict(d.X)
	return nn.MSE.Loss(tensor.New(y.Shape()...), y, d.Y)
}

// stream is a Dataset for linear that makes its samples when asked for them and
// watches how it is used.
type stream struct {
	n      int
	before func(ctx context.Context, call int) error // may be nil

	rows    []int // in the order of Fill
	calls   int
	batches map[*nn.Batch]bool // that Fill has been given
	mutex   sync.Mutex
	overlap bool // Fill was called while it ran
}

func (d *stream) Len() int { return d.n }

func (d *stream) Fill(ctx context.Context, rows []int, b *nn.Batch) error {
	if !d.mutex.TryLock() {
		d.overlap = true
		return nil
	}
	defer d.mutex.Unlock()
	if d.calls++; d.before != nil {
		if err := d.before(ctx, d.calls); err != nil {
			return err
		}
	}
	if d.batches == nil {
		d.batches = map[*nn.Batch]bool{}
	}
	d.batches[b] = true
	d.rows = append(d.rows, rows...)
	b.X, b.Y = nn.Resize(b.X, len(rows), 3), nn.Resize(b.Y, len(rows), 2)
	for i, r := range rows {
		rng := rand.New(rand.NewPCG(uint64(r), 0))
		for _, v := range [][]float32{b.X.Row(i), b.Y.Row(i)} {
			for j := range v {
				v[j] = float32(rng.NormFloat64())
			}
		}
	}
	return nil
}

// TestStreaming: however many samples there are, two batches are in memory, and
// the weights are those of training from memory.
func TestStreaming(t *testing.T) {
	data := &stream{n: 1000}
	streamed, held := linear(t), linear(t)
	fit(t, streamed, data, nn.FitConfig{Epochs: 2, Batch: 16, Seed: 4, Callbacks: []nn.Callback{nn.OnEpoch(func(nn.EpochStats) error {
		if len(data.batches) > 2 || data.overlap {
			t.Errorf("%d batches alive, overlapping calls: %v", len(data.batches), data.overlap)
		}
		clear(data.batches)
		return nil
	})}})
	var all nn.Batch
	if err := data.Fill(t.Context(), upTo(1000), &all); err != nil {
		t.Fatal(err)
	}
	fit(t, held, nn.InMemory(all), nn.FitConfig{Epochs: 2, Batch: 16, Seed: 4})
	if !slices.Equal(weightBits(streamed), weightBits(held)) {
		t.Error("weights differ from training on samples in memory")
	}
}

// TestEnding: whatever ends training, Fit returns soon, with the reason and the
// whole epochs. The bubble fails the test if a goroutine stays behind; its
// clock moves only while all wait.
func TestEnding(t *testing.T) {
	broken := errors.New("disk on fire")
	slow := func(ctx context.Context, call int) error { // 5 batches an epoch, 1 s each
		select {
		case <-time.After(time.Second):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	stopAt := func(epoch, batch int, f func() error) nn.Callback {
		return nn.OnBatch(func(b nn.BatchStats) error {
			if b.Epoch == epoch && b.Batch == batch {
				return f()
			}
			return nil
		})
	}
	type run struct {
		ctx    context.Context
		cancel context.CancelFunc
		data   *stream
		cfg    nn.FitConfig
	}
	for name, c := range map[string]struct {
		prepare func(r *run)
		want    error
		epochs  int // whole ones
		most    int // batches learned from
		least   int
		takes   time.Duration
	}{
		"cancelled before": {func(r *run) { r.cancel() }, context.Canceled, 0, 0, 0, 0},
		"cancelled in a batch": {func(r *run) {
			r.cfg.Callbacks = append(r.cfg.Callbacks, stopAt(2, 3, func() error { r.cancel(); return nil }))
		}, context.Canceled, 1, 8, 8, 0},
		"cancelled in the last batch": {func(r *run) {
			r.cfg.Callbacks = append(r.cfg.Callbacks, stopAt(1, 5, func() error { r.cancel(); return nil }))
		}, context.Canceled, 0, 5, 5, 0},
		"cancelled between epochs": {func(r *run) {
			r.cfg.Callbacks = append(r.cfg.Callbacks, nn.OnEpoch(func(nn.EpochStats) error { r.cancel(); return nil }))
		}, context.Canceled, 1, 5, 5, 0},
		"cancelled in a slow Fill": {func(r *run) {
			r.data.before = slow
			time.AfterFunc(7500*time.Millisecond, r.cancel)
		}, context.Canceled, 1, 7, 7, 7500 * time.Millisecond},
		"deadline in a slow Fill": {func(r *run) {
			r.data.before = slow
			r.ctx, r.cancel = context.WithTimeout(r.ctx, 2200*time.Millisecond)
		}, context.DeadlineExceeded, 0, 2, 2, 2200 * time.Millisecond},
		"Fill fails": {func(r *run) {
			r.data.before = func(_ context.Context, call int) error {
				if call == 9 {
					return fmt.Errorf("sample 40: %w", broken)
				}
				return nil
			}
		}, broken, 1, 8, 6, 0},
		"callback fails after a batch": {func(r *run) {
			r.cfg.Callbacks = append(r.cfg.Callbacks, stopAt(2, 2, func() error { return broken }))
		}, broken, 1, 7, 7, 0},
		"callback fails after an epoch": {func(r *run) {
			r.cfg.Callbacks = append(r.cfg.Callbacks, nn.OnEpoch(func(nn.EpochStats) error { return broken }))
		}, broken, 1, 5, 5, 0},
		"callback stops": {func(r *run) {
			r.cfg.Callbacks = append(r.cfg.Callbacks, nn.OnEpoch(func(e nn.EpochStats) error {
				if e.Epoch == 2 {
					return fmt.Errorf("enough: %w", nn.ErrStop)
				}
				return nil
			}))
		}, nil, 2, 10, 10, 0},
		"callback fails while Fill runs": {func(r *run) { // which nothing stops; it has the batch
			r.data.before = func(context.Context, int) error { time.Sleep(time.Second); return nil }
			r.cfg.Callbacks = append(r.cfg.Callbacks, stopAt(1, 1, func() error { return broken }))
		}, broken, 0, 1, 1, 2 * time.Second},
		"diverged": {func(r *run) { r.cfg.Optimizer = &optim.SGD{LearningRate: 1e30} }, nn.ErrDiverged, 0, 2, 1, 0},
		"validation fails": {func(r *run) {
			r.cfg.Validation = &stream{n: 3, before: func(context.Context, int) error { return broken }}
		}, broken, 0, 5, 5, 0},
		"cancelled in validation": {func(r *run) {
			r.cfg.Validation = &stream{n: 50, before: slow}
			time.AfterFunc(1500*time.Millisecond, r.cancel)
		}, context.Canceled, 0, 5, 5, 1500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &run{data: &stream{n: 50}, cfg: nn.FitConfig{Epochs: 3, Batch: 10, Optimizer: &optim.SGD{}}}
				r.ctx, r.cancel = context.WithCancel(t.Context())
				defer func() { r.cancel() }()
				learned := 0
				r.cfg.Callbacks = []nn.Callback{nn.OnBatch(func(nn.BatchStats) error { learned++; return nil })}
				c.prepare(r)
				start := time.Now()
				history, err := linear(t).Fit(r.ctx, r.data, r.cfg)
				if !errors.Is(err, c.want) {
					t.Errorf("error %v, want %v", err, c.want)
				}
				if took := time.Since(start); took != c.takes {
					t.Errorf("took %v, want %v", took, c.takes)
				}
				if len(history) != c.epochs || learned > c.most || learned < c.least {
					t.Errorf("%d epochs in the history, %d batches, want %d and %d to %d", len(history), learned, c.epochs, c.least, c.most)
				}
			})
		})
	}
}

// epochs is a run of EpochStats for callbacks, with these validation losses.
func epochs(losses ...float64) []nn.EpochStats {
	var list []nn.EpochStats
	for i, v := range losses {
		list = append(list, nn.EpochStats{Epoch: i + 1, Epochs: len(losses), Loss: 10 + float64(i), ValLoss: v, Samples: 200, Duration: 2 * time.Second})
	}
	return list
}

func TestProgressAndLog(t *testing.T) {
	var progress, log bytes.Buffer
	callbacks := []nn.Callback{nn.PrintProgress(&progress), nn.CSVLog(&log)}
	for _, e := range epochs(0.5, math.NaN()) {
		for _, c := range callbacks {
			if err := errors.Join(c.BatchEnd(nn.BatchStats{}), c.EpochEnd(e)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if want := "epoch 1/2  loss 10.000000  val_loss 0.500000  100.0 samples/s  2s\n" +
		"epoch 2/2  loss 11.000000  100.0 samples/s  2s\n"; progress.String() != want {
		t.Errorf("progress\n%swant\n%s", progress.String(), want)
	}
	if want := "epoch,loss,val_loss,samples,seconds\n1,10,0.5,200,2.000\n2,11,,200,2.000\n"; log.String() != want {
		t.Errorf("log\n%swant\n%s", log.String(), want)
	}

	// As Fit calls them, and going on: no second heading.
	progress.Reset()
	log.Reset()
	for _, initial := range []int{0, 2} {
		fit(t, linear(t), vectors(10), nn.FitConfig{InitialEpoch: initial, Epochs: initial + 2, ValidationSplit: 0.5, Callbacks: callbacks})
	}
	number := `[0-9.e+-]+`
	if want := regexp.MustCompile(`^epoch,loss,val_loss,samples,seconds\n(\d,` + number + `,` + number + `,5,\d+\.\d{3}\n){4}$`); !want.MatchString(log.String()) {
		t.Errorf("log\n%s", log.String())
	}
	if got := strings.Count(progress.String(), "\n"); got != 4 {
		t.Errorf("progress of %d lines:\n%s", got, progress.String())
	}
	for _, c := range []nn.Callback{nn.PrintProgress(full{}), nn.CSVLog(full{})} {
		if err := c.EpochEnd(epochs(1)[0]); !errors.Is(err, errFull) {
			t.Errorf("error %v, want that of the writer", err)
		}
	}
}

var errFull = errors.New("disk full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestCheckpoint(t *testing.T) {
	for name, c := range map[string]struct {
		onlyBest bool
		losses   []float64 // of validation
		want     []int
	}{
		"every":            {false, []float64{3, 4, 2}, []int{1, 2, 3}},
		"best":             {true, []float64{3, 4, 2, 2, 1}, []int{1, 3, 5}},
		"by training loss": {true, []float64{math.NaN(), math.NaN()}, []int{1}}, // it rises
	} {
		var saved []int
		save := nn.Checkpoint(func(e nn.EpochStats) error { saved = append(saved, e.Epoch); return nil }, c.onlyBest)
		for _, e := range epochs(c.losses...) {
			if err := save.EpochEnd(e); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(saved, c.want) {
			t.Errorf("%s: saved after %v, want %v", name, saved, c.want)
		}
	}
	if err := nn.Checkpoint(func(nn.EpochStats) error { return errFull }, true).EpochEnd(epochs(1)[0]); !errors.Is(err, errFull) {
		t.Errorf("error %v, want that of save", err)
	}
}

// TestEarlyStop marks the weights with the epoch and looks where it stops and
// which weights are left.
func TestEarlyStop(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		patience      int
		minDelta      float64
		losses        []float64
		stop, restore int // epochs; stop 0: never
	}{
		"at once":           {1, 0, []float64{3, 4, 1}, 2, 1},
		"patience":          {2, 0, []float64{5, 4, 4.5, 3, 3, 3.5, 1}, 6, 4},
		"small gains":       {2, 0.5, []float64{5, 4.8, 4.6, 1}, 3, 1},
		"not a number":      {2, 0, []float64{5, 4, nan, nan, 1}, 4, 2}, // then the training loss, above 10
		"last is best":      {3, 0, []float64{5, 4, 3}, 0, 3},
		"best is not last":  {3, 0, []float64{5, 3, 4}, 3, 2},
		"infinite at first": {2, 0, []float64{math.Inf(1), math.Inf(1), 1, 2}, 4, 3},
		"no patience":       {0, 0, []float64{3, 2, 2, 1}, 3, 2},
	} {
		t.Run(name, func(t *testing.T) {
			net := linear(t)
			weight := &net.Params()[0].Value.Data()[0]
			*weight = 0
			stop, callback := 0, nn.EarlyStop(c.patience, c.minDelta, net)
			for _, e := range epochs(c.losses...) {
				*weight = float32(e.Epoch)
				if err := callback.EpochEnd(e); errors.Is(err, nn.ErrStop) {
					stop = e.Epoch
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			if stop != c.stop || int(*weight) != c.restore {
				t.Errorf("stopped after %d with the weights of %v, want %d and %d", stop, *weight, c.stop, c.restore)
			}
			if err := nn.EarlyStop(1, 0, nil).EpochEnd(epochs(1, 2)[0]); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestVarying: a dataset is told of every epoch that is to come, also when part
// of it is kept for validation.
func TestVarying(t *testing.T) {
	for _, split := range []float64{0, 0.5} {
		data := &varying{InMemory: vectors(10)}
		fit(t, linear(t), data, nn.FitConfig{InitialEpoch: 2, Epochs: 5, ValidationSplit: split})
		if !slices.Equal(data.told, []int{2, 3, 4}) {
			t.Errorf("split %v: told of epochs %v", split, data.told)
		}
	}
}

type varying struct {
	nn.InMemory
	told []int
}

func (v *varying) Epoch(n int) { v.told = append(v.told, n) }

func TestEarlyStoppingChecks(t *testing.T) {
	for want, s := range map[string]nn.EarlyStopping{
		`no "accuracy" to watch`: {Monitor: "accuracy"},
		"a patience of -1":       {Patience: -1},
		"a least gain of NaN":    {MinDelta: math.NaN()},
		"a least gain of +Inf":   {MinDelta: math.Inf(1)},
		"a least gain of -1":     {MinDelta: -1},
	} {
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", s, err, want)
		}
	}
	for _, s := range []nn.EarlyStopping{{}, {Monitor: nn.TrainLoss, Patience: 3, MinDelta: 0.1}} {
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	}
	if s := (nn.EarlyStopping{Monitor: nn.TrainLoss}); s.Watched(1, 2) != 1 || (&nn.EarlyStopping{}).Watched(1, 2) != 2 {
		t.Error("the wrong loss is watched")
	}
}
