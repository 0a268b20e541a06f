package training

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/describe"
	"lookalike/embedding"
	"lookalike/internal/checkpoint"
	"lookalike/nn"
	"lookalike/picture/album"
)

// Embedding trains an embedding on pictures, whose classes are the folders that they lie
// in, and writes it to a file, after every epoch: see [OpenEmbedding] and [Course.Train].
// Files that cannot be read as pictures are left out and returned. If there is an error,
// the result is of the epochs that the file holds.
func Embedding(ctx context.Context, photos *album.Set, file string, config embedding.Config, options ...Option) (Result, error) {
	c, err := OpenEmbedding(file, config, options...)
	if err != nil {
		return Result{}, err
	}
	return run(ctx, c, photos)
}

// OpenEmbedding is [OpenAutoencoder] for an embedding. Without a base it stands on VGG16,
// whose weights [WeightsFile] names; a training that goes on finds them in its own file.
func OpenEmbedding(file string, config embedding.Config, list ...Option) (*Course, error) {
	return open(file, list, func(o *options, t *checkpoint.Training) (pupil, error) {
		e, err := newEmbedder(config, o, t)
		if err != nil {
			return nil, err
		}
		return e, nil
	}, func(o *options) (pupil, *checkpoint.Training, error) {
		m, t, err := embedding.Resume(file)
		if err != nil {
			return nil, nil, err
		}
		e, c := &embedder{Model: m, config: m.Config}, m.Config
		err = o.agree(file, t, []setting{{"dim", config.Dim, c.Dim}, {"base", config.Base, c.Base}, {"size", config.Size, c.Size},
			{"margin", config.Margin, c.Margin}, {"scale", config.Scale, c.Scale}, {"widths", config.Widths, c.Widths}})
		return e, t, err
	})
}

// embedder is an embedding that is taught. There is no model before the classes are known.
type embedder struct {
	*embedding.Model
	config  embedding.Config
	weights string             // the file of a VGG
	from    *autoencoder.Model // to begin with, nil for none
}

// newEmbedder finds what is missing beside the pictures before they are read.
func newEmbedder(config embedding.Config, o *options, t *checkpoint.Training) (e *embedder, err error) {
	config.Base = cmp.Or(config.Base, "vgg16")
	e = &embedder{}
	if e.config, err = config.Complete(); err != nil {
		return nil, err
	}
	onVGG := config.Base != embedding.Encoder
	switch {
	case onVGG && o.from != "":
		return nil, fmt.Errorf("training: an embedding on %s cannot begin with an autoencoder's encoder; leave From out", config.Base)
	case onVGG && t.Augment != "":
		return nil, fmt.Errorf("training: %s describes every picture once, so that it cannot be changed in every epoch; leave Augment out", config.Base)
	case !onVGG && o.weights != "":
		return nil, errors.New("training: an embedding on an encoder takes no weights of VGG; leave WeightsFile out")
	case onVGG:
		e.weights, err = describe.Spec{Name: config.Base, Weights: o.weights, Cache: o.cache}.File()
	case o.from != "":
		if e.from, err = autoencoder.Load(o.from); err != nil {
			return nil, err
		}
		has := e.from.Config
		if config.Size != 0 && config.Size != has.Size {
			return nil, &ResumeError{o.from, "size", config.Size, has.Size}
		}
		e.config.Size, e.config.Widths = has.Size, has.Widths
	}
	return e, err
}

func (e *embedder) memory(files *album.Set) (size int, of memoryOf) {
	if e.config.Base != embedding.Encoder {
		return 0, nil // see embedding.Model.Samples
	}
	classes := max(2, len(Classes(files)))
	return e.config.Size, func(size int, cfg nn.FitConfig) (int64, error) {
		c := e.config
		c.Size = size
		return c.TrainingMemory(classes, cfg)
	}
}

func (e *embedder) divide(photos *album.Set, t *checkpoint.Training) (Split, error) {
	return DivideClasses(photos, t.Validation, t.Unseen)
}

func (e *embedder) samples(ctx context.Context, sets Split, change augment.Config, t *checkpoint.Training, done func(int)) (data, validation nn.Dataset, err error) {
	if e.Model == nil {
		if e.Model, err = embedding.New(e.config, Classes(sets.Learned), e.weights, t.Seed); err != nil {
			return nil, nil, err
		}
		if e.from != nil {
			if err := e.From(e.from); err != nil {
				return nil, nil, err
			}
			e.from = nil
		}
	}
	onVGG := e.config.Base != embedding.Encoder
	if onVGG {
		done(0)
	}
	if data, err = e.Samples(ctx, sets.Learned, sets.Learned.Labels(), change, t.Seed, done); err != nil {
		return nil, nil, err
	}
	if sets.Kept.Len() > 0 {
		after := func(n int) { done(sets.Learned.Len() + n) }
		if validation, err = e.Samples(ctx, sets.Kept, sets.Kept.Labels(), augment.Config{}, 0, after); err != nil {
			return nil, nil, err
		}
	}
	if onVGG && len(t.Losses) == 0 {
		err = e.Start(data, t.Seed)
	}
	return data, validation, err
}

func (e *embedder) Close() error {
	if e.Model == nil {
		return nil
	}
	return e.Model.Close()
}
