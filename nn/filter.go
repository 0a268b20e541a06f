package nn

import (
	"sync/atomic"

	"lookalike/internal/memory"
	"lookalike/tensor"
)

// filterCache keeps a layer's kernel ready for inference.
type filterCache struct {
	ready atomic.Pointer[readyFilter]
}

// readyFilter is a filter and what its kernel was.
type readyFilter struct {
	*tensor.Filter
	kernel *tensor.Tensor
	probe  []float32
}

// readyShare is the part of what a memory limit leaves that one kernel made ready may
// take. VGG16's all together take 235 MB, of which a limit of 300 MB leaves the smaller
// ones, 28 MB; the others are made ready for each batch, which takes a millisecond a
// picture in batches of 32. From 604 MB and the weights on all are kept.
const readyShare = 16

// readyValues is how many values a kernel has when it is made ready: transformed for
// tiles of 4x4 pixels four times as many.
func readyValues(kernel *Param) int64 { return 4 * int64(kernel.Value.Len()) }

// keepsReady tells whether a kernel of so many values may be kept ready.
func keepsReady(values int64) bool {
	bytes := 4 * int(values)
	return bytes <= memory.Share(bytes, readyShare)
}

// of returns the filter of a kernel. It is made anew if the kernel has changed
// since: training and loading change all values, so looking at some suffices
// (see Param.Value).
func (c *filterCache) of(kernel *Param, w tensor.Window) *tensor.Filter {
	r := c.ready.Load()
	if r == nil || r.kernel != kernel.Value || !r.looksLike(kernel.Value) {
		r = &readyFilter{tensor.NewFilter(kernel.Value, w), kernel.Value, probe(kernel.Value)}
		c.ready.Store(r)
	}
	return r.Filter
}

// looksLike tells whether the probes of a kernel are those of the filter's.
func (r *readyFilter) looksLike(kernel *tensor.Tensor) bool {
	data := kernel.Data()
	step := max(1, len(data)/probes)
	for i, v := range r.probe {
		if data[i*step] != v {
			return false
		}
	}
	return true
}

// probes is how many values of a kernel are looked at.
const probes = 1024

// probe returns some values of a kernel, evenly spaced; of a small one all.
func probe(kernel *tensor.Tensor) []float32 {
	data := kernel.Data()
	step := max(1, len(data)/probes)
	values := make([]float32, 0, len(data)/step+1)
	for i := 0; i < len(data); i += step {
		values = append(values, data[i])
	}
	return values
}
