// Package tsne lays vectors out in the plane so that those that are near each
// other stay near: t-SNE (van der Maaten and Hinton, JMLR 9, 2008) by the
// Barnes-Hut method (van der Maaten, arXiv 1301.3342).
//
// It differs from the papers as scikit-learn does: the layout begins with the two
// principal components and the rate follows the number of vectors (Belkina et al.,
// Nature Communications 10, 2019). The same vectors and seed give the same bits
// whatever GOMAXPROCS is.
package tsne

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"lookalike/internal/parallel"
	"lookalike/knn"
	"lookalike/knn/pca"
	"lookalike/tensor"
)

// Options choose how to lay out. The zero value is a good choice.
type Options struct {
	// Perplexity is how many neighbours each vector attends to, more or less; 0
	// means 30. No more than a third of the others are used.
	Perplexity float64

	// Iterations is the number of steps; 0 means 1000.
	Iterations int

	// Seed is of the noise, a hundredth of the first layout's size, that parts
	// vectors that coincide.
	Seed uint64

	// Progress, unless nil, is called with the number of steps that are done: before
	// the first, when the neighbours have been found, and after each.
	Progress func(done int)
}

// Steps is the number of iterations that o asks for.
func (o Options) Steps() int {
	if o.Iterations == 0 {
		return 1000
	}
	return o.Iterations
}

// Layout is where vectors lie in the plane.
type Layout struct {
	Points [][2]float64 // of each vector, around 0

	// Divergence is what t-SNE makes small: Kullback and Leibler's, in nats, of
	// the layout's neighbourhoods from the vectors'.
	Divergence float64
}

const (
	perplexity   = 30 // without another wish
	theta        = 0.5
	exaggeration = 12  // of what attracts, at first, so that groups find together
	exploring    = 250 // steps that the exaggeration lasts
	firstSize    = 1e-4
)

// Embed lays out vectors of shape [n, d], d >= 1. Near is by the metric, which must
// be Euclidean or Cosine. The error is that of a metric or an option that cannot
// be, of a NaN or infinity in a vector, whose row is named, or of ctx.
func Embed(ctx context.Context, vectors *tensor.Tensor, metric knn.Metric, o Options) (*Layout, error) {
	switch {
	case metric != knn.Euclidean && metric != knn.Cosine:
		return nil, fmt.Errorf("tsne: by the metric %v nothing is nearest to itself; it must be %v or %v", metric, knn.Euclidean, knn.Cosine)
	case !(o.Perplexity >= 1) && o.Perplexity != 0 || math.IsInf(o.Perplexity, 1):
		return nil, fmt.Errorf("tsne: a perplexity of %v, want 1 or more", o.Perplexity)
	case o.Iterations < 0:
		return nil, fmt.Errorf("tsne: %d iterations", o.Iterations)
	}
	index, err := knn.New(vectors, metric)
	if err != nil {
		return nil, fmt.Errorf("tsne: %w", err)
	}
	n := vectors.Dim(0)
	if n < 2 {
		return &Layout{Points: make([][2]float64, n)}, ctx.Err()
	}
	if o.Perplexity == 0 {
		o.Perplexity = perplexity
	}
	p, err := neighborhoods(ctx, index, vectors, o.Perplexity)
	if err != nil {
		return nil, err
	}
	points, err := first(vectors, o.Seed)
	if err != nil {
		return nil, err
	}
	e := embedding{p: p, points: points, theta: theta}
	if err := e.descend(ctx, o.Steps(), o.Progress); err != nil {
		return nil, err
	}
	centre(points)
	return &Layout{Points: points, Divergence: e.divergence()}, nil
}

// first returns where the vectors lie along their two principal components, the
// first of which has the standard deviation firstSize.
func first(vectors *tensor.Tensor, seed uint64) ([][2]float64, error) {
	n, d := vectors.Dim(0), vectors.Dim(1)
	points := make([][2]float64, n)
	if !same(vectors) {
		axes := min(2, n, d)
		analysis, err := pca.Fit(vectors, axes, pca.Options{Seed: seed})
		if err != nil {
			return nil, fmt.Errorf("tsne: %w", err)
		}
		places := analysis.Transform(vectors)
		size := firstSize / math.Sqrt(analysis.ExplainedVariance[0])
		for i := range points {
			for axis := range axes {
				points[i][axis] = float64(places.Row(i)[axis]) * size
			}
		}
	}
	noise := rand.New(rand.NewPCG(seed, 0))
	for i := range points {
		for axis := range points[i] {
			points[i][axis] += noise.NormFloat64() * firstSize / 100
		}
	}
	return points, nil
}

