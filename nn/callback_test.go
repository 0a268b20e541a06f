package nn_test

import (
	"bytes"
	"errors"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lookalike/nn"
)

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
