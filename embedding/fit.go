package embedding

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/internal/memory"
	"lookalike/internal/parallel"
	"lookalike/knn/pca"
	"lookalike/nn"
	"lookalike/picture"
	"lookalike/tensor"
)

// Photos is a list of pictures, as package autoencoder has it.
type Photos = autoencoder.Photos

// mostFeatures is how much memory the features of the pictures may take that a
// network on a VGG learns from: 80,000 of them.
const mostFeatures = min(8<<30, math.MaxInt)

// Samples returns photographs with their classes as FitSamples wants them.
//
// A network on a VGG describes them all here, once: that takes most of the time,
// and 100 KB of memory a picture. After each it calls done, if not nil, with how
// many it has described. Such pictures cannot be changed at random. For an
// encoder they are, as in package autoencoder.
func (m *Model) Samples(ctx context.Context, photos Photos, labels []string, change augment.Config, seed uint64, done func(n int)) (nn.Dataset, error) {
	if err := m.hold(); err != nil {
		return nil, err
	}
	defer m.using.Leave()
	if photos == nil {
		return nil, errors.New("embedding: no photographs given")
	}
	if len(labels) != photos.Len() {
		panic(fmt.Sprintf("embedding.Samples: %d labels for %d photographs", len(labels), photos.Len()))
	}
	classes := make([]int, len(labels))
	for i, label := range labels {
		class, ok := slices.BinarySearch(m.Classes, label)
		if !ok {
			return nil, fmt.Errorf("embedding: %q is none of the network's classes", label)
		}
		classes[i] = class
	}
	if m.base == nil {
		inputs := autoencoder.Samples(photos, m.Config.Size, change, seed)
		return &labelled{inputs, classes, len(m.Classes)}, nil
	}
	if change != (augment.Config{}) {
		return nil, errors.New("embedding: pictures are described by VGG once, so they cannot be changed at random in every epoch")
	}
	x, err := m.describe(ctx, photos, done)
	if err != nil {
		return nil, err
	}
	return &labelled{nn.InMemory{X: x, Y: x}, classes, len(m.Classes)}, nil
}

// describeBatch is how many pictures are held, decoded, at a time.
const describeBatch = 16

// describe returns the base's features of all photographs.
func (m *Model) describe(ctx context.Context, photos Photos, done func(n int)) (*tensor.Tensor, error) {
	layer, err := m.base.Layer(baseLayer)
	if err != nil {
		return nil, err
	}
	n, each := photos.Len(), tensor.Size(layer.Shape)
	// A fourth of a memory limit, for Start has them twice, and VGG and the layers that are
	// learned need the rest.
	if most := memory.Share(mostFeatures, 4) / (4 * each); n > most {
		return nil, fmt.Errorf("embedding: the features of %d pictures take %d MB of memory, which is enough for %d only; learn from fewer", n, 4*each*n>>20, most)
	}
	x := tensor.New(append([]int{n}, layer.Shape...)...)
	for lo := 0; lo < n; lo += describeBatch {
		hi := min(n, lo+describeBatch)
		pictures, errs := make([]*picture.Image, hi-lo), make([]error, hi-lo)
		parallel.For(hi-lo, func(i int) {
			if pictures[i], errs[i] = photos.Load(lo + i); errs[i] == nil {
				pictures[i] = m.Prepare(pictures[i])
			}
		})
		for _, err := range errs {
			if err != nil {
				return nil, err
			}
		}
		y, err := m.base.Features(ctx, pictures, baseLayer)
		if err != nil {
			return nil, err
		}
		copy(x.Rows(lo, hi).Data(), y.Data())
		if done != nil {
			done(hi)
		}
	}
	return x, nil
}

// labelled is a Dataset of inputs whose targets are classes, one-hot.
type labelled struct {
	inputs  nn.Dataset
	classes []int // of the inputs
	n       int   // of all classes
}

func (l *labelled) Len() int { return l.inputs.Len() }

func (l *labelled) Epoch(n int) {
	if v, ok := l.inputs.(nn.Varying); ok {
		v.Epoch(n)
	}
}

