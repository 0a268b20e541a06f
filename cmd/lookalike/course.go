package main

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"lookalike/internal/checkpoint"
	"lookalike/internal/sheet"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
	"lookalike/weights"
)

// learner is a network that can be taught.
type learner interface {
	Params() []*nn.Param
	Save(path string, t *checkpoint.Training, options ...weights.Option) error
	FitSamples(ctx context.Context, data nn.Dataset, cfg nn.FitConfig) (nn.History, error)
}

// course is a training: of what, on what, and what is written after every epoch.
type course struct {
	network          learner
	record           *checkpoint.Training // of the epochs done
	epochs           int                  // in all
	data, validation nn.Dataset           // validation may be nil
	file             string               // of the model
	new              bool                 // there must be no such file before the first epoch is over

	sheet func(ctx context.Context, epoch int) error // nil: none
	curve string                                     // file of the loss curve, "" for none
	title string                                     // of the curve
	log   *courseLog

	bestEpoch int
	stop      bool             // it does not help any more
	kept      []*tensor.Tensor // the parameters of the best epoch, in the network's order
}

// begin goes through the epochs done before, to know which was the best one and
// whether another one is worth it.
func (c *course) begin() {
	for i := range c.record.Losses {
		c.judge(i)
	}
}

// judge takes epoch i, from 0, of the record into account and tells whether it
// is the best so far. Without early stopping that is always the last.
func (c *course) judge(i int) (best bool) {
	best = true
	if early := c.record.EarlyStop; early != nil {
		val := math.NaN()
		if i < len(c.record.ValLosses) {
			val = c.record.ValLosses[i]
		}
		best, c.stop = early.Next(early.Watched(c.record.Losses[i], val))
	}
	if best {
		c.bestEpoch = i + 1
	}
	return best
}

// best says in words which epoch the model is of and how good.
func (c *course) best() string {
	r, i := c.record, c.bestEpoch-1
	text := fmt.Sprintf("loss %.6f", r.Losses[i])
	if len(r.ValLosses) > 0 {
		text += fmt.Sprintf(", validation %.6f", r.ValLosses[i])
	}
	if r.EarlyStop != nil {
		text += fmt.Sprintf(" (the best, after epoch %d)", c.bestEpoch)
	}
	return text
}

// teach trains the network after the epochs that the record tells of, up to the
// last or until it does not help any more. After each it writes the model and
// notes in the record what there is to know.
func (a *app) teach(ctx context.Context, c *course) error {
	record, params := c.record, c.network.Params()
	if record.EarlyStop != nil {
		for _, p := range params {
			c.kept = append(c.kept, p.Value.Clone())
		}
	}
	if err := record.Restore(params); err != nil {
		return fmt.Errorf("%s: %w", c.file, err)
	}
	optimizer := &optim.Adamax{LearningRate: record.LearningRate}
	if record.Optimizer != nil {
		if err := optimizer.Restore(record.Optimizer, params); err != nil {
			return fmt.Errorf("%s: %w", c.file, err)
		}
		record.Optimizer, record.Last = optimizer.State(), nil // what was read is not needed twice
	}
	save := nn.OnEpoch(func(e nn.EpochStats) error {
		record.Losses = append(record.Losses, e.Loss)
		if c.validation != nil {
			record.ValLosses = append(record.ValLosses, e.ValLoss)
		}
		record.Optimizer = optimizer.State()
		// The log has an epoch before the model does, so that no kill leaves it behind,
		// but is made only beside a model, so that the same command can be given again, and
		// a pipe that nobody reads holds no epoch back.
		best := c.judge(e.Epoch - 1)
		if c.log.follows() {
			if err := c.save(best); err != nil {
				return err
			}
			return c.log.add(e)
		}
		logged := c.log.add(e)
		return cmp.Or(c.save(best), logged) // an epoch is not lost for the log's sake
	})
	draw := nn.OnEpoch(func(e nn.EpochStats) error {
		if c.curve != "" {
			if err := c.drawCurve(); err != nil {
				return err
			}
		}
		if c.sheet != nil {
			return c.sheet(ctx, e.Epoch)
		}
		return nil
	})
	stop := nn.OnEpoch(func(nn.EpochStats) error {
		if c.stop {
			return nn.ErrStop
		}
		return nil
	})
	initial := len(record.Losses)
	progress := a.training(c.data.Len(), initial, c.epochs)
	defer progress.End()
	_, err := c.network.FitSamples(ctx, c.data, nn.FitConfig{
		Epochs: c.epochs, InitialEpoch: initial, Batch: record.Batch, Optimizer: optimizer,
		Seed: record.Seed, NoShuffle: record.NoShuffle, Validation: c.validation,
		Callbacks: []nn.Callback{save, draw, progress, stop},
	})
	return err
}

// save writes the model of the best epoch and, if that is not the last one, the
// parameters of the last beside them.
func (c *course) save(best bool) (err error) {
	params := c.network.Params()
	var options []weights.Option
	if c.new {
		options = append(options, weights.Exclusive)
	}
	defer func() { c.new = c.new && err != nil }()
	c.record.Last = nil
	if best {
		for i, k := range c.kept {
			copy(k.Data(), params[i].Value.Data())
		}
		return c.network.Save(c.file, c.record, options...)
	}
	c.record.Last = checkpoint.ByName(params)
	swap := func() {
		for i, p := range params {
			p.Value, c.kept[i] = c.kept[i], p.Value
		}
	}
	swap()
	defer swap()
	return c.network.Save(c.file, c.record, options...)
}

// drawCurve draws the losses of all epochs.
func (c *course) drawCurve() error {
	series := []sheet.Series{{Name: "training", Values: c.record.Losses}}
	if len(c.record.ValLosses) > 0 {
		series = append(series, sheet.Series{Name: "validation", Values: c.record.ValLosses})
	}
	return sheet.LossCurve(c.curve, c.title, series...)
}
