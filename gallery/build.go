package gallery

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"lookalike/knn/pca"
	"lookalike/picture"
	"lookalike/tensor"
)

// Describer makes vectors of pictures.
type Describer struct {
	Recipe Recipe

	// Width is the number of values that Describe makes of a picture.
	Width int

	// Components, if not 0, is to how many principal components Build brings
	// the vectors.
	Components int

	// Prepare makes a picture small, as Describe wants it, so that the original
	// need not be kept. It is called by many goroutines at once.
	Prepare func(*picture.Image) *picture.Image

	// Describe returns the vectors of prepared pictures, [n, Width].
	Describe func(context.Context, []*picture.Image) (*tensor.Tensor, error)
}

const (
	// buildBatch is how many pictures are described at a time.
	buildBatch = 32

	// fitBytes bounds the vectors that principal components are fitted to. Of
	// larger collections a sample is taken, evenly spaced in the order of the
	// paths, and all pictures are then described anew.
	fitBytes = 1 << 30
)

// Build describes the photographs, which lie below the folder root. Those that
// cannot be decoded are left out and returned with the reason. After each file
// it calls done, if not nil, with the number of files dealt with.
//
// Files are decoded several at a time while others are being described; only
// prepared pictures, two batches and two a processor, wait in memory.
func Build(ctx context.Context, photos *picture.Set, root string, d Describer, done func(n int)) (*Gallery, []picture.Skip, error) {
	return build(ctx, photos, root, d, fitBytes, done)
}

func build(ctx context.Context, photos *picture.Set, root string, d Describer, fitBytes int, done func(n int)) (*Gallery, []picture.Skip, error) {
	if d.Components == 0 {
		return describe(ctx, photos, root, d, done)
	}
	if most := min(photos.Len(), d.Width); d.Components < 1 || d.Components > most {
		return nil, nil, fmt.Errorf("gallery: %d principal components of %d files with %d values each; there are 1 to %d", d.Components, photos.Len(), d.Width, most)
	}
	sample := photos.Limit(max(fitBytes/4/d.Width, 2*d.Components))
	whole := sample.Len() == photos.Len()
	tell := done
	if !whole {
		tell = nil // these files come again
	}
	g, skips, err := describe(ctx, sample, root, d, tell)
	if err != nil {
		return nil, skips, err
	}
	p, err := pca.Fit(g.Vectors, d.Components, pca.Options{})
	if err != nil {
		return nil, skips, err
	}
	if whole {
		g.Vectors = p.Transform(g.Vectors)
	} else {
		g.Vectors = nil
		reduced, features := d, d.Describe
		reduced.Width = d.Components
		reduced.Describe = func(ctx context.Context, batch []*picture.Image) (*tensor.Tensor, error) {
			v, err := features(ctx, batch)
			if err != nil {
				return nil, err
			}
			return p.Transform(v), nil
		}
		if g, skips, err = describe(ctx, photos, root, reduced, done); err != nil {
			return nil, skips, err
		}
	}
	g.PCA = p
	g.Recipe.PCA = g.fingerprint()
	return g, skips, nil
}

// describe is Build without principal components.
func describe(ctx context.Context, photos *picture.Set, root string, d Describer, done func(n int)) (*Gallery, []picture.Skip, error) {
	var (
		g       = &Gallery{Root: root, Recipe: d.Recipe}
		skips   []picture.Skip
		vectors = make([]float32, 0, photos.Len()*d.Width)
	)
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
			v, err := d.describe(ctx, batch)
			if err != nil {
				stop(err)
				continue
			}
			vectors = append(vectors, v.Data()...)
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
			skips = append(skips, picture.Skip{Path: photos.Path(i), Reason: errors.Unwrap(err)})
		} else {
			width, height := originals.take(p)
			g.Entries = append(g.Entries, Entry{Path: photos.Path(i), Label: photos.Label(i), Width: width, Height: height})
			batch = append(batch, prepared{p, photos.Path(i)})
		}
		if len(batch) == buildBatch {
			batches <- batch
			batch = nil
		}
		if done != nil {
			done(i + 1)
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
	if err != nil {
		return nil, skips, err
	}
	if len(g.Entries) == 0 {
		return nil, skips, fmt.Errorf("gallery: no picture that could be read among the %d files in %s", photos.Len(), root)
	}
	g.Vectors = tensor.From(vectors, len(g.Entries), d.Width)
	return g, skips, nil
}

// prepared is a picture that waits to be described.
type prepared struct {
	*picture.Image
	path string
}

// describe makes the vectors of a batch and checks them.
func (d Describer) describe(ctx context.Context, batch []prepared) (*tensor.Tensor, error) {
	pictures := make([]*picture.Image, len(batch))
	for i, p := range batch {
		pictures[i] = p.Image
	}
	v, err := d.Describe(ctx, pictures)
	if err != nil {
		return nil, err
	}
	for i, p := range batch {
		for _, x := range v.Row(i) {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return nil, fmt.Errorf("gallery: the vector of %s holds %v: the weights in %s are of no use", p.path, x, d.Recipe.WeightsFile)
			}
		}
	}
	return v, nil
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
