package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"lookalike/autoencoder"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/realpath"
	"lookalike/internal/words"
	"lookalike/nn"
	"lookalike/picture/album"
	"lookalike/training"
)

func trainCommand(a *app) *cobra.Command {
	var o trainOptions
	cmd := &cobra.Command{
		Use:   "train DIR -o MODEL.safetensors",
		Short: "Train an autoencoder or an embedding on a folder of pictures",
		Long: `Trains an autoencoder on the pictures below a folder: it learns to compress each
into a short code and to draw it again from the code. Pictures with similar codes
have similar colours and layout.

With --embedding arcface it trains an embedding: a network that places pictures
on a hypersphere, near to others of the same class and far from other classes. The
class of a picture is the name of its folder. The network is a dense layer on the
features of VGG16, whose weights do not change. With --base encoder it is the
encoder of an autoencoder instead, trained from random weights or from the
autoencoder that --from names; that needs many more pictures. The loss is ArcFace
with margin 0.5 and scale 64. --unseen keeps whole classes out of training:
with --split and 'lookalike eval' they show how the embedding does on new classes.

The model is written after every epoch. Ctrl-C stops between two batches. --resume
continues after the last complete epoch and gives the same model, to the bit, as
training without a stop. It takes all settings that are not given from the model:
the kind of network, size, code, batch, learning rate, seed, order and validation.
The folder and --limit must be the same; --epochs may be larger.

The pictures are resized to squares without smoothing. Up to 512 MB of them are
kept in memory, the others are read anew in every epoch.

--validation keeps a share of the pictures, evenly spaced over the folder, out of
training and computes their loss after every epoch. --patience N ends training when
that loss (or the one that --monitor names) has not fallen for N epochs; the model
is then the best one, as with Keras's EarlyStopping and restore_best_weights. During
training the file holds the best model so far; --resume continues from the last
epoch all the same, and may be given more --patience.

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
and seconds. It is made when the first epoch is over. With --resume the lines of
the epochs that the model has seen are kept, later ones are dropped, and missing
ones are put in without their times. A pipe that is read, or a device, gets the
lines as they come.

--split writes which pictures were learned from: a table with the columns path,
class and set, where the set is train, validation or unseen. 'lookalike eval
--split' judges the searches in each set by itself.`,
		Example: `  lookalike train photos -o model.safetensors
  lookalike train photos -o small.safetensors --size 96 --curve loss.png
  lookalike train photos -o m.safetensors --validation 0.1 --patience 5
  lookalike train photos -o model.safetensors --epochs 20 --resume
  lookalike train photos -o e.safetensors --embedding arcface --split split.csv`,
		Args: cli.Arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return cli.Unwritten(cmd.Context(), train(cmd, a, args, o))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "write the model to `FILE`")
	f.IntVar(&o.size, "size", 224, "make pictures `N` pixels wide and high, a multiple of 16")
	f.IntVar(&o.code, "code", 32, "describe a picture by `N` numbers; for an embedding the default is 256")
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
	f.IntVar(&o.limit, "limit", 0, "use only `N` pictures, evenly spaced over the folder (default all)")
	f.BoolVar(&o.noShuffle, "no-shuffle", false, "learn from the pictures in their order in every epoch")
	f.BoolVar(&o.resume, "resume", false, "go on training the model that the output file holds")
	f.Float64Var(&o.validation, "validation", 0, "keep the share `F` of the pictures, such as 0.1, out of training, to see how it does on others")
	f.IntVar(&o.patience, "patience", 0, "stop when the loss has not fallen for `N` epochs, and keep the best model (default: never)")
	f.Float64Var(&o.minDelta, "min-delta", 0, "with --patience: a fall by `X` or less does not count")
	f.StringVar(&o.monitor, "monitor", "", "with --patience: watch the loss `NAME`, val_loss or loss (default val_loss if there is --validation)")
	f.StringVar(&o.augment, "augment", "", "change pictures at random in training by `LIST`: flip, crop, brightness, contrast, saturation, color")
	f.StringVar(&o.log, "log", "", "write a line an epoch to `FILE`, as CSV")
	f.StringVar(&o.curve, "curve", "", "draw the loss of the epochs to `FILE`, .png or .jpg")
	f.StringVar(&o.sheets, "sheets", "", "after every epoch draw pictures above their reconstructions to `DIR`/epoch-001.png and so on")
	f.StringVar(&o.split, "split", "", "write which pictures were learned from and which kept out to `FILE`, as CSV")
	orientationFlag(cmd, &o.pictures.IgnoreOrientation)
	return cmd
}

