package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"lookalike/autoencoder"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/picture"
)

// trainOptions are the flags of train.
type trainOptions struct {
	out       string
	size      int
	code      int
	epochs    int
	batch     int
	rate      float64
	seed      uint64
	limit     int
	noShuffle bool
	resume    bool
	log       string
	pictures  picture.Options
}

func (a *app) trainCommand() *cobra.Command {
	var o trainOptions
	cmd := &cobra.Command{
		Use:   "train DIR -o MODEL.safetensors",
		Short: "Train an autoencoder on the pictures of a folder",
		Long: `Trains an autoencoder on the pictures below a folder: it learns to press each
into a short code and to draw it again from that. Pictures whose codes are near
are alike in colour and layout.

The model is written after every epoch. Ctrl-C stops between two batches; with
--resume training goes on after the last whole epoch and reaches the same model,
to the bit, as if it had not been stopped. What is not given then is taken from
the model: size, code, batch, learning rate, seed and order. The folder and
--limit must be the same, --epochs may be more.

The pictures are resized to squares without smoothing. Up to 512 MB of them are
kept in memory, the others are read anew in every epoch.`,
		Example: `  lookalike train photos -o model.safetensors
  lookalike train photos -o small.safetensors --size 96 --epochs 30 --log loss.csv
  lookalike train photos -o model.safetensors --epochs 20 --resume`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.train(cmd, args, o) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "write the model to `FILE`")
	f.IntVar(&o.size, "size", 224, "make pictures `N` pixels wide and high, a multiple of 16")
	f.IntVar(&o.code, "code", 32, "describe a picture by `N` numbers")
	f.IntVar(&o.epochs, "epochs", 10, "learn from every picture `N` times in all")
	f.IntVar(&o.batch, "batch", 32, "learn from `N` pictures in one step")
	f.Float64Var(&o.rate, "lr", 0.001, "learning `RATE` of Adamax")
	f.Uint64Var(&o.seed, "seed", 1, "draw first weights and order from `N`")
	f.IntVar(&o.limit, "limit", 0, "use only `N` files, evenly spaced over the folder (default all)")
	f.BoolVar(&o.noShuffle, "no-shuffle", false, "learn from the pictures in their order in every epoch")
	f.BoolVar(&o.resume, "resume", false, "go on training the model that the output file holds")
	f.StringVar(&o.log, "log", "", "write a line an epoch to `FILE`, as CSV")
	orientationFlag(cmd, &o.pictures.IgnoreOrientation)
	return cmd
}

// check finds what is wrong with the flags by themselves.
func (o *trainOptions) check() error {
	switch {
	case o.out == "":
		return usagef("-o is missing: where to write the model, such as -o model.safetensors")
	case o.epochs < 1:
		return usagef("--epochs %d: give 1 or more", o.epochs)
	case o.batch < 1:
		return usagef("--batch %d: give 1 or more", o.batch)
	case !(o.rate > 0 && o.rate <= 1e6):
		return usagef("--lr %v: give a number above 0, such as 0.001", o.rate)
	case o.limit < 0:
		return usagef("--limit %d: give 1 or more, or 0 for all", o.limit)
	case o.size < 1:
		return usagef("--size %d: give a multiple of 16, such as 224", o.size)
	case o.code < 1:
		return usagef("--code %d: give 1 or more", o.code)
	}
	return nil
}

func (a *app) train(cmd *cobra.Command, args []string, o trainOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	dir := args[0]
	if err := checkOutput(o.out); err != nil {
		return err
	}
	m, record, err := o.start(cmd)
	if err != nil {
		return err
	}
	done := len(record.Losses)
	if done >= o.epochs {
		fmt.Fprintf(a.out, "%s has learned for %s already; for more give a greater --epochs than %d\n", o.out, count(done, "epoch"), o.epochs)
		return nil
	}
	files, err := folder(dir, o.pictures)
	if err != nil {
		return err
	}
	if o.limit > 0 {
		files = files.Limit(o.limit)
	}
	log, err := openLog(o.log, o.out, done)
	if err != nil {
		return err
	}
	defer log.Close()
	photos, err := a.check(cmd.Context(), dir, files)
	if err != nil {
		return err
	}
	if names := namesOf(photos, o.pictures); record.Photos == "" {
		record.Photos = names
	} else if record.Photos != names {
		return fmt.Errorf("%s was trained on other pictures than the %d that %s holds now, so training cannot go on from it; give the same folder, --limit and --ignore-orientation, or train another model", o.out, photos.Len(), dir)
	}

	start := time.Now()
	history, err := a.fit(cmd.Context(), m, photos, record, o.epochs, nn.CSVLog(log), o.out)
	switch {
	case err == nil:
	case cmd.Context().Err() != nil && len(record.Losses) == 0:
		return stoppedError("stopped before the first epoch was over; nothing was written")
	case cmd.Context().Err() != nil:
		return stoppedError(fmt.Sprintf("stopped; %s holds %d of %s. To go on:\n  %s",
			o.out, len(record.Losses), count(o.epochs, "epoch"), commandLine(cmd, args, "resume", "--resume")))
	case errors.Is(err, nn.ErrDiverged) && len(record.Losses) > 0:
		return fmt.Errorf("%w; %s holds the %s before", err, o.out, count(len(record.Losses), "epoch"))
	default:
		return err
	}
	fmt.Fprintf(a.out, "%s: %s, %s, loss %.6f, %s\n", o.out, count(photos.Len(), "picture"),
		count(len(record.Losses), "epoch"), history[len(history)-1].Loss, duration(time.Since(start).Seconds()))
	return nil
}

