// Package embedding places pictures on a hypersphere so that those of one class
// lie near each other and classes lie apart. It learns that from pictures whose
// classes are known, by ArcFace (arXiv 1801.07698); what it has learned also
// serves for classes that it has never seen, less well.
//
// There are two networks. One puts a dense layer on the features of VGG16 or
// VGG19, whose weights stay as ImageNet has made them: a few thousand pictures
// are enough for that, and it takes minutes. The other is the encoder of package
// autoencoder, learned as a whole.
package embedding

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"lookalike/autoencoder"
	"lookalike/internal/checkpoint"
	"lookalike/internal/closing"
	"lookalike/internal/memory"
	"lookalike/nn"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// Encoder is the base of a network that is learned as a whole.
const Encoder = "encoder"

// Config is the shape of the network and of its loss.
type Config struct {
	Base   string  `json:"base"`   // "vgg16", "vgg19" or Encoder
	Dim    int     `json:"dim"`    // numbers of an embedding; 256
	Margin float64 `json:"margin"` // of ArcFace; 0.5
	Scale  float64 `json:"scale"`  // of ArcFace; 64

	// Those of an encoder, as in autoencoder.Config.
	Size   int   `json:"size,omitempty"`
	Widths []int `json:"widths,omitempty"`
}

// The greatest values there may be: a model file cannot make us take more memory
// than a network of this size needs.
const (
	maxDim     = 1 << 14
	maxClasses = 1 << 20
	maxWeights = 1 << 27 // of the classes
)

// baseLayer is the layer of VGG whose output is learned from.
const baseLayer = "block5_pool"

// baseShape is the shape of that.
var baseShape = []int{7, 7, 512}

// complete fills in the defaults and says what cannot be.
func (c Config) complete(classes []string) (Config, error) {
	if !slices.IsSorted(classes) || len(slices.Compact(slices.Clone(classes))) != len(classes) {
		return c, errors.New("embedding: the classes are not sorted, or one comes twice")
	}
	return c.completeFor(len(classes))
}

// Complete returns the configuration with its defaults filled in, or what cannot be of it,
// whatever the classes.
func (c Config) Complete() (Config, error) { return c.completeFor(2) }

// completeFor is complete for n classes.
func (c Config) completeFor(n int) (Config, error) {
	if c.Dim == 0 {
		c.Dim = 256
	}
	if c.Margin == 0 {
		c.Margin = 0.5
	}
	if c.Scale == 0 {
		c.Scale = 64
	}
	switch {
	case c.Dim < 1 || c.Dim > maxDim:
		return c, fmt.Errorf("embedding: %d numbers are not between 1 and %d", c.Dim, maxDim)
	case !(c.Margin > 0 && c.Margin < math.Pi):
		return c, fmt.Errorf("embedding: a margin of %v is not between 0 and π", c.Margin)
	case !(c.Scale > 0 && c.Scale <= 1e6):
		return c, fmt.Errorf("embedding: a scale of %v is not between 0 and 1e6", c.Scale)
	case n < 2:
		return c, fmt.Errorf("embedding: %d classes; at least two are needed to tell apart", n)
	case n > maxClasses || n*c.Dim > maxWeights:
		return c, fmt.Errorf("embedding: %d classes of %d numbers are too many", n, c.Dim)
	}
	if c.Base == Encoder {
		_, a, err := autoencoder.Encoder(autoencoder.Config{Size: c.Size, Code: c.Dim, Widths: c.Widths})
		c.Size, c.Widths = a.Size, a.Widths
		return c, err
	}
	if c.Base != "vgg16" && c.Base != "vgg19" {
		return c, fmt.Errorf("embedding: there is no base %q, only vgg16, vgg19 and %s", c.Base, Encoder)
	}
	if c.Size != 0 || c.Widths != nil {
		return c, fmt.Errorf("embedding: size and widths are those of an encoder, not of %s", c.Base)
	}
	return c, nil
}

// Model is an embedding. Many goroutines may embed at once, and one may close it:
// after Close all that returns an error returns [io/fs.ErrClosed].
type Model struct {
	Config  Config
	Classes []string // that it was trained on, sorted

	base   *vgg.Model // nil for an encoder
	frozen map[string]*tensor.Tensor
	closer io.Closer
	using  closing.Guard

	net   *nn.Sequential // from the base's features, or from pictures, to the hypersphere
	whole *nn.Sequential // with the weights of the classes: to the cosines
}

