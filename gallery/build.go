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

	// Prepare makes a picture small, as Describe wants it, so that the original
	// need not be kept. It is called by many goroutines at once.
	Prepare func(*picture.Image) *picture.Image

	// Describe returns the vectors of prepared pictures, [n, d].
	Describe func([]*picture.Image) *tensor.Tensor
}

// buildBatch is how many pictures are described at a time.
const buildBatch = 32

// Build describes the photographs, which lie below the folder root. Those that
// cannot be decoded are left out and returned with the reason. After each file
// it calls done, if not nil, with the number of files dealt with.
//
// Files are decoded several at a time while others are being described; only
// prepared pictures, and few of them, wait in memory.
func Build(ctx context.Context, photos *picture.Set, root string, d Describer, done func(n int)) (*Gallery, []picture.Skip, error) {
	var (
		g       = &Gallery{Root: root, Recipe: d.Recipe}
		skips   []picture.Skip
		batch   []*picture.Image
		vectors []float32
		width   int // of a vector
	)
	describe := func() error {
		if len(batch) == 0 {
			return nil
		}
		v := d.Describe(batch)
		if width == 0 {
			width = v.Dim(1)
			vectors = make([]float32, 0, photos.Len()*width)
		}
		first := len(vectors) / width
		for i := range batch {
			for _, x := range v.Row(i) {
				if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
					return fmt.Errorf("gallery: the vector of %s holds %v: the weights in %s are of no use", g.Entries[first+i].Path, x, d.Recipe.WeightsFile)
				}
			}
		}
		vectors = append(vectors, v.Data()...)
		batch = batch[:0]
		return nil
	}

	originals := originalSizes{of: map[*picture.Image][2]int{}}
	prepared := photos.Map(func(m *picture.Image) *picture.Image {
		p := d.Prepare(m)
		originals.put(p, m)
		return p
	})
	err := prepared.Each(ctx, func(i int, p *picture.Image, err error) error {
		if err != nil {
			skips = append(skips, picture.Skip{Path: photos.Path(i), Reason: errors.Unwrap(err)})
		} else {
			width, height := originals.take(p)
			g.Entries = append(g.Entries, Entry{Path: photos.Path(i), Label: photos.Label(i), Width: width, Height: height})
			batch = append(batch, p)
		}
		if len(batch) == buildBatch {
			if err := describe(); err != nil {
				return err
			}
		}
		if done != nil {
			done(i + 1)
		}
		return nil
	})
	if err == nil {
		err = describe()
	}
	if err != nil {
		return nil, skips, err
	}
	if len(g.Entries) == 0 {
		return nil, skips, fmt.Errorf("gallery: no picture that could be read among the %d files in %s", photos.Len(), root)
	}
	g.Vectors = tensor.From(vectors, len(g.Entries), width)
	return g, skips, nil
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
