package nn

import "lookalike/tensor"

// Fork runs x through branches that all begin there, for a layer whose input goes
// several ways. A branch that is nil passes x on as it is. Fork returns what join
// makes of the branches' outputs, in their order: a tensor of its own, lent by New.
//
// On the way back split gets the gradient of what join has returned, and writes to
// grads[i] the gradient of outputs[i], whose shape it has; their values are
// undefined before. Fork leads these back through the branches and adds up what
// arrives at x. Outputs and gradients are lent until join and split return.
func (p *Pass) Fork(x *tensor.Tensor, branches []Layer,
	join func(outputs []*tensor.Tensor) *tensor.Tensor, split func(dy *tensor.Tensor, outputs, grads []*tensor.Tensor)) *tensor.Tensor {
	if p == nil || len(branches) == 0 || join == nil || split == nil {
		panic("nn.Pass.Fork: there is no pass, no branch, no join or no split")
	}
	f := &fork{x: x, outputs: make([]*tensor.Tensor, len(branches)), grads: make([]*tensor.Tensor, len(branches))}
	if p.recording() {
		p.Record(x, x, func(d *tensor.Tensor) *tensor.Tensor {
			f.arrive(p, d)
			return f.dx
		})
	}
	for i, branch := range branches {
		f.outputs[i] = x
		if branch != nil {
			f.outputs[i] = branch.Forward(p, x)
		}
		if p.recording() && i < len(branches)-1 {
			p.Record(f.outputs[i], f.outputs[i], func(d *tensor.Tensor) *tensor.Tensor {
				f.arrive(p, d)
				return f.grads[i]
			})
		}
	}
	y := join(f.outputs)
	if p.recording() {
		last := len(branches) - 1
		p.Record(f.outputs[last], y, func(dy *tensor.Tensor) *tensor.Tensor {
			for i, o := range f.outputs {
				f.grads[i] = p.New(o.Shape()...)
			}
			split(dy, f.outputs, f.grads)
			return f.grads[last]
		})
		return y
	}
	for i, o := range f.outputs {
		if branches[i] != nil && !sameData(o, x) && !sameData(o, y) {
			p.Release(o)
		}
	}
	return y
}

// fork is what the way back needs of one.
type fork struct {
	x, dx          *tensor.Tensor // dx is nil until a gradient arrives
	outputs, grads []*tensor.Tensor
}

// arrive adds up a gradient of x that a branch has led back, nil where it has none.
func (f *fork) arrive(p *Pass, d *tensor.Tensor) {
	if d == nil || !p.WantsGrad(f.x) {
		return
	}
	if f.dx == nil {
		f.dx = p.New(f.x.Shape()...)
		copy(f.dx.Data(), d.Data())
		return
	}
	for i, v := range d.Data() {
		f.dx.Data()[i] += v
	}
}
