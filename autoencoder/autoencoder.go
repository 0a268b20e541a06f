// Package autoencoder learns to describe pictures by short codes: a
// convolutional encoder presses a picture into a few numbers, a decoder draws it
// again from them, and both are trained as one to draw it as it was. Pictures
// whose codes are near are alike in colour and layout.
//
// The network is that of the article "Finding similar images with
// autoencoders": four 3x3 convolutions with ELU and 2x2 max-pooling (32, 64, 128
// and 256 filters) and a dense layer make a code of 32 numbers out of 224x224
// pixels; a dense layer and four transposed convolutions of stride 2 make
// pixels of it again.
package autoencoder

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"lookalike/augment"
	"lookalike/internal/checkpoint"
	"lookalike/internal/memory"
	"lookalike/nn"
	"lookalike/picture"
	"lookalike/tensor"
)

// Config is the shape of the network. A zero field has the article's value.
type Config struct {
	Size   int   `json:"size"`   // side of the pictures in pixels; 224. A multiple of 2 to the number of widths
	Code   int   `json:"code"`   // numbers in a code; 32
	Widths []int `json:"widths"` // filters of the encoder's convolutions; 32, 64, 128, 256
}

// The greatest values that a Config may have. A model file cannot make us take
// more memory than a network of this size needs.
const (
	maxSize   = 4096
	maxCode   = 1 << 16
	maxWidth  = 4096
	maxWidths = 8
	maxParams = 1 << 28
)

// complete fills in the defaults and says what cannot be.
func (c Config) complete() (Config, error) {
	if c.Size == 0 {
		c.Size = 224
	}
	if c.Code == 0 {
		c.Code = 32
	}
	if len(c.Widths) == 0 {
		c.Widths = []int{32, 64, 128, 256}
	}
	c.Widths = slices.Clone(c.Widths)
	if len(c.Widths) > maxWidths {
		return c, fmt.Errorf("autoencoder: %d convolutions, at most %d are possible", len(c.Widths), maxWidths)
	}
	for _, w := range c.Widths {
		if w < 1 || w > maxWidth {
			return c, fmt.Errorf("autoencoder: a width of %d is not between 1 and %d", w, maxWidth)
		}
	}
	step := 1 << len(c.Widths)
	if c.Size < 1 || c.Size > maxSize || c.Size%step != 0 {
		return c, fmt.Errorf("autoencoder: size %d is not a multiple of %d between %d and %d", c.Size, step, step, maxSize)
	}
	if c.Code < 1 || c.Code > maxCode {
		return c, fmt.Errorf("autoencoder: a code of %d numbers is not between 1 and %d", c.Code, maxCode)
	}
	if n := c.params(); n > maxParams {
		return c, fmt.Errorf("autoencoder: size %d, code %d and widths %v make %d parameters, at most %d are possible", c.Size, c.Code, c.Widths, n, maxParams)
	}
	return c, nil
}

// inner is the side of the pictures between encoder and decoder.
func (c Config) inner() int { return c.Size >> len(c.Widths) }

// params counts the parameters of a whole network.
func (c Config) params() int64 {
	var n, channels int64 = 0, 3
	for _, w := range c.Widths { // a convolution, and the transposed one that leads back
		n += 2*9*channels*int64(w) + int64(w) + channels
		channels = int64(w)
	}
	inner := int64(c.inner()) * int64(c.inner()) * channels
	return n + 2*inner*int64(c.Code) + int64(c.Code) + inner
}

// Model is an autoencoder. Encoder and Decoder share their parameters with the
// whole that is trained.
type Model struct {
	Config  Config
	Encoder *nn.Sequential // [n, size, size, 3] to [n, code]
	Decoder *nn.Sequential // [n, code] to [n, size, size, 3]

	whole *nn.Sequential
}

// New returns a network with parameters drawn from seed.
func New(c Config, seed uint64) (*Model, error) {
	return build(c, rand.New(rand.NewPCG(seed, 0)))
}

// build returns a network with parameters drawn from rng, or zero without.
func build(c Config, rng *rand.Rand) (*Model, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	last := c.Widths[len(c.Widths)-1]
	encoder := c.encoder()
	decoder := nn.NewSequential("decoder",
		&nn.Dense{Units: c.inner() * c.inner() * last},
		&nn.Reshape{Target: []int{c.inner(), c.inner(), last}})
	for i := len(c.Widths) - 2; i >= 0; i-- {
		decoder.Layers = append(decoder.Layers,
			&nn.Conv2DTranspose{Filters: c.Widths[i], Kernel: 3, Stride: 2, Padding: nn.Same, Activation: nn.ELU})
	}
	decoder.Layers = append(decoder.Layers,
		&nn.Conv2DTranspose{Filters: 3, Kernel: 3, Stride: 2, Padding: nn.Same})

	m := &Model{Config: c, Encoder: encoder, Decoder: decoder, whole: nn.NewSequential("autoencoder", encoder, decoder)}
	_, err = m.whole.Build([]int{c.Size, c.Size, 3}, rng)
	return m, err
}

// encoder returns the layers from the picture to the code.
func (c Config) encoder() *nn.Sequential {
	encoder := nn.NewSequential("encoder")
	for _, width := range c.Widths {
		encoder.Layers = append(encoder.Layers,
			&nn.Conv2D{Filters: width, Kernel: 3, Padding: nn.Same, Activation: nn.ELU},
			&nn.MaxPool2D{Size: 2})
	}
	encoder.Layers = append(encoder.Layers, &nn.Flatten{}, &nn.Dense{Units: c.Code})
	return encoder
}

