package nn

import (
	"context"
	"fmt"
	"slices"

	"lookalike/tensor"
)

// Dataset gives training its samples. It may read them from disk as they are
// asked for, so that more samples than fit into memory can be learned from.
type Dataset interface {
	// Len returns the number of samples.
	Len() int

	// Fill writes the given samples to a batch, by Batch.Resize and then into
	// its tensors. It is called from one goroutine at a time, while another
	// computes on the batch before.
	Fill(ctx context.Context, rows []int, b *Batch) error
}

// Varying is a Dataset whose samples are others in every epoch, such as pictures
// that are changed at random.
type Varying interface {
	Dataset

	// Epoch is called before the first Fill of an epoch with its number, from 0.
	// What Fill gives must depend on that and the row alone, so that training can
	// go on after an interruption as if there had been none.
	Epoch(n int)
}

// Batch is a number of samples: inputs X and targets Y, [n, …] each. An
// autoencoder's targets are its inputs: both may be one tensor.
type Batch struct {
	X, Y *tensor.Tensor
}

// Resize returns t if it has the given shape, else a tensor that has, over the
// same memory if that is large enough. Values are undefined.
func Resize(t *tensor.Tensor, shape ...int) *tensor.Tensor {
	n := tensor.Size(shape)
	if t == nil || cap(t.Data()) < n {
		return tensor.New(shape...)
	}
	if slices.Equal(t.Shape(), shape) {
		return t
	}
	return tensor.From(t.Data()[:n], shape...)
}

// InMemory is a Dataset of samples that are at hand: X [n, …] and Y [n, …].
type InMemory struct {
	X, Y *tensor.Tensor
}

func (d InMemory) Len() int {
	if len(d.X.Shape()) == 0 {
		return 0
	}
	return d.X.Dim(0)
}

func (d InMemory) Fill(_ context.Context, rows []int, b *Batch) error {
	if len(d.Y.Shape()) == 0 || d.Len() != d.Y.Dim(0) {
		return fmt.Errorf("nn.InMemory: inputs %v and targets %v are not as many", d.X.Shape(), d.Y.Shape())
	}
	b.X = pick(b.X, d.X, rows)
	if d.Y == d.X {
		b.Y = b.X
		return nil
	}
	b.Y = pick(b.Y, d.Y, rows)
	return nil
}

func pick(dst, from *tensor.Tensor, rows []int) *tensor.Tensor {
	var dims [8]int // most shapes fit
	dst = Resize(dst, append(append(dims[:0], len(rows)), from.Shape()[1:]...)...)
	for i, r := range rows {
		copy(dst.Row(i), from.Row(r))
	}
	return dst
}

// part is a Dataset of some rows of another.
type part struct {
	Dataset
	lo, n int
}

func (d part) Len() int { return d.n }

func (d part) Fill(ctx context.Context, rows []int, b *Batch) error {
	shifted := make([]int, len(rows))
	for i, r := range rows {
		shifted[i] = r + d.lo
	}
	return d.Dataset.Fill(ctx, shifted, b)
}

func (d part) Epoch(n int) {
	if v, ok := d.Dataset.(Varying); ok {
		v.Epoch(n)
	}
}
