package training

import (
	"context"
	"fmt"

	"lookalike/nn"
	"lookalike/picture/album"
)

// Result is what has become of a training.
type Result struct {
	Epochs   int // that the file knows of, those before a training went on included
	Best     int // the one whose model the file holds, from 1: the last, or with Patience the best
	Pictures int // learned from, 0 if there was nothing to do

	Loss, ValLoss     float64   // of the best epoch; NaN if there is none, and ValLoss without validation
	Losses, ValLosses []float64 // of all epochs; ValLosses is empty without validation

	EarlyStop *nn.EarlyStopping // how it is seen whether training helps; nil without Patience
	Ended     Ending
	Skipped   []album.Skip // files that could not be read as pictures and were left out
}

// Ending is why a training has ended.
type Ending int

const (
	Unfinished Ending = iota // it has not been run, or has ended by an error
	Complete                 // all epochs have been done
	NoGain                   // the loss has not fallen for as many epochs as Patience says
	Asked                    // a callback has asked for it
)

func (e Ending) String() string {
	switch e {
	case Unfinished:
		return "not finished"
	case Complete:
		return "all epochs done"
	case NoGain:
		return "no gain any more"
	case Asked:
		return "ended by a callback"
	}
	return fmt.Sprintf("Ending(%d)", int(e))
}

// run makes a whole training of a course, and closes it.
func run(ctx context.Context, c *Course, photos *album.Set) (r Result, err error) {
	defer func() {
		if closed := c.Close(); err == nil {
			err = closed
		}
	}()
	if photos == nil {
		return c.Result(), errNoSet
	}
	if r := c.Result(); r.Ended != Unfinished {
		return r, nil
	}
	if err := c.Reserve(photos); err != nil {
		return c.Result(), err
	}
	stage := Stage{Files: photos.Len()}
	good, skipped, err := photos.Check(ctx, func(i int) {
		stage.Checked = i + 1
		c.progress(stage)
	})
	defer func() { r.Skipped = skipped }()
	if err != nil {
		return c.Result(), err
	}
	sets, err := c.Divide(good)
	if err != nil {
		return c.Result(), err
	}
	err = c.Prepare(ctx, func(n int) {
		stage.Described, stage.Pictures = n, sets.Learned.Len()+sets.Kept.Len()
		c.progress(stage)
	})
	if err != nil {
		return c.Result(), err
	}
	return c.Train(ctx)
}
