package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/checkpoint"
	"lookalike/nn"
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
	pictures  picture.Options

	validation float64
	patience   int
	minDelta   float64
	monitor    string
	augment    string

	log    string
	curve  string
	sheets string

	change augment.Config // what augment says
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
kept in memory, the others are read anew in every epoch.

--validation keeps pictures, evenly spaced over the folder, out of training and
computes their loss after every epoch. --patience ends training once that loss
(or the one that --monitor names) has not fallen for as many epochs as told, and
the model is then that of the best epoch, as with Keras's EarlyStopping and
restore_best_weights. While training lasts the file holds the best model so far;
--resume goes on from the last epoch all the same, and may be given more
--patience.

--augment changes the pictures at random in every epoch, from the seed, the
epoch's number and the picture's alone:
  flip         mirrors every second picture
  crop         keeps a square of 0.8 to 1 times the side and enlarges it
  brightness   adds up to 0.2 of the full range, or takes it away
  contrast     multiplies distances from the mean by 0.8 to 1.2
  saturation   multiplies the saturation by 0.67 to 1.5
  color        the last three
crop=0.3 and so on do more or less than the 0.2 that these numbers stand for.
They are Keras's RandomFlip, RandomCrop with Resizing, RandomBrightness,
RandomContrast and RandomSaturation, in this order.

--log writes a table with the columns epoch, loss, val_loss, images_per_second
and seconds. With --resume the lines of the epochs that the model has seen are
kept, later ones are dropped, and missing ones are put in without their times.`,
		Example: `  lookalike train photos -o model.safetensors
  lookalike train photos -o small.safetensors --size 96 --epochs 30 --log loss.csv --curve loss.png
  lookalike train photos -o model.safetensors --epochs 100 --validation 0.1 --patience 5 --augment flip,crop,color
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
	f.Float64Var(&o.validation, "validation", 0, "keep the share `F` of the pictures, such as 0.1, out of training, to see how it does on others")
	f.IntVar(&o.patience, "patience", 0, "stop when the loss has not fallen for `N` epochs, and keep the best model (default: never)")
	f.Float64Var(&o.minDelta, "min-delta", 0, "with --patience: falling by `X` or less is no gain")
	f.StringVar(&o.monitor, "monitor", "", "with --patience: watch the loss `NAME`, val_loss or loss (default val_loss if there is --validation)")
	f.StringVar(&o.augment, "augment", "", "change pictures at random in training by `LIST`: flip, crop, brightness, contrast, saturation, color")
	f.StringVar(&o.log, "log", "", "write a line an epoch to `FILE`, as CSV")
	f.StringVar(&o.curve, "curve", "", "draw the loss of the epochs to `FILE`, .png or .jpg")
	f.StringVar(&o.sheets, "sheets", "", "after every epoch draw pictures above their reconstructions to `DIR`/epoch-001.png and so on")
	orientationFlag(cmd, &o.pictures.IgnoreOrientation)
	return cmd
}

// check finds what is wrong with the flags by themselves. cmd tells which were
// given.
func (o *trainOptions) check(cmd *cobra.Command) (err error) {
	o.change, err = augment.Parse(o.augment)
	given := cmd.Flags().Changed
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
	case !(o.validation >= 0 && o.validation < 1):
		return usagef("--validation %v: give a share of the pictures below 1, such as 0.1", o.validation)
	case o.patience < 0:
		return usagef("--patience %d: give 0 or more epochs", o.patience)
	case !(o.minDelta >= 0) || math.IsInf(o.minDelta, 1):
		return usagef("--min-delta %v: give a number from 0", o.minDelta)
	case o.monitor != "" && o.monitor != nn.ValLoss && o.monitor != nn.TrainLoss:
		return usagef("--monitor %s: give %s or %s", o.monitor, nn.ValLoss, nn.TrainLoss)
	case !o.resume && !given("patience") && (given("min-delta") || given("monitor")):
		return usagef("--min-delta and --monitor say when to stop: give --patience too")
	case !o.resume && o.monitor == nn.ValLoss && o.validation == 0:
		return usagef("--monitor val_loss: there is none without --validation")
	case err != nil:
		return usagef("--augment %s: %s", o.augment, strings.TrimPrefix(err.Error(), "augment: "))
	}
	return checkDrawing("curve", o.curve, o.out)
}

// early is the stopping that the flags ask for, nil for none.
func (o *trainOptions) early(cmd *cobra.Command) *nn.EarlyStopping {
	if !cmd.Flags().Changed("patience") {
		return nil
	}
	monitor := cmp.Or(o.monitor, nn.ValLoss)
	if o.validation == 0 {
		monitor = nn.TrainLoss
	}
	return &nn.EarlyStopping{Monitor: monitor, Patience: o.patience, MinDelta: o.minDelta}
}

