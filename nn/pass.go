package nn

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"

	"lookalike/internal/hugepages"
	"lookalike/tensor"
)

// Pass is one run through a network. It lends the layers their buffers, takes
// them back for the next layer and the next run, and in training remembers how
// to go back. A pass serves one goroutine at a time. The zero value is a pass of
// prediction.
type Pass struct {
	training bool
	rng      *rand.Rand
	batch    int // samples that buffers are made for

	// What nobody needs the gradient of: the network's own input, and what layers
	// make of it that have nothing to learn. Those run muted: without steps.
	ungraded []*tensor.Tensor
	idle     map[*Sequential]int // how many layers at its front have nothing to learn
	muted    bool

	steps []step

	ctx context.Context // ends a prediction between two layers; may be nil

	buffers []buffer
	headers []*tensor.Tensor // of the tensors of this run, and for those of the next
	made    int              // how many of them this run has

	masks   lent[uint8]
	doubles lent[float64]
}

// step is what training remembers of one layer.
type step struct {
	x, y *tensor.Tensor
	back func(dy *tensor.Tensor) (dx *tensor.Tensor) // from Record; nil: the layer goes back

	layer   backwarder
	mask    []uint8 // what the layer needs besides, if anything
	numbers []float64
	tensor  *tensor.Tensor // which it releases
}

// backwarder is a layer of ours: it does what Record's back does, and takes no memory
// for a closure at every run.
type backwarder interface {
	backward(p *Pass, s step, dy *tensor.Tensor) (dx *tensor.Tensor)
}

func (s step) backward(p *Pass, dy *tensor.Tensor) *tensor.Tensor {
	if s.back != nil {
		return s.back(dy)
	}
	return s.layer.backward(p, s, dy)
}

// buffer is memory that is lent to layer after layer.
type buffer struct {
	data []float32
	lent bool
}

// newPass returns a pass whose buffers hold batches of up to the given size, so
// that a smaller last batch uses the same memory.
func newPass(batch int) *Pass {
	return &Pass{batch: batch}
}

// passes keeps the buffers of inference between calls.
var passes = sync.Pool{New: func() any { return newPass(1) }}

// cancelled tells whether the run is to end early.
func (p *Pass) cancelled() bool { return p.ctx != nil && p.ctx.Err() != nil }

// Training tells whether layers shall behave as in training and record how to
// go back.
func (p *Pass) Training() bool { return p.training }

// Rand returns the source of this batch's randomness, nil outside training.
func (p *Pass) Rand() *rand.Rand { return p.rng }

// New lends a tensor whose values are undefined. A layer returns it as its output, or
// gives it back by Release; the next run has it in any case.
func (p *Pass) New(shape ...int) *tensor.Tensor {
	n := tensor.Size(shape)
	if n == 0 {
		return tensor.New(shape...)
	}
	return p.lend(n/shape[0]*max(shape[0], p.batch), shape...)
}

// begin begins a run: what the one before had is used again, and what a layer has
// not released is taken back.
func (p *Pass) begin() {
	p.made, p.masks.given, p.doubles.given = 0, 0, 0
	for i := range p.buffers {
		p.buffers[i].lent = false
	}
}

// beginTraining begins a run that learns from x.
func (p *Pass) beginTraining(x *tensor.Tensor) {
	p.begin()
	p.ungraded = append(p.ungraded[:0], x)
}

// view returns a tensor over data, whose header the next run uses again.
func (p *Pass) view(data []float32, shape ...int) *tensor.Tensor {
	if p.made == len(p.headers) {
		p.headers = append(p.headers, new(tensor.Tensor))
	}
	p.made++
	return p.headers[p.made-1].Set(data, shape...)
}

// matrix sees a tensor as the rows of its last dimension.
func (p *Pass) matrix(t *tensor.Tensor) *tensor.Tensor {
	n := t.Dim(len(t.Shape()) - 1)
	return p.view(t.Data(), t.Len()/n, n)
}

// rows is t.Rows(lo, hi).
func (p *Pass) rows(t *tensor.Tensor, lo, hi int) *tensor.Tensor {
	var dims [8]int // most shapes fit
	n := t.Len() / t.Dim(0)
	return p.view(t.Data()[lo*n:hi*n], append(append(dims[:0], hi-lo), t.Shape()[1:]...)...)
}

// lend lends a tensor in a buffer of the given capacity.
func (p *Pass) lend(capacity int, shape ...int) *tensor.Tensor {
	return p.view(p.take(capacity)[:tensor.Size(shape)], shape...)
}

// take lends a buffer. Training comes back to every size, so it takes its own
// only, lest a small request take what a large one needs; inference takes the
// smallest that is large enough.
func (p *Pass) take(capacity int) []float32 {
	best, size := -1, math.MaxInt
	for i := range p.buffers {
		b := &p.buffers[i]
		if c := cap(b.data); !b.lent && c >= capacity && c < size && (c == capacity || !p.training) {
			best, size = i, c
		}
	}
	if best < 0 {
		best = len(p.buffers)
		p.buffers = append(p.buffers, buffer{data: hugepages.Floats(capacity)})
	}
	p.buffers[best].lent = true
	return p.buffers[best].data
}

