package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/words"
	"lookalike/tensor"
	"lookalike/weights"
)

func (a *app) convertCommand() *cobra.Command {
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
  decoder = Sequential([Input((32,)), L.Dense(14*14*256), L.Reshape((14, 14, 256))])
  for n in (128, 64, 32):
      decoder.add(L.Conv2DTranspose(n, 3, strides=2, **elu))
  decoder.add(L.Conv2DTranspose(3, 3, strides=2, padding="same"))
  model = Sequential([encoder, decoder])
  model.load_weights("model.weights.h5")
  codes = encoder.predict(images)    # RGB, 224x224, divided by 255

and VGG16 like this:

  model = keras.applications.VGG16(weights=None)    # include_top=False without top
  model.load_weights("vgg16.weights.h5")`,
		Example: `  lookalike convert vgg16_weights_tf_dim_ordering_tf_kernels.h5 vgg16.safetensors
  lookalike convert model.safetensors model.weights.h5
  lookalike convert model.safetensors model-half.npz --half`,
		Args: cli.Arguments("IN", "OUT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return cli.Unwritten(cmd.Context(), a.convert(cmd.Context(), args[0], args[1], half))
		},
	}
	cmd.Flags().BoolVar(&half, "half", false, "store float16: half the size, three digits")
	return cmd
}

func (a *app) convert(ctx context.Context, in, out string, half bool) error {
	suffix, err := convertedSuffix(out)
	if err != nil {
		return err
	}
	if err := a.outputs.Reserve(out, in); err != nil {
		return err
	}
	if _, err := os.Lstat(out); err == nil {
		return fmt.Errorf("%s exists already; remove it or choose another name", out)
	}
	c, err := openContent(in)
	if err != nil {
		return err
	}
	defer c.Close()
	switch {
	case suffix == kerasSuffix && c.kind == embeddingKind:
		return fmt.Errorf("cannot write %s: Keras has no network of the form of an embedding to load the weights into; choose .safetensors or .npz", out)
	case suffix == kerasSuffix && c.kind == "":
		return fmt.Errorf("cannot write %s: Keras finds weights by the classes and the order of the layers, which %s does not tell: %w; choose .safetensors or .npz", out, in, c.unknown)
	}
	if err := c.checkSize(in); err != nil {
		return err
	}
	arrays, err := c.arrays()
	if err != nil {
		return err
	}
	parameters := c.describe().Parameters
	if err := a.writeConverted(ctx, out, suffix, c, arrays, parameters, half); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s has been made by another program meanwhile, and stays as it is; remove it or choose another name", out)
		}
		return err
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	if c.torch && suffix != ".safetensors" {
		a.Warn("note: %s does not say that this network takes pictures as torchvision prepares them, not as Keras's preprocess_input does", out)
	}
	kind := "float32"
	if half {
		kind = "float16"
	}
	fmt.Fprintf(a.Out, "%s: %s, %s, %s parameters, %s, %s\n", out, cmp.Or(c.kind, "weights"),
		words.Count(len(arrays), "array"), words.Thousands(parameters), kind, words.Bytes(info.Size()))
	return nil
}

// kerasSuffix ends the names of Keras's files of weights.
const kerasSuffix = ".weights.h5"

// convertedSuffix tells by a file's name in which format it is to be written.
func convertedSuffix(out string) (string, error) {
	for _, known := range []string{".safetensors", ".npz", kerasSuffix} {
		if strings.HasSuffix(out, known) {
			return known, nil
		}
	}
	if strings.HasSuffix(out, ".h5") || strings.HasSuffix(out, ".keras") {
		return "", cli.Usagef("%s: of Keras's formats, only .weights.h5 can be written; give a name such as model.weights.h5", out)
	}
	return "", cli.Usagef("%s: the name must end in .safetensors, .npz or .weights.h5", out)
}

// writeConverted writes arrays of so many parameters. The file gets its name after it
// has been read again and compared.
func (a *app) writeConverted(ctx context.Context, out, suffix string, c *content, arrays map[string]*tensor.Tensor, parameters int, half bool) error {
	size := 4
	if half {
		size = 2
	}
	p := a.Progress("Writing "+filepath.Base(out), "MB", size*parameters/1e6)
	defer p.End()
	compare := func(path string) error {
		p.End()
		p := a.Progress("Comparing", "MB", 4*parameters/1e6)
		defer p.End()
		err := compareArrays(ctx, path, arrays, half, func(values int) { p.Set(4 * values / 1e6) })
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("it did not hold what was written, and was removed: %w", err)
		}
		return err
	}
	options := []weights.Option{weights.Checked(compare), weights.Watch(func(n int64) error {
		p.Set(int(n / 1e6))
		return ctx.Err()
	})}
	if half {
		options = append(options, weights.Half)
	}
	switch suffix {
	case ".safetensors":
		return weights.Save(out, arrays, c.metadata, options...)
	case ".npz":
		return weights.SaveNPZ(out, arrays, nil, options...)
	}
	return weights.SaveKeras(out, c.network(arrays), options...)
}

// compareArrays checks that a file holds these arrays, to the bit or, if half, as
// near as float16 can be. It tells done how many values have been compared.
func compareArrays(ctx context.Context, path string, want map[string]*tensor.Tensor, half bool, done func(values int)) error {
	compared := 0
	f, err := weights.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if names := slices.Sorted(maps.Keys(want)); !slices.Equal(f.Names(), names) {
		return fmt.Errorf("it has the arrays %q, not %q", f.Names(), names)
	}
	for name, w := range want {
		if err := ctx.Err(); err != nil {
			return err
		}
		if shape, _ := f.Shape(name); !slices.Equal(shape, w.Shape()) {
			return fmt.Errorf("array %q has the shape %v, not %v", name, shape, w.Shape())
		}
		err := f.Pieces(name, func(first int, values []float32) error {
			for i, got := range values {
				v := w.Data()[first+i]
				same := math.Float32bits(got) == math.Float32bits(v)
				if half { // float16 keeps 11 binary digits, and multiples of 2^-24 near zero
					same = got == v || math.IsNaN(float64(got)) && math.IsNaN(float64(v)) ||
						math.Abs(float64(got)-float64(v)) <= max(0x1p-11*math.Abs(float64(v)), 0x1p-25)
				}
				if !same {
					return fmt.Errorf("array %q: value %d is %v, not %v", name, first+i, got, v)
				}
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		compared += w.Len()
		done(compared)
	}
	return nil
}
