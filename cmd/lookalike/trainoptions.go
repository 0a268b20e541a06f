package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/describe"
	"lookalike/embedding"
	"lookalike/internal/checkpoint"
	"lookalike/nn"
	"lookalike/picture"
)

// leastRate is a learning rate that float32, in which parameters are, can still multiply with.
const leastRate = 1e-30

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

// check finds what is wrong with the flags by themselves. cmd tells which were
// given.
func (o *trainOptions) check(a *app, cmd *cobra.Command) (err error) {
	o.change, err = augment.Parse(o.augment)
	given := cmd.Flags().Changed
	switch {
	case o.out == "":
		return cli.Usagef("-o is missing: where to write the model, such as -o model.safetensors")
	case isOtherFormat(o.out):
		return cli.Usagef("-o %s: the model is written as safetensors; give a name such as model.safetensors, and let 'lookalike convert' write it in another format", o.out)
	case o.epochs < 1:
		return cli.Usagef("--epochs %d: give 1 or more", o.epochs)
	case o.batch < 1:
		return cli.Usagef("--batch %d: give 1 or more", o.batch)
	case !(o.rate >= leastRate && o.rate <= 1e6):
		return cli.Usagef("--lr %v: give a number from %v to 1e6, such as 0.001", o.rate, leastRate)
	case o.limit < 0:
		return cli.Usagef("--limit %d: give 1 or more, or 0 for all", o.limit)
	case o.size < 1:
		return cli.Usagef("--size %d: give a multiple of 16, such as 224", o.size)
	case o.code < 1:
		return cli.Usagef("--code %d: give 1 or more", o.code)
	case !(o.validation >= 0 && o.validation < 1):
		return cli.Usagef("--validation %v: give a share of the pictures below 1, such as 0.1", o.validation)
	case o.patience < 0:
		return cli.Usagef("--patience %d: give 0 or more epochs", o.patience)
	case !(o.minDelta >= 0) || math.IsInf(o.minDelta, 1):
		return cli.Usagef("--min-delta %v: give a number from 0", o.minDelta)
	case o.monitor != "" && o.monitor != nn.ValLoss && o.monitor != nn.TrainLoss:
		return cli.Usagef("--monitor %s: give %s or %s", o.monitor, nn.ValLoss, nn.TrainLoss)
	case !o.resume && !given("patience") && (given("min-delta") || given("monitor")):
		return cli.Usagef("--min-delta and --monitor say when to stop: give --patience too")
	case !o.resume && o.monitor == nn.ValLoss && o.validation == 0:
		return cli.Usagef("--monitor val_loss: there is none without --validation")
	case o.embedding != "" && o.embedding != arcFace:
		return cli.Usagef("--embedding %s: give arcface, the only one there is", o.embedding)
	case o.base != embedding.Encoder && !slices.Contains(describe.Networks, o.base):
		return cli.Usagef("--base %s: give vgg16, vgg19 or encoder", o.base)
	case !(o.margin > 0 && o.margin < math.Pi):
		return cli.Usagef("--margin %v: give an angle between 0 and 3.14, such as 0.5", o.margin)
	case !(o.scale > 0 && o.scale <= 1e6):
		return cli.Usagef("--scale %v: give a number above 0 and up to 1e6, such as 64", o.scale)
	case !(o.unseen >= 0 && o.unseen < 1):
		return cli.Usagef("--unseen %v: give a share of the classes below 1, such as 0.2", o.unseen)
	case err != nil:
		return cli.Usagef("--augment %s: %s", o.augment, strings.TrimPrefix(err.Error(), "augment: "))
	}
	if !o.resume && (o.embedding == "" || o.base == embedding.Encoder) {
		if _, _, err := autoencoder.Encoder(autoencoder.Config{Size: o.size, Code: o.code}); err != nil {
			return cli.Usagef("--size %d, --code %d: %s", o.size, o.code, strings.TrimPrefix(err.Error(), "autoencoder: "))
		}
	}
	if o.split != "" {
		if err := a.outputs.Reserve(o.split, o.out); err != nil {
			return err
		}
	}
	return a.outputs.ReserveDrawing("curve", o.curve, o.out)
}

// isOtherFormat tells whether a file of this name would be taken for one of another
// program's format.
func isOtherFormat(path string) bool {
	return slices.Contains([]string{".h5", ".hdf5", ".keras", ".npz", ".npy", ".pth", ".pt", ".onnx"}, strings.ToLower(filepath.Ext(path)))
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

// kind tells whether an embedding is to be trained: as the flags say or, where
// training goes on, as the file does.
func (o *trainOptions) kind() (isEmbedding bool, err error) {
	_, err = os.Lstat(o.out)
	switch exists := err == nil; {
	case exists && !o.resume:
		return false, fmt.Errorf("%s exists already; add --resume to go on training it, or remove it or choose another name", o.out)
	case !exists && o.resume:
		return false, fmt.Errorf("there is no %s to go on training; leave --resume out to begin", o.out)
	case !exists:
		return o.embedding != "", nil
	}
	isEmbedding, err = embedding.IsFile(o.out)
	if err == nil && o.embedding != "" && !isEmbedding {
		err = fmt.Errorf("--embedding %s: %s holds no embedding; leave the flag out, or train another model", o.embedding, o.out)
	}
	return isEmbedding, err
}

// checkKind finds flags that are for the other kind of network.
func (o *trainOptions) checkKind(cmd *cobra.Command, isEmbedding bool) error {
	given := cmd.Flags().Changed
	if !isEmbedding {
		for _, name := range []string{"base", "weights", "from", "margin", "scale", "unseen"} {
			if given(name) {
				return cli.Usagef("--%s is for an embedding: give --embedding arcface too", name)
			}
		}
		return nil
	}
	onEncoder := !o.resume && o.base == embedding.Encoder
	onVGG := !o.resume && o.base != embedding.Encoder
	for _, not := range []struct {
		wrong bool
		why   string
	}{
		{o.sheets != "", "--sheets shows reconstructions, which an embedding does not make"},
		{onEncoder && given("weights"), "--weights are those of vgg16 or vgg19, not of --base encoder"},
		{onVGG && given("from"), "--from gives the weights of an encoder: give --base encoder too"},
		{onVGG && given("size"), "--size is for --base encoder; vgg16 and vgg19 take pictures of 224x224"},
		{onVGG && given("augment"), "--augment is for --base encoder: vgg16 and vgg19 describe every picture once, before training"},
	} {
		if not.wrong {
			return cli.Usagef("%s", not.why)
		}
	}
	return nil
}

// newRecord is that of a training that begins.
func (o *trainOptions) newRecord(cmd *cobra.Command) *checkpoint.Training {
	return &checkpoint.Training{Batch: o.batch, LearningRate: o.rate, Seed: o.seed, NoShuffle: o.noShuffle,
		Validation: o.validation, Unseen: o.unseen, Augment: o.change.String(), EarlyStop: o.early(cmd)}
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
		return fmt.Errorf("%s was trained without --patience, so its best epoch is not known; leave it out, or train another model", o.out)
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
			return fmt.Errorf("--%s %v: %s was trained with %v; leave the flag out, or train another model", f.name, f.given, o.out, f.model)
		}
	}
	return nil
}
