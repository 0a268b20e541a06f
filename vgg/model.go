package vgg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"lookalike/internal/closing"
	"lookalike/internal/memory"
	"lookalike/nn"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/weights"
)

// Model is a network with its weights, ready to describe pictures. Many
// goroutines may use it at once, and one may close it: after Close, and after that of
// the file that it was loaded from, what computes returns [io/fs.ErrClosed].
type Model struct {
	name   string
	config Config
	mode   Mode
	source weights.Source
	closer io.Closer // nil unless the model opened its file
	layers []Layer

	base *nn.Sequential                 // up to block5_pool, or the pooling behind it
	fits func() error                   // whether memory is enough for it
	top  func() (*nn.Sequential, error) // what follows; read when it is first needed

	using closing.Guard
}

// viewer is a source that can give an array where it lies, such as a mapped
// [weights.File]. It is to be read only.
type viewer interface {
	View(name string) (*tensor.Tensor, error)
}

// holder is a source whose views end when it is closed, which waits for Release.
type holder interface {
	Hold() error
	Release()
}

// Layer is a step of the network whose output can be asked for.
type Layer struct {
	Name  string
	Class string // Keras's name of it
	Shape []int  // of the output for one picture
}

// Open reads a network from a file in any format of [weights.Open]. The file
// stays open until Close.
func Open(path string, c Config) (*Model, error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := load(f, c)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("vgg: %s: %w", path, err)
	}
	m.closer = f
	return m, nil
}

// Load makes a network of the weights in src, by Keras's names, such as
// "block1_conv1/kernel", or for a [weights.File] also by torchvision's. What lies in memory, as in a mapped file, is used where
// it is and not copied, so src must stay open as long as the network is to be used.
// That it is VGG16 or VGG19, and whether it has its top, shows in the arrays' names;
// c.NoTop leaves the top out of a file that has it.
//
// Names and shapes must correspond exactly to the network's; the error lists all
// that do not. The top's values are only read when an output of the top is first
// asked for.
func Load(src weights.Source, c Config) (*Model, error) {
	m, err := load(src, c)
	if err != nil {
		return nil, fmt.Errorf("vgg: %w", err)
	}
	return m, nil
}

func load(src weights.Source, c Config) (*Model, error) {
	if src == nil {
		return nil, errors.New("no source of weights given")
	}
	if f, ok := src.(*weights.File); ok {
		src = Keras(f)
	}
	kind := recognise(src.Names())
	c.NoTop = c.NoTop || !kind.top
	m := &Model{name: kind.name, source: src}
	var err error
	if m.config, err = c.complete(); err != nil {
		return nil, err
	}
	if file, ok := src.(interface{ Metadata() map[string]string }); ok && file.Metadata()[PreprocessingKey] == Torch.String() {
		m.mode = Torch
	}
	base, top := m.config.layers(kind.convolutions)
	if err := check(src, base, top, kind.top); err != nil {
		return nil, fmt.Errorf("%s: %w", kind.name, err)
	}
	in := []int{m.config.Input[0], m.config.Input[1], 3}
	if m.base, err = fill(nn.NewSequential(kind.name, base...), in, src); err != nil {
		return nil, err
	}
	m.fits = sync.OnceValue(func() error { return m.allows("", 0, parameterShapes(base)) })
	m.top = sync.OnceValues(func() (*nn.Sequential, error) {
		const with = " with its dense layers"
		all := parameterShapes(base)
		maps.Copy(all, parameterShapes(top))
		var read int64
		for name, shape := range parameterShapes(top) {
			if !views(src, name) {
				read += 4 * int64(tensor.Size(shape))
			}
		}
		if err := m.allows(with, read, all); err != nil {
			return nil, err
		}
		net, err := fill(nn.NewSequential(kind.name, top...), m.base.OutputShape(), src)
		if err != nil {
			return nil, err
		}
		return net, m.allows(with, read, all) // what is viewed counts now
	})
	m.describe(top)
	return m, nil
}

// kind is which network a file holds.
type kind struct {
	name         string
	convolutions [5]int
	top          bool
}

// besidePictures is what the process has in memory while pictures go through the network:
// what decodes them, those that wait, and garbage (measured: 10 to 20 MB).
const besidePictures = 16e6

// views tells whether a source gives an array where it lies, which then counts as what is
// in memory outside the Go runtime.
func views(src weights.Source, name string) bool {
	v, ok := src.(interface{ Views(name string) bool })
	return ok && v.Views(name)
}

