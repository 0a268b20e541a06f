package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/autoencoder"
	"lookalike/checkpoint"
	"lookalike/embedding"
	"lookalike/nn"
	"lookalike/tensor"
	"lookalike/vgg"
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
		Args: arguments("IN", "OUT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return unwritten(cmd.Context(), a.convert(cmd.Context(), args[0], args[1], half))
		},
	}
	cmd.Flags().BoolVar(&half, "half", false, "store float16: half the size, three digits")
	return cmd
}

func (a *app) convert(ctx context.Context, in, out string, half bool) error {
	var suffix string
	for _, known := range []string{".safetensors", ".npz", ".weights.h5"} {
		if strings.HasSuffix(out, known) {
			suffix = known
		}
	}
	switch {
	case suffix != "":
	case strings.HasSuffix(out, ".h5"), strings.HasSuffix(out, ".keras"):
		return usagef("%s: of Keras's formats, only .weights.h5 can be written; give a name such as model.weights.h5", out)
	default:
		return usagef("%s: the name must end in .safetensors, .npz or .weights.h5", out)
	}
	if err := checkOutput(out, in); err != nil {
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
	if suffix == ".weights.h5" && c.kind == embeddingKind {
		return fmt.Errorf("cannot write %s: Keras has no network of the form of an embedding to load the weights into; choose .safetensors or .npz", out)
	}
	if suffix == ".weights.h5" && c.kind == "" {
		return fmt.Errorf("cannot write %s: Keras finds weights by the classes and the order of the layers, which %s does not tell: %w; choose .safetensors or .npz", out, in, c.unknown)
	}
	if err := c.checkSize(in); err != nil {
		return err
	}
	arrays, err := c.arrays()
	if err != nil {
		return err
	}
	parameters, size := c.describe().Parameters, 4
	kind := "float32"
	if half {
		size, kind = 2, "float16"
	}
	p := a.progress("Writing "+filepath.Base(out), "MB", size*parameters/1e6)
	defer p.end()
	options := []weights.Option{weights.Watch(func(n int64) error {
		p.set(int(n / 1e6))
		return ctx.Err()
	})}
	if half {
		options = append(options, weights.Half)
	}
	switch suffix {
	case ".safetensors":
		err = weights.Save(out, arrays, c.metadata, options...)
	case ".npz":
		err = weights.SaveNPZ(out, arrays, nil, options...)
	case ".weights.h5":
		err = weights.SaveKeras(out, c.network(arrays), options...)
	}
	p.end()
	if err != nil {
		return err
	}
	p = a.progress("Comparing", "MB", 4*parameters/1e6)
	defer p.end()
	err = compareArrays(ctx, out, arrays, half, func(values int) { p.set(4 * values / 1e6) })
	p.end()
	if ctx.Err() != nil {
		return errors.Join(err, os.Remove(out))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s did not hold what was written, and was removed: %w", out, err), os.Remove(out))
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	if c.torch && suffix != ".safetensors" {
		a.warn("note: %s does not say that this network takes pictures as torchvision prepares them, not as Keras's preprocess_input does", out)
	}
	fmt.Fprintf(a.out, "%s: %s, %s, %s parameters, %s, %s\n", out, cmp.Or(c.kind, "weights"),
		count(len(arrays), "array"), thousands(parameters), kind, bytesOf(info.Size()))
	return nil
}

// content is a file of weights and what network they make.
type content struct {
	file     *weights.File
	names    []string          // of the network's arrays
	metadata map[string]string // for a safetensors file of the network

	kind    string // such as "VGG16", "" if it is not known here
	unknown error  // why not
	summary string // Keras's, if it is known
	network func(arrays map[string]*tensor.Tensor) weights.KerasLayer
	torch   bool // takes pictures as torchvision prepares them
}

var errUnknown = errors.New("its arrays are neither those of VGG16 or VGG19 nor those of an autoencoder or an embedding")

func (c *content) Close() error { return c.file.Close() }

// openContent opens a file of weights and finds out what network they make.
func openContent(path string) (*content, error) {
	if isIndex(path) {
		return nil, fmt.Errorf("%s is an index of pictures, not a model; '%s' tells what it holds", path, typed("summary", path))
	}
	f, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	c := &content{file: f, names: f.Names(), metadata: f.Metadata()}
	_, isVGG := f.Shape("block1_conv1/kernel")
	switch {
	case embedding.IsModel(f):
		c.unknown = c.asEmbedding(path)
	case autoencoder.IsModel(f):
		c.unknown = c.asAutoencoder(path)
	case isVGG:
		c.unknown = c.asVGG()
	default:
		c.unknown = errUnknown
	}
	return c, nil
}

// checkSize refuses compressed arrays that together would fill the memory out of
// a small file. Honest ones take at most four times the file, as float32 made of
// bytes.
func (c *content) checkSize(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	left := info.Size() + 16<<20 // values
	for _, name := range c.names {
		shape, _ := c.file.Shape(name)
		n := int64(tensor.Size(shape))
		if n > left {
			return fmt.Errorf("%s: the arrays take more than four times the file's %s in memory: refused", path, bytesOf(info.Size()))
		}
		left -= n
	}
	return nil
}

// arrays returns the network's arrays, in place where the file allows it.
func (c *content) arrays() (map[string]*tensor.Tensor, error) {
	all := map[string]*tensor.Tensor{}
	for _, name := range c.names {
		t, err := c.file.View(name)
		if err != nil {
			return nil, err
		}
		all[name] = t
	}
	return all, nil
}

func (c *content) asAutoencoder(path string) error {
	m, err := autoencoder.Load(path)
	if err != nil {
		return err
	}
	c.kind, c.summary, c.metadata, c.names = "autoencoder", m.Summary(), m.Metadata(), nil
	for _, p := range m.Params() { // not what an optimizer remembers
		c.names = append(c.names, p.Name)
	}
	slices.Sort(c.names)
	c.network = func(map[string]*tensor.Tensor) weights.KerasLayer {
		return weights.KerasLayer{Name: "autoencoder", Class: "Sequential", Layers: kerasLayers(m.Encoder, m.Decoder)}
	}
	return nil
}

const embeddingKind = "embedding"

// asEmbedding takes the network with the VGG that it stands on, if any, and with
// the weights of its classes. Keras has no class for the latter.
func (c *content) asEmbedding(path string) error {
	m, err := embedding.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	c.kind, c.summary, c.metadata = embeddingKind, m.Summary(), m.Metadata()
	c.names = checkpoint.Network{File: c.file}.Names()
	return nil
}

// kerasLayers says of layers what Keras's file has of them.
func kerasLayers(layers ...nn.Layer) []weights.KerasLayer {
	var list []weights.KerasLayer
	for _, layer := range layers {
		var l weights.KerasLayer
		l.Name, l.Class = layer.Identity()
		if net, ok := layer.(*nn.Sequential); ok {
			l.Layers = kerasLayers(net.Layers...)
		} else {
			for _, p := range layer.Params() {
				l.Variables = append(l.Variables, p.Value)
			}
		}
		list = append(list, l)
	}
	return list
}

func (c *content) asVGG() error {
	m, err := vgg.Load(c.file, vgg.Config{})
	if err != nil {
		return err
	}
	if c.summary, err = m.Summary(); err != nil {
		return err
	}
	c.kind, c.torch = strings.ToUpper(m.Name()), m.Mode() == vgg.Torch
	maps.DeleteFunc(c.metadata, func(key, _ string) bool { return key != "preprocessing" })
	if m.Config().NoTop {
		c.kind += " without its top"
	}
	c.network = func(arrays map[string]*tensor.Tensor) weights.KerasLayer {
		layers := []weights.KerasLayer{{Name: "input_layer", Class: "InputLayer"}}
		for _, layer := range m.Layers() {
			l := weights.KerasLayer{Name: layer.Name, Class: layer.Class}
			for _, variable := range []string{"/kernel", "/bias"} {
				if t := arrays[layer.Name+variable]; t != nil {
					l.Variables = append(l.Variables, t)
				}
			}
			layers = append(layers, l)
		}
		return weights.KerasLayer{Name: m.Name(), Class: "Functional", Layers: layers}
	}
	return nil
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
		g, err := f.View(name)
		if err != nil {
			return err
		}
		if !slices.Equal(g.Shape(), w.Shape()) {
			return fmt.Errorf("array %q has the shape %v, not %v", name, g.Shape(), w.Shape())
		}
		for i, v := range w.Data() {
			got := g.Data()[i]
			same := math.Float32bits(got) == math.Float32bits(v)
			if half { // float16 keeps 11 binary digits, and multiples of 2^-24 near zero
				same = got == v || math.IsNaN(float64(got)) && math.IsNaN(float64(v)) ||
					math.Abs(float64(got)-float64(v)) <= max(0x1p-11*math.Abs(float64(v)), 0x1p-25)
			}
			if !same {
				return fmt.Errorf("array %q: value %d is %v, not %v", name, i, got, v)
			}
		}
		compared += w.Len()
		done(compared)
	}
	return nil
}
