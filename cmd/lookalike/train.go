package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/checkpoint"
	"lookalike/embedding"
	"lookalike/internal/describe"
	"lookalike/internal/split"
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
	split  string

	embedding string // "" for an autoencoder
	base      string
	weights   string
	from      string
	unseen    float64
	margin    float64
	scale     float64

	change augment.Config // what augment says
}

func (a *app) trainCommand() *cobra.Command {
	var o trainOptions
	cmd := &cobra.Command{
		Use:   "train DIR -o MODEL.safetensors",
		Short: "Train an autoencoder or an embedding on a folder of pictures",
		Long: `Trains an autoencoder on the pictures below a folder: it learns to press each
into a short code and to draw it again from that. Pictures whose codes are near
are alike in colour and layout.

With --embedding arcface it trains an embedding: a network that places pictures
on a hypersphere so that those of one class lie together and classes lie apart.
The class of a picture is the name of the folder that it lies in. The network is
a dense layer on the features of VGG16, whose own weights stay as they are, or
with --base encoder that of an autoencoder, learned as a whole from nothing or
from the autoencoder that --from names; the latter needs many more pictures to
be of use. The loss is ArcFace's, with its margin of 0.5 and its scale of 64.
--unseen keeps whole classes out of training: with --split and 'lookalike eval'
they tell how the embedding does on what it knows nothing about.

The model is written after every epoch. Ctrl-C stops between two batches; with
--resume training goes on after the last whole epoch and reaches the same model,
to the bit, as if it had not been stopped. What is not given then is taken from
the model: the kind of network, size, code, batch, learning rate, seed, order and
what is kept out. The folder and --limit must be the same, --epochs may be more.

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
kept, later ones are dropped, and missing ones are put in without their times.

--split writes which pictures were learned from: a table with the columns path,
class and set, where the set is train, validation or unseen. 'lookalike eval
--split' judges the searches in each set by itself.`,
		Example: `  lookalike train photos -o model.safetensors
  lookalike train photos -o small.safetensors --size 96 --epochs 30 --log loss.csv --curve loss.png
  lookalike train photos -o model.safetensors --epochs 100 --validation 0.1 --patience 5 --augment flip,crop,color
  lookalike train photos -o model.safetensors --epochs 20 --resume
  lookalike train photos -o classes.safetensors --embedding arcface --validation 0.5 --unseen 0.2 --split split.csv`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return unwritten(cmd.Context(), a.train(cmd, args, o))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "write the model to `FILE`")
	f.IntVar(&o.size, "size", 224, "make pictures `N` pixels wide and high, a multiple of 16")
	f.IntVar(&o.code, "code", 32, "describe a picture by `N` numbers (for an embedding by 256 unless told)")
	f.StringVar(&o.embedding, "embedding", "", "train an embedding of labelled pictures with the loss `NAME`: arcface")
	f.StringVar(&o.base, "base", "vgg16", "of an embedding: learn on top of `NETWORK`, vgg16 or vgg19, or encoder for an autoencoder's")
	f.StringVar(&o.weights, "weights", "", "of an embedding: read the weights of vgg16 or vgg19 from `FILE` (default: those that 'lookalike weights fetch' got)")
	f.StringVar(&o.from, "from", "", "of an embedding with --base encoder: begin with the encoder of the autoencoder in `FILE`")
	f.Float64Var(&o.margin, "margin", 0.5, "of an embedding: keep classes `ANGLE` apart, in radians")
	f.Float64Var(&o.scale, "scale", 64, "of an embedding: multiply cosines by `S` in the loss")
	f.Float64Var(&o.unseen, "unseen", 0, "of an embedding: keep the share `F` of the classes, such as 0.2, out of training")
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
	f.StringVar(&o.split, "split", "", "write which pictures were learned from and which kept out to `FILE`, as CSV")
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
	case o.embedding != "" && o.embedding != arcFace:
		return usagef("--embedding %s: give arcface, the only one there is", o.embedding)
	case o.base != embedding.Encoder && !slices.Contains(describe.Networks, o.base):
		return usagef("--base %s: give vgg16, vgg19 or encoder", o.base)
	case !(o.margin > 0 && o.margin < math.Pi):
		return usagef("--margin %v: give an angle between 0 and 3.14, such as 0.5", o.margin)
	case !(o.scale > 0 && o.scale <= 1e6):
		return usagef("--scale %v: give a number above 0, such as 64", o.scale)
	case !(o.unseen >= 0 && o.unseen < 1):
		return usagef("--unseen %v: give a share of the classes below 1, such as 0.2", o.unseen)
	case err != nil:
		return usagef("--augment %s: %s", o.augment, strings.TrimPrefix(err.Error(), "augment: "))
	}
	if o.split != "" {
		if err := checkOutput(o.split, o.out); err != nil {
			return err
		}
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
	if err := checkOutput(o.out); err != nil {
		return err
	}
	isEmbedding, err := o.kind()
	if err != nil {
		return err
	}
	if err := o.checkKind(cmd, isEmbedding); err != nil {
		return err
	}
	if isEmbedding {
		return a.trainEmbedding(cmd, args, o)
	}
	return a.trainAutoencoder(cmd, args, o)
}