func (a *app) train(cmd *cobra.Command, args []string, o trainOptions) error {
	if err := o.check(cmd); err != nil {
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
	c := &course{network: m, record: record, epochs: o.epochs, file: o.out, curve: o.curve,
		title: "Mean squared error of the reconstructions"}
	if done := len(record.Losses); done >= o.epochs {
		fmt.Fprintf(a.out, "%s has learned for %s already; for more give a greater --epochs than %d\n", o.out, count(done, "epoch"), o.epochs)
		return nil
	} else if c.begin(); c.stop {
		fmt.Fprintf(a.out, "%s has stopped early, %s; for more give a greater --patience than %d\n", o.out, c.best(), record.EarlyStop.Patience)
		return nil
	}
	files, err := folder(dir, o.pictures)
	if err != nil {
		return err
	}
	if o.limit > 0 {
		files = files.Limit(o.limit)
	}
	if err := o.makeSheets(); err != nil {
		return err
	}
	log, err := openLog(o.log, o.out, record)
	if err != nil {
		return err
	}
	defer log.Close()
	c.log = log
	photos, err := a.check(cmd.Context(), dir, files)
	if err != nil {
		return err
	}
	if names := namesOf(photos, o.pictures); record.Photos == "" {
		record.Photos = names
	} else if record.Photos != names {
		return fmt.Errorf("%s was trained on other pictures than the %d that %s holds now, so training cannot go on from it; give the same folder, --limit and --ignore-orientation, or train another model", o.out, photos.Len(), dir)
	}
	learned, kept, err := split(photos, record.Validation)
	if err != nil {
		return err
	}
	change, err := augment.Parse(record.Augment)
	if err != nil {
		return fmt.Errorf("%s: %w", o.out, err)
	}
	c.data, c.shown = m.Samples(learned, change, record.Seed), learned
	if kept.Len() > 0 {
		c.validation, c.shown = m.Samples(kept, augment.Config{}, 0), kept
	}
	if o.sheets != "" {
		shown, err := prepared(m, c.shown)
		if err != nil {
			return err
		}
		c.sheet = func(ctx context.Context, epoch int) error {
			return reconstructions(ctx, filepath.Join(o.sheets, fmt.Sprintf("epoch-%03d.png", epoch)), m, shown)
		}
	}

	start := time.Now()
	err = a.teach(cmd.Context(), c)
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
	fmt.Fprintf(a.out, "%s: %s, %s, %s, %s\n", o.out, count(learned.Len(), "picture"),
		count(len(record.Losses), "epoch"), c.best(), duration(time.Since(start).Seconds()))
	return nil
}

// start returns a new network, or the one to go on with.
func (o *trainOptions) start(cmd *cobra.Command) (*autoencoder.Model, *checkpoint.Training, error) {
	_, err := os.Stat(o.out)
	switch exists := err == nil; {
	case exists && !o.resume:
		return nil, nil, fmt.Errorf("%s exists already; add --resume to go on training it, or remove it or choose another name", o.out)
	case !exists && o.resume:
		return nil, nil, fmt.Errorf("there is no %s to go on training; leave --resume away to begin", o.out)
	case !exists:
		m, err := autoencoder.New(autoencoder.Config{Size: o.size, Code: o.code}, o.seed)
		return m, &checkpoint.Training{Batch: o.batch, LearningRate: o.rate, Seed: o.seed, NoShuffle: o.noShuffle,
			Validation: o.validation, Augment: o.change.String(), EarlyStop: o.early(cmd)}, err
	}
	m, t, err := autoencoder.Resume(o.out)
	if err != nil {
		return nil, nil, err
	}
	given := cmd.Flags().Changed
	stop := t.EarlyStop
	switch {
	case stop == nil && (given("patience") || given("monitor") || given("min-delta")):
		return nil, nil, fmt.Errorf("%s was trained without --patience, so its best epoch is not known; leave it away, or train another model", o.out)
	case stop == nil:
		stop = &nn.EarlyStopping{}
	case given("patience"):
		stop.Patience = o.patience
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
		{"validation", o.validation, t.Validation},
		{"augment", o.change.String(), t.Augment},
		{"monitor", o.monitor, stop.Monitor},
		{"min-delta", o.minDelta, stop.MinDelta},
	} {
		if given(f.name) && f.given != f.model {
			return nil, nil, fmt.Errorf("--%s %v: %s was trained with %v; leave the flag away, or train another model", f.name, f.given, o.out, f.model)
		}
	}
	return m, t, nil
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
