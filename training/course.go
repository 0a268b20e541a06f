package training

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/embedding"
	"lookalike/gallery"
	"lookalike/internal/atomicfile"
	"lookalike/internal/checkpoint"
	"lookalike/internal/words"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/picture/album"
	"lookalike/tensor"
	"lookalike/weights"
)

// Errors, for [errors.Is]. [nn.ErrDiverged] is that the loss did.
var (
	ErrBusy          = atomicfile.ErrBusy                          // another training writes the file or the log
	ErrOtherPictures = errors.New("was trained on other pictures") // than those that training is to go on with
	ErrClosed        = fs.ErrClosed
)

// Course is a training whose file has been opened. It goes by steps, so that a program
// can show and do what it wants between them: [Course.Reserve], [Course.Divide],
// [Course.Prepare] and [Course.Train], each of which does what has been left out before
// it, but for Divide, which is given the pictures. One goroutine at a time uses it.
type Course struct {
	file   string
	output *atomicfile.Output // this training alone writes the file
	fresh  bool               // there must be no file before the first epoch is over
	log    *lossLog

	pupil  pupil
	record *checkpoint.Training // of the epochs done
	epochs int                  // in all

	release          func() // of the memory that training takes; nil before it is reserved
	sets             Split
	divided          bool
	data, validation nn.Dataset // validation may be nil; data is before they are prepared
	begun, closed    bool

	at, best  int              // epochs learned, and the best of them
	stop      bool             // it does not help any more
	kept      []*tensor.Tensor // the parameters of the best epoch, in the network's order
	saved     Result           // what the file holds
	callbacks []nn.Callback
	progress  func(Stage)
}

// learner is a network that can be taught.
type learner interface {
	Params() []*nn.Param
	Save(path string, t *checkpoint.Training, options ...weights.Option) error
	FitSamples(ctx context.Context, data nn.Dataset, cfg nn.FitConfig) (nn.History, error)
}

// pupil is what an autoencoder and an embedding do in ways of their own. Its network need
// not be there before samples has returned.
type pupil interface {
	learner
	// memory returns the side of the pictures, and what training on them takes; nil if
	// that is bounded elsewhere.
	memory(files *album.Set) (size int, of memoryOf)
	divide(photos *album.Set, t *checkpoint.Training) (Split, error)
	// samples makes what is learned from and validated on, and tells how many pictures
	// have been described.
	samples(ctx context.Context, sets Split, change augment.Config, t *checkpoint.Training, done func(n int)) (data, validation nn.Dataset, err error)
	Close() error
}

