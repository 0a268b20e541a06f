package indexing

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"sync"
	"time"

	"lookalike/gallery"
	"lookalike/internal/memory"
	"lookalike/internal/parallel"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
)

// Describer makes vectors of pictures.
type Describer struct {
	Recipe gallery.Recipe

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

// usable returns an error unless the describer can make vectors.
func (d Describer) usable() error {
	switch {
	case d.Prepare == nil || d.Describe == nil:
		return errors.New("gallery: the describer has no Prepare or no Describe")
	case d.Width < 1:
		return fmt.Errorf("gallery: the model %q makes vectors of %d values", d.Recipe.Model, d.Width)
	}
	return nil
}

// of notes in the recipe how photos are set upright.
func (d Describer) of(photos *album.Set) Describer {
	if photos != nil {
		d.Recipe = d.Recipe.Reading(photos.Options())
	}
	return d
}

// buildBatch is how many pictures are described at a time.
const buildBatch = 32

// firstBatch is how many pictures are described at first, so that it is soon known how long
// one takes.
const firstBatch = 8

// batch is buildBatch, or less where vectors are long and memory is short. The vectors do
// not depend on it.
func (d Describer) batch() int {
	each := 4 * min(d.Width, math.MaxInt/4/buildBatch)
	return max(1, memory.Share(buildBatch*each, 16)/each)
}

// loaded is a file that was read once: its picture, prepared, and what is known of
// it but for its vector. err is why it is of no use.
type loaded struct {
	picture *picture.Image
	row     gallery.Row
	err     error
}

// load reads file i of photos. Of a picture that cannot be used err says why.
func (d Describer) load(photos *album.Set, i int) (l loaded) {
	err := photos.Read(i, func(data []byte, info fs.FileInfo) (err error) {
		l.picture, err = photos.Map(func(m *picture.Image) *picture.Image {
			l.row.Entry = gallery.Entry{Path: photos.Path(i), Label: photos.Label(i), Width: m.Width, Height: m.Height}
			return d.Prepare(m)
		}).Decode(data)
		// Should the file be written to just now, then its time is another one at the
		// next run.
		l.row.File = gallery.File{Size: info.Size(), Modified: info.ModTime(), SHA256: sha256.Sum256(data)}
		return err
	})
	if err != nil {
		return loaded{err: err}
	}
	l.err = l.row.Entry.Validate()
	return l
}

// worked is how long pictures were described, and how much of that the network
// was at work.
type worked struct{ all, network time.Duration }

// run describes n pictures, which load reads, several at a time. One that cannot be
// used goes to skip, the others to done, both in order; the rows of those go, batch by
// batch, to deliver, from another goroutine. An error of skip or deliver ends the work.
// Whatever ends the work, a batch that the network has begun is finished, and what has
// been described is delivered.
//
// Each picture is read once. While the network works on one batch, the next is
// decoded, and the one before is written. Only prepared pictures, two batches and two a
// processor, and two batches of vectors wait in memory.
func (d Describer) run(ctx context.Context, n int, load func(i int) loaded, done func(i int), skip func(i int, reason error) error, deliver func([]gallery.Row) error) (worked, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	batches, described := make(chan []loaded), make(chan []gallery.Row)
	var w worked
	start := time.Now()
	var both sync.WaitGroup
	end := sync.OnceFunc(func() {
		close(batches)
		both.Wait()
	})
	defer end() // also if load, done or skip panics
	both.Go(func() {
		defer close(described)
		for batch := range batches {
			if ctx.Err() != nil {
				continue // let the sender see it
			}
			begin := time.Now()
			rows, err := caught(func() ([]gallery.Row, error) { return d.describe(context.WithoutCancel(ctx), batch) })
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
			if _, err := caught(func() (struct{}, error) { return struct{}{}, deliver(rows) }); err != nil {
				failed = true
				stop(err)
			}
		}
	})

	var batch []loaded
	size := min(d.batch(), firstBatch)
	err := parallel.Ordered(ctx, n, load, func(i int, l loaded) error {
		if l.err != nil {
			return skip(i, l.err)
		}
		done(i)
		if batch = append(batch, l); len(batch) == size {
			batches <- batch
			batch, size = nil, d.batch()
		}
		return nil
	})
	if err == nil && len(batch) > 0 {
		batches <- batch
	}
	end()
	w.all = time.Since(start)
	if p, is := context.Cause(ctx).(panicked); is {
		panic(p.with)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return w, err
}

// panicked is what a function panicked with that was called on another goroutine than
// the caller's, who shall see it.
type panicked struct{ with any }

func (p panicked) Error() string { return fmt.Sprint("panic: ", p.with) }

func caught[T any](f func() (T, error)) (_ T, err error) {
	defer func() {
		if with := recover(); with != nil {
			err = panicked{with}
		}
	}()
	return f()
}

// Vectors describes n pictures, which load reads, many at a time, on several
// goroutines. It returns a vector for each, nil for one that could not be read and that
// skip was told of. Done is told of each when it has been described. Each of the two is
// called in order, from any goroutine, one call at a time; an error of skip ends the work.
// Components are not looked at.
func (d Describer) Vectors(ctx context.Context, n int, load func(i int) (*picture.Image, error), skip func(i int, reason error) error, done func(i int)) ([][]float32, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	if n < 0 || load == nil || skip == nil || done == nil {
		return nil, fmt.Errorf("indexing.Describer.Vectors: %d pictures, or one of the functions is nil", n)
	}
	vectors := make([][]float32, n)
	good, count := make([]int, n), 0 // those that are described, in order
	read := func(i int) (l loaded) {
		m, err := load(i)
		if err != nil {
			return loaded{err: err}
		}
		return loaded{picture: d.Prepare(m), row: gallery.Row{Entry: gallery.Entry{Path: fmt.Sprintf("picture %d", i)}}}
	}
	at := 0
	described := func(i int) {
		good[count] = i
		count++
	}
	var telling sync.Mutex
	tell := func(f func() error) error {
		telling.Lock()
		defer telling.Unlock()
		return f()
	}
	skipped := func(i int, reason error) error { return tell(func() error { return skip(i, reason) }) }
	_, err := d.run(ctx, n, read, described, skipped, func(rows []gallery.Row) error {
		for _, r := range rows {
			i := good[at]
			vectors[i] = r.Vector
			at++
			tell(func() error { done(i); return nil })
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return vectors, nil
}

// vectors calls Describe, and makes sure that there is a vector for each picture.
func (d Describer) vectors(ctx context.Context, pictures []*picture.Image) (*tensor.Tensor, error) {
	v, err := d.Describe(ctx, pictures)
	if err != nil {
		return nil, err
	}
	if want := []int{len(pictures), d.Width}; v == nil || !slices.Equal(v.Shape(), want) {
		shape := "nothing"
		if v != nil {
			shape = fmt.Sprintf("vectors of shape %v", v.Shape())
		}
		return nil, fmt.Errorf("gallery: the model %q has made %s, want shape %v", d.Recipe.Model, shape, want)
	}
	return v, nil
}

// describe makes the vectors of a batch and checks them.
func (d Describer) describe(ctx context.Context, batch []loaded) ([]gallery.Row, error) {
	pictures := make([]*picture.Image, len(batch))
	for i, p := range batch {
		pictures[i] = p.picture
	}
	v, err := d.vectors(ctx, pictures)
	if err != nil {
		return nil, err
	}
	rows := make([]gallery.Row, len(batch))
	for i, p := range batch {
		rows[i] = p.row
		rows[i].Vector = v.Row(i)
		for _, x := range rows[i].Vector {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return nil, fmt.Errorf("gallery: the vector of %s holds %v: the weights in %s are of no use", p.row.Path, x, d.Recipe.WeightsFile)
			}
		}
	}
	return rows, nil
}
