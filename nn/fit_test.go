package nn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"lookalike/internal/kerastest"
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
			if p.Grad != nil {
				o.kept[p.Name] = p.Grad.Clone()
			}
		}
	}
	o.Optimizer.Step(params)
}

// TestTrainingEqualsKeras goes through three epochs of the autoencoder, from
// the weights that Keras began with, beside Keras.
func TestTrainingEqualsKeras(t *testing.T) {
	f := kerastest.Open(t, "autoencoder32.safetensors")
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
		copy(p.Value.Data(), kerastest.Tensor(t, f, "initial/"+p.Name).Data())
	}
	if !slices.Equal(ours, names) {
		t.Fatalf("weights %v, Keras %v", ours, names)
	}
	check := func(what string, got *tensor.Tensor, name string, allowed float64) float64 {
		d := distance(got, kerastest.Tensor(t, f, name))
		if !(d <= allowed) {
			t.Errorf("%s: %.3g of the greatest off, allowed %.3g", what, d, allowed)
		}
		return d
	}

	images := kerastest.Tensor(t, f, "images")
	before := check("codes before", encoder.Predict(images), "codes_before", 1e-4)
	optimizer := &firstGradients{Optimizer: &optim.Adamax{}}
	losses := kerastest.Tensor(t, f, "losses").Data()
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
	if !reflect.DeepEqual(batches, want) {
		t.Errorf("batches %+v, want %+v", batches, want)
	}
	if e := history[0]; e.Loss != mean || e.Samples != 10 || !math.IsNaN(e.ValLoss) {
		t.Errorf("epoch %+v, want loss %v", e, mean)
	}
	if got, _, err := steps.Evaluate(t.Context(), all, nn.MSE, 4); err != nil || !(math.Abs(got-evaluate(steps, all)) <= 1e-7*got) {
		t.Errorf("Evaluate: %v, %v; of the predictions %v", got, err, evaluate(steps, all))
	}
}

func evaluate(net *nn.Sequential, d nn.InMemory) float64 {
	y := net.Predict(d.X)
	return nn.MSE.Loss(tensor.New(y.Shape()...), y, d.Y)
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

// losses is a loss that is as told, batch by batch.
type losses struct {
	values []float64
	calls  int
}

func (l *losses) Loss(grad, _, _ *tensor.Tensor) float64 {
	clear(grad.Data())
	l.calls++
	return l.values[l.calls-1]
}

func (l *losses) String() string { return "losses" }

// TestDiverged: training stops at the batch whose loss is NaN, infinite, or beyond
// the first ones by orders of magnitude, and not where it merely jumps or began
// next to nothing.
func TestDiverged(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	long := func(first float64, then ...float64) []float64 {
		return append(slices.Repeat([]float64{first}, 12), then...)
	}
	for name, c := range map[string]struct {
		losses []float64
		batch  int // at which it stops, 0: not at all
	}{
		"steady":                   {long(0.3, 0.2, 0.1), 0},
		"NaN at once":              {[]float64{nan, 1}, 1},
		"infinite at once":         {[]float64{inf, 1}, 1},
		"minus infinity":           {[]float64{1, -inf}, 2},
		"risen":                    {long(0.3, 1e31), 13},
		"risen from the second on": {[]float64{0.3, 1e5, 1e10, 1e15, 1e20, 1e25, 1e31, 1, 1, 1, 1}, 3},
		"risen slowly":             {[]float64{0.3, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12, 1e14, 1e16, 1e18, 1e20}, 6},
		"fallen from 1e12":         {[]float64{1e12, 1e6, 1, 1e3, 1e12, 1e14}, 0},
		"a jump":                   {long(0.3, 3e4, 0.3), 0},
		"next to nothing at first": {long(1e-30, 1e-2, 50), 0},
		"zero at first":            {long(0, 100, 0), 0},
		"an odd first batch":       {append([]float64{0}, long(1e5, 1e8, 1e5)...), 0},
		"negative":                 {long(-5, -1e31), 13},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := linear(t).Fit(t.Context(), vectors(len(c.losses)), nn.FitConfig{Batch: 1, Optimizer: &optim.SGD{}, Loss: &losses{values: c.losses}})
			var diverged *nn.DivergedError
			switch {
			case c.batch == 0 && err != nil:
				t.Error(err)
			case c.batch == 0:
			case !errors.As(err, &diverged) || !errors.Is(err, nn.ErrDiverged):
				t.Errorf("error %v, want a DivergedError", err)
			case diverged.Epoch != 1 || diverged.Batch != c.batch:
				t.Errorf("%v, want batch %d of epoch 1", err, c.batch)
			default:
				says(t, err.Error(), fmt.Sprintf("batch %d of epoch 1|smaller learning rate", c.batch))
			}
		})
	}
}
