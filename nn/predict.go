package nn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// predictBatch is how many samples Predict takes at a time.
const predictBatch = 32

// Predict returns the outputs for all samples of x, [n, …]. Many goroutines may
// call it at once. It panics unless the network has been built and x has the shape
// of its inputs.
func (s *Sequential) Predict(x *tensor.Tensor) *tensor.Tensor {
	s.check("Predict", x)
	out := s.newOutput(x.Dim(0))
	s.predict(context.Background(), out, x)
	return out
}

// PredictInto is Predict that writes the outputs to dst, [n, …], and takes no memory
// once it has run. It panics unless dst has the outputs' shape, and memory of its
// own.
func (s *Sequential) PredictInto(dst, x *tensor.Tensor) {
	s.check("PredictInto", x)
	if shape := dst.Shape(); len(shape) != 1+len(s.out()) || shape[0] != x.Dim(0) || !slices.Equal(shape[1:], s.out()) {
		panic(fmt.Sprintf("nn.PredictInto: dst has shape %v, the outputs of %v have %v", shape, x.Shape(), append([]int{x.Dim(0)}, s.out()...)))
	}
	if overlap(dst.Data(), x.Data()) {
		panic("nn.PredictInto: dst and x share memory")
	}
	s.predict(context.Background(), dst, x)
}

// PredictContext is Predict that returns ctx.Err() soon after ctx is done: it looks
// between batches of 32 samples and between layers. What Predict panics for is an
// error.
func (s *Sequential) PredictContext(ctx context.Context, x *tensor.Tensor) (*tensor.Tensor, error) {
	switch {
	case s == nil:
		return nil, errors.New("predict: the network is nil")
	case !s.built:
		return nil, errors.New("predict: the network has not been built; call Init or Build first")
	}
	if err := s.takes(x); err != nil {
		return nil, fmt.Errorf("predict: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := s.newOutput(x.Dim(0))
	if err := s.predict(ctx, out, x); err != nil {
		return nil, err
	}
	return out, nil
}

// predict writes the outputs for x to out, and ends early with the error of ctx.
func (s *Sequential) predict(ctx context.Context, out, x *tensor.Tensor) (err error) {
	n := x.Dim(0)
	p := passes.Get().(*Pass)
	defer passes.Put(p)
	p.ctx = ctx
	defer func() { p.ctx = nil }()
	var dims [8]int // most shapes fit
	in := append(append(dims[:0], 0), s.in...)
	each, size := tensor.Size(s.out()), tensor.Size(s.in)
	parallel.Awake(func() {
		for lo := 0; lo < n; lo += predictBatch {
			hi := min(n, lo+predictBatch)
			p.begin()
			in[0] = hi - lo
			y := s.Forward(p, p.view(x.Data()[lo*size:hi*size], in...))
			if p.cancelled() {
				err = ctx.Err()
				return
			}
			copy(out.Data()[lo*each:], y.Data())
			p.Release(y)
		}
	})
	return err
}

// newOutput returns a tensor for the outputs of n samples.
func (s *Sequential) newOutput(n int) *tensor.Tensor {
	var dims [8]int // most shapes fit
	return tensor.New(append(append(dims[:0], n), s.out()...)...)
}

// check panics unless x is a batch of the network's inputs.
func (s *Sequential) check(op string, x *tensor.Tensor) {
	s.mustBeBuilt(op)
	if err := s.takes(x); err != nil {
		panic("nn." + op + ": " + err.Error())
	}
}

// takes returns an error unless x is a batch of the network's inputs.
func (s *Sequential) takes(x *tensor.Tensor) error {
	if shape := x.Shape(); len(shape) != len(s.in)+1 || !slices.Equal(shape[1:], s.in) {
		return fmt.Errorf("batch has shape %v, the network takes [n %v]", shape, strings.Trim(fmt.Sprint(s.in), "[]"))
	}
	return nil
}

// overlap tells whether two slices share memory.
func overlap(a, b []float32) bool {
	first := func(v []float32) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(v))) }
	end := func(v []float32) uintptr { return first(v) + 4*uintptr(len(v)) }
	return len(a) > 0 && len(b) > 0 && first(a) < end(b) && first(b) < end(a)
}