// start returns a new network, or the one to go on with.
func (o *trainOptions) start(cmd *cobra.Command) (*autoencoder.Model, *autoencoder.Training, error) {
	_, err := os.Stat(o.out)
	switch exists := err == nil; {
	case exists && !o.resume:
		return nil, nil, fmt.Errorf("%s exists already; add --resume to go on training it, or remove it or choose another name", o.out)
	case !exists && o.resume:
		return nil, nil, fmt.Errorf("there is no %s to go on training; leave --resume away to begin", o.out)
	case !exists:
		m, err := autoencoder.New(autoencoder.Config{Size: o.size, Code: o.code}, o.seed)
		return m, &autoencoder.Training{Batch: o.batch, LearningRate: o.rate, Seed: o.seed, NoShuffle: o.noShuffle}, err
	}
	m, t, err := autoencoder.Resume(o.out)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range []struct {
		name         string
		given, model any
	}{
		{"size", o.size, m.Config.Size},
		{"code", o.code, m.Config.Code},
		{"batch", o.batch, t.Batch},
		{"lr", o.rate, t.LearningRate},
		{"seed", o.seed, t.Seed},
		{"no-shuffle", o.noShuffle, t.NoShuffle},
	} {
		if cmd.Flags().Changed(f.name) && f.given != f.model {
			return nil, nil, fmt.Errorf("--%s %v: %s was trained with %v; leave the flag away, or train another model", f.name, f.given, o.out, f.model)
		}
	}
	return m, t, nil
}

// fit trains m after the epochs that record tells of, up to epochs. After each
// it writes the model to file and what it has learned to record.
func (a *app) fit(ctx context.Context, m *autoencoder.Model, photos *picture.Set, record *autoencoder.Training, epochs int, log nn.Callback, file string) (nn.History, error) {
	optimizer := &optim.Adamax{LearningRate: record.LearningRate}
	if record.Optimizer != nil {
		if err := optimizer.Restore(record.Optimizer, m.Params()); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	initial := len(record.Losses)
	save := nn.OnEpoch(func(e nn.EpochStats) error {
		record.Losses = append(record.Losses, e.Loss)
		record.Optimizer = optimizer.State()
		return m.Save(file, record)
	})
	progress := a.training(photos.Len(), initial, epochs)
	defer progress.end()
	return m.Fit(ctx, photos, nn.FitConfig{
		Epochs: epochs, InitialEpoch: initial, Batch: record.Batch, Optimizer: optimizer,
		Seed: record.Seed, NoShuffle: record.NoShuffle,
		Callbacks: []nn.Callback{save, log, progress},
	})
}

// namesOf is the fingerprint of the pictures' names and order, and of how they
// are set upright.
func namesOf(photos *picture.Set, o picture.Options) string {
	h := sha256.New()
	if o.IgnoreOrientation {
		fmt.Fprintf(h, "orientation %s\x00", orientation(true))
	}
	for i := range photos.Len() {
		fmt.Fprintf(h, "%s\x00", photos.Path(i))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// logHeading is what nn.CSVLog begins with, unless training goes on.
const logHeading = "epoch,loss,val_loss,samples,seconds"

// openLog opens the CSV file of a training that goes on after some epochs; "" is
// none.
func openLog(path, model string, done int) (io.WriteCloser, error) {
	if path == "" {
		return discard{}, nil
	}
	if err := checkOutput(path, model); err != nil {
		return nil, err
	}
	size := int64(0)
	if info, err := os.Stat(path); err == nil {
		size = info.Size()
	}
	if done == 0 && size > 0 {
		return nil, fmt.Errorf("the log %s exists already; remove it or choose another name", path)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err == nil && done > 0 && size == 0 {
		_, err = fmt.Fprintln(f, logHeading)
	}
	return f, err
}

// discard is a log that nobody wants.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }
