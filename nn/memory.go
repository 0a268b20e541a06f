package nn

import (
	"slices"

	"lookalike/tensor"
)

// TrainingMemory returns about how many bytes Fit has in memory at its peak: the
// parameters, their gradients and two values more of each that the optimizer keeps
// (Adam, Adamax; SGD takes less), what the layers keep to go back, the gradients on the
// way, what convolutions work in, and the inputs that are filled while others are learned
// from. The data set, targets that are no inputs, and the process itself come on top. A
// layer of another package counts with its outputs and the gradients of its inputs.
//
// It goes by the shapes of a network that has been built; of cfg, Batch and whether there
// is validation count.
func (s *Sequential) TrainingMemory(cfg FitConfig) int64 {
	s.mustBeBuilt("TrainingMemory")
	batch := cfg.Batch
	if batch == 0 {
		batch = defaultBatch
	}
	t := takings{batch: int64(max(batch, 1)), free: map[int64]int{}}
	t.network(s)
	t.goBack(tensor.Size(s.out()))
	inputs := int64(2)
	if cfg.Validation != nil || cfg.ValidationSplit > 0 {
		inputs = 4
	}
	values := t.values + t.work + inputs*t.batch*int64(tensor.Size(s.in))
	for _, p := range s.Params() {
		values += 4 * int64(p.Value.Len())
	}
	return 4*values + t.masks
}

// PredictionMemory returns about how many bytes Predict has in memory at its peak with so
// many samples, which come on top, as their outputs do: the parameters, kernels made
// ready, what convolutions work in, and outputs on the way. It goes by the shapes of a
// network that has been built, and by the process's memory limit.
func (s *Sequential) PredictionMemory(samples int) int64 {
	s.mustBeBuilt("PredictionMemory")
	t := takings{batch: int64(max(1, min(samples, predictBatch))), free: map[int64]int{}, muted: true, predicts: true}
	t.network(s)
	for _, p := range s.Params() {
		t.values += int64(p.Value.Len())
	}
	return 4 * (t.values + t.work + t.ready)
}

// What package tensor works in: a kernel's gradient is summed in so many parts, and so
// many pictures are convolved before they are pooled.
const (
	kernelParts     = 8
	chosenPictures  = 4
	convolvingBytes = 20 << 20 // in prediction: a set of tiles with its products, and their pieces
)

// takings is what a training pass takes, step by step as Pass does it. Counts are of
// float32 but for masks.
type takings struct {
	batch  int64
	values int64 // in buffers, those that are free among them
	masks  int64
	work   int64         // of the convolution that needs most
	free   map[int64]int // how many buffers of a size are free
	steps  []taking

	muted bool  // nothing in front of here learns, so training does not come back
	last  int64 // then: the buffer of the last outputs, 0 if these are the inputs

	predicts bool  // all is muted, and a buffer may be larger than what is asked for
	ready    int64 // in kernels that are kept ready
}

// taking is what one step takes: sizes of its buffers, 0 of none.
type taking struct {
	first            bool  // nobody wants the gradient of its input
	in, out          int64 // in is of the input's gradient
	view             bool  // the output lies in the input's memory
	inPlace          bool  // the input's gradient lies in the output's
	kept, backward   int64 // besides: until it goes back, and while it does
	mask, convolving int64
	kernel           int64 // values of a convolution's kernel made ready
}

// taker is a layer of ours that takes something other than a buffer for its outputs and
// one for the gradient of its inputs. It adds that to t, which is of one batch.
type taker interface {
	take(t *taking, batch int64)
}

// network goes forward through the layers of s, as its Forward does.
func (t *takings) network(s *Sequential) {
	in, idle := s.in, 0
	if !t.muted && !slices.ContainsFunc(t.steps, func(before taking) bool { return !before.view }) {
		idle = idleFronts(s, map[*Sequential]int{})[s]
	}
	t.muted = t.muted || idle > 0
	for i := 0; i < len(s.Layers); i++ {
		if i == idle && idle > 0 {
			t.muted = false
		}
		layer, out := s.Layers[i], s.shapes[i]
		if inner, ok := layer.(*Sequential); ok {
			t.network(inner)
			in = out
			continue
		}
		var step any = layer
		if conv := s.pooledConv(i); conv != nil {
			i++
			step, out = (*pooledConv)(conv), s.shapes[i]
		}
		t.forward(step, int64(tensor.Size(in)), int64(tensor.Size(out)))
		in = out
	}
	if idle > 0 {
		t.muted = false
	}
}

func (t *takings) forward(layer any, in, out int64) {
	step := taking{in: t.batch * in, out: t.batch * out, first: true}
	for _, before := range t.steps {
		step.first = step.first && before.view
	}
	if l, ok := layer.(taker); ok {
		l.take(&step, t.batch)
	}
	if t.predicts {
		t.predict(step)
	} else {
		t.work = max(t.work, step.convolving)
		t.masks += step.mask
	}
	if t.muted {
		if !step.view {
			lent := t.lend(step.out)
			if t.last > 0 {
				t.back(t.last)
			}
			t.last = lent
		}
		return
	}
	if !step.view {
		t.lend(step.out)
	}
	t.lend(step.kept)
	t.steps = append(t.steps, step)
}

// goBack goes back from the gradient of so many outputs, as Pass.backward does.
func (t *takings) goBack(outputs int) {
	dy := t.batch * int64(outputs)
	t.lend(dy)
	for i := len(t.steps) - 1; i >= 0; i-- {
		s := t.steps[i]
		if !s.inPlace {
			if !s.first {
				t.lend(s.in)
			}
			t.lend(s.backward)
			t.back(s.backward)
			t.back(dy)
			if dy = s.in; s.first {
				dy = 0
			}
		}
		t.back(s.kept)
		if !s.view {
			t.back(s.out)
		}
	}
}

// predict counts what a convolution works in, and its kernel, which is kept if memory is
// not short.
func (t *takings) predict(s taking) {
	if s.convolving == 0 {
		return
	}
	work := int64(convolvingBytes / 4)
	if s.kernel > 0 && keepsReady(s.kernel) {
		t.ready += s.kernel
	} else {
		work += s.kernel
	}
	t.work = max(t.work, work)
}

// lend takes a buffer of a size that is free, or a new one, and returns its size.
func (t *takings) lend(size int64) int64 {
	if size == 0 {
		return 0
	}
	best := size
	if t.predicts && t.free[size] == 0 {
		for free, n := range t.free {
			if n > 0 && free > size && (best == size || free < best) {
				best = free
			}
		}
	}
	if t.free[best]--; t.free[best] < 0 {
		t.free[best] = 0
		t.values += best
	}
	return best
}

func (t *takings) back(size int64) { t.free[size]++ }