// New returns a network for these classes, sorted, with parameters drawn from
// seed. file has the weights of a VGG as base; an encoder has none: "". Close it
// when it is not needed any more.
func New(c Config, classes []string, file string, seed uint64) (*Model, error) {
	c, err := c.complete(classes)
	if err != nil {
		return nil, err
	}
	m := &Model{Config: c, Classes: slices.Clone(classes)}
	if c.Base != Encoder {
		f, err := weights.Open(file)
		if err != nil {
			return nil, err
		}
		if err := m.take(vgg.Keras(f)); err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		m.closer = f
	}
	if err := m.build(len(m.Classes), rand.New(rand.NewPCG(seed, 0))); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// take makes a VGG of the weights in src the base.
func (m *Model) take(src source) error {
	base, err := vgg.Load(src, vgg.Config{NoTop: true})
	if err != nil {
		return err
	}
	if base.Name() != m.Config.Base {
		return fmt.Errorf("holds weights of %s, not of %s", base.Name(), m.Config.Base)
	}
	m.base, m.frozen = base, map[string]*tensor.Tensor{}
	for _, name := range src.Names() {
		if isBase(name) {
			if m.frozen[name], err = src.View(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// source is where the weights of a base come from.
type source interface {
	weights.Source
	View(name string) (*tensor.Tensor, error)
}

// build makes the layers for so many classes, with parameters drawn from rng, or zero
// without.
func (m *Model) build(classes int, rng *rand.Rand) error {
	c := m.Config
	in := []int{c.Size, c.Size, 3}
	if c.Base == Encoder {
		encoder, _, err := autoencoder.Encoder(autoencoder.Config{Size: c.Size, Code: c.Dim, Widths: c.Widths})
		if err != nil {
			return err
		}
		m.net = nn.NewSequential("embedding", encoder, &nn.UnitNorm{})
	} else {
		in = baseShape
		m.net = nn.NewSequential("embedding", &nn.Flatten{}, &nn.UnitNorm{}, &nn.Dense{Units: c.Dim}, &nn.UnitNorm{})
	}
	m.whole = nn.NewSequential("arcface", m.net, &nn.UnitDense{Name: "classes", Units: classes})
	_, err := m.whole.Build(in, rng)
	return err
}

const errClosed = closing.Error("embedding: the model")

// made returns an error unless New, Load or Resume has made the model.
func (m *Model) made() error {
	if m == nil || m.whole == nil {
		return errors.New("embedding: the model is nil or empty; New and Load make one")
	}
	return nil
}

// must panics unless New, Load or Resume has made the model.
func (m *Model) must(op string) *Model {
	if err := m.made(); err != nil {
		panic(strings.Replace(err.Error(), "embedding:", "embedding."+op+":", 1))
	}
	return m
}

// hold keeps the weights of a base, which may be views of a file, until m.using.Leave.
func (m *Model) hold() error {
	if err := m.made(); err != nil {
		return err
	}
	if !m.using.Enter() {
		return errClosed
	}
	return nil
}

// Close gives back the file of a network with a base, when the calls in flight have
// ended. It may be called again, but not by what a call in flight calls, such as a
// callback of training: it would wait for itself.
func (m *Model) Close() error {
	if m == nil {
		return m.made()
	}
	return m.using.Close(func() error {
		if m.closer == nil {
			return nil
		}
		return m.closer.Close()
	})
}

// Params returns what is learned: not the weights of a VGG.
func (m *Model) Params() []*nn.Param { return m.must("Params").whole.Params() }

// Summary returns Keras's table of the layers, without those of a VGG below them.
func (m *Model) Summary() string { return m.must("Summary").net.Summary() }

// Preprocessing says in words what is done to a decoded picture before the
// network sees it.
func (m *Model) Preprocessing() string { return m.must("Preprocessing").preprocessing() }

func (m *Model) preprocessing() string {
	if m.base != nil {
		return m.base.Preprocessing()
	}
	return autoencoder.Preprocessing
}

// Prepare resizes a picture to the size of the network's input; the embedding of
// the result is that of the picture itself.
func (m *Model) Prepare(p *picture.Image) *picture.Image {
	if m.must("Prepare").base != nil {
		return m.base.Prepare(p)
	}
	return autoencoder.Prepare(p, m.Config.Size)
}

// Embed returns the embeddings of pictures, [n, Dim], each of length 1.
func (m *Model) Embed(ctx context.Context, pictures []*picture.Image) (*tensor.Tensor, error) {
	if err := m.hold(); err != nil {
		return nil, err
	}
	defer m.using.Leave()
	x, err := m.features(ctx, pictures)
	if err != nil {
		return nil, err
	}
	return m.net.Predict(x), nil
}

// Ready returns an error if the process's memory limit does not leave what one picture
// takes.
func (m *Model) Ready() error {
	if err := m.hold(); err != nil {
		return err
	}
	defer m.using.Leave()
	if m.base != nil {
		return m.base.Ready(baseLayer)
	}
	if err := memory.Allows(m.net.PredictionMemory(1)); err != nil {
		return fmt.Errorf("embedding: a picture on its way through the network: %w", err)
	}
	return nil
}

// features returns what the learned layers take.
func (m *Model) features(ctx context.Context, pictures []*picture.Image) (*tensor.Tensor, error) {
	if m.base != nil {
		return m.base.Features(ctx, pictures, baseLayer)
	}
	for i, p := range pictures {
		if err := p.Check(); err != nil {
			return nil, fmt.Errorf("embedding: picture %d of %d: %w", i+1, len(pictures), err)
		}
	}
	return autoencoder.Input(pictures, m.Config.Size), ctx.Err()
}

// Fingerprint names the network from the picture to the embedding: equal
// weights, equal name. It is the SHA-256 of its parameters, in hexadecimal.
func (m *Model) Fingerprint() (string, error) {
	if err := m.hold(); err != nil {
		return "", err
	}
	defer m.using.Leave()
	var params []*nn.Param
	for _, name := range slices.Sorted(maps.Keys(m.frozen)) {
		params = append(params, &nn.Param{Name: name, Value: m.frozen[name]})
	}
	return checkpoint.Fingerprint(append(params, m.net.Params()...)), nil
}
