package training

import (
	"context"
	"errors"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/internal/checkpoint"
	"lookalike/nn"
	"lookalike/picture/album"
)

// Autoencoder trains an autoencoder on pictures and writes it to a file, after every
// epoch: see [OpenAutoencoder] and [Course.Train]. Files that cannot be read as pictures
// are left out and returned. If there is an error, the result is of the epochs that the
// file holds.
func Autoencoder(ctx context.Context, photos *album.Set, file string, config autoencoder.Config, options ...Option) (Result, error) {
	c, err := OpenAutoencoder(file, config, options...)
	if err != nil {
		return Result{}, err
	}
	return run(ctx, c, photos)
}

// OpenAutoencoder begins the training of an autoencoder, or with [Resume] goes on with the
// one that the file holds. A field of config that is zero is the network's own, or the
// default. Until the course is closed, another one of the same file, or of the same log,
// is ErrBusy. Nothing is written before the first epoch is over.
func OpenAutoencoder(file string, config autoencoder.Config, list ...Option) (*Course, error) {
	return open(file, list, func(o *options, t *checkpoint.Training) (pupil, error) {
		if t.Unseen > 0 || o.weights != "" || o.from != "" {
			return nil, errors.New("training: Unseen, WeightsFile and From are for an embedding; leave them out")
		}
		// A network as such is no small thing.
		_, c, err := autoencoder.Encoder(config)
		if err != nil {
			return nil, err
		}
		release, err := reserve(t, c.Size, 1, autoencoderMemory(c))
		if err != nil {
			return nil, err
		}
		defer release()
		m, err := autoencoder.New(c, t.Seed)
		if err != nil {
			return nil, err
		}
		return coder{m}, nil
	}, func(o *options) (pupil, *checkpoint.Training, error) {
		m, t, err := autoencoder.Resume(file)
		if err != nil {
			return nil, nil, err
		}
		err = o.agree(file, t, []setting{{"size", config.Size, m.Config.Size}, {"code", config.Code, m.Config.Code}, {"widths", config.Widths, m.Config.Widths}})
		return coder{m}, t, err
	})
}

// coder is an autoencoder that is taught.
type coder struct{ *autoencoder.Model }

func autoencoderMemory(c autoencoder.Config) memoryOf {
	return func(size int, cfg nn.FitConfig) (int64, error) {
		c := c
		c.Size = size
		return c.TrainingMemory(cfg)
	}
}

func (c coder) memory(*album.Set) (size int, of memoryOf) {
	return c.Config.Size, autoencoderMemory(c.Config)
}

func (c coder) divide(photos *album.Set, t *checkpoint.Training) (Split, error) {
	return Divide(photos, t.Validation)
}

func (c coder) samples(_ context.Context, sets Split, change augment.Config, t *checkpoint.Training, _ func(int)) (data, validation nn.Dataset, err error) {
	data = c.Samples(sets.Learned, change, t.Seed)
	if sets.Kept.Len() > 0 {
		validation = c.Samples(sets.Kept, augment.Config{}, 0)
	}
	return data, validation, nil
}

func (c coder) Close() error { return nil }

// Autoencoder is the network that is trained, with the parameters that it has at the
// moment: after Train those of the last epoch. It is nil where an embedding is trained.
func (c *Course) Autoencoder() *autoencoder.Model {
	if c == nil {
		return nil
	}
	m, _ := c.pupil.(coder)
	return m.Model
}
