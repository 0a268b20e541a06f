package vgg_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// arrays is a source in memory that counts what is read.
type arrays struct {
	values map[string]*tensor.Tensor

	mu   sync.Mutex
	read []string
}

func (a *arrays) Names() []string { return slices.Sorted(maps.Keys(a.values)) }

func (a *arrays) Shape(name string) ([]int, bool) {
	v, ok := a.values[name]
	if !ok {
		return nil, false
	}
	return v.Shape(), true
}

func (a *arrays) Tensor(name string) (*tensor.Tensor, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.read = append(a.read, name)
	return a.values[name], nil
}

// mapped are arrays that are used where they are.
type mapped struct{ arrays }

func (a *mapped) View(name string) (*tensor.Tensor, error) { return a.values[name], nil }

// random16 has VGG16's parameters without the top; the same for every test.
var random16 = sync.OnceValue(func() map[string]*tensor.Tensor {
	net, err := vgg.New16(vgg.Config{NoTop: true}, rand.New(rand.NewPCG(1, 0)))
	if err != nil {
		panic(err)
	}
	values := map[string]*tensor.Tensor{}
	for _, p := range net.Params() {
		values[p.Name] = p.Value
	}
	return values
})

// withTop adds arrays for the top, zeros that are never touched.
func withTop(values map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	values = maps.Clone(values)
	for name, shape := range map[string][2]int{"fc1": {25088, 4096}, "fc2": {4096, 4096}, "predictions": {4096, 1000}} {
		values[name+"/kernel"] = tensor.New(shape[:]...)
		values[name+"/bias"] = tensor.New(shape[1])
	}
	return values
}