func train(cmd *cobra.Command, a *app, args []string, o trainOptions) error {
	if err := o.check(&a.outputs, cmd); err != nil {
		return err
	}
	if err := a.outputs.Check(o.out); err != nil {
		return err
	}
	isEmbedding, err := o.kind()
	if err != nil {
		return err
	}
	if err := o.checkKind(cmd, isEmbedding); err != nil {
		return err
	}
	if err := o.checkLog(&a.outputs); err != nil {
		return err
	}
	open := o.openAutoencoder
	if isEmbedding {
		open = o.openEmbedding
	}
	c, err := open(cmd, a.cache)
	if err != nil {
		return o.hint(err)
	}
	defer c.Close()
	if alreadyDone(a.Out, &o, c.Result()) {
		return nil
	}
	photos, err := trainingPictures(cmd.Context(), a, args[0], o, c)
	if err != nil {
		return err
	}
	sets, err := c.Divide(photos)
	switch {
	case errors.Is(err, training.ErrOtherPictures):
		return fmt.Errorf("%s was trained on other pictures than the %d that %s holds now, so training cannot go on from it; give the same folder, --limit and --ignore-orientation, or train another model", o.out, photos.Len(), args[0])
	case err != nil:
		return err
	}
	if o.split != "" {
		if err := sets.Write(o.split); err != nil {
			return err
		}
		a.Wrote(o.split, fmt.Sprintf("%s learned from, %d kept out", words.Count(sets.Learned.Len(), "picture"), sets.Kept.Len()))
	}
	title := "Mean squared error of the reconstructions"
	if isEmbedding {
		title = "ArcFace loss"
		warnOfSingles(&a.Terminal, sets.Learned)
	}
	if err := prepare(cmd.Context(), &a.Terminal, c, sets); err != nil {
		return err
	}
	draw := []nn.Callback{drawCurve(c, o.curve, title)}
	if o.sheets != "" {
		sheets, err := drawSheets(cmd.Context(), c.Autoencoder(), o.sheets, sets)
		if err != nil {
			return err
		}
		draw = append(draw, sheets)
	}
	return runCourse(cmd, &a.Terminal, args, o, c, sets.Learned.Len(), draw)
}

// openAutoencoder begins the training of an autoencoder, or goes on with it.
func (o *trainOptions) openAutoencoder(cmd *cobra.Command, _ string) (*training.Course, error) {
	use := o.used(cmd)
	config := autoencoder.Config{Size: shape(use, "size", o.size), Code: shape(use, "code", o.code)}
	return training.OpenAutoencoder(o.out, config, o.training(use)...)
}

// checkLog makes sure that the log can be written, unless it is a pipe or a device.
func (o *trainOptions) checkLog(outputs *cli.Outputs) error {
	if o.log == "" {
		return nil
	}
	if info, err := os.Stat(o.log); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil
	}
	return outputs.Check(o.log, o.out)
}

// alreadyDone tells whether there is nothing left to do, and says why.
func alreadyDone(out io.Writer, o *trainOptions, r training.Result) bool {
	switch r.Ended {
	case training.NoGain:
		fmt.Fprintf(out, "%s has stopped early, %s; for more give a greater --patience than %d\n", o.out, best(r), r.EarlyStop.Patience)
	case training.Complete:
		fmt.Fprintf(out, "%s has learned for %s already; for more give a greater --epochs than %d\n", o.out, words.Count(r.Epochs, "epoch"), o.epochs)
	}
	return r.Ended != training.Unfinished
}

