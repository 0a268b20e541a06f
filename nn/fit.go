package nn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// Optimizer changes parameters by their gradients.
type Optimizer interface {
	Step(params []*Param)
}

// FitConfig says how to train. The zero value of a field is its default.
type FitConfig struct {
	Epochs    int       // default 1
	Batch     int       // samples a step; default 32
	Optimizer Optimizer // required
	Loss      Loss      // default MSE
	Metrics   []Metric  // measured beside the loss; each has a name of its own

	Seed      uint64 // of the order of samples and of Dropout
	NoShuffle bool   // take the samples in their order, every epoch

	// InitialEpoch is how many epochs have been done before. Order and dropout
	// of an epoch depend on the seed and its number alone, so training goes on
	// as if it had not been interrupted, if the optimizer does too.
	InitialEpoch int

	// ValidationSplit takes this share of the samples, the last ones, out of
	// training, to validate on; Validation gives other samples instead.
	ValidationSplit float64
	Validation      Dataset

	Callbacks []Callback
}

// EpochStats is what is known at the end of an epoch.
type EpochStats struct {
	Epoch, Epochs int     // from 1
	Loss          float64 // mean over the samples, each as it was when it was learned from
	ValLoss       float64 // after the epoch; NaN without validation
	Samples       int
	Duration      time.Duration

	// Metrics are means over the samples, as Loss is, and ValMetrics, as ValLoss, those
	// of the validation, nil without one. Both are in the order of FitConfig.Metrics.
	Metrics, ValMetrics []Measured
}

// Value returns what was measured, by Keras's key: "loss", "val_loss", "accuracy",
// "val_accuracy"; NaN if that has not been measured.
func (e EpochStats) Value(key string) float64 {
	switch key {
	case TrainLoss:
		return e.Loss
	case ValLoss:
		return e.ValLoss
	}
	list := e.Metrics
	if name, ok := strings.CutPrefix(key, "val_"); ok {
		key, list = name, e.ValMetrics
	}
	for _, m := range list {
		if m.Name == key {
			return m.Mean
		}
	}
	return math.NaN()
}

// BatchStats is what is known after a step.
type BatchStats struct {
	Epoch, Epochs  int // from 1
	Batch, Batches int // from 1
	Samples        int // learned from in this epoch
	Loss           float64
	MeanLoss       float64    // over the epoch's samples so far
	Metrics        []Measured // likewise; valid until the callback returns
}

// defaultBatch is how many samples a batch has unless told.
const defaultBatch = 32

// History holds the epochs of one call of Fit.
type History []EpochStats

// Values returns [EpochStats.Value] of all epochs.
func (h History) Values(key string) []float64 {
	values := make([]float64, len(h))
	for i, e := range h {
		values[i] = e.Value(key)
	}
	return values
}

// ErrDiverged tells that the loss has become NaN or infinite, or has risen beyond
// all that it began with (see DivergedError).
var ErrDiverged = errors.New("training diverged")

// DivergedError is ErrDiverged with where it happened. The network keeps the
// parameters that it has then.
type DivergedError struct {
	Epoch, Batch int     // from 1
	Loss         float64 // of that batch
	Beginning    float64 // the greatest loss of the first batches of this call of Fit
}

func (e *DivergedError) Error() string {
	text := fmt.Sprintf("%v: loss is %.4g at batch %d of epoch %d", ErrDiverged, e.Loss, e.Batch, e.Epoch)
	if !math.IsNaN(e.Loss) && !math.IsInf(e.Loss, 0) {
		text += fmt.Sprintf(", after %.4g at the beginning", e.Beginning)
	}
	return text + "; try a smaller learning rate"
}

func (e *DivergedError) Unwrap() error { return ErrDiverged }

