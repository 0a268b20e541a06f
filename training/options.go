package training

import (
	"cmp"
	"fmt"
	"math"
	"reflect"

	"lookalike/augment"
	"lookalike/internal/checkpoint"
	"lookalike/nn"
)

// Option says how a network is trained. Where a training goes on, what is not given stays
// as it was, and what is given must be what it was, but for Epochs, Patience, Log and what
// concerns the call alone.
type Option func(*options)

type options struct {
	epochs       int
	resume, anew bool
	log          string

	record checkpoint.Training // of a training that begins, but for when it stops early
	stop   nn.EarlyStopping
	change augment.Config
	given  map[string]any // of what the record keeps: by the name that errors use

	weights, cache, from string // of an embedding

	callbacks []nn.Callback
	progress  func(Stage)
}

func (o *options) give(name string, value any) { o.given[name] = value }

// has tells whether an option was given.
func (o *options) has(name string) bool { _, given := o.given[name]; return given }

// Epochs is how often to learn from every picture, those times included that a training
// which goes on has done before. The default is 10.
func Epochs(n int) Option { return func(o *options) { o.epochs = n } }

// Batch is how many pictures to learn from in one step. The default is 32.
func Batch(n int) Option {
	return func(o *options) { o.record.Batch = n; o.give(batchName, n) }
}

// LearningRate is that of Adamax. The default is 0.001.
func LearningRate(rate float64) Option {
	return func(o *options) { o.record.LearningRate = rate; o.give(rateName, rate) }
}

// Seed is what first weights, the order of the pictures and their changes are drawn from.
// The default is 1.
func Seed(n uint64) Option {
	return func(o *options) { o.record.Seed = n; o.give(seedName, n) }
}

// NoShuffle learns from the pictures in their order in every epoch.
func NoShuffle(no bool) Option {
	return func(o *options) { o.record.NoShuffle = no; o.give(noShuffleName, no) }
}

// Validation keeps a share of the pictures, such as 0.1, out of training, and computes
// their loss after every epoch: see [Divide].
func Validation(share float64) Option {
	return func(o *options) { o.record.Validation = share; o.give(validationName, share) }
}

// Unseen keeps a share of the classes, such as 0.2, out of the training of an embedding:
// see [DivideClasses].
func Unseen(share float64) Option {
	return func(o *options) { o.record.Unseen = share; o.give(unseenName, share) }
}

// Augment changes the pictures at random in every epoch. It is not for an embedding on
// VGG, which describes every picture once.
func Augment(c augment.Config) Option {
	return func(o *options) { o.change, o.record.Augment = c, c.String(); o.give(augmentName, c.String()) }
}

// Patience ends training when the loss that is watched has not fallen for n epochs, and
// keeps in the file the model of the best epoch, as Keras's EarlyStopping does with
// restore_best_weights. A training that goes on may be given more of it.
func Patience(n int) Option {
	return func(o *options) { o.stop.Patience = n; o.give(patienceName, n) }
}

// MinDelta is the gain that is none: with [Patience], a loss must fall by more.
func MinDelta(x float64) Option {
	return func(o *options) { o.stop.MinDelta = x; o.give(minDeltaName, x) }
}

// Monitor is the loss that [Patience] watches, [nn.ValLoss] or [nn.TrainLoss]. Without it,
// it is that of the validation if there is one.
func Monitor(loss string) Option {
	return func(o *options) { o.stop.Monitor = loss; o.give(monitorName, loss) }
}

// Resume goes on with the training that the file holds, after its last whole epoch, or
// begins one if there is no file. So the same call, made again after whatever has ended
// it, reaches the same file, to the bit, as one that was never interrupted.
func Resume() Option { return func(o *options) { o.resume = true } }

// Anew begins a training even if there is a file, which the first epoch replaces, and so a
// log.
func Anew() Option { return func(o *options) { o.anew = true } }

// Log adds a line an epoch to a file, as CSV with the columns epoch, loss, val_loss,
// images_per_second and seconds; a training that goes on keeps the lines of the epochs
// that it has done. A pipe that is read, or a device, gets the lines as they come.
func Log(file string) Option { return func(o *options) { o.log = file } }

// WeightsFile has the weights of VGG that an embedding begins to stand on: a file of
// Keras. Without it they are those that have been downloaded; a [*describe.WeightsError]
// says that there are none.
func WeightsFile(path string) Option { return func(o *options) { o.weights = path } }

// WeightsCache is the folder in which downloaded weights are looked for.
func WeightsCache(dir string) Option { return func(o *options) { o.cache = dir } }

// From is the file of an autoencoder whose encoder an embedding that is learned as a whole
// begins with. It has its size and widths.
func From(file string) Option { return func(o *options) { o.from = file } }

// Callbacks are told of every batch, and of every epoch after it has been saved.
func Callbacks(list ...nn.Callback) Option {
	return func(o *options) { o.callbacks = append(o.callbacks, list...) }
}

// Stage is how far the work before the first epoch is, in files and pictures.
type Stage struct {
	Files, Checked      int // files that there are, and that have been decoded once
	Pictures, Described int // to be described by VGG, for an embedding on it, and that have been
}

// Progress tells how far the work before the first epoch is, one call at a time.
func Progress(f func(Stage)) Option { return func(o *options) { o.progress = f } }

// The options that the record of a training keeps, as errors name them.
const (
	batchName      = "batch"
	rateName       = "learning rate"
	seedName       = "seed"
	noShuffleName  = "no shuffle"
	validationName = "validation"
	unseenName     = "unseen"
	augmentName    = "augment"
	patienceName   = "patience"
	minDeltaName   = "min delta"
	monitorName    = "monitor"
)