// best says in words which epoch the model is of and how good.
func best(r training.Result) string {
	text := fmt.Sprintf("loss %.6f", r.Loss)
	if len(r.ValLosses) > 0 {
		text += fmt.Sprintf(", validation %.6f", r.ValLoss)
	}
	if r.EarlyStop != nil {
		text += fmt.Sprintf(" (the best, after epoch %d)", r.Best)
	}
	return text
}

// trainingPictures returns the pictures of a folder, those to be kept out among
// them, after they have been decoded once in what the training leaves of the memory.
func trainingPictures(ctx context.Context, a *app, dir string, o trainOptions, c *training.Course) (*album.Set, error) {
	files, err := folder(dir, o.pictures)
	if err != nil {
		return nil, err
	}
	limit := files.Len()
	if o.limit > 0 {
		limit = min(limit, o.limit)
	}
	if err := c.Reserve(files.Limit(limit)); err != nil {
		return nil, o.hint(err)
	}
	if err := o.makeSheets(&a.outputs); err != nil {
		return nil, err
	}
	photos, err := check(ctx, &a.Terminal, dir, files, limit)
	if err == nil {
		err = a.outputs.Spare(dir, func(file string) bool {
			in := realpath.Below(dir, file)
			return slices.ContainsFunc(numbers(photos.Len()), func(i int) bool { return slices.Contains(in, photos.Path(i)) })
		})
	}
	return photos, err
}

// prepare makes ready what is learned from, and shows how far that is where it takes long.
func prepare(ctx context.Context, t *cli.Terminal, c *training.Course, sets training.Split) error {
	var shown *cli.Progress
	all := sets.Learned.Len() + sets.Kept.Len()
	err := c.Prepare(ctx, func(n int) {
		if n == 0 {
			shown = t.Progress("Describing pictures", "images", all)
			return
		}
		if shown.Set(n); n == all {
			shown.End()
		}
	})
	if shown != nil {
		shown.End()
	}
	return err
}

// runCourse trains, and says how that ended.
func runCourse(cmd *cobra.Command, t *cli.Terminal, args []string, o trainOptions, c *training.Course, n int, draw []nn.Callback) error {
	start := time.Now()
	shown := showTraining(t, n, c.Result().Epochs, o.epochs)
	told := context.AfterFunc(cmd.Context(), func() { shown.Stopping("after this batch") })
	r, err := c.Train(cmd.Context(), append(draw, shown)...)
	told()
	shown.End()
	switch {
	case err == nil:
	case cmd.Context().Err() != nil && r.Epochs == 0:
		return cli.StoppedError("stopped before the first epoch was over; nothing was written")
	case cmd.Context().Err() != nil:
		return cli.StoppedError(fmt.Sprintf("stopped; %s holds %d of %s. To go on:\n  %s",
			o.out, r.Epochs, words.Count(o.epochs, "epoch"), cli.CommandLine(cmd, args, "resume", "--resume")))
	default:
		return err
	}
	fmt.Fprintf(t.Out, "%s: %s, %s, %s, %s\n", o.out, words.Count(r.Pictures, "picture"),
		words.Count(r.Epochs, "epoch"), best(r), words.Duration(time.Since(start).Seconds()))
	for _, f := range []struct{ path, what string }{
		{o.log, "the loss of each epoch"},
		{o.curve, "the loss of the epochs, drawn"},
		{o.sheets, "pictures above their reconstructions, a file an epoch"},
	} {
		if f.path != "" {
			t.Wrote(f.path, f.what)
		}
	}
	t.Next("index", args[0], "-o", "photos.idx", "--model", o.out)
	return nil
}

// makeSheets makes the folder for the sheets.
func (o *trainOptions) makeSheets(outputs *cli.Outputs) error {
	if o.sheets == "" {
		return nil
	}
	if err := os.MkdirAll(o.sheets, 0o755); err != nil {
		return fmt.Errorf("cannot make the folder for the sheets: %w", err)
	}
	return outputs.Reserve(o.sheets+string(os.PathSeparator)+"epoch-001.png", o.out)
}