// allows returns an error if the memory limit does not leave what one picture takes on
// its way, besides weights that are viewed, with read bytes of others that are to be read.
// The parameters are for the message.
func (m *Model) allows(with string, read int64, parameters map[string][]int) error {
	n := m.base.PredictionMemory(1) + read + besidePictures
	for _, p := range m.base.Params() {
		if views(m.source, p.Name) {
			n -= 4 * int64(p.Value.Len())
		}
	}
	err := memory.Allows(n)
	if err == nil {
		return nil
	}
	var mapped int64
	for name, shape := range parameters {
		if views(m.source, name) {
			mapped += 4 * int64(tensor.Size(shape))
		}
	}
	if mapped == 0 {
		return fmt.Errorf("vgg: a picture on its way through %s%s: %w", m.name, with, err)
	}
	return fmt.Errorf("vgg: a picture on its way through %s%s, besides weights of %d MB: %w", m.name, with, mapped/1e6, err)
}

// recognise tells by the names that the networks do not share. What is amiss
// otherwise is for check to find.
func recognise(names []string) kind {
	k := kind{name: "vgg16", convolutions: convolutions16}
	for _, name := range names {
		switch layer, _, _ := strings.Cut(name, "/"); layer {
		case "block3_conv4", "block4_conv4", "block5_conv4":
			k.name, k.convolutions = "vgg19", convolutions19
		case "fc1", "fc2", "predictions":
			k.top = true
		}
	}
	return k
}

// check compares the arrays of a source with the parameters of a network, by
// name and shape. Without the top in the network, that of the source is left
// alone.
func check(src weights.Source, base, top []nn.Layer, hasTop bool) error {
	want := parameterShapes(base)
	maps.Copy(want, parameterShapes(top))
	if hasTop && top == nil {
		for name := range parameterShapes(topLayers()) {
			if shape, ok := src.Shape(name); ok {
				want[name] = shape
			}
		}
	}
	if !slices.ContainsFunc(src.Names(), func(name string) bool { return want[name] != nil }) {
		return errors.New("none of its arrays is one of VGG16 or VGG19; 'lookalike summary' tells what the file holds")
	}
	return weights.Compare(src, want)
}

// parameterShapes returns the shapes of the parameters of the layers of a VGG by
// name.
func parameterShapes(layers []nn.Layer) map[string][]int {
	shapes, in := map[string][]int{}, 3
	for _, l := range layers {
		switch l := l.(type) {
		case *nn.Conv2D:
			shapes[l.Name+"/kernel"], shapes[l.Name+"/bias"] = []int{3, 3, in, l.Filters}, []int{l.Filters}
			in = l.Filters
		case *nn.Flatten:
			in = flattened
		case *nn.Dense:
			shapes[l.Name+"/kernel"], shapes[l.Name+"/bias"] = []int{in, l.Units}, []int{l.Units}
			in = l.Units
		}
	}
	return shapes
}

// fill builds a network with the values of a source.
func fill(net *nn.Sequential, in []int, src weights.Source) (*nn.Sequential, error) {
	read := src.Tensor
	if v, ok := src.(viewer); ok {
		read = v.View
	}
	// Kernels first, so that none is made to be thrown away: zeros would take time,
	// and for a while the memory of all weights once more.
	for _, l := range net.Layers {
		var err error
		switch l := l.(type) {
		case *nn.Conv2D:
			l.Given, err = read(l.Name + "/kernel")
		case *nn.Dense:
			l.Given, err = read(l.Name + "/kernel")
		}
		if err != nil {
			return nil, err
		}
	}
	if _, err := net.Build(in, nil); err != nil {
		return nil, err
	}
	for _, p := range net.Params() {
		if strings.HasSuffix(p.Name, "/kernel") {
			continue
		}
		var err error
		if p.Value, err = read(p.Name); err != nil {
			return nil, err
		}
	}
	return net, nil
}

// describe lists the layers.
func (m *Model) describe(top []nn.Layer) {
	for i, l := range m.base.Layers[1:] { // without the input
		name, class := l.Identity()
		m.layers = append(m.layers, Layer{cmp.Or(name, m.config.Pooling.layerName()), class, m.base.Slice(0, i+2).OutputShape()})
	}
	for _, l := range top {
		name, class := l.Identity()
		shape := []int{flattened}
		if dense, ok := l.(*nn.Dense); ok {
			shape = []int{dense.Units}
		}
		m.layers = append(m.layers, Layer{name, class, shape})
	}
}