// kind tells whether an embedding is to be trained: as the flags say or, where
// training goes on, as the file does.
func (o *trainOptions) kind() (isEmbedding bool, err error) {
	_, err = os.Stat(o.out)
	switch exists := err == nil; {
	case exists && !o.resume:
		return false, fmt.Errorf("%s exists already; add --resume to go on training it, or remove it or choose another name", o.out)
	case !exists && o.resume:
		return false, fmt.Errorf("there is no %s to go on training; leave --resume away to begin", o.out)
	case !exists:
		return o.embedding != "", nil
	}
	isEmbedding, err = embedding.IsFile(o.out)
	if err == nil && o.embedding != "" && !isEmbedding {
		err = fmt.Errorf("--embedding %s: %s holds no embedding; leave the flag away, or train another model", o.embedding, o.out)
	}
	return isEmbedding, err
}

// checkKind finds flags that are for the other kind of network.
func (o *trainOptions) checkKind(cmd *cobra.Command, isEmbedding bool) error {
	given := cmd.Flags().Changed
	if !isEmbedding {
		for _, name := range []string{"base", "weights", "from", "margin", "scale", "unseen"} {
			if given(name) {
				return usagef("--%s is for an embedding: give --embedding arcface too", name)
			}
		}
		return nil
	}
	if o.resume {
		if o.sheets != "" {
			return usagef("--sheets shows reconstructions, which an embedding does not make")
		}
		return nil
	}
	for _, not := range []struct {
		wrong bool
		why   string
	}{
		{o.sheets != "", "--sheets shows reconstructions, which an embedding does not make"},
		{o.base == embedding.Encoder && given("weights"), "--weights are those of vgg16 or vgg19, not of --base encoder"},
		{o.base != embedding.Encoder && given("from"), "--from gives the weights of an encoder: give --base encoder too"},
		{o.base != embedding.Encoder && given("size"), "--size is for --base encoder; vgg16 and vgg19 take pictures of 224x224"},
		{o.base != embedding.Encoder && given("augment"), "--augment is for --base encoder: vgg16 and vgg19 describe every picture once, before training"},
	} {
		if not.wrong {
			return usagef("%s", not.why)
		}
	}
	return nil
}

func (a *app) trainAutoencoder(cmd *cobra.Command, args []string, o trainOptions) error {
	m, record, err := o.autoencoder(cmd)
	if err != nil {
		return err
	}
	c := &course{network: m, record: record, epochs: o.epochs, file: o.out, curve: o.curve,
		title: "Mean squared error of the reconstructions"}
	if a.alreadyDone(c) {
		return nil
	}
	photos, err := a.trainingPictures(cmd.Context(), args[0], o, c)
	if err != nil {
		return err
	}
	defer c.log.Close()
	sets, err := split.Pictures(photos, record.Validation)
	if err != nil {
		return err
	}
	if err := writeSplit(o.split, sets); err != nil {
		return err
	}
	change, err := augment.Parse(record.Augment)
	if err != nil {
		return fmt.Errorf("%s: %w", o.out, err)
	}
	shown := sets.Learned
	c.data = m.Samples(sets.Learned, change, record.Seed)
	if sets.Kept.Len() > 0 {
		c.validation, shown = m.Samples(sets.Kept, augment.Config{}, 0), sets.Kept
	}
	if o.sheets != "" {
		pictures, err := prepared(m, shown)
		if err != nil {
			return err
		}
		c.sheet = func(ctx context.Context, epoch int) error {
			return reconstructions(ctx, filepath.Join(o.sheets, fmt.Sprintf("epoch-%03d.png", epoch)), m, pictures)
		}
	}
	return a.runCourse(cmd, args, o, c)
}

// alreadyDone goes through the epochs done before and tells whether there is
// nothing left to do.
func (a *app) alreadyDone(c *course) bool {
	done := len(c.record.Losses)
	if c.begin(); c.stop && done < c.epochs {
		fmt.Fprintf(a.out, "%s has stopped early, %s; for more give a greater --patience than %d\n", c.file, c.best(), c.record.EarlyStop.Patience)
		return true
	}
	if done >= c.epochs {
		fmt.Fprintf(a.out, "%s has learned for %s already; for more give a greater --epochs than %d\n", c.file, count(done, "epoch"), c.epochs)
		return true
	}
	return false
}