// newOptions takes the options and returns an error unless they make sense.
func newOptions(list []Option) (*options, error) {
	o := &options{epochs: 10, given: map[string]any{}}
	o.record.Batch, o.record.LearningRate, o.record.Seed = 32, 0.001, 1
	for _, set := range list {
		if set != nil {
			set(o)
		}
	}
	return o, o.check()
}

// Check returns an error, an [*OptionError], unless the options by themselves make sense.
func Check(list ...Option) error {
	_, err := newOptions(list)
	return err
}

// OptionError is that an option cannot be what it is.
type OptionError struct {
	Option string // such as "learning rate"
	Value  any
	Want   string // what to give
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("training: %s %v: %s", e.Option, e.Value, e.Want)
}

// A learning rate is one that float32, in which parameters are, can still multiply with.
const leastRate, mostRate = 1e-30, 1e6

func (o *options) check() error {
	r := &o.record
	change := o.change.Check()
	for _, e := range []struct {
		wrong  bool
		option string
		value  any
		want   string
	}{
		{o.epochs < 1, "epochs", o.epochs, "give 1 or more"},
		{r.Batch < 1, batchName, r.Batch, "give 1 or more"},
		{!(r.LearningRate >= leastRate && r.LearningRate <= mostRate), rateName, r.LearningRate, fmt.Sprintf("give a number from %v to 1e6, such as 0.001", leastRate)},
		{!(r.Validation >= 0 && r.Validation < 1), validationName, r.Validation, "give a share of the pictures below 1, such as 0.1"},
		{!(r.Unseen >= 0 && r.Unseen < 1), unseenName, r.Unseen, "give a share of the classes below 1, such as 0.2"},
		{change != nil, augmentName, r.Augment, fmt.Sprint(change)},
		{o.stop.Patience < 0, patienceName, o.stop.Patience, "give 0 or more epochs"},
		{!(o.stop.MinDelta >= 0) || math.IsInf(o.stop.MinDelta, 1), minDeltaName, o.stop.MinDelta, "give a number from 0"},
		{o.stop.Check() != nil, monitorName, o.stop.Monitor, fmt.Sprintf("give %s or %s", nn.ValLoss, nn.TrainLoss)},
	} {
		if e.wrong {
			return &OptionError{e.option, e.value, e.want}
		}
	}
	for i, c := range o.callbacks {
		if c == nil {
			return fmt.Errorf("training: callback %d of %d is nil", i+1, len(o.callbacks))
		}
	}
	if o.resume && o.anew {
		return fmt.Errorf("training: a training cannot both go on and begin anew; give Resume or Anew")
	}
	return nil
}

// begin returns the record of a training that begins.
func (o *options) begin() (*checkpoint.Training, error) {
	t := o.record
	switch {
	case !o.has(patienceName) && (o.has(minDeltaName) || o.has(monitorName)):
		return nil, &OptionError{patienceName, "missing", "min delta and monitor say when to stop; give it too"}
	case o.stop.Monitor == nn.ValLoss && t.Validation == 0:
		return nil, &OptionError{monitorName, nn.ValLoss, "there is none without validation"}
	case o.has(patienceName):
		t.EarlyStop = &nn.EarlyStopping{Monitor: cmp.Or(o.stop.Monitor, nn.ValLoss), Patience: o.stop.Patience, MinDelta: o.stop.MinDelta}
		if t.Validation == 0 {
			t.EarlyStop.Monitor = nn.TrainLoss
		}
	}
	return &t, nil
}

// ResumeError is that training cannot go on as is asked, for the model was trained in
// another way.
type ResumeError struct {
	File       string
	Option     string // such as "learning rate", "size"
	Given, Was any    // Was is nil where there was none
}

func (e *ResumeError) Error() string {
	if e.Was == nil {
		return fmt.Sprintf("%s was trained without %s; leave it out, or train another model", e.File, e.Option)
	}
	some := func(v any) any {
		if v == "" {
			return "none"
		}
		return v
	}
	return fmt.Sprintf("%s was trained with %s %v, not %v; leave it out, or train another model", e.File, e.Option, some(e.Was), some(e.Given))
}

// setting is a part of a network's configuration: what is given, zero for nothing, and
// what a model has.
type setting struct {
	name       string
	given, was any
}

// agree returns an error, a ResumeError, if what is given says something else than how a
// model was trained, but for the patience, which it takes over.
func (o *options) agree(file string, t *checkpoint.Training, shape []setting) error {
	stop := t.EarlyStop
	if stop == nil {
		for _, name := range []string{patienceName, monitorName, minDeltaName} {
			if o.has(name) {
				return &ResumeError{File: file, Option: patienceName, Given: o.given[name]}
			}
		}
		stop = &nn.EarlyStopping{}
	} else if o.has(patienceName) {
		stop.Patience = o.stop.Patience
	}
	for _, s := range shape {
		if given := reflect.ValueOf(s.given); !given.IsZero() && !reflect.DeepEqual(s.given, s.was) {
			return &ResumeError{file, s.name, s.given, s.was}
		}
	}
	for _, s := range []setting{
		{name: batchName, was: t.Batch},
		{name: rateName, was: t.LearningRate},
		{name: seedName, was: t.Seed},
		{name: noShuffleName, was: t.NoShuffle},
		{name: validationName, was: t.Validation},
		{name: unseenName, was: t.Unseen},
		{name: augmentName, was: t.Augment},
		{name: monitorName, was: stop.Monitor},
		{name: minDeltaName, was: stop.MinDelta},
	} {
		if o.has(s.name) && o.given[s.name] != s.was {
			return &ResumeError{file, s.name, o.given[s.name], s.was}
		}
	}
	return nil
}