func load(t *testing.T, src weights.Source, c vgg.Config) *vgg.Model {
	t.Helper()
	m, err := vgg.Load(src, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func noise(seed uint64, width, height int) *picture.Image {
	p, rng := picture.New(width, height), rand.New(rand.NewPCG(seed, 0))
	for i := range p.Pix {
		p.Pix[i] = uint8(rng.Uint32())
	}
	return p
}

func TestLayers(t *testing.T) {
	names := func(m *vgg.Model) string {
		var b strings.Builder
		for _, l := range m.Layers() {
			fmt.Fprintln(&b, l.Name, l.Class, l.Shape)
		}
		return b.String()
	}
	m := load(t, &arrays{values: random16()}, vgg.Config{Input: [2]int{64, 97}, Pooling: vgg.Average})
	got := names(m)
	for _, want := range []string{"block1_conv1 Conv2D [64 97 64]\n", "block1_pool MaxPooling2D [32 48 64]\n", "block5_pool MaxPooling2D [2 3 512]\n", "global_average_pooling2d GlobalAveragePooling2D [512]\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if m.Name() != "vgg16" || len(m.Layers()) != 19 || m.DefaultLayer() != "global_average_pooling2d" {
		t.Errorf("%s, %d layers, by default %s", m.Name(), len(m.Layers()), m.DefaultLayer())
	}
	src := &arrays{values: withTop(random16())}
	m = load(t, src, vgg.Config{})
	if got := names(m); len(m.Layers()) != 22 || m.DefaultLayer() != "fc2" ||
		!strings.HasSuffix(got, "flatten Flatten [25088]\nfc1 Dense [4096]\nfc2 Dense [4096]\npredictions Dense [1000]\n") {
		t.Errorf("with the top:\n%s", got)
	}
	if summary, err := m.Summary(); err != nil || !strings.Contains(summary, "Total params: 138,357,544") {
		t.Errorf("%v\n%s", err, summary)
	}
}

// EachOutput gives every layer what Outputs gives for it, and ends with the first error.
func TestEachOutput(t *testing.T) {
	m := load(t, &arrays{values: random16()}, vgg.Config{Input: [2]int{32, 40}, Pooling: vgg.Max})
	x := m.Input([]*picture.Image{noise(3, 32, 40)})
	i := 0
	err := m.EachOutput(t.Context(), x, func(layer vgg.Layer, y *tensor.Tensor) error {
		want, err := m.Outputs(t.Context(), x, layer.Name)
		if err != nil {
			return err
		}
		if layer.Name != m.Layers()[i].Name || !slices.Equal(y.Shape(), want.Shape()) || !slices.Equal(y.Data(), want.Data()) {
			t.Errorf("%s has other outputs", layer.Name)
		}
		i++
		return nil
	})
	if err != nil || i != len(m.Layers()) {
		t.Errorf("%d layers, %v", i, err)
	}
	stop := errors.New("stop")
	if err := m.EachOutput(t.Context(), x, func(vgg.Layer, *tensor.Tensor) error { i++; return stop }); err != stop || i != len(m.Layers())+1 {
		t.Errorf("%v after %d calls, want %v after one", err, i-len(m.Layers()), stop)
	}
}

// TestEmptyPictures: a picture without pixels is an error that says which.
func TestEmptyPictures(t *testing.T) {
	m := load(t, &arrays{values: random16()}, vgg.Config{Input: [2]int{32, 32}, NoTop: true})
	good := noise(1, 5, 5)
	for want, bad := range map[string]*picture.Image{
		"vgg: picture 2 of 2: there is no picture":            nil,
		"vgg: picture 2 of 2: a picture of 0x0 has no pixels": picture.New(0, 0),
		"vgg: picture 2 of 2: a picture of 5x6 has 75 values": {Width: 5, Height: 6, Pix: good.Pix},
	} {
		if _, err := m.Features(t.Context(), []*picture.Image{good, bad}, "block1_pool"); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "vgg.Outputs: pictures have shape []") {
			t.Errorf("panic %q", got)
		}
	}()
	m.Outputs(t.Context(), nil, "block1_pool")
}

// The dense layers of a whole file are not read for features below them.
func TestTopIsReadWhenNeeded(t *testing.T) {
	src := &arrays{values: withTop(random16())}
	m := load(t, src, vgg.Config{})
	if _, err := m.Features(t.Context(), []*picture.Image{noise(1, 224, 224)}, "block1_pool"); err != nil {
		t.Fatal(err)
	}
	if got := len(src.read); got != 26 || slices.Contains(src.read, "fc1/kernel") {
		t.Errorf("%d arrays were read, want 26: %q", got, src.read)
	}
	whole := &mapped{arrays{values: withTop(random16())}}
	m = load(t, whole, vgg.Config{NoTop: true})
	if len(whole.read) > 0 {
		t.Errorf("%q were copied", whole.read)
	}
	if _, err := m.Predict(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "without its top") {
		t.Errorf("Predict without the top: %v", err)
	}
}

func TestFilesThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(map[string]*tensor.Tensor)
	}{
		{"block2_conv1/bias: in the network, not in the file", func(v map[string]*tensor.Tensor) { delete(v, "block2_conv1/bias") }},
		{"conv2d/kernel: in the file, not in the network", func(v map[string]*tensor.Tensor) { v["conv2d/kernel"] = tensor.New(1) }},
		{"block1_conv1/kernel: shape [64 3 3 3] in the file, [3 3 3 64] in the network", func(v map[string]*tensor.Tensor) { v["block1_conv1/kernel"] = tensor.New(64, 3, 3, 3) }},
		{"fc1/kernel: in the network, not in the file", func(v map[string]*tensor.Tensor) { v["fc2/bias"] = tensor.New(4096) }},
		{"vgg19: file and network do not", func(v map[string]*tensor.Tensor) { v["block3_conv4/bias"] = tensor.New(256) }},
	} {
		values := maps.Clone(random16())
		c.change(values)
		if _, err := vgg.Load(&arrays{values: values}, vgg.Config{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	if _, err := vgg.Open("absent.safetensors", vgg.Config{}); err == nil {
		t.Error("an absent file was opened")
	}
}

// What a layer gives does not depend on whether the one behind it is computed, on
// the pictures beside it, or on a picture's having been resized before.
func TestFeatures(t *testing.T) {
	m := load(t, &arrays{values: random16()}, vgg.Config{Input: [2]int{48, 64}, Pooling: vgg.Max})
	var pictures []*picture.Image
	for i := range uint64(11) {
		pictures = append(pictures, noise(i, 100, 80))
	}
	features := func(layer string, pictures ...*picture.Image) *tensor.Tensor {
		t.Helper()
		f, err := m.Features(t.Context(), pictures, layer)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	conv, pool := features("block3_conv3", pictures...), features("block3_pool", pictures...)
	if got := fmt.Sprint(conv, pool); got != "float32[11 12 16 256] float32[11 6 8 256]" {
		t.Fatal(got)
	}
	for i := range pool.Data() {
		c, x, y, n := i%256, i/256%8, i/256/8%6, i/256/48
		at := func(dy, dx int) float32 { return conv.Data()[((n*12+2*y+dy)*16+2*x+dx)*256+c] }
		if want := max(at(0, 0), at(0, 1), at(1, 0), at(1, 1)); pool.Data()[i] != want {
			t.Fatalf("value %d of block3_pool is %v, the greatest of block3_conv3 %v", i, pool.Data()[i], want)
		}
	}
	all := features("global_max_pooling2d", pictures...)
	last := features("global_max_pooling2d", m.Prepare(pictures[10]))
	if !slices.Equal(all.Row(10), last.Row(0)) {
		t.Error("features depend on the pictures beside, or on who resizes")
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(256 << 20)) // so that they go through one by one
	if few := features("global_max_pooling2d", pictures...); !slices.Equal(few.Data(), all.Data()) {
		t.Error("features depend on how much memory there is")
	}
	if x, err := m.Outputs(t.Context(), m.Input(pictures), "global_max_pooling2d"); err != nil || !slices.Equal(x.Data(), all.Data()) {
		t.Errorf("Outputs differs from Features: %v", err)
	}
	if f := features("block5_pool"); fmt.Sprint(f) != "float32[0 1 2 512]" {
		t.Errorf("no pictures: %v", f)
	}
	if _, err := m.Features(t.Context(), pictures, "fc2"); err == nil || !strings.Contains(err.Error(), `vgg16 without its top has no layer "fc2"; it has block1_conv1, `) {
		t.Errorf("fc2 without top: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Features(ctx, pictures, "block1_conv1"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	m.Close()
	if _, err := m.Features(t.Context(), pictures, "block1_conv1"); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("closed: %v", err)
	}
}

// A network whose file is closed first refuses, as it does when it is closed itself:
// before, its views were touched after their memory had gone.
func TestFileClosedFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vgg.safetensors")
	if err := weights.Save(path, random16(), nil); err != nil {
		t.Fatal(err)
	}
	file, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	m := load(t, file, vgg.Config{Input: [2]int{32, 32}})
	pictures := []*picture.Image{picture.New(32, 32)}
	want, err := m.Features(t.Context(), pictures, "block5_pool")
	if err != nil {
		t.Fatal(err)
	}
	var all, begun sync.WaitGroup
	for range 4 {
		begun.Add(1)
		all.Go(func() {
			for first := true; ; first = false {
				y, err := m.Features(t.Context(), pictures, "block5_pool")
				switch {
				case first && err != nil || err != nil && !errors.Is(err, fs.ErrClosed):
					t.Error(err)
				case err == nil && !slices.Equal(y.Data(), want.Data()):
					t.Error("other features")
				}
				if first {
					begun.Done()
				}
				if err != nil {
					return
				}
			}
		})
	}
	begun.Wait()
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if _, err := m.Outputs(t.Context(), m.Input(pictures), "block1_conv1"); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	}
}
