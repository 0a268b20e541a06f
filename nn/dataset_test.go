package nn_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"lookalike/nn"
	"lookalike/tensor"
)

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