func (l *labelled) Fill(ctx context.Context, rows []int, b *nn.Batch) error {
	targets := b.Y
	if targets == b.X {
		targets = nil
	}
	if err := l.inputs.Fill(ctx, rows, b); err != nil {
		return err
	}
	b.Y = nn.Resize(targets, len(rows), l.n)
	clear(b.Y.Data())
	for i, r := range rows {
		b.Y.Row(i)[l.classes[r]] = 1
	}
	return nil
}

// TrainingMemory returns about how many bytes FitSamples takes for so many classes,
// counted as [nn.Sequential.TrainingMemory] does. It takes little memory itself.
func (c Config) TrainingMemory(classes int, cfg nn.FitConfig) (int64, error) {
	c, err := c.completeFor(classes)
	if err != nil {
		return 0, err
	}
	// Most parameters are those of an embedding's numbers.
	return memory.Evenly(c.Dim, func(dim int) (int64, error) {
		m := &Model{Config: c}
		m.Config.Dim = dim
		if err := m.build(classes, nil); err != nil {
			return 0, err
		}
		return m.whole.TrainingMemory(cfg), nil
	})
}

// FitSamples trains the network on what Samples returned. The loss is ArcFace.
func (m *Model) FitSamples(ctx context.Context, data nn.Dataset, cfg nn.FitConfig) (nn.History, error) {
	if err := m.hold(); err != nil {
		return nil, err
	}
	defer m.using.Leave()
	cfg.Loss = nn.ArcFace{Margin: m.Config.Margin, Scale: m.Config.Scale}
	return m.whole.Fit(ctx, data, cfg)
}

// Start gives a network on a VGG better first weights than random ones, from the
// samples that it is to learn from: the principal components of their features.
// So it begins with an embedding that keeps what tells pictures apart, whether
// the classes at hand need it or not, and does better on classes that it has not
// seen. Where there are fewer components than numbers in an embedding, the rest
// stays random.
func (m *Model) Start(data nn.Dataset, seed uint64) error {
	if err := m.hold(); err != nil {
		return err
	}
	defer m.using.Leave()
	l, ok := data.(*labelled)
	if !ok {
		return errors.New("embedding: the samples are not of this package")
	}
	memory, ok := l.inputs.(nn.InMemory)
	if !ok {
		return errors.New("embedding: only a network on a VGG can start from principal components")
	}
	n := l.Len()
	components := min(m.Config.Dim, n-1)
	if components < 1 {
		return nil
	}
	unit := nn.NewSequential("", &nn.Flatten{}, &nn.UnitNorm{})
	if err := unit.Init(0, memory.X.Shape()[1:]...); err != nil {
		return err
	}
	p, err := pca.Fit(unit.Predict(memory.X), components, pca.Options{Seed: seed})
	if err != nil {
		return fmt.Errorf("embedding: %w", err)
	}
	params := m.net.Params()
	kernel, bias := params[0].Value.Clone(), params[1].Value.Clone()
	for j := range components {
		at := 0.0
		for i, v := range p.Components.Row(j) {
			kernel.Row(i)[j] = v
			at += float64(v) * float64(p.Mean.Data()[i])
		}
		bias.Data()[j] = float32(-at)
	}
	params[0].Value, params[1].Value = kernel, bias
	return nil
}

// From gives an encoder the weights of an autoencoder's, which must have the same
// size and widths. A code of another length than the embedding's leaves the last
// layer as it is.
func (m *Model) From(a *autoencoder.Model) error {
	if err := m.hold(); err != nil {
		return err
	}
	defer m.using.Leave()
	if m.base != nil {
		return errors.New("embedding: only an encoder can start from an autoencoder")
	}
	if a == nil {
		return errors.New("embedding: no autoencoder given")
	}
	if a.Config.Size != m.Config.Size || !slices.Equal(a.Config.Widths, m.Config.Widths) {
		return fmt.Errorf("embedding: the autoencoder has size %d and widths %v, the embedding %d and %v", a.Config.Size, a.Config.Widths, m.Config.Size, m.Config.Widths)
	}
	to := m.net.Params()
	for i, p := range a.Encoder.Params() {
		if slices.Equal(p.Value.Shape(), to[i].Value.Shape()) {
			to[i].Value = p.Value.Clone()
		}
	}
	return nil
}