// same tells whether all vectors are, which have no principal components.
func same(vectors *tensor.Tensor) bool {
	for i := 1; i < vectors.Dim(0); i++ {
		for j, v := range vectors.Row(i) {
			if v != vectors.Row(0)[j] {
				return false
			}
		}
	}
	return true
}

// centre moves the middle of the points to 0.
func centre(points [][2]float64) {
	var sum [2]float64
	for _, p := range points {
		sum[0] += p[0]
		sum[1] += p[1]
	}
	for i := range points {
		points[i][0] -= sum[0] / float64(len(points))
		points[i][1] -= sum[1] / float64(len(points))
	}
}

// embedding is a layout in the making.
type embedding struct {
	p      *affinities
	points [][2]float64
	theta  float64

	tree tree
	push [][2]float64 // what repels each point, before it is divided by the sum
	near []float64    // of each point, its part of the sum
}

// descend takes steps down the gradient, each coordinate with a gain of its own
// that grows while it keeps its direction.
func (e *embedding) descend(ctx context.Context, steps int, progress func(int)) error {
	n := len(e.points)
	rate := max(float64(n)/exaggeration/4, 50)
	gradient, update, gains := make([][2]float64, n), make([][2]float64, n), make([][2]float64, n)
	if progress == nil {
		progress = func(int) {}
	}
	progress(0)
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		momentum, attraction := 0.5, float64(exaggeration)
		if step >= exploring {
			momentum, attraction = 0.8, 1
		}
		if step == 0 || step == exploring {
			for i := range gains {
				update[i], gains[i] = [2]float64{}, [2]float64{1, 1}
			}
		}
		e.gradient(gradient, attraction)
		for i := range e.points {
			for axis := range 2 {
				g, u, gain := gradient[i][axis], &update[i][axis], &gains[i][axis]
				if *u*g < 0 {
					*gain += 0.2
				} else {
					*gain = max(*gain*0.8, 0.01)
				}
				*u = momentum**u - rate**gain*g
				e.points[i][axis] += *u
			}
		}
		progress(step + 1)
	}
	return nil
}

// someRows is how many points a goroutine takes at a time.
const someRows = 256

// gradient sets dst to the derivative of the divergence by each coordinate, with
// what attracts multiplied.
func (e *embedding) gradient(dst [][2]float64, attraction float64) {
	sum := e.repel()
	parallel.Spans(len(e.points), someRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x, y := e.points[i][0], e.points[i][1]
			var pullX, pullY float64
			columns, p := e.p.row(i)
			for k, j := range columns {
				dx, dy := x-e.points[j][0], y-e.points[j][1]
				w := p[k] / (1 + dx*dx + dy*dy)
				pullX += w * dx
				pullY += w * dy
			}
			dst[i][0] = 4 * (attraction*pullX - e.push[i][0]/sum)
			dst[i][1] = 4 * (attraction*pullY - e.push[i][1]/sum)
		}
	})
}

// repel finds what repels each point, and the sum of 1/(1+distance²) over all
// pairs of points.
func (e *embedding) repel() float64 {
	n := len(e.points)
	if e.push == nil {
		e.push, e.near = make([][2]float64, n), make([]float64, n)
	}
	e.tree.build(e.points)
	parallel.Spans(n, someRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			at := e.tree.order[i].point // neighbours in the plane one after the other
			e.push[at], e.near[at] = e.tree.repel(e.points[at], e.theta)
		}
	})
	var sum float64
	for _, v := range e.near {
		sum += v
	}
	return sum
}

// divergence is that of the layout as it stands.
func (e *embedding) divergence() float64 {
	sum := e.repel()
	parts := make([]float64, len(e.points))
	parallel.Spans(len(e.points), someRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			columns, p := e.p.row(i)
			for k, j := range columns {
				dx, dy := e.points[i][0]-e.points[j][0], e.points[i][1]-e.points[j][1]
				if p[k] > 0 {
					parts[i] += p[k] * math.Log(p[k]*sum*(1+dx*dx+dy*dy))
				}
			}
		}
	})
	var total float64
	for _, v := range parts {
		total += v
	}
	return total
}
