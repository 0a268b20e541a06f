package nn

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Callback is told how training goes. An error from it ends training and is
// returned by Fit; ErrStop from EpochEnd ends it well.
type Callback interface {
	BatchEnd(BatchStats) error
	EpochEnd(EpochStats) error
}

// ErrStop is returned by a callback to end training after this epoch.
var ErrStop = errors.New("stop training")

// OnBatch is a Callback that is told of batches only.
type OnBatch func(BatchStats) error

func (f OnBatch) BatchEnd(b BatchStats) error {
	if f == nil {
		panic("nn.OnBatch: the function is nil")
	}
	return f(b)
}

func (f OnBatch) EpochEnd(EpochStats) error { return nil }

// OnEpoch is a Callback that is told of epochs only.
type OnEpoch func(EpochStats) error

func (f OnEpoch) BatchEnd(BatchStats) error { return nil }

func (f OnEpoch) EpochEnd(e EpochStats) error {
	if f == nil {
		panic("nn.OnEpoch: the function is nil")
	}
	return f(e)
}

// watched returns the loss that says how good an epoch was: that of the
// validation where there is one.
func (e EpochStats) watched() float64 {
	if math.IsNaN(e.ValLoss) {
		return e.Loss
	}
	return e.ValLoss
}

// PrintProgress writes one line an epoch.
func PrintProgress(w io.Writer) Callback {
	if isNil(w) {
		panic("nn.PrintProgress: w is nil")
	}
	return OnEpoch(func(e EpochStats) error {
		line := fmt.Sprintf("epoch %d/%d  loss %.6f", e.Epoch, e.Epochs, e.Loss)
		for _, m := range e.Metrics {
			line += fmt.Sprintf("  %s %.6f", m.Name, m.Mean)
		}
		if !math.IsNaN(e.ValLoss) {
			line += fmt.Sprintf("  val_loss %.6f", e.ValLoss)
		}
		for _, m := range e.ValMetrics {
			line += fmt.Sprintf("  val_%s %.6f", m.Name, m.Mean)
		}
		_, err := fmt.Fprintf(w, "%s  %.1f samples/s  %v\n", line, float64(e.Samples)/e.Duration.Seconds(), e.Duration.Round(time.Millisecond))
		return err
	})
}

// Checkpoint calls save after every epoch or, with onlyBest, after those whose
// validation loss (training loss where there is none) is the least so far.
func Checkpoint(save func(EpochStats) error, onlyBest bool) Callback {
	if save == nil {
		panic("nn.Checkpoint: save is nil")
	}
	best := math.Inf(1)
	return OnEpoch(func(e EpochStats) error {
		if onlyBest && !(e.watched() < best) {
			return nil
		}
		best = e.watched()
		return save(e)
	})
}

// CSVLog writes a line an epoch to w: epoch, loss, val_loss, of each metric its name
// and that behind "val_", samples, seconds. What is of the validation is empty without
// one. The heading is left out when training goes on after its first epoch.
func CSVLog(w io.Writer) Callback {
	if isNil(w) {
		panic("nn.CSVLog: w is nil")
	}
	return OnEpoch(func(e EpochStats) error {
		keys := []string{TrainLoss, ValLoss}
		for _, m := range e.Metrics {
			keys = append(keys, m.Name, "val_"+m.Name)
		}
		c := csv.NewWriter(w)
		if e.Epoch == 1 {
			c.Write(slices.Concat([]string{"epoch"}, keys, []string{"samples", "seconds"}))
		}
		line := []string{strconv.Itoa(e.Epoch)}
		for _, key := range keys {
			value := strconv.FormatFloat(e.Value(key), 'g', -1, 64)
			if strings.HasPrefix(key, "val_") && math.IsNaN(e.ValLoss) {
				value = ""
			}
			line = append(line, value)
		}
		c.Write(append(line, strconv.Itoa(e.Samples), strconv.FormatFloat(e.Duration.Seconds(), 'f', 3, 64)))
		c.Flush()
		return c.Error()
	})
}