// A loss has diverged beyond a million times the greatest one of the first ten
// batches. Losses of sane trainings spread over two or three orders of magnitude
// between batches, and a first step too long may add some that training makes good;
// from a million times there is nothing to come back to. Losses below 1 count as 1,
// for a training that goes on may begin next to perfect. The ten batches, and not
// the first alone, since that may be an odd one; but while they pass learning may
// diverge already, so they do not raise the bound beyond a thousand times what the
// first one, from which nothing had been learned, would give.
const (
	divergedFactor = 1e6
	oddFactor      = 1e3
	firstBatches   = 10
)

// watch returns a *DivergedError if the loss of a batch has diverged.
func (t *trainer) watch(b BatchStats) error {
	loss := math.Abs(b.Loss)
	if t.seen == 0 {
		t.first = max(1, loss)
	}
	bound := divergedFactor * max(t.first, min(t.greatest, oddFactor*t.first))
	if !(loss <= bound) || math.IsInf(loss, 1) {
		return &DivergedError{Epoch: b.Epoch, Batch: b.Batch, Loss: b.Loss, Beginning: t.greatest}
	}
	if t.seen < firstBatches {
		t.seen++
		t.greatest = max(t.greatest, loss)
	}
	return nil
}

// Fit trains the network. Between batches it looks at ctx and returns its error
// if it is done. It returns the history of whole epochs in any case.
func (s *Sequential) Fit(ctx context.Context, data Dataset, cfg FitConfig) (History, error) {
	t, err := s.newTrainer(data, cfg)
	if err != nil {
		return nil, fmt.Errorf("fit: %w", err)
	}
	var history History
	for epoch := t.InitialEpoch; epoch < t.Epochs; epoch++ {
		stats, err := t.epoch(ctx, epoch)
		if err != nil {
			return history, err
		}
		history = append(history, stats)
		for _, c := range t.Callbacks {
			if err := c.EpochEnd(stats); errors.Is(err, ErrStop) {
				return history, nil
			} else if err != nil {
				return history, err
			}
		}
	}
	return history, nil
}

// trainer is one call of Fit.
type trainer struct {
	FitConfig
	net     *Sequential
	data    Dataset
	params  []*Param
	pass    *Pass
	turns   [2]Batch   // filled and learned from by turns
	judged  [2]Batch   // of validation
	metrics *measuring // of this epoch
	source  rand.PCG   // of the pass's randomness, set anew for every batch

	seen            int     // batches, up to firstBatches
	first, greatest float64 // of their losses, the first one as at least 1
}

func (s *Sequential) newTrainer(data Dataset, cfg FitConfig) (*trainer, error) {
	if s == nil {
		return nil, errors.New("the network is nil")
	}
	if !s.built {
		return nil, errors.New("the network has not been built; call Init or Build first")
	}
	if isNil(cfg.Optimizer) {
		return nil, errors.New("no optimizer given")
	}
	if c, ok := cfg.Optimizer.(interface{ Check() error }); ok {
		if err := c.Check(); err != nil {
			return nil, err
		}
	}
	if isNil(data) {
		return nil, errors.New("no data given")
	}
	if cfg.Validation != nil && isNil(cfg.Validation) {
		return nil, errors.New("the data for validation are nil")
	}
	if cfg.Loss != nil && isNil(cfg.Loss) {
		return nil, errors.New("the loss is nil")
	}
	if err := checkMetrics(cfg.Metrics); err != nil {
		return nil, err
	}
	for i, c := range cfg.Callbacks {
		if isNil(c) {
			return nil, fmt.Errorf("callback %d of %d is nil", i+1, len(cfg.Callbacks))
		}
	}
	if cfg.Epochs == 0 {
		cfg.Epochs = 1
	}
	if cfg.Batch == 0 {
		cfg.Batch = defaultBatch
	}
	if cfg.Loss == nil {
		cfg.Loss = MSE
	}
	if cfg.Batch < 0 || cfg.Epochs < 0 || cfg.InitialEpoch < 0 {
		return nil, fmt.Errorf("epochs %d, batch %d and initial epoch %d must not be negative", cfg.Epochs, cfg.Batch, cfg.InitialEpoch)
	}
	if !(cfg.ValidationSplit >= 0 && cfg.ValidationSplit < 1) {
		return nil, fmt.Errorf("validation split %v is not in [0, 1)", cfg.ValidationSplit)
	}
	if cfg.ValidationSplit > 0 && cfg.Validation == nil {
		n := data.Len()
		keep := int(float64(n) * (1 - cfg.ValidationSplit))
		cfg.Validation = part{data, keep, n - keep}
		data = part{data, 0, keep}
	}
	if data.Len() == 0 {
		return nil, errors.New("no samples to learn from")
	}
	for _, d := range []Dataset{data, cfg.Validation} {
		if err := checkLen(d); err != nil {
			return nil, err
		}
	}
	t := &trainer{FitConfig: cfg, net: s, data: data, params: s.Params(), pass: newPass(min(cfg.Batch, data.Len()))}
	t.pass.training, t.pass.rng = true, rand.New(&t.source)
	return t, nil
}

