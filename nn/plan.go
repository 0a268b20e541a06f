package nn

import (
	"errors"
	"fmt"
)

// Planner is a Layer that can say what Build will make before that takes memory, so
// that a file with a wrong or hostile number is refused for it. All layers of this
// package with parameters are Planners; for others [Plan] builds.
type Planner interface {
	Layer

	// Plan returns the shape of the outputs for inputs of shape in, both without the
	// batch, and how many values all parameters will have.
	Plan(in []int) (out []int, values int64, err error)
}

// Plan is Planner.Plan for any layer, or network, that is to be built.
func Plan(l Layer, in []int) (out []int, values int64, err error) {
	if isNil(l) {
		return nil, 0, errors.New("plan: the layer is nil")
	}
	if planner, ok := l.(Planner); ok {
		return planner.Plan(in)
	}
	if out, err = l.Build(in, nil); err != nil {
		return nil, 0, err
	}
	for _, p := range distinct(l.Params()) {
		values += int64(p.Value.Len())
	}
	return out, values, nil
}

// Plan implements [Planner].
func (s *Sequential) Plan(in []int) (out []int, values int64, err error) {
	if s == nil {
		return nil, 0, errors.New("the network is nil")
	}
	if err := s.checkNil(); err != nil {
		return nil, 0, err
	}
	if err := wantSize("an input", in...); err != nil {
		return nil, 0, err
	}
	for i, name := range uniqueNames(s.Layers) {
		var n int64
		if in, n, err = Plan(s.Layers[i], in); err == nil {
			err = wantSize("an output", in...)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("layer %q: %w", name, err)
		}
		values += n
	}
	return in, values, nil
}

// planned counts the values of a kernel and, unless there is none, of a bias. The
// kernel must be one that can be.
func planned(noBias bool, units int, kernel ...int) (int64, error) {
	if err := wantSize("a kernel", kernel...); err != nil {
		return 0, err
	}
	n := int64(1)
	for _, d := range kernel {
		n *= int64(d)
	}
	if !noBias {
		n += int64(units)
	}
	return n, nil
}