// Name returns "vgg16" or "vgg19".
func (m *Model) Name() string { return m.must("Name").name }

// Config returns what was loaded, complete.
func (m *Model) Config() Config { return m.must("Config").config }

// Mode returns how the network's pictures are scaled.
func (m *Model) Mode() Mode { return m.must("Mode").mode }

// Layers returns the layers whose outputs can be asked for, from the picture on.
func (m *Model) Layers() []Layer { return slices.Clone(m.must("Layers").layers) }

// DefaultLayer returns the name of the layer that describes a picture best: fc2,
// or the last one without the top.
func (m *Model) DefaultLayer() string {
	if m.must("DefaultLayer").config.NoTop {
		return m.layers[len(m.layers)-1].Name
	}
	return "fc2"
}

// Layer returns the layer of that name.
func (m *Model) Layer(name string) (Layer, error) {
	i, err := m.index(name)
	if err != nil {
		return Layer{}, err
	}
	return m.layers[i], nil
}

func (m *Model) index(name string) (int, error) {
	if err := m.made(); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(m.layers, func(l Layer) bool { return l.Name == name })
	if i >= 0 {
		return i, nil
	}
	var names []string
	for _, l := range m.layers {
		names = append(names, l.Name)
	}
	without := ""
	if m.config.NoTop {
		without = " without its top"
	}
	return 0, fmt.Errorf("vgg: %s%s has no layer %q; it has %s", m.name, without, name, strings.Join(names, ", "))
}

// Summary returns Keras's table of the network.
func (m *Model) Summary() (string, error) {
	if err := m.made(); err != nil {
		return "", err
	}
	net, err := build(m.name, recognise(m.source.Names()).convolutions, m.config, nil)
	if err != nil {
		return "", err
	}
	return net.Summary(), nil
}

// made returns an error unless Open or Load has made the model.
func (m *Model) made() error {
	if m == nil || m.base == nil {
		return errors.New("vgg: the model is nil or empty; Open and Load make one")
	}
	return nil
}

// must panics unless Open or Load has made the model.
func (m *Model) must(op string) *Model {
	if err := m.made(); err != nil {
		panic(strings.Replace(err.Error(), "vgg:", "vgg."+op+":", 1))
	}
	return m
}

const errClosed = closing.Error("vgg: the model")

// hold keeps the parameters, which may be views of a file, until release.
func (m *Model) hold() error {
	if !m.using.Enter() {
		return errClosed
	}
	if src, ok := m.source.(holder); ok {
		if err := src.Hold(); err != nil {
			m.using.Leave()
			return err
		}
	}
	return nil
}

func (m *Model) release() {
	if src, ok := m.source.(holder); ok {
		src.Release()
	}
	m.using.Leave()
}

// mostBatch is how many pictures go through the network at a time. With more the
// dense layers gain a little, but the first outputs take 13 MB a picture.
const (
	mostBatch   = 8
	outputBytes = 13 << 20
)

// batch is mostBatch, or less where the process may not take much memory. The
// values do not depend on it.
func batch() int { return max(1, memory.Share(mostBatch*outputBytes, 16)/outputBytes) }

// Ready makes ready what a layer's output needs and returns an error if the process's
// memory limit does not leave that. What computes outputs does the same when it is first
// called.
func (m *Model) Ready(layer string) error {
	i, err := m.index(layer)
	if err != nil {
		return err
	}
	if err := m.hold(); err != nil {
		return err
	}
	defer m.release()
	_, _, err = m.parts(i)
	return err
}

// parts returns the network up to layer i, in two parts: top is nil for a layer of the
// base.
func (m *Model) parts(i int) (base, top *nn.Sequential, err error) {
	if err := m.fits(); err != nil {
		return nil, nil, err
	}
	if last := i + 2; last <= len(m.base.Layers) { // the input before it is one of them
		return m.base.Slice(0, last), nil, nil
	}
	if top, err = m.top(); err != nil {
		return nil, nil, err
	}
	return m.base, top.Slice(0, i+2-len(m.base.Layers)), nil
}