// epoch learns from every sample once.
func (t *trainer) epoch(ctx context.Context, epoch int) (EpochStats, error) {
	start := time.Now()
	t.pass.idle = idleFronts(t.net, map[*Sequential]int{}) // a callback may have frozen layers
	order := make([]int, t.data.Len())
	for i := range order {
		order[i] = i
	}
	if !t.NoShuffle {
		rng := rand.New(rand.NewPCG(t.Seed, uint64(epoch)))
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	if v, ok := t.data.(Varying); ok {
		v.Epoch(epoch)
	}
	t.metrics = newMeasuring(t.Metrics)
	b := BatchStats{Metrics: t.metrics.measured(), Epoch: epoch + 1, Epochs: t.Epochs, Batches: batches(len(order), t.Batch)}
	var sum float64
	err := eachBatch(ctx, t.data, order, t.Batch, &t.turns, func(batch *Batch) error {
		b.Batch++
		var err error
		t.source.Seed(^t.Seed, uint64(epoch)<<32|uint64(b.Batch))
		if b.Loss, err = t.step(batch); err != nil {
			return err
		}
		b.Samples += batch.X.Dim(0)
		sum += b.Loss * float64(batch.X.Dim(0))
		b.MeanLoss = sum / float64(b.Samples)
		if err := t.watch(b); err != nil {
			return err
		}
		for _, c := range t.Callbacks {
			if err := c.BatchEnd(b); err != nil {
				return err
			}
		}
		return nil
	})
	stats := EpochStats{Epoch: epoch + 1, Epochs: t.Epochs, Loss: b.MeanLoss, ValLoss: math.NaN(), Samples: b.Samples, Metrics: b.Metrics}
	if err == nil && t.Validation != nil && t.Validation.Len() > 0 {
		// In the buffers of training, which are free now and large enough.
		t.pass.training = false
		stats.ValLoss, stats.ValMetrics, err = t.net.evaluate(ctx, t.Validation, t.Loss, t.Batch, t.Metrics, t.pass, &t.judged)
		t.pass.training = true
	}
	stats.Duration = time.Since(start)
	return stats, err
}

// step learns from one batch and returns its loss, before the step.
func (t *trainer) step(b *Batch) (float64, error) {
	if err := t.net.takes(b.X); err != nil {
		return 0, fmt.Errorf("fit: %w", err)
	}
	for _, p := range t.params {
		if p.Grad != nil {
			clear(p.Grad.Data())
		}
	}
	t.pass.beginTraining(b.X)
	y := t.net.Forward(t.pass, b.X)
	if err := checkTargets(t.Loss, y, b.Y); err != nil {
		return 0, fmt.Errorf("fit: %w", err)
	}
	if err := t.metrics.add(y, b.Y); err != nil {
		return 0, fmt.Errorf("fit: %w", err)
	}
	dy := t.pass.New(y.Shape()...)
	loss := t.Loss.Loss(dy, y, b.Y)
	t.pass.backward(dy)
	t.Optimizer.Step(t.params)
	return loss, nil
}

// Evaluate returns the means of the loss and of metrics, in their order, over all
// samples, without training, taking batch of them at a time (0: 32). Of no samples
// they are 0.
func (s *Sequential) Evaluate(ctx context.Context, data Dataset, loss Loss, batch int, metrics ...Metric) (float64, []Measured, error) {
	if batch == 0 {
		batch = defaultBatch
	}
	if batch < 0 {
		return 0, nil, fmt.Errorf("evaluate: batch %d must not be negative", batch)
	}
	switch {
	case s == nil:
		return 0, nil, errors.New("evaluate: the network is nil")
	case !s.built:
		return 0, nil, errors.New("evaluate: the network has not been built; call Init or Build first")
	case isNil(data):
		return 0, nil, errors.New("evaluate: no data given")
	case isNil(loss):
		return 0, nil, errors.New("evaluate: no loss given")
	}
	if err := checkLen(data); err != nil {
		return 0, nil, fmt.Errorf("evaluate: %w", err)
	}
	if err := checkMetrics(metrics); err != nil {
		return 0, nil, fmt.Errorf("evaluate: %w", err)
	}
	p := passes.Get().(*Pass)
	defer passes.Put(p)
	return s.evaluate(ctx, data, loss, batch, metrics, p, new([2]Batch))
}

// evaluate is Evaluate in the buffers of p and of turns.
func (s *Sequential) evaluate(ctx context.Context, data Dataset, loss Loss, batch int, metrics []Metric, p *Pass, turns *[2]Batch) (float64, []Measured, error) {
	m := newMeasuring(metrics)
	order := make([]int, data.Len())
	for i := range order {
		order[i] = i
	}
	var sum float64
	err := eachBatch(ctx, data, order, batch, turns, func(b *Batch) error {
		if err := s.takes(b.X); err != nil {
			return fmt.Errorf("evaluate: %w", err)
		}
		p.begin()
		y := s.Forward(p, b.X)
		if err := checkTargets(loss, y, b.Y); err != nil {
			return fmt.Errorf("evaluate: %w", err)
		}
		if err := m.add(y, b.Y); err != nil {
			return fmt.Errorf("evaluate: %w", err)
		}
		grad := p.New(y.Shape()...)
		sum += loss.Loss(grad, y, b.Y) * float64(b.X.Dim(0))
		p.Release(grad)
		p.Release(y)
		return nil
	})
	return sum / float64(max(1, len(order))), m.measured(), err
}

// checkLen returns an error if there cannot be as many samples: their order is kept in
// memory, 8 bytes each.
func checkLen(data Dataset) error {
	if data == nil {
		return nil
	}
	if n := data.Len(); n < 0 || n > maxValues {
		return fmt.Errorf("there cannot be %d samples: 0 to %d", n, maxValues)
	}
	return nil
}

func batches(n, size int) int { return (max(n, 1)-1)/size + min(1, n) }

// eachBatch calls f for each batch of the samples in the given order, while the
// next is being filled, both in the memory of turns. It returns when both are done.
func eachBatch(ctx context.Context, data Dataset, order []int, size int, turns *[2]Batch, f func(*Batch) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	free, full := make(chan *Batch, 2), make(chan *Batch, 1)
	free <- &turns[0]
	free <- &turns[1]
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(full)
		for len(order) > 0 {
			rows := order[:min(size, len(order))]
			order = order[len(rows):]
			select {
			case b := <-free:
				if err := data.Fill(ctx, rows, b); err != nil {
					cancel(err)
					return
				}
				full <- b
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() {
		cancel(nil)
		<-done
	}()
	for b := range full {
		if ctx.Err() != nil {
			break
		}
		if err := f(b); err != nil {
			return err
		}
		free <- b
	}
	return context.Cause(ctx)
}
