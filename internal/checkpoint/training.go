package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"lookalike/nn"
	"lookalike/tensor"
	"lookalike/weights"
)

// In a file the record is JSON in the metadata, and its tensors have these
// prefixes.
const (
	trainingKey     = "training"
	optimizerPrefix = "optimizer/"
	lastPrefix      = "last/"
)

// Training is the record of a training.
type Training struct {
	Batch        int       `json:"batch"`
	LearningRate float64   `json:"learning_rate"`
	Seed         uint64    `json:"seed"`
	NoShuffle    bool      `json:"no_shuffle"`
	Photos       string    `json:"photos"`               // fingerprint of the photographs' names, in order
	Losses       []float64 `json:"losses"`               // of the epochs done
	ValLosses    []float64 `json:"val_losses,omitempty"` // theirs too, where pictures are kept for validation

	Validation float64           `json:"validation,omitempty"` // share of the photographs that is kept for it
	Unseen     float64           `json:"unseen,omitempty"`     // share of the classes that is kept out, where there are classes
	Augment    string            `json:"augment,omitempty"`    // changes of the pictures: package augment
	EarlyStop  *nn.EarlyStopping `json:"early_stop,omitempty"`

	// Optimizer is its state.
	Optimizer map[string]*tensor.Tensor `json:"-"`

	// Last has the parameters after the last epoch, by name, where the network's
	// own are those of an earlier and better one.
	Last map[string]*tensor.Tensor `json:"-"`
}

// put adds the record to what is written to a file.
func (t *Training) put(metadata map[string]string, tensors map[string]*tensor.Tensor) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	metadata[trainingKey] = string(text)
	for name, v := range t.Optimizer {
		tensors[optimizerPrefix+name] = v
	}
	for name, v := range t.Last {
		tensors[lastPrefix+name] = v
	}
	return nil
}

// Read returns the record in a file.
func Read(f *weights.File) (*Training, error) {
	if _, ok := f.Metadata()[trainingKey]; !ok {
		return nil, errors.New("has no record of its training to go on from")
	}
	t := &Training{Optimizer: map[string]*tensor.Tensor{}}
	if err := Unmarshal(f, trainingKey, t); err != nil {
		return nil, err
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("metadata %q: %w", trainingKey, err)
	}
	for _, name := range f.Names() {
		to, short := t.Optimizer, ""
		if rest, ok := strings.CutPrefix(name, optimizerPrefix); ok {
			short = rest
		} else if rest, ok := strings.CutPrefix(name, lastPrefix); ok {
			if t.Last == nil {
				t.Last = map[string]*tensor.Tensor{}
			}
			to, short = t.Last, rest
		} else {
			continue
		}
		var err error
		if to[short], err = f.Tensor(name); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// check finds what no training has written.
func (t *Training) check() error {
	for _, losses := range [][]float64{t.Losses, t.ValLosses} {
		for _, loss := range losses {
			if math.IsNaN(loss) || math.IsInf(loss, 0) {
				return fmt.Errorf("a loss of %v", loss)
			}
		}
	}
	if n := len(t.ValLosses); n > 0 && n != len(t.Losses) {
		return fmt.Errorf("%d losses and %d of validation", len(t.Losses), n)
	}
	if t.Batch < 1 {
		return fmt.Errorf("batches of %d", t.Batch)
	}
	if !(t.Validation >= 0 && t.Validation < 1 && t.Unseen >= 0 && t.Unseen < 1) {
		return fmt.Errorf("a share of %v for validation, %v of the classes kept out", t.Validation, t.Unseen)
	}
	if t.EarlyStop != nil {
		return t.EarlyStop.Check()
	}
	return nil
}

// Restore gives params the values after the last epoch.
func (t *Training) Restore(params []*nn.Param) error {
	if t == nil {
		return errors.New("restore: the record of the training is nil")
	}
	if len(t.Last) == 0 {
		return nil
	}
	for i, p := range params {
		if p == nil || p.Value == nil {
			return fmt.Errorf("restore: parameter %d of %d is nil or has no value", i, len(params))
		}
		last := t.Last[p.Name]
		if last == nil || fmt.Sprint(last.Shape()) != fmt.Sprint(p.Value.Shape()) {
			return fmt.Errorf("the values of %s after the last epoch are missing or of another shape", p.Name)
		}
	}
	for _, p := range params {
		copy(p.Value.Data(), t.Last[p.Name].Data())
	}
	return nil
}
