package autoencoder

import (
	"context"
	"fmt"

	"lookalike/augment"
	"lookalike/internal/memory"
	"lookalike/internal/parallel"
	"lookalike/nn"
	"lookalike/picture"
	"lookalike/tensor"
)

// Photos is a list of pictures that are decoded on demand, such as an
// album.Set. Load must be safe for many goroutines at once.
type Photos interface {
	Len() int
	Load(i int) (*picture.Image, error)
}

// Pictures are Photos that are at hand.
type Pictures []*picture.Image

func (p Pictures) Len() int { return len(p) }

// Load returns picture i. It panics if there is none.
func (p Pictures) Load(i int) (*picture.Image, error) {
	if i < 0 || i >= len(p) {
		panic(fmt.Sprintf("autoencoder.Load: there is no picture %d among %d", i, len(p)))
	}
	return p[i], nil
}

// Preprocessing says in words what is done to a decoded picture before the
// network sees it. Weights and this belong together.
const Preprocessing = "RGB, OpenCV bilinear resize to a square, divided by 255"

// Prepare resizes a picture to the size of the network's input; codes of the
// result are those of the picture itself.
func (m *Model) Prepare(p *picture.Image) *picture.Image {
	return Prepare(p, m.must("Prepare").Config.Size)
}

// Prepare resizes a picture as [Preprocessing] says, for a network of that size.
func Prepare(p *picture.Image, size int) *picture.Image {
	if p != nil && p.Width == size && p.Height == size {
		return p
	}
	return picture.Bilinear(p, size, size)
}

// unit maps a level of 8 bits to [0, 1].
var unit = func() (table [256]float32) {
	for i := range table {
		table[i] = float32(i) / 255
	}
	return table
}()

// toInput writes a picture of the network's size to a row of its input.
func toInput(row []float32, p *picture.Image) {
	for i, v := range p.Pix {
		row[i] = unit[v]
	}
}

// fromInput makes a picture of values from 0 to 1, rounded and clipped.
func fromInput(row []float32, size int) *picture.Image {
	p := picture.New(size, size)
	for i, v := range row {
		p.Pix[i] = uint8(min(max(v*255+0.5, 0), 255))
	}
	return p
}

// cacheBytes bounds the memory that decoded and resized photographs may take
// between epochs: 3,500 of 224x224, or a quarter of the memory that the process
// may take. Those that do not fit are decoded anew in every epoch, while the
// network learns from the batch before.
const cacheBytes = 512 << 20

// samples is the Dataset of photographs that are to be drawn as they are.
type samples struct {
	photos Photos
	size   int
	cache  []*picture.Image // of the first photographs; nil until decoded

	change augment.Config
	seed   uint64 // of the changes
	epoch  int
}

func newSamples(photos Photos, size int) *samples {
	fit := memory.Share(cacheBytes, 4) / (3 * size * size)
	return &samples{photos: photos, size: size, cache: make([]*picture.Image, min(fit, photos.Len()))}
}

// Samples returns photographs as training wants them: inputs of the encoder,
// which are their own targets. In every epoch they are changed at random as
// change says; how depends on the seed, the epoch and the picture's number alone.
func (m *Model) Samples(photos Photos, change augment.Config, seed uint64) nn.Varying {
	return Samples(photos, m.must("Samples").Config.Size, change, seed)
}

// Samples is the method of that name for a network of that size. It panics without
// photographs and where there cannot be a network of that size.
func Samples(photos Photos, size int, change augment.Config, seed uint64) nn.Varying {
	if photos == nil || size < 1 || size > maxSize || photos.Len() < 0 {
		panic(fmt.Sprintf("autoencoder.Samples: photographs %T for a size of %d: there must be some, and the size is between 1 and %d", photos, size, maxSize))
	}
	s := newSamples(photos, size)
	s.change, s.seed = change, seed
	return s
}

// Epoch implements nn.Varying.
func (s *samples) Epoch(n int) { s.epoch = n }

func (s *samples) Len() int { return s.photos.Len() }

func (s *samples) Fill(ctx context.Context, rows []int, b *nn.Batch) error {
	if err := s.change.Check(); err != nil {
		return err
	}
	b.X = nn.Resize(b.X, len(rows), s.size, s.size, 3)
	b.Y = b.X
	errs := make([]error, len(rows))
	parallel.For(len(rows), func(i int) {
		if errs[i] = ctx.Err(); errs[i] != nil {
			return
		}
		var p *picture.Image
		if p, errs[i] = s.load(rows[i]); errs[i] != nil {
			return
		}
		if s.change == (augment.Config{}) {
			toInput(b.X.Row(i), p)
			return
		}
		change := s.change.Draw(s.seed, s.epoch, rows[i], s.size)
		toInput(b.X.Row(i), change.Shape(p))
		change.Colours(b.X.Row(i))
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *samples) load(i int) (*picture.Image, error) {
	if i < len(s.cache) && s.cache[i] != nil {
		return s.cache[i], nil
	}
	p, err := s.photos.Load(i)
	if err != nil {
		return nil, err
	}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("autoencoder: photograph %d: %w", i, err)
	}
	p = Prepare(p, s.size)
	if i < len(s.cache) {
		s.cache[i] = p
	}
	return p, nil
}

// Input returns pictures as a batch for the encoder, [n, size, size, 3].
func (m *Model) Input(pictures []*picture.Image) *tensor.Tensor {
	return Input(pictures, m.must("Input").Config.Size)
}

// Input is the method of that name for a network of that size.
func Input(pictures []*picture.Image, size int) *tensor.Tensor {
	for i, p := range pictures {
		if err := p.Check(); err != nil {
			panic(fmt.Sprintf("autoencoder.Input: picture %d of %d: %v", i+1, len(pictures), err))
		}
	}
	if size < 1 || size > maxSize {
		panic(fmt.Sprintf("autoencoder.Input: size %d is not between 1 and %d", size, maxSize))
	}
	x := tensor.New(len(pictures), size, size, 3)
	parallel.For(len(pictures), func(i int) { toInput(x.Row(i), Prepare(pictures[i], size)) })
	return x
}