// Features returns the output of a layer for pictures of any size,
// [n, the layer's shape…]. Nothing behind the layer is computed.
func (m *Model) Features(ctx context.Context, pictures []*picture.Image, layer string) (*tensor.Tensor, error) {
	if err := m.made(); err != nil {
		return nil, err
	}
	if err := checkPictures(pictures); err != nil {
		return nil, fmt.Errorf("vgg: %w", err)
	}
	return m.each(ctx, len(pictures), layer, func(lo, hi int) *tensor.Tensor { return m.Input(pictures[lo:hi]) })
}

// Outputs is Features for what Input returned: a batch of preprocessed pictures,
// [n, height, width, 3].
func (m *Model) Outputs(ctx context.Context, x *tensor.Tensor, layer string) (*tensor.Tensor, error) {
	if err := m.made(); err != nil {
		return nil, err
	}
	m.checkInput("Outputs", x)
	return m.each(ctx, x.Dim(0), layer, func(lo, hi int) *tensor.Tensor {
		if hi-lo == x.Dim(0) {
			return x
		}
		return x.Rows(lo, hi)
	})
}

func (m *Model) checkInput(op string, x *tensor.Tensor) {
	if shape := x.Shape(); len(shape) != 4 || shape[1] != m.config.Input[0] || shape[2] != m.config.Input[1] || shape[3] != 3 {
		panic(fmt.Sprintf("vgg.%s: pictures have shape %v, want [n %d %d 3]", op, shape, m.config.Input[0], m.config.Input[1]))
	}
}

// EachOutput calls f with the output of every layer for x, as [Model.Outputs] takes it,
// in order, and computes each layer once. It ends with the first error of f. f must not
// close the model, which waits for EachOutput.
func (m *Model) EachOutput(ctx context.Context, x *tensor.Tensor, f func(Layer, *tensor.Tensor) error) error {
	if err := m.made(); err != nil {
		return err
	}
	m.checkInput("EachOutput", x)
	if err := m.hold(); err != nil {
		return err
	}
	defer m.release()
	top, err := m.top()
	if err != nil {
		return err
	}
	before := x // what the layer before x took
	for i, layer := range m.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		net, at := m.base, i+1 // after the input
		if at >= len(net.Layers) {
			net, at = top, at-len(net.Layers)
		}
		y := net.Slice(at, at+1).Predict(x)
		if layer.Class == "MaxPooling2D" { // as it is computed otherwise: with the convolution
			y = net.Slice(at-1, at+1).Predict(before)
		}
		before, x = x, y
		if err := f(layer, y); err != nil {
			return err
		}
	}
	return nil
}

// Predict returns the probabilities of ImageNet's classes, [n, 1000]; see
// [DecodePredictions].
func (m *Model) Predict(ctx context.Context, pictures []*picture.Image) (*tensor.Tensor, error) {
	if err := m.made(); err != nil {
		return nil, err
	}
	if m.config.NoTop {
		return nil, fmt.Errorf("vgg: %s was loaded without its top, so it tells no classes apart; weights with the layers fc1, fc2 and predictions are needed", m.name)
	}
	return m.Features(ctx, pictures, "predictions")
}

// each returns a layer's output for n pictures, of which input gives a part as a
// batch.
func (m *Model) each(ctx context.Context, n int, layer string, input func(lo, hi int) *tensor.Tensor) (*tensor.Tensor, error) {
	i, err := m.index(layer)
	if err != nil {
		return nil, err
	}
	if err := m.hold(); err != nil {
		return nil, err
	}
	defer m.release()
	base, top, err := m.parts(i)
	if err != nil {
		return nil, err
	}
	compute := func(lo, hi int) (*tensor.Tensor, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		y := base.Predict(input(lo, hi))
		if top != nil {
			y = top.Predict(y)
		}
		return y, nil
	}
	batch := batch()
	if 0 < n && n <= batch {
		return compute(0, n)
	}
	out := tensor.New(append([]int{n}, m.layers[i].Shape...)...)
	for lo := 0; lo < n; lo += batch {
		hi := min(n, lo+batch)
		y, err := compute(lo, hi)
		if err != nil {
			return nil, err
		}
		copy(out.Rows(lo, hi).Data(), y.Data())
	}
	return out, nil
}

// Close closes the file that Open opened, when the calls in flight have ended. It may
// be called again, but not by what EachOutput calls: it would wait for itself.
func (m *Model) Close() error {
	if err := m.made(); err != nil {
		return err
	}
	return m.using.Close(func() error {
		if m.closer == nil {
			return nil
		}
		return m.closer.Close()
	})
}
