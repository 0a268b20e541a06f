package main

import (
	"fmt"
	"sort"

	"lookalike/autoencoder"
	"lookalike/embedding"
	"lookalike/internal/checkpoint"
	"lookalike/internal/memory"
	"lookalike/internal/words"
	"lookalike/nn"
	"lookalike/picture/album"
	"lookalike/training"
)

// besideTraining is what the process has in memory while it learns, besides what
// training itself takes: what decodes pictures, writes the model, and waits for the
// garbage collector (measured: 10 to 20 MB).
const besideTraining = 16e6

// memoryOf tells what training takes on pictures of a size.
type memoryOf func(size int, cfg nn.FitConfig) (int64, error)

func autoencoderMemory(c autoencoder.Config) memoryOf {
	return func(size int, cfg nn.FitConfig) (int64, error) {
		c := c
		c.Size = size
		return c.TrainingMemory(cfg)
	}
}

// reserve sets apart what training takes on so many pictures of a size, so that pictures
// are decoded and kept in what that leaves of the memory limit. If it does not fit, the
// error says what would: smaller batches, or smaller pictures.
func reserve(t *checkpoint.Training, size, pictures int, of memoryOf) (release func(), err error) {
	take := func(size, batch int) (n int64, err error) {
		in := func(batch int) (n int64) {
			if err == nil {
				n, err = of(size, nn.FitConfig{Batch: batch, ValidationSplit: t.Validation})
			}
			return n
		}
		n = in(batch) + besideTraining
		if t.EarlyStop != nil { // keeps the parameters once more, the fourth part of what does not grow with the batch
			n += (2*in(1) - in(2)) / 4
		}
		return n, err
	}
	batch := max(1, min(t.Batch, pictures))
	n, err := take(size, batch)
	if err != nil {
		return nil, err
	}
	if release, err = memory.Reserve(n); err == nil {
		return release, nil
	}
	err = fmt.Errorf("learning from %s of %dx%d at a time: %w", words.Count(batch, "picture"), size, size, err)
	if len(t.Losses) > 0 { // it goes on as it began
		return nil, err
	}
	fits := func(size, batch int) bool {
		n, err := take(size, batch)
		return err == nil && memory.Allows(n) == nil
	}
	if most := sort.Search(batch-1, func(i int) bool { return !fits(size, i+1) }); most > 0 {
		return nil, fmt.Errorf("%w, or --batch %d or less", err, most)
	}
	const step = 16 // of sizes
	if most := sort.Search(size/step, func(i int) bool { return !fits((i+1)*step, 1) }); most > 0 {
		return nil, fmt.Errorf("%w, or --batch 1 and --size %d or less", err, most*step)
	}
	return nil, err
}

// reserveEmbedding is reserve for an embedding of some files, whose network m is nil while
// it is not known.
func (o *trainOptions) reserveEmbedding(m *embedding.Model, t *checkpoint.Training, files *album.Set) (release func(), err error) {
	c := embedding.Config{Base: o.base, Dim: o.code, Size: o.size}
	switch {
	case m != nil:
		c = m.Config
	case o.from != "":
		from, err := autoencoder.Load(o.from)
		if err != nil {
			return nil, err
		}
		c.Size, c.Widths = from.Config.Size, from.Config.Widths
	}
	if c.Base != embedding.Encoder {
		return func() {}, nil // see embedding.Samples
	}
	classes := max(2, len(training.Classes(files)))
	return reserve(t, c.Size, files.Len(), func(size int, cfg nn.FitConfig) (int64, error) {
		c := c
		c.Size = size
		return c.TrainingMemory(classes, cfg)
	})
}