// trainingPictures returns the pictures of a folder, those to be kept out among
// them, after they have been decoded once, and opens the log. Where training goes
// on they must be the same as before.
func (a *app) trainingPictures(ctx context.Context, dir string, o trainOptions, c *course) (*picture.Set, error) {
	files, err := folder(dir, o.pictures)
	if err != nil {
		return nil, err
	}
	if o.limit > 0 {
		files = files.Limit(o.limit)
	}
	if err := o.makeSheets(); err != nil {
		return nil, err
	}
	if c.log, err = openLog(o.log, o.out, c.record); err != nil {
		return nil, err
	}
	photos, err := a.check(ctx, dir, files)
	if err == nil {
		if names := namesOf(photos, o.pictures); c.record.Photos == "" {
			c.record.Photos = names
		} else if c.record.Photos != names {
			err = fmt.Errorf("%s was trained on other pictures than the %d that %s holds now, so training cannot go on from it; give the same folder, --limit and --ignore-orientation, or train another model", o.out, photos.Len(), dir)
		}
	}
	if err != nil {
		c.log.Close()
	}
	return photos, err
}

// runCourse trains, and says how that ended.
func (a *app) runCourse(cmd *cobra.Command, args []string, o trainOptions, c *course) error {
	start := time.Now()
	err := a.teach(cmd.Context(), c)
	done := len(c.record.Losses)
	switch {
	case err == nil:
	case cmd.Context().Err() != nil && done == 0:
		return stoppedError("stopped before the first epoch was over; nothing was written")
	case cmd.Context().Err() != nil:
		return stoppedError(fmt.Sprintf("stopped; %s holds %d of %s. To go on:\n  %s",
			o.out, done, count(o.epochs, "epoch"), commandLine(cmd, args, "resume", "--resume")))
	case errors.Is(err, nn.ErrDiverged) && done > 0:
		return fmt.Errorf("%w; %s holds the %s before", err, o.out, count(done, "epoch"))
	default:
		return err
	}
	fmt.Fprintf(a.out, "%s: %s, %s, %s, %s\n", o.out, count(c.data.Len(), "picture"),
		count(done, "epoch"), c.best(), duration(time.Since(start).Seconds()))
	a.next("index", args[0], "-o", "photos.idx", "--model", o.out)
	return nil
}

// newRecord is that of a training that begins.
func (o *trainOptions) newRecord(cmd *cobra.Command) *checkpoint.Training {
	return &checkpoint.Training{Batch: o.batch, LearningRate: o.rate, Seed: o.seed, NoShuffle: o.noShuffle,
		Validation: o.validation, Unseen: o.unseen, Augment: o.change.String(), EarlyStop: o.early(cmd)}
}

// autoencoder returns a new network, or the one to go on with.
func (o *trainOptions) autoencoder(cmd *cobra.Command) (*autoencoder.Model, *checkpoint.Training, error) {
	if !o.resume {
		m, err := autoencoder.New(autoencoder.Config{Size: o.size, Code: o.code}, o.seed)
		return m, o.newRecord(cmd), err
	}
	m, t, err := autoencoder.Resume(o.out)
	if err != nil {
		return nil, nil, err
	}
	return m, t, o.agree(cmd, t, flagValue{"size", o.size, m.Config.Size}, flagValue{"code", o.code, m.Config.Code})
}

// flagValue is what a flag says and what it was for the model to go on with.
type flagValue struct {
	name         string
	given, model any
}

// agree returns an error if flags are given that say something else than how a
// model was trained, but for more epochs and patience. These, and the further
// ones, are compared.
func (o *trainOptions) agree(cmd *cobra.Command, t *checkpoint.Training, further ...flagValue) error {
	given := cmd.Flags().Changed
	stop := t.EarlyStop
	switch {
	case stop == nil && (given("patience") || given("monitor") || given("min-delta")):
		return fmt.Errorf("%s was trained without --patience, so its best epoch is not known; leave it away, or train another model", o.out)
	case stop == nil:
		stop = &nn.EarlyStopping{}
	case given("patience"):
		stop.Patience = o.patience
	}
	for _, f := range append(further,
		flagValue{"batch", o.batch, t.Batch},
		flagValue{"lr", o.rate, t.LearningRate},
		flagValue{"seed", o.seed, t.Seed},
		flagValue{"no-shuffle", o.noShuffle, t.NoShuffle},
		flagValue{"validation", o.validation, t.Validation},
		flagValue{"unseen", o.unseen, t.Unseen},
		flagValue{"augment", o.change.String(), t.Augment},
		flagValue{"monitor", o.monitor, stop.Monitor},
		flagValue{"min-delta", o.minDelta, stop.MinDelta},
	) {
		if given(f.name) && f.given != f.model {
			return fmt.Errorf("--%s %v: %s was trained with %v; leave the flag away, or train another model", f.name, f.given, o.out, f.model)
		}
	}
	return nil
}

// makeSheets makes the folder for the sheets.
func (o *trainOptions) makeSheets() error {
	if o.sheets == "" {
		return nil
	}
	if err := os.MkdirAll(o.sheets, 0o755); err != nil {
		return fmt.Errorf("cannot make the folder for the sheets: %w", err)
	}
	return checkOutput(o.sheets+string(os.PathSeparator)+"epoch-001.png", o.out)
}