// Encoder returns the layers of an encoder alone, to be built in a network of
// another purpose, and its configuration with the defaults filled in.
func Encoder(c Config) (*nn.Sequential, Config, error) {
	c, err := c.complete()
	if err != nil {
		return nil, c, err
	}
	return c.encoder(), c, nil
}

// made returns an error unless New, Load or Resume has made the model.
func (m *Model) made() error {
	if m == nil || m.whole == nil {
		return errors.New("autoencoder: the model is nil or empty; New and Load make one")
	}
	return nil
}

// must panics unless New, Load or Resume has made the model.
func (m *Model) must(op string) *Model {
	if err := m.made(); err != nil {
		panic(strings.Replace(err.Error(), "autoencoder:", "autoencoder."+op+":", 1))
	}
	return m
}

// Params returns the parameters of encoder and decoder.
func (m *Model) Params() []*nn.Param { return m.must("Params").whole.Params() }

// Summary returns Keras's tables of the encoder and of the decoder.
func (m *Model) Summary() string {
	return m.must("Summary").Encoder.Summary() + "\n" + m.Decoder.Summary()
}

// Fingerprint names the encoder: equal weights, equal name. It is the SHA-256 of
// its parameters, in hexadecimal.
func (m *Model) Fingerprint() string {
	return checkpoint.Fingerprint(m.must("Fingerprint").Encoder.Params())
}

// Fit trains encoder and decoder to draw the photographs as they are. Without
// other choice in cfg the loss is the mean squared error.
func (m *Model) Fit(ctx context.Context, photos Photos, cfg nn.FitConfig) (nn.History, error) {
	if err := m.takes(photos); err != nil {
		return nil, err
	}
	return m.FitSamples(ctx, m.Samples(photos, augment.Config{}, 0), cfg)
}

// FitSamples is Fit for what Samples returned.
func (m *Model) FitSamples(ctx context.Context, data nn.Dataset, cfg nn.FitConfig) (nn.History, error) {
	if err := m.made(); err != nil {
		return nil, err
	}
	return m.whole.Fit(ctx, data, cfg)
}

// TrainingMemory returns about how many bytes training such a network takes, counted as
// [nn.Sequential.TrainingMemory] does. It takes little memory itself.
func (c Config) TrainingMemory(cfg nn.FitConfig) (int64, error) {
	c, err := c.complete()
	if err != nil {
		return 0, err
	}
	// Most parameters are those of a code's numbers.
	return memory.Evenly(c.Code, func(code int) (int64, error) {
		c := c
		c.Code = code
		m, err := build(c, nil)
		if err != nil {
			return 0, err
		}
		return m.whole.TrainingMemory(cfg), nil
	})
}

// mostPhotos is how many pictures there may be: what is kept of each has a number.
const mostPhotos = math.MaxInt32

// takes returns an error unless there is a network, and photographs for it.
func (m *Model) takes(photos Photos) error {
	if err := m.made(); err != nil {
		return err
	}
	if photos == nil {
		return errors.New("autoencoder: no photographs given")
	}
	if n := photos.Len(); n < 0 || n > mostPhotos {
		return fmt.Errorf("autoencoder: there cannot be %d photographs", n)
	}
	return nil
}

// encodeBatch is how many pictures are held, decoded, at a time.
const encodeBatch = 32

// Encode returns the codes of the photographs, [n, code].
func (m *Model) Encode(ctx context.Context, photos Photos) (*tensor.Tensor, error) {
	if err := m.takes(photos); err != nil {
		return nil, err
	}
	codes := tensor.New(photos.Len(), m.Config.Code)
	err := m.eachBatch(ctx, photos, func(first int, x *tensor.Tensor) {
		copy(codes.Data()[first*m.Config.Code:], m.Encoder.Predict(x).Data())
	})
	return codes, err
}

// Decode draws pictures, [n, size, size, 3] of values from 0 to 1, from codes,
// [n, code].
func (m *Model) Decode(codes *tensor.Tensor) *tensor.Tensor {
	return m.must("Decode").Decoder.Predict(codes)
}

// Reconstruct draws the photographs from their codes.
func (m *Model) Reconstruct(ctx context.Context, photos Photos) ([]*picture.Image, error) {
	if err := m.takes(photos); err != nil {
		return nil, err
	}
	var drawn []*picture.Image
	err := m.eachBatch(ctx, photos, func(_ int, x *tensor.Tensor) {
		y := m.whole.Predict(x)
		for i := range y.Dim(0) {
			drawn = append(drawn, fromInput(y.Row(i), m.Config.Size))
		}
	})
	return drawn, err
}

// eachBatch calls f with the photographs as inputs of the network, some at a
// time, and the number of the first of them.
func (m *Model) eachBatch(ctx context.Context, photos Photos, f func(first int, x *tensor.Tensor)) error {
	s := newSamples(photos, m.Config.Size)
	s.cache = nil // each photograph is asked for once
	var b nn.Batch
	for first := 0; first < photos.Len(); first += encodeBatch {
		rows := make([]int, min(encodeBatch, photos.Len()-first))
		for i := range rows {
			rows[i] = first + i
		}
		if err := s.Fill(ctx, rows, &b); err != nil {
			return err
		}
		f(first, b.X)
	}
	return nil
}
