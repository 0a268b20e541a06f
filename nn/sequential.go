package nn

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"lookalike/tensor"
)

// Sequential is a network whose layers follow one another. It is a Layer
// itself, so networks nest: an encoder and a decoder can be trained as one and
// used apart, sharing their parameters.
type Sequential struct {
	Name   string
	Layers Layers

	built  bool
	in     []int
	names  []string   // of the layers, made unique
	shapes [][]int    // of their outputs, without the batch
	inside [][]string // names of their parameters, without the layer's
}

// NewSequential returns a network of the given layers.
func NewSequential(name string, layers ...Layer) *Sequential {
	return &Sequential{Name: name, Layers: layers}
}

func (s *Sequential) Identity() (name, class string) { return s.Name, "Sequential" }

// Build fixes the network to inputs of shape in, without the batch, and draws
// its parameters. Layers without a name get Keras's: the class in snake case,
// numbered from the second on. Each layer has a place of its own: neither a name
// nor a layer may come twice.
func (s *Sequential) Build(in []int, rng *rand.Rand) ([]int, error) {
	if s == nil {
		return nil, errors.New("the network is nil")
	}
	s.built = false
	if err := s.checkNil(); err != nil {
		return nil, err
	}
	if err := wantSize("an input", in...); err != nil {
		return nil, err
	}
	s.in = append([]int(nil), in...)
	s.names = uniqueNames(s.Layers)
	s.shapes, s.inside = nil, nil
	if err := s.checkDistinct(); err != nil {
		return nil, err
	}
	for i, layer := range s.Layers {
		out, err := layer.Build(in, rng)
		if err != nil {
			return nil, fmt.Errorf("layer %q: %w", s.names[i], err)
		}
		s.inside = append(s.inside, nameParams(s.names[i], layer))
		if err := wantSize("an output", out...); err != nil {
			return nil, fmt.Errorf("layer %q: %w", s.names[i], err)
		}
		s.shapes = append(s.shapes, out)
		in = out
	}
	s.built = true
	return in, nil
}

// nameParams puts a layer's name in front of those of its parameters. A layer of
// one's own may have several layers inside that name theirs alike: from the second
// on they are numbered, for optimizers and files go by names. It returns the names
// without the layer's.
func nameParams(layer string, l Layer) (inside []string) {
	taken := map[string]bool{}
	for _, p := range distinct(l.Params()) {
		name := p.Name
		for n := 1; taken[name]; n++ { // a layer within may have numbered its own
			name = fmt.Sprintf("%s_%d", p.Name, n)
		}
		taken[name] = true
		p.Name = layer + "/" + name
		inside = append(inside, name)
	}
	return inside
}

// distinct leaves out parameters that come again: those of a layer that another
// one uses twice.
func distinct(list []*Param) []*Param {
	var once []*Param
	for _, p := range list {
		if !slices.Contains(once, p) {
			once = append(once, p)
		}
	}
	return once
}

// checkNil returns an error if there is no layer in some place.
func (s *Sequential) checkNil() error {
	for i, layer := range s.Layers {
		if isNil(layer) {
			return fmt.Errorf("layer %d of %d is nil", i+1, len(s.Layers))
		}
	}
	return nil
}

