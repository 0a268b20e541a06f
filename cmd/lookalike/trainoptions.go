package main

import (
	"errors"
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
	"lookalike/nn"
	"lookalike/picture"
	"lookalike/training"
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

// check finds what is wrong with the flags by themselves. cmd tells which were
// given.
func (o *trainOptions) check(outputs *cli.Outputs, cmd *cobra.Command) (err error) {
	o.change, err = augment.Parse(o.augment)
	given := cmd.Flags().Changed
	switch {
	case o.out == "":
		return cli.Usagef("-o is missing: where to write the model, such as -o model.safetensors")
	case isOtherFormat(o.out):
		return cli.Usagef("-o %s: the model is written as safetensors; give a name such as model.safetensors, and let 'lookalike convert' write it in another format", o.out)
	case o.limit < 0:
		return cli.Usagef("--limit %d: give 1 or more, or 0 for all", o.limit)
	case o.size < 1:
		return cli.Usagef("--size %d: give a multiple of 16, such as 224", o.size)
	case o.code < 1:
		return cli.Usagef("--code %d: give 1 or more", o.code)
	case err != nil:
		return cli.Usagef("--augment %s: %s", o.augment, strings.TrimPrefix(err.Error(), "augment: "))
	}
	if wrong, ok := errors.AsType[*training.OptionError](training.Check(o.training(func(string) bool { return true })...)); ok {
		return cli.Usagef("--%s %v: %s", trainFlag(wrong.Option), wrong.Value, wrong.Want)
	}
	switch {
	case !o.resume && !given("patience") && (given("min-delta") || given("monitor")):
		return cli.Usagef("--min-delta and --monitor say when to stop: give --patience too")
	case !o.resume && o.monitor == nn.ValLoss && o.validation == 0:
		return cli.Usagef("--monitor val_loss needs --validation")
	case o.embedding != "" && o.embedding != arcFace:
		return cli.Usagef("--embedding %s: give arcface, the only one there is", o.embedding)
	case o.base != embedding.Encoder && !slices.Contains(describe.Networks, o.base):
		return cli.Usagef("--base %s: give vgg16, vgg19 or encoder", o.base)
	case !(o.margin > 0 && o.margin < math.Pi):
		return cli.Usagef("--margin %v: give an angle between 0 and 3.14, such as 0.5", o.margin)
	case !(o.scale > 0 && o.scale <= 1e6):
		return cli.Usagef("--scale %v: give a number above 0 and up to 1e6, such as 64", o.scale)
	}
	if !o.resume && (o.embedding == "" || o.base == embedding.Encoder) {
		if _, _, err := autoencoder.Encoder(autoencoder.Config{Size: o.size, Code: o.code}); err != nil {
			return cli.Usagef("--size %d, --code %d: %s", o.size, o.code, strings.TrimPrefix(err.Error(), "autoencoder: "))
		}
	}
	if o.split != "" {
		if err := outputs.Reserve(o.split, o.out); err != nil {
			return err
		}
	}
	return outputs.ReserveDrawing("curve", o.curve, o.out)
}

// isOtherFormat tells whether a file of this name would be taken for one of another
// program's format.
func isOtherFormat(path string) bool {
	return slices.Contains([]string{".h5", ".hdf5", ".keras", ".npz", ".npy", ".pth", ".pt", ".onnx"}, strings.ToLower(filepath.Ext(path)))
}

// kind tells whether an embedding is to be trained: as the flags say or, where
// training goes on, as the file does.
func (o *trainOptions) kind() (isEmbedding bool, err error) {
	_, err = os.Lstat(o.out)
	exists := err == nil
	if exists != o.resume { // another run may be the reason, which tells more
		if err := cli.CheckOutput(o.out); err != nil {
			return false, err
		}
	}
	switch {
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
		{onEncoder && given("weights"), "--weights is for --base vgg16 and vgg19, not for --base encoder"},
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

// training are the options of the training for the flags that are to be used.
func (o *trainOptions) training(use func(flag string) bool) []training.Option {
	list := []training.Option{training.Epochs(o.epochs), training.Log(o.log)}
	if o.resume {
		list = append(list, training.Resume())
	}
	for _, f := range []struct {
		name   string
		option training.Option
	}{
		{"batch", training.Batch(o.batch)},
		{"lr", training.LearningRate(o.rate)},
		{"seed", training.Seed(o.seed)},
		{"no-shuffle", training.NoShuffle(o.noShuffle)},
		{"validation", training.Validation(o.validation)},
		{"unseen", training.Unseen(o.unseen)},
		{"augment", training.Augment(o.change)},
		{"patience", training.Patience(o.patience)},
		{"min-delta", training.MinDelta(o.minDelta)},
		{"monitor", training.Monitor(o.monitor)},
	} {
		if use(f.name) {
			list = append(list, f.option)
		}
	}
	return list
}

// used tells of the flags of a command whether they are to be used: where training goes on,
// those that are given.
func (o *trainOptions) used(cmd *cobra.Command) func(flag string) bool {
	given := cmd.Flags().Changed
	if o.resume {
		return given
	}
	return func(flag string) bool {
		switch flag {
		case "patience", "min-delta", "monitor":
			return given("patience")
		case "unseen":
			return o.embedding != ""
		}
		return true
	}
}

// trainFlag is the flag for what errors of a training call otherwise.
func trainFlag(option string) string {
	switch option {
	case "learning rate":
		return "lr"
	case "dim":
		return "code"
	}
	return strings.ReplaceAll(option, " ", "-")
}

// shape returns the value of a flag that says how a network is made, nothing if it is not
// to be used.
func shape[T any](use func(flag string) bool, flag string, value T) (v T) {
	if use(flag) {
		return value
	}
	return v
}

// hint says with which flags an error of the training would not be.
func (o *trainOptions) hint(err error) error {
	if other, ok := errors.AsType[*training.ResumeError](err); ok {
		switch flag := trainFlag(other.Option); {
		case other.Was == nil:
			return fmt.Errorf("%s was trained without --%s, so its best epoch is not known; leave it out, or train another model", o.out, flag)
		case other.File != o.out:
			return fmt.Errorf("--%s %v: the autoencoder in %s was trained with %v; leave the flag out", flag, other.Given, other.File, other.Was)
		default:
			return fmt.Errorf("--%s %v: %s was trained with %v; leave the flag out, or train another model", flag, other.Given, o.out, other.Was)
		}
	}
	if much, ok := errors.AsType[*training.MemoryError](err); ok {
		switch {
		case much.Size > 0:
			return fmt.Errorf("%w, or --batch 1 and --size %d or less", much.Err, much.Size)
		case much.Batch > 0:
			return fmt.Errorf("%w, or --batch %d or less", much.Err, much.Batch)
		}
	}
	return err
}
