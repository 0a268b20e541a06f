package gallery

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math"
	"sync"
	"time"

	"lookalike/internal/parallel"
	"lookalike/picture"
	"lookalike/tensor"
)

// Describer makes vectors of pictures.
type Describer struct {
	Recipe Recipe

	// Width is the number of values that Describe makes of a picture.
	Width int

	// Components, if not 0, is to how many principal components Update brings
	// the vectors.
	Components int

	// Prepare makes a picture small, as Describe wants it, so that the original
	// need not be kept. It is called by many goroutines at once.
	Prepare func(*picture.Image) *picture.Image

	// Describe returns the vectors of prepared pictures, [n, Width].
	Describe func(context.Context, []*picture.Image) (*tensor.Tensor, error)
}

// buildBatch is how many pictures are described at a time.
const buildBatch = 32

// loaded is a file that was read once: its picture, prepared, and what is known of
// it but for its vector. err is why it is of no use.
type loaded struct {
	picture *picture.Image
	row     row
	err     error
}

// load reads file i of photos.
func (d Describer) load(photos *picture.Set, i int) (l loaded) {
	err := photos.Read(i, func(data []byte, info fs.FileInfo) (err error) {
		l.picture, err = photos.Map(func(m *picture.Image) *picture.Image {
			l.row.Entry = Entry{Path: photos.Path(i), Label: photos.Label(i), Width: m.Width, Height: m.Height}
			return d.Prepare(m)
		}).Decode(data)
		// Should the file be written to just now, then its time is another one at the
		// next run.
		l.row.File = File{Size: info.Size(), Modified: info.ModTime(), SHA256: sha256.Sum256(data)}
		return err
	})
	if err != nil {
		return loaded{err: err}
	}
	l.err = l.row.Entry.validate()
	return l
}

// worked is how long pictures were described, and how much of that the network
// was at work.
type worked struct{ all, network time.Duration }

// run describes photographs. A file that cannot be used goes to skip, the rows of
// the others, batch by batch, to deliver, from another goroutine; an error of it
// ends the work. Whatever ends the work, a batch that the network has begun is
// finished, and what has been described is delivered.
//
// Each file is read once. While the network works on one batch, the next is
// decoded, several files at a time, and the one before is written. Only prepared
// pictures, two batches and two a processor, and two batches of vectors wait in
// memory.
func (d Describer) run(ctx context.Context, photos *picture.Set, done func(), skip func(i int, reason error), deliver func([]row) error) (worked, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	batches, described := make(chan []loaded), make(chan []row)
	var w worked
	start := time.Now()
	var both sync.WaitGroup
	both.Go(func() {
		defer close(described)
		for batch := range batches {
			if ctx.Err() != nil {
				continue // let the sender see it
			}
			begin := time.Now()
			rows, err := d.describe(context.WithoutCancel(ctx), batch)
			w.network += time.Since(begin)
			if err != nil {
				stop(err)
				continue
			}
			described <- rows
		}
	})
	both.Go(func() {
		failed := false
		for rows := range described {
			if failed {
				continue
			}
			if err := deliver(rows); err != nil {
				failed = true
				stop(err)
			}
		}
	})

	var batch []loaded
	load := func(i int) loaded { return d.load(photos, i) }
	err := parallel.Ordered(ctx, photos.Len(), load, func(i int, l loaded) error {
		if l.err != nil {
			skip(i, l.err)
			return nil
		}
		done()
		if batch = append(batch, l); len(batch) == buildBatch {
			batches <- batch
			batch = nil
		}
		return nil
	})
	if err == nil && len(batch) > 0 {
		batches <- batch
	}
	close(batches)
	both.Wait()
	w.all = time.Since(start)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return w, err
}

// describe makes the vectors of a batch and checks them.
func (d Describer) describe(ctx context.Context, batch []loaded) ([]row, error) {
	pictures := make([]*picture.Image, len(batch))
	for i, p := range batch {
		pictures[i] = p.picture
	}
	v, err := d.Describe(ctx, pictures)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(batch))
	for i, p := range batch {
		rows[i] = p.row
		rows[i].vector = v.Row(i)
		for _, x := range rows[i].vector {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return nil, fmt.Errorf("gallery: the vector of %s holds %v: the weights in %s are of no use", p.row.Path, x, d.Recipe.WeightsFile)
			}
		}
	}
	return rows, nil
}