// checkDistinct returns an error if two layers have one name, which would mix up
// their parameters, or if a layer comes twice here or in a network inside: it
// would keep the shapes of its second place only.
func (s *Sequential) checkDistinct() error {
	firsts := map[string]int{}
	for i, name := range s.names {
		if first, ok := firsts[name]; ok {
			return fmt.Errorf("layers %d and %d are both named %q; names must differ", first+1, i+1, name)
		}
		firsts[name] = i
	}
	places := map[Layer]string{}
	var visit func(s *Sequential, path string) error
	visit = func(s *Sequential, path string) error {
		if err := s.checkNil(); err != nil {
			return err
		}
		for i, name := range uniqueNames(s.Layers) {
			layer, name := s.Layers[i], path+name
			if reflect.ValueOf(layer).Comparable() {
				if first, ok := places[layer]; ok {
					return fmt.Errorf("one layer is used as %q and as %q; make a second one", first, name)
				}
				places[layer] = name
			}
			if inner, ok := layer.(*Sequential); ok {
				if err := visit(inner, name+"/"); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return visit(s, "")
}

// Init is Build with randomness from a seed, for a network that stands alone.
func (s *Sequential) Init(seed uint64, in ...int) error {
	_, err := s.Build(in, rand.New(rand.NewPCG(seed, 0)))
	return err
}

// Params returns the parameters of all layers, in order, each once.
func (s *Sequential) Params() []*Param {
	if s == nil {
		panic("nn.Params: the network is nil")
	}
	var list []*Param
	for _, layer := range s.Layers {
		list = append(list, layer.Params()...)
	}
	return distinct(list)
}

// ParamNames returns the names that the parameters, in the order of Params, have in
// a network of these layers that stands alone. In one that is a part of another, or
// that Slice has made, their own names may be others.
func (s *Sequential) ParamNames() []string {
	s.mustBeBuilt("ParamNames")
	var names []string
	seen := map[*Param]bool{}
	for i, layer := range uniqueNames(s.Layers) {
		for j, p := range distinct(s.Layers[i].Params()) {
			if !seen[p] {
				names = append(names, layer+"/"+s.inside[i][j])
			}
			seen[p] = true
		}
	}
	return names
}

// Forward runs the layers, a convolution together with the max-pooling behind
// it. A layer's input is given back as soon as the layer is done, but for layers
// that training goes back through.
func (s *Sequential) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	s.checkForward(p, x)
	input, idle := x, 0
	if p.recording() && !p.WantsGrad(x) {
		idle = p.idle[s]
	}
	p.muted = p.muted || idle > 0
	for i := 0; i < len(s.Layers); i++ {
		if i == idle && idle > 0 {
			p.learnsFrom(input, x)
		}
		if p.cancelled() { // nobody looks at what comes of it
			var dims [8]int // most shapes fit
			return p.New(append(append(dims[:0], x.Dim(0)), s.out()...)...)
		}
		var y *tensor.Tensor
		if conv := s.pooledConv(i); conv != nil {
			y = conv.forwardPooled(p, x)
			i++
		} else {
			y = s.Layers[i].Forward(p, x)
		}
		if !p.recording() && !sameData(x, y) && !sameData(x, input) {
			p.Release(x)
		}
		x = y
	}
	if idle > 0 && idle == len(s.Layers) {
		p.learnsFrom(input, x)
	}
	return x
}

// checkForward panics unless the network has been built and x is a batch of its
// inputs.
func (s *Sequential) checkForward(p *Pass, x *tensor.Tensor) {
	if s == nil {
		panic("nn.Sequential: the network is nil")
	}
	at := site{s.in}
	if !s.built {
		at.in = nil
	} else if s.in == nil {
		at.in = []int{}
	}
	at.check(s, p, x)
}

// learnsFrom ends what runs muted, from x to y.
func (p *Pass) learnsFrom(x, y *tensor.Tensor) {
	p.muted = false
	p.record(step{x: x, y: y, layer: nothingLearned{}})
	p.ungraded = append(p.ungraded, y)
}

// idleFronts notes of each network how many layers at its front have nothing to
// learn, so that training need not go back through them where it begins at the
// input.
func idleFronts(s *Sequential, idle map[*Sequential]int) map[*Sequential]int {
	n := slices.IndexFunc(s.Layers, trains)
	if n < 0 {
		n = len(s.Layers)
	}
	idle[s] = n
	for _, l := range s.Layers {
		if inner, ok := l.(*Sequential); ok {
			idleFronts(inner, idle)
		}
	}
	return idle
}

// halving is the max-pooling that can run together with a convolution.
var halving = tensor.Window{Size: [2]int{2, 2}, Stride: [2]int{2, 2}}

// pooledConv returns layer i if it is a convolution that can run together with
// the pooling behind it, else nil.
func (s *Sequential) pooledConv(i int) *Conv2D {
	if i+1 == len(s.Layers) {
		return nil
	}
	conv, isConv := s.Layers[i].(*Conv2D)
	pool, isPool := s.Layers[i+1].(*MaxPool2D)
	if !isConv || !isPool || !conv.Activation.elementwise() || pool.window != halving || pool.out != [2]int{conv.out[0] / 2, conv.out[1] / 2} {
		return nil
	}
	return conv
}

// isNil tells whether an interface holds nothing, or a nil pointer.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice:
		return r.IsNil()
	}
	return false
}

// out returns the shape of one output.
func (s *Sequential) out() []int {
	if len(s.shapes) == 0 {
		return s.in
	}
	return s.shapes[len(s.shapes)-1]
}

// Built tells whether the network has been built.
func (s *Sequential) Built() bool { return s != nil && s.built }

// InputShape returns the shape of one input, without the batch.
func (s *Sequential) InputShape() []int {
	s.mustBeBuilt("InputShape")
	return slices.Clone(s.in)
}

// OutputShape returns the shape of one output, without the batch.
func (s *Sequential) OutputShape() []int {
	s.mustBeBuilt("OutputShape")
	return slices.Clone(s.out())
}

// Slice returns layers lo to hi, without hi, of a network that has been built, as
// a network that shares them: the first layers give the output of a layer within.
// It must not be built again.
func (s *Sequential) Slice(lo, hi int) *Sequential {
	s.mustBeBuilt("Slice")
	if lo < 0 || hi < lo || hi > len(s.Layers) {
		panic(fmt.Sprintf("nn.Slice: there are no layers %d to %d among %d", lo, hi, len(s.Layers)))
	}
	part := &Sequential{Name: s.Name, Layers: s.Layers[lo:hi:hi], built: true, in: s.in, names: s.names[lo:hi:hi], shapes: s.shapes[lo:hi:hi], inside: s.inside[lo:hi:hi]}
	if lo > 0 {
		part.in = s.shapes[lo-1]
	}
	return part
}

// uniqueNames returns the layers' names, with those that were left open filled
// in as Keras does it.
func uniqueNames(layers []Layer) []string {
	names, seen := make([]string, len(layers)), map[string]int{}
	for i, layer := range layers {
		name, class := layer.Identity()
		if name == "" {
			base := snakeCase(class)
			name = base
			if n := seen[base]; n > 0 {
				name = fmt.Sprintf("%s_%d", base, n)
			}
			seen[base]++
		}
		names[i] = name
	}
	return names
}

var wordStart = regexp.MustCompile(`([a-z])([A-Z])`)

// snakeCase turns "Conv2DTranspose" into "conv2d_transpose", as Keras does.
func snakeCase(class string) string {
	class = strings.ReplaceAll(class, "2DT", "2D_T")
	return strings.ToLower(wordStart.ReplaceAllString(class, "${1}_$2"))
}
