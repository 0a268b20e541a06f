package nn

import (
	"fmt"
	"math"

	"lookalike/tensor"
)

// EarlyStopping says when training no longer helps, as Keras's callback of that
// name does: when the watched loss has not fallen for some epochs. The zero
// value stops after the first epoch that is no better than the best before.
type EarlyStopping struct {
	Monitor  string  `json:"monitor"`   // ValLoss, which is the default, or TrainLoss
	Patience int     `json:"patience"`  // how many epochs in a row may be no better
	MinDelta float64 `json:"min_delta"` // by more than this must a better epoch be below the best before

	best   float64
	seen   bool
	waited int
}

// The losses that can be watched, by Keras's names.
const (
	ValLoss   = "val_loss"
	TrainLoss = "loss"
)

// Check returns an error unless the options make sense.
func (s *EarlyStopping) Check() error {
	switch {
	case s.Monitor != "" && s.Monitor != ValLoss && s.Monitor != TrainLoss:
		return fmt.Errorf("early stopping: there is no %q to watch, only %s and %s", s.Monitor, ValLoss, TrainLoss)
	case s.Patience < 0:
		return fmt.Errorf("early stopping: a patience of %d epochs; 0 is the least", s.Patience)
	case !(s.MinDelta >= 0) || math.IsInf(s.MinDelta, 1):
		return fmt.Errorf("early stopping: a least gain of %v; give a number from 0", s.MinDelta)
	}
	return nil
}

// Watched picks the loss to give to Next.
func (s *EarlyStopping) Watched(loss, valLoss float64) float64 {
	if s.Monitor == TrainLoss {
		return loss
	}
	return valLoss
}

// Next takes the watched loss of the next epoch. It tells whether that epoch is
// the best so far, as the first one is, and whether training shall stop after
// it.
func (s *EarlyStopping) Next(loss float64) (best, stop bool) {
	if !s.seen || loss < s.best-s.MinDelta {
		s.seen, s.best, s.waited = true, loss, 0
		return true, false
	}
	s.waited++
	return false, s.waited >= s.Patience
}

// EarlyStop ends training by [EarlyStopping] when the validation loss (training
// loss where there is none) has not fallen by more than minDelta for patience
// epochs. With restore, which may be nil, the parameters go back to those of the
// best epoch, also when training ends by itself. A patience below 0 panics, and so
// does a minDelta that is not a number from 0.
func EarlyStop(patience int, minDelta float64, restore *Sequential) Callback {
	watch := EarlyStopping{Patience: patience, MinDelta: minDelta}
	if err := watch.Check(); err != nil {
		panic("nn.EarlyStop: " + err.Error())
	}
	var kept []*tensor.Tensor
	return OnEpoch(func(e EpochStats) error {
		best, stop := watch.Next(e.watched())
		if best && restore != nil {
			kept = kept[:0]
			for _, p := range restore.Params() {
				kept = append(kept, p.Value.Clone())
			}
		}
		if !stop && (best || e.Epoch < e.Epochs) {
			return nil
		}
		if restore != nil {
			for i, p := range restore.Params() {
				copy(p.Value.Data(), kept[i].Data())
			}
		}
		return ErrStop
	})
}