// open opens the training that a file holds, or begins one.
func open(file string, list []Option, begin func(o *options, t *checkpoint.Training) (pupil, error), resume func(o *options) (pupil, *checkpoint.Training, error)) (_ *Course, err error) {
	o, err := newOptions(list)
	switch {
	case err != nil:
		return nil, err
	case file == "":
		return nil, errors.New("training: the name of the model's file is empty")
	}
	c := &Course{file: file, epochs: o.epochs, callbacks: o.callbacks, progress: o.progress}
	if c.progress == nil {
		c.progress = func(Stage) {}
	}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	if c.output, err = reserveFile(file); err != nil {
		return nil, err
	}
	if target, err := atomicfile.Follow(o.log); o.log != "" && err == nil && target == c.output.Path() {
		return nil, fmt.Errorf("training: the model and its log are both to be written to %s; give two names", file)
	}
	_, missing := os.Lstat(file)
	switch exists := missing == nil; {
	case exists && o.resume:
		c.pupil, c.record, err = resume(o)
	case exists && !o.anew:
		return nil, fmt.Errorf("training: %s: %w; go on with it by Resume, or choose another name", file, fs.ErrExist)
	case exists:
		if err := replaceable(file); err != nil {
			return nil, err
		}
		fallthrough
	default:
		c.fresh = !exists
		if c.record, err = o.begin(); err == nil {
			c.pupil, err = begin(o, c.record)
		}
	}
	if err != nil {
		return nil, err
	}
	if c.log, err = openLog(o.log, c.record, o.anew); err != nil {
		return nil, err
	}
	for i := range c.record.Losses {
		c.judge(i)
	}
	c.note()
	if c.saved.Ended != Unfinished { // whoever trained it last may have been killed before the log was whole
		if err := c.log.complete(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// reserveFile makes sure that nobody else writes a file until it is closed.
func reserveFile(path string) (*atomicfile.Output, error) {
	o, err := atomicfile.Reserve(path)
	switch {
	case errors.Is(err, ErrBusy):
		return nil, fmt.Errorf("cannot write %s: %w", path, ErrBusy)
	case err != nil:
		return nil, fmt.Errorf("cannot write %s: its folder cannot be written to: %w", path, cmp.Or(errors.Unwrap(err), err))
	}
	return o, nil
}

// replaceable returns an error unless a file is a model, which another may replace.
func replaceable(file string) error {
	if f, err := weights.Open(file); err == nil {
		defer f.Close()
		if autoencoder.IsModel(f) || embedding.IsModel(f) {
			return nil
		}
	}
	return fmt.Errorf("training: %s exists and is not a model of a training, so it is not replaced; remove it or choose another name", file)
}

// judge takes epoch i, from 0, of the record into account and tells whether it
// is the best so far. Without early stopping that is always the last.
func (c *Course) judge(i int) (best bool) {
	best = true
	if early := c.record.EarlyStop; early != nil {
		val := math.NaN()
		if i < len(c.record.ValLosses) {
			val = c.record.ValLosses[i]
		}
		best, c.stop = early.Next(early.Watched(c.record.Losses[i], val))
	}
	if c.at = i + 1; best {
		c.best = c.at
	}
	return best
}

// note takes down that the file holds what has been judged.
func (c *Course) note() {
	r := Result{Epochs: c.at, Best: c.best, Loss: math.NaN(), ValLoss: math.NaN(), Pictures: c.saved.Pictures}
	r.Losses, r.ValLosses = slices.Clone(c.record.Losses), slices.Clone(c.record.ValLosses)
	if c.best > 0 {
		r.Loss = r.Losses[c.best-1]
	}
	if c.best > 0 && len(r.ValLosses) > 0 {
		r.ValLoss = r.ValLosses[c.best-1]
	}
	switch {
	case c.at >= c.epochs:
		r.Ended = Complete
	case c.stop:
		r.Ended = NoGain
	}
	c.saved = r
}

// usable returns an error unless the course has been opened and not closed.
func (c *Course) usable() error {
	switch {
	case c == nil || c.record == nil:
		return errors.New("training: the course is nil or empty; OpenAutoencoder and OpenEmbedding make one")
	case c.closed:
		return fmt.Errorf("training: the course of %s has been closed: %w", c.file, ErrClosed)
	}
	return nil
}

// Result tells what the file holds: what a training that goes on has done so far. Where
// there is nothing left to do, Ended says why.
func (c *Course) Result() Result {
	if c == nil {
		return Result{}
	}
	r := c.saved
	r.Losses, r.ValLosses = slices.Clone(r.Losses), slices.Clone(r.ValLosses)
	if c.record != nil && c.record.EarlyStop != nil {
		r.EarlyStop = &nn.EarlyStopping{Monitor: c.record.EarlyStop.Monitor, Patience: c.record.EarlyStop.Patience, MinDelta: c.record.EarlyStop.MinDelta}
	}
	return r
}

// Reserve sets apart the memory that training on these files takes, so that what comes
// next, such as [album.Set.Check], keeps within what the limit leaves. If it does not fit,
// the error is a [*MemoryError]. Close gives it back.
func (c *Course) Reserve(files *album.Set) error {
	if err := c.usable(); err != nil {
		return err
	}
	if files == nil {
		return errNoSet
	}
	if c.release != nil {
		c.release()
		c.release = nil
	}
	size, of := c.pupil.memory(files)
	if of == nil {
		c.release = func() {}
		return nil
	}
	release, err := reserve(c.record, size, files.Len(), of)
	if err == nil {
		c.release = release
	}
	return err
}

var errNoSet = errors.New("training: the set of pictures is nil")

// Divide takes the pictures, all of which must be readable, and says which of them are
// learned from. Where training goes on, they must be the same as before, by their paths and
// by how they are set upright, or it is ErrOtherPictures.
func (c *Course) Divide(photos *album.Set) (Split, error) {
	err := c.usable()
	switch {
	case err != nil:
		return Split{}, err
	case photos == nil:
		return Split{}, errNoSet
	case photos.Len() == 0:
		return Split{}, errors.New("training: there is no picture to learn from")
	case c.data != nil:
		return Split{}, errors.New("training: the pictures have been divided and prepared already")
	}
	if c.release == nil {
		if err := c.Reserve(photos); err != nil {
			return Split{}, err
		}
	}
	names := namesOf(photos)
	if c.record.Photos != "" && c.record.Photos != names {
		return Split{}, fmt.Errorf("%s %w than these %d, so training cannot go on from it", c.file, ErrOtherPictures, photos.Len())
	}
	sets, err := c.pupil.divide(photos, c.record)
	if err != nil {
		return Split{}, err
	}
	c.sets, c.divided, c.record.Photos = sets, true, names
	return sets, nil
}

// namesOf is the fingerprint of the pictures' names and order, and of how they
// are set upright.
func namesOf(photos *album.Set) string {
	h := sha256.New()
	if o := photos.Options(); o.IgnoreOrientation {
		fmt.Fprintf(h, "orientation %s\x00", gallery.Recipe{}.Reading(o).EXIF)
	}
	for i := range photos.Len() {
		fmt.Fprintf(h, "%s\x00", photos.Path(i))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Prepare makes ready what is learned from. A network on VGG describes all pictures here,
// which takes most of the time of its training; done, unless nil, is told how many it has
// described, from 0.
func (c *Course) Prepare(ctx context.Context, done func(n int)) error {
	err := c.usable()
	switch {
	case err != nil:
		return err
	case !c.divided:
		return errors.New("training: the pictures have not been divided; call Divide first")
	case c.data != nil:
		return nil
	}
	change, err := augment.Parse(c.record.Augment)
	if err != nil {
		return fmt.Errorf("%s: %w", c.file, err)
	}
	if done == nil {
		done = func(int) {}
	}
	c.data, c.validation, err = c.pupil.samples(ctx, c.sets, change, c.record, done)
	if err != nil {
		c.data = nil
	}
	return err
}

// Train trains the network, after the epochs that have been done before, up to the last or
// until it does not help any more. After each epoch it writes the model, and what there is
// to know of its training, and then calls the callbacks.
//
// If there is an error, the result is of the epochs that the file holds. Between two
// batches Train looks at ctx, and returns its error if it is done. A loss that has become
// infinite, or rises out of all proportion, is [nn.ErrDiverged], and that epoch is not
// saved. A callback ends training without an error by [nn.ErrStop], from its EpochEnd.
func (c *Course) Train(ctx context.Context, callbacks ...nn.Callback) (Result, error) {
	err := c.usable()
	switch {
	case err != nil:
		return Result{}, err
	case c.begun:
		return c.Result(), fmt.Errorf("training: the course of %s has been run; open it again to go on", c.file)
	case c.saved.Ended != Unfinished:
		return c.Result(), nil
	}
	if err := c.Prepare(ctx, nil); err != nil {
		return c.Result(), err
	}
	c.begun, c.saved.Pictures = true, c.sets.Learned.Len()
	defer c.log.until(ctx)()
	err = c.teach(ctx, slices.Concat(c.callbacks, callbacks))
	if r := &c.saved; err != nil {
		r.Ended = Unfinished
	} else if r.Ended == Unfinished {
		r.Ended = Asked
	}
	if n := c.saved.Epochs; errors.Is(err, nn.ErrDiverged) && n > 0 {
		err = fmt.Errorf("%w; %s holds the %s before", err, c.file, words.Count(n, "epoch"))
	}
	return c.Result(), err
}

// teach is Train for what has been prepared.
func (c *Course) teach(ctx context.Context, callbacks []nn.Callback) error {
	record, params := c.record, c.pupil.Params()
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
	stop := nn.OnEpoch(func(nn.EpochStats) error {
		if c.stop {
			return nn.ErrStop
		}
		return nil
	})
	_, err := c.pupil.FitSamples(ctx, c.data, nn.FitConfig{
		Epochs: c.epochs, InitialEpoch: c.at, Batch: record.Batch, Optimizer: optimizer,
		Seed: record.Seed, NoShuffle: record.NoShuffle, Validation: c.validation,
		Callbacks: slices.Concat([]nn.Callback{save}, callbacks, []nn.Callback{stop}),
	})
	return err
}

// save writes the model of the best epoch and, if that is not the last one, the
// parameters of the last beside them.
func (c *Course) save(best bool) (err error) {
	params := c.pupil.Params()
	var options []weights.Option
	if c.fresh {
		options = append(options, weights.Exclusive)
	}
	defer func() {
		if err == nil {
			c.fresh = false
			c.note()
		}
	}()
	c.record.Last = nil
	if best {
		for i, k := range c.kept {
			copy(k.Data(), params[i].Value.Data())
		}
		return c.pupil.Save(c.file, c.record, options...)
	}
	c.record.Last = checkpoint.ByName(params)
	swap := func() {
		for i, p := range params {
			p.Value, c.kept[i] = c.kept[i], p.Value
		}
	}
	swap()
	defer swap()
	return c.pupil.Save(c.file, c.record, options...)
}

// Close gives back the file, its log, and the memory. It may be called twice.
func (c *Course) Close() error {
	if c == nil || c.closed {
		return nil
	}
	c.closed = true
	var err error
	if c.pupil != nil {
		err = c.pupil.Close()
	}
	err = errors.Join(err, c.log.Close())
	if c.release != nil {
		c.release()
	}
	if c.output != nil {
		c.output.Close()
	}
	return err
}
