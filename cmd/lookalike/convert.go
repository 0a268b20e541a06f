package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/words"
	"lookalike/modelfile"
)

func convertCommand(a *app) *cobra.Command {
	var half bool
	cmd := &cobra.Command{
		Use:   "convert IN OUT",
		Short: "Write the weights of a network in another format",
		Long: `Reads a file of weights in any format that this program knows (safetensors,
NumPy's .npz, Keras's .weights.h5, .keras and older .h5, PyTorch's .pth of
VGG16) and writes them in the format that the name OUT ends in:

  .safetensors  for this program: it is mapped into memory, so that a network
                starts at once
  .npz          for numpy.load: arrays named such as "block1_conv1/kernel"
  .weights.h5   for load_weights of Keras 3: VGG16, VGG19 and autoencoders.
                A name that ends in plain .h5 is refused, as Keras would read
                the older format from such a file

Numbers are float32, with --half float16. Of an autoencoder that 'lookalike
train' made, only the network is written, not what training needs to go on. What
was written is read again and compared. An OUT that exists is left as it is.

Keras opens an autoencoder like this, with the numbers of 'lookalike summary':

  import keras
  from keras import Input, Sequential, layers as L
  elu = dict(padding="same", activation="elu")
  encoder = Sequential([Input((224, 224, 3))])
  for n in (32, 64, 128, 256):
      encoder.add(L.Conv2D(n, 3, **elu))
      encoder.add(L.MaxPooling2D(2))
  encoder.add(L.Flatten())
  encoder.add(L.Dense(32))
  decoder = Sequential([Input((32,)), L.Dense(14*14*256)])
  decoder.add(L.Reshape((14, 14, 256)))
  for n in (128, 64, 32):
      decoder.add(L.Conv2DTranspose(n, 3, strides=2, **elu))
  decoder.add(L.Conv2DTranspose(3, 3, strides=2, padding="same"))
  model = Sequential([encoder, decoder])
  model.load_weights("model.weights.h5")
  codes = encoder.predict(images)    # RGB, 224x224, divided by 255

and VGG16 like this:

  model = keras.applications.VGG16(weights=None)  # include_top=False if no top
  model.load_weights("vgg16.weights.h5")`,
		Example: `  lookalike convert vgg16.h5 vgg16.safetensors
  lookalike convert model.safetensors model.weights.h5
  lookalike convert model.safetensors model-half.npz --half`,
		Args: cli.Arguments("IN", "OUT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return cli.Unwritten(cmd.Context(), convert(cmd.Context(), a, args[0], args[1], half))
		},
	}
	cmd.Flags().BoolVar(&half, "half", false, "store float16: half the size, three digits")
	return cmd
}

func convert(ctx context.Context, a *app, in, out string, half bool) error {
	if err := checkConverted(out); err != nil {
		return err
	}
	if err := a.outputs.Reserve(out, in); err != nil {
		return err
	}
	if _, err := os.Lstat(out); err == nil {
		return fmt.Errorf("%s exists already; remove it or choose another name", out)
	}
	f, err := openModelFile(in)
	if err != nil {
		return err
	}
	defer f.Close()
	d := f.Describe()
	if err := writeConverted(ctx, &a.Terminal, out, f, d.Parameters, half); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s has been made by another program meanwhile, and stays as it is; remove it or choose another name", out)
	} else if err != nil {
		return err
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	if f.IsTorch() && modelfile.FormatOf(out) != ".safetensors" {
		a.Warn("note: %s does not say that this network takes pictures as torchvision prepares them, not as Keras's preprocess_input does", out)
	}
	kind := "float32"
	if half {
		kind = "float16"
	}
	fmt.Fprintf(a.Out, "%s: %s, %s, %s parameters, %s, %s\n", out, cmp.Or(f.Network, "weights"),
		words.Count(len(d.Arrays), "array"), words.Thousands(d.Parameters), kind, words.Bytes(info.Size()))
	return nil
}

// checkConverted tells by a file's name whether it can be written.
func checkConverted(out string) error {
	switch {
	case modelfile.FormatOf(out) != "":
		return nil
	case strings.HasSuffix(out, ".h5"), strings.HasSuffix(out, ".keras"):
		return cli.Usagef("%s: of Keras's formats, only .weights.h5 can be written; give a name such as model.weights.h5", out)
	}
	return cli.Usagef("%s: the name must end in .safetensors, .npz or .weights.h5", out)
}

// writeConverted writes a network of so many parameters, and shows how far it is.
func writeConverted(ctx context.Context, t *cli.Terminal, out string, f *modelfile.File, parameters int, half bool) error {
	size := 4
	if half {
		size = 2
	}
	var p *cli.Progress
	end := func() {
		if p != nil {
			p.End()
		}
	}
	defer end()
	job := ""
	show := func(what string, done, all int) {
		if what != job {
			end()
			job, p = what, t.Progress(what, "MB", all)
		}
		p.Set(done)
	}
	return f.Convert(ctx, out, modelfile.ConvertOptions{
		Half:      half,
		Writing:   func(n int64) { show("Writing "+filepath.Base(out), int(n/1e6), size*parameters/1e6) },
		Comparing: func(n int64) { show("Comparing", int(4*n/1e6), 4*parameters/1e6) },
	})
}

// openModelFile opens a file of weights.
func openModelFile(path string) (*modelfile.File, error) {
	if isIndex(path) {
		return nil, fmt.Errorf("%s is an index of pictures, not a model; '%s' tells what it holds", path, cli.Typed("summary", path))
	}
	return modelfile.Open(path)
}