// Release takes back a tensor that New lent. Others are left alone.
func (p *Pass) Release(t *tensor.Tensor) {
	if t.Len() == 0 {
		return
	}
	for i := range p.buffers {
		if b := &p.buffers[i]; &b.data[0] == &t.Data()[0] {
			b.lent = false
		}
	}
}

// mask lends a byte for every value of a tensor of the given shape, undefined, until
// the end of the run.
func (p *Pass) mask(shape ...int) []uint8 {
	n := tensor.Size(shape)
	if n == 0 {
		return nil
	}
	return p.masks.take(n, n/shape[0]*max(shape[0], p.batch))
}

// numbers lends n values, undefined, until the end of the run.
func (p *Pass) numbers(n int) []float64 { return p.doubles.take(n, n) }

// lent is memory that a run lends piece by piece and has back at its end. The next run
// mostly asks for the same pieces in the same order.
type lent[T any] struct {
	pieces [][]T
	given  int // how many of them this run has
}

// take lends n values, undefined, with room for capacity of them.
func (l *lent[T]) take(n, capacity int) []T {
	if l.given == len(l.pieces) {
		l.pieces = append(l.pieces, nil)
	}
	piece := &l.pieces[l.given]
	l.given++
	if cap(*piece) < n {
		*piece = make([]T, capacity)
	}
	return (*piece)[:n]
}

// Record says how to go back through a layer that made y of x: back gets the
// gradient of y, which it may overwrite, adds up the gradients of the layer's
// parameters, and returns that of x. It is to be called in training only.
//
// Steps go back in the opposite order, each with what the one behind it has
// returned. A layer that leads its input into several branches records a step
// between each two, with the output of the branch in front as x and y: it gets
// the gradient that the branch behind has for that branch's own input, to add
// where the branches part, and returns what the branch in front is to begin with.
// It gets nil from a branch that begins at the network's input, whose gradient
// nobody needs. What back gets is lent until it returns; it copies what it keeps.
// [Pass.Fork] does all that.
func (p *Pass) Record(x, y *tensor.Tensor, back func(dy *tensor.Tensor) (dx *tensor.Tensor)) {
	p.record(step{x: x, y: y, back: back})
}

// record is Record for our own layers, with a step's x, y, layer and what that needs to
// go back. Outside training it does nothing.
func (p *Pass) record(s step) {
	if p.recording() {
		p.steps = append(p.steps, s)
	}
}

// recording tells whether the way back leads through the layers that run now.
func (p *Pass) recording() bool { return p.training && !p.muted }

// WantsGrad tells whether anything needs the gradient of x, the input of a layer
// in training. Nothing does in front of the first layer that learns: back may then
// return nil, and save itself the work.
func (p *Pass) WantsGrad(x *tensor.Tensor) bool {
	for _, u := range p.ungraded {
		if sameData(x, u) {
			return false
		}
	}
	return true
}

// nothingLearned is the step of layers that ran muted: the way back ends there.
type nothingLearned struct{}

func (nothingLearned) backward(*Pass, step, *tensor.Tensor) *tensor.Tensor { return nil }

// backward goes back from dy, the gradient of the last output, releasing each
// layer's output and its gradient when the layer is done with them. It returns
// the gradient of the first input, nil where nobody wants it.
//
// Without a gradient a step is passed over, but not the one that stands between
// two branches: what the one in front of it is to begin with, it has already.
func (p *Pass) backward(dy *tensor.Tensor) *tensor.Tensor {
	for i := len(p.steps) - 1; i >= 0; i-- {
		s := p.steps[i]
		var dx *tensor.Tensor
		if dy != nil || i+1 < len(p.steps) && p.betweenBranches(s, p.steps[i+1]) {
			if dy == nil && !sameData(s.x, s.y) {
				panic("nn.Record: there is no step between two branches: the one in front has no gradient to begin with")
			}
			dx = s.backward(p, dy)
			if dy != nil && !sameData(dx, dy) {
				p.Release(dy)
			}
		}
		if !sameData(s.x, s.y) {
			p.Release(s.y)
		}
		dy = dx
	}
	clear(p.steps)
	p.steps = p.steps[:0]
	return dy
}

// betweenBranches tells whether step s, whose successor in training gave no
// gradient, did not lead to that: it began elsewhere, or at the network's input,
// which no step makes.
func (p *Pass) betweenBranches(s, behind step) bool {
	return p.WantsGrad(s.x) && (!p.WantsGrad(behind.x) || !sameData(s.y, behind.x))
}

func sameData(a, b *tensor.Tensor) bool {
	return a != nil && b != nil && a.Len() > 0 && b.Len() > 0 && &a.Data()[0] == &b.Data()[0]
}
