package gallery

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

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

// prepared is a picture that waits to be described.
type prepared struct {
	*picture.Image
	row row
}

// run describes photographs. What is known of each but its vector comes from
// row; one that cannot be decoded, or that row refuses, goes to skip. Rows are
// handed to deliver batch by batch, from another goroutine than those of row and
// skip; an error of it ends the work.
//
// Files are decoded several at a time while others are being described; only
// prepared pictures, two batches and two a processor, wait in memory.
func (d Describer) run(ctx context.Context, photos *picture.Set, newRow func(i int) (row, error), skip func(i int, reason error), deliver func([]row) error) error {
	// The network works on one batch while the next is gathered.
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	batches := make(chan []prepared)
	var network sync.WaitGroup
	network.Go(func() {
		for batch := range batches {
			if ctx.Err() != nil {
				continue // let the sender see it
			}
			rows, err := d.describe(ctx, batch)
			if err == nil {
				err = deliver(rows)
			}
			if err != nil {
				stop(err)
			}
		}
	})

	originals := originalSizes{of: map[*picture.Image][2]int{}}
	small := photos.Map(func(m *picture.Image) *picture.Image {
		p := d.Prepare(m)
		originals.put(p, m)
		return p
	})
	var batch []prepared
	err := small.Each(ctx, func(i int, p *picture.Image, err error) error {
		if err != nil {
			skip(i, errors.Unwrap(err))
			return nil
		}
		width, height := originals.take(p)
		r, err := newRow(i)
		if err != nil {
			skip(i, err)
			return nil
		}
		r.Width, r.Height = width, height
		if batch = append(batch, prepared{p, r}); len(batch) == buildBatch {
			batches <- batch
			batch = nil
		}
		return nil
	})
	if err == nil && len(batch) > 0 {
		batches <- batch
	}
	close(batches)
	network.Wait()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return err
}

// describe makes the vectors of a batch and checks them.
func (d Describer) describe(ctx context.Context, batch []prepared) ([]row, error) {
	pictures := make([]*picture.Image, len(batch))
	for i, p := range batch {
		pictures[i] = p.Image
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

// originalSizes remembers how large pictures were before they were prepared.
type originalSizes struct {
	mu sync.Mutex
	of map[*picture.Image][2]int
}

func (s *originalSizes) put(prepared, original *picture.Image) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[prepared] = [2]int{original.Width, original.Height}
}

func (s *originalSizes) take(prepared *picture.Image) (width, height int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := s.of[prepared]
	delete(s.of, prepared)
	return size[0], size[1]
}
