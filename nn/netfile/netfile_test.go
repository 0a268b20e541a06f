package netfile_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/damagetest"
	"lookalike/internal/sweeptest"
	"lookalike/nn"
	"lookalike/nn/netfile"
	"lookalike/optim"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// gate is a layer outside nn: its input times what a network makes of that, and a
// constant. Branches is what runs beside, of which one may be nil.
type gate struct {
	Name     string
	Inner    *nn.Sequential
	Branches nn.Layers
	Level    float32

	level *nn.Param
}

func (g *gate) Identity() (name, class string) { return g.Name, "Gate" }

func (g *gate) parts() []nn.Layer {
	return slices.DeleteFunc(append([]nn.Layer{g.Inner}, g.Branches...), func(l nn.Layer) bool { return l == nil })
}

func (g *gate) Plan(in []int) ([]int, int64, error) {
	sum := int64(1)
	for _, l := range g.parts() {
		_, n, err := nn.Plan(l, in)
		if err != nil {
			return nil, 0, err
		}
		sum += n
	}
	return in, sum, nil
}

func (g *gate) Build(in []int, rng *rand.Rand) ([]int, error) {
	for _, l := range g.parts() {
		if out, err := l.Build(in, rng); err != nil {
			return nil, err
		} else if !slices.Equal(out, in) {
			return nil, fmt.Errorf("gate: a branch gives %v, want %v", out, in)
		}
	}
	g.level = nn.NewBuffer("level", tensor.From([]float32{g.Level}, 1))
	return in, nil
}

func (g *gate) Params() (list []*nn.Param) {
	for _, l := range g.parts() {
		list = append(list, l.Params()...)
	}
	if g.level != nil {
		list = append(list, g.level)
	}
	return list
}

func (g *gate) Forward(p *nn.Pass, x *tensor.Tensor) *tensor.Tensor {
	return p.Fork(x, append([]nn.Layer{g.Inner}, g.Branches...), func(outputs []*tensor.Tensor) *tensor.Tensor {
		y := p.New(x.Shape()...)
		for i, v := range x.Data() {
			y.Data()[i] = v * outputs[0].Data()[i] * g.level.Value.Data()[0]
			for _, o := range outputs[1:] {
				y.Data()[i] += o.Data()[i]
			}
		}
		return y
	}, func(*tensor.Tensor, []*tensor.Tensor, []*tensor.Tensor) {})
}

// plain is a layer that another one is in.
type plain struct{ nn.Dropout }

func (*plain) Identity() (name, class string) { return "", "Plain" }

func init() {
	nn.Register(&gate{})
	nn.Register(&plain{})
}

// everything is a network with all layers of nn and most of their options.
func everything() *nn.Sequential {
	given := tensor.New(3, 4)
	for i := range given.Data() {
		given.Data()[i] = float32(i)
	}
	return nn.NewSequential("everything",
		&nn.Conv2D{Filters: 3, Kernel: 3, Padding: nn.Same, Activation: nn.ELU.WithAlpha(0.3), Initializer: nn.HeNormal},
		&nn.BatchNorm{Momentum: 0.9, Epsilon: 0.01},
		&nn.Conv2D{Name: "strided", Filters: 4, KernelSize: [2]int{2, 3}, Strides: [2]int{1, 2}, NoBias: true, Activation: nn.LeakyReLU},
		&nn.Conv2D{Filters: 4, Kernel: 1, Activation: nn.ReLU},
		nn.NewSequential("inner",
			&nn.Conv2DTranspose{Filters: 3, Kernel: 3, Stride: 2, Padding: nn.Same, Activation: nn.Tanh, Initializer: nn.GlorotNormal},
			&nn.MaxPool2D{}, &nn.BatchNorm{}, nn.NewSequential("", &nn.AveragePool2D{PoolSize: [2]int{2, 1}, Stride: 1}),
		),
		&gate{Level: 0.25, Inner: nn.NewSequential("", &nn.Dense{Units: 3, Activation: nn.Sigmoid}), Branches: nn.Layers{&nn.Dense{Units: 3}, nil}},
		&gate{Name: "second", Level: -1, Inner: nn.NewSequential("", &nn.Dense{Units: 3}, &nn.Dense{Units: 3, Given: tensor.New(3, 3)}),
			Branches: nn.Layers{&gate{Level: 2, Inner: nn.NewSequential("deep", &nn.BatchNorm{})}}},
		&plain{}, &nn.Dropout{Rate: 0.1},
		&nn.GlobalMaxPool2D{},
		&nn.Dense{Units: 4, Given: given, Activation: nn.Activation{}},
		&nn.Reshape{Target: []int{2, -1, 1}}, &nn.GlobalAveragePool2D{}, &nn.Flatten{},
		&nn.Activate{Activation: nn.Linear}, &nn.UnitNorm{}, &nn.UnitDense{Units: 5}, &nn.Activate{Name: "last", Activation: nn.Softmax},
	)
}

var inputs = []int{8, 7, 2}

// trained returns the network with parameters that are no longer those of the
// beginning, some of them frozen.
func trained(t testing.TB) *nn.Sequential {
	t.Helper()
	net := everything()
	if err := net.Init(3, inputs...); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 9))
	for _, p := range net.Params() {
		for i := range p.Value.Data() {
			p.Value.Data()[i] += float32(0.1 * rng.Float64())
		}
	}
	nn.Freeze(net.Layers[0], net.Layers[4])
	net.Params()[7].Freeze()
	return net
}

func samples(n int, shape ...int) *tensor.Tensor {
	x := tensor.New(append([]int{n}, shape...)...)
	rng := rand.New(rand.NewPCG(4, 4))
	for i := range x.Data() {
		x.Data()[i] = float32(rng.NormFloat64())
	}
	return x
}

func bits(t *tensor.Tensor) []uint32 {
	list := make([]uint32, t.Len())
	for i, v := range t.Data() {
		list[i] = math.Float32bits(v)
	}
	return list
}

// same fails unless two networks have the same layers, parameters and predictions,
// to the bit.
func same(t *testing.T, got, want *nn.Sequential) {
	t.Helper()
	if g, w := fmt.Sprint(got.InputShape(), got.OutputShape()), fmt.Sprint(want.InputShape(), want.OutputShape()); g != w {
		t.Fatalf("shapes %s, want %s", g, w)
	}
	describe := func(n *nn.Sequential) string {
		text, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if describe(got) != describe(want) {
		t.Errorf("the network is %s, want %s", describe(got), describe(want))
	}
	names, params := got.ParamNames(), got.Params()
	if !slices.Equal(names, want.ParamNames()) {
		t.Fatalf("parameters %q, want %q", names, want.ParamNames())
	}
	for i, w := range want.Params() {
		g := params[i]
		if g.Name != names[i] || g.Frozen() != w.Frozen() || g.Trainable() != w.Trainable() || !slices.Equal(g.Value.Shape(), w.Value.Shape()) || !slices.Equal(bits(g.Value), bits(w.Value)) {
			t.Errorf("parameter %s %v (trainable %t) is not that of the network (%v, trainable %t)", g.Name, g.Value, g.Trainable(), w.Value, w.Trainable())
		}
	}
	x := samples(5, want.InputShape()...)
	if !slices.Equal(bits(got.Predict(x)), bits(want.Predict(x))) {
		t.Error("predictions differ")
	}
}

// TestRoundTrip: a network, a part of it, and layers of it, come back as they were,
// and the same network gives the same bytes.
func TestRoundTrip(t *testing.T) {
	net := trained(t)
	for name, n := range map[string]*nn.Sequential{
		"whole": net, "inner": net.Layers[4].(*nn.Sequential), "first": net.Slice(0, 3), "rest": net.Slice(3, len(net.Layers)), "nothing": net.Slice(2, 2),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "net.safetensors")
			if err := netfile.Save(path, n); err != nil {
				t.Fatal(err)
			}
			got, err := netfile.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, n)
			first := must(os.ReadFile(path))(t)
			if err := netfile.Save(path, got); err != nil {
				t.Fatal(err)
			}
			if again := must(os.ReadFile(path))(t); !bytes.Equal(again, first) {
				t.Error("saved again, the file has other bytes")
			}
			file := must(weights.Read(bytes.NewReader(first), int64(len(first))))(t)
			same(t, must(netfile.Read(file))(t), n)
		})
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestGoesOn: a network that has been loaded learns as the one that was saved, and
// what is frozen in it stays.
func TestGoesOn(t *testing.T) {
	build := func() *nn.Sequential {
		net := nn.NewSequential("net", &nn.Dense{Units: 6, Activation: nn.Tanh}, &nn.BatchNorm{}, &nn.Dense{Units: 2})
		if err := net.Init(1, 3); err != nil {
			t.Fatal(err)
		}
		return net
	}
	data := nn.InMemory{X: samples(30, 3), Y: samples(30, 2)}
	train := func(net *nn.Sequential, o nn.Optimizer, initial, epochs int) {
		if _, err := net.Fit(t.Context(), data, nn.FitConfig{InitialEpoch: initial, Epochs: epochs, Optimizer: o}); err != nil {
			t.Fatal(err)
		}
	}
	unbroken, net := build(), build()
	nn.Freeze(unbroken.Layers[1])
	nn.Freeze(net.Layers[1])
	one, two := &optim.Adam{}, &optim.Adam{}
	train(unbroken, one, 0, 4)
	train(net, two, 0, 2)
	path := filepath.Join(t.TempDir(), "net")
	if err := netfile.Save(path, net); err != nil {
		t.Fatal(err)
	}
	loaded := must(netfile.Load(path))(t)
	fresh := &optim.Adam{}
	if err := fresh.Restore(two.State(), loaded.Params()); err != nil {
		t.Fatal(err)
	}
	train(loaded, fresh, 2, 4)
	same(t, loaded, unbroken)
}

// TestKerasNames: other programs find the arrays by Keras's names.
func TestKerasNames(t *testing.T) {
	net := trained(t)
	path := filepath.Join(t.TempDir(), "net")
	if err := netfile.Save(path, net.Slice(1, 6)); err != nil {
		t.Fatal(err)
	}
	f := must(weights.Open(path))(t)
	defer f.Close()
	want := []string{
		"batch_normalization/beta", "batch_normalization/gamma", "batch_normalization/moving_mean", "batch_normalization/moving_variance",
		"conv2d/bias", "conv2d/kernel", "gate/bias", "gate/dense/bias", "gate/dense/kernel", "gate/kernel", "gate/level",
		"inner/batch_normalization/beta", "inner/batch_normalization/gamma", "inner/batch_normalization/moving_mean", "inner/batch_normalization/moving_variance",
		"inner/conv2d_transpose/bias", "inner/conv2d_transpose/kernel", "strided/kernel",
	}
	if got := f.Names(); !slices.Equal(got, want) {
		t.Errorf("arrays %q, want %q", got, want)
	}
}

// small returns the bytes of a small network's file.
func small(t testing.TB) (content []byte, net *nn.Sequential) {
	t.Helper()
	net = nn.NewSequential("n", &nn.Dense{Units: 2, Activation: nn.ELU.WithAlpha(0.5)}, &nn.BatchNorm{Momentum: 0.75}, &nn.Dropout{Rate: 0.5}, &nn.Dense{Units: 1, NoBias: true})
	if err := net.Init(1, 3); err != nil {
		t.Fatal(err)
	}
	nn.Freeze(net.Layers[0])
	path := filepath.Join(t.TempDir(), "net")
	if err := netfile.Save(path, net); err != nil {
		t.Fatal(err)
	}
	return must(os.ReadFile(path))(t), net
}

func load(content []byte) (*nn.Sequential, error) {
	f, err := weights.Read(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	return netfile.Read(f)
}

// TestEveryByte: whatever byte of a file is changed, or wherever it ends, it is
// refused, or it is the same network.
func TestEveryByte(t *testing.T) {
	content, net := small(t)
	masks := []byte{1, 2, 4, 8, 16, 32, 64, 128, 255}
	if testing.Short() {
		masks = []byte{1, 32, 255}
	}
	refused := 0
	for at := range content {
		for _, mask := range masks {
			changed := bytes.Clone(content)
			changed[at] ^= mask
			got, err := load(changed)
			if err != nil {
				refused++
				continue
			}
			same(t, got, net)
			if t.Failed() {
				t.Fatalf("byte %d of %d, bits %x", at, len(content), mask)
			}
		}
		if _, err := load(content[:at]); err == nil {
			t.Fatalf("the first %d of %d bytes are read", at, len(content))
		}
	}
	t.Logf("%d bytes: %d of %d changes were refused", len(content), refused, len(content)*len(masks))
	damagetest.Run(t, 1000, 1<<20, func(int) []byte { return content }, func(_ int, b []byte) error {
		_, err := load(b)
		return err
	})
}

// rewritten returns the small file with another architecture or other metadata.
func rewritten(t testing.TB, change func(metadata map[string]string)) []byte {
	t.Helper()
	content, _ := small(t)
	return withMetadata(t, content, change)
}

func withConfig(t testing.TB, content []byte, config string) []byte {
	t.Helper()
	return withMetadata(t, content, func(m map[string]string) { m["config"] = config })
}

// withMetadata returns a file with other metadata.
func withMetadata(t testing.TB, content []byte, change func(metadata map[string]string)) []byte {
	t.Helper()
	n := binary.LittleEndian.Uint64(content)
	var header map[string]json.RawMessage
	var metadata map[string]string
	if err := json.Unmarshal(content[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(header["__metadata__"], &metadata); err != nil {
		t.Fatal(err)
	}
	change(metadata)
	header["__metadata__"] = must(json.Marshal(metadata))(t)
	text := must(json.Marshal(header))(t)
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, content[8+n:])
}

// TestRefused: what no Save has written is refused, soon, and before memory is taken
// that the file does not stand for.
func TestRefused(t *testing.T) {
	network := func(layers string) string { return `{"input":[3],"network":{"Name":"","Layers":[` + layers + `]}}` }
	layer := func(class, config string) string { return network(`{"class":"` + class + `","config":` + config + `}`) }
	deep := strings.Repeat(`{"class":"Sequential","config":{"Layers":[`, 400) + strings.Repeat("]}}", 400)
	content, _ := small(t)
	for want, config := range map[string]string{
		`unexpected end of JSON`:                                `{"input":`,
		`its architecture has no network`:                       `{"input":[3]}`,
		`layer 1 of 1 is of the class "Lambda"|nn.Register`:     layer("Lambda", `{}`),
		`class "Dense"|unknown field "Colour"`:                  layer("Dense", `{"Colour":1}`),
		`class "Dense"|cannot unmarshal string`:                 layer("Dense", `{"Units":"many"}`),
		`class "Dense": its config is null`:                     layer("Dense", `null`),
		`class "Dense": |EOF`:                                   network(`{"class":"Dense"}`),
		`layer 1 of 1 is nil`:                                   network(`null`),
		`there is no activation "gelu", only linear, relu`:      layer("Dense", `{"Activation":"gelu"}`),
		`activation "elu(-1)"`:                                  layer("Dense", `{"Activation":"elu(-1)"}`),
		`activation "relu(2)"`:                                  layer("Dense", `{"Activation":"relu(2)"}`),
		`activation "elu(2"`:                                    layer("Dense", `{"Activation":"elu(2"}`),
		`there is no padding "full"`:                            layer("MaxPooling2D", `{"Padding":"full"}`),
		`there is no initializer "ones"`:                        layer("Dense", `{"Initializer":"ones"}`),
		`has 18 parameters, its configuration needs 2800000000`: layer("Dense", `{"Units":700000000}`),
		`layer "dense": a kernel of shape [3 2147483648]`:       layer("Dense", `{"Units":2147483648}`),
		`its configuration needs 1610743811`:                    network(`{"class":"Reshape","config":{"Target":[1,1,3]}},{"class":"Conv2DTranspose","config":{"Filters":32768,"Kernel":128}},{"class":"GlobalAveragePooling2D","config":{}},{"class":"Dense","config":{"Units":3}}`),
		`class "Gate"|cannot unmarshal`:                         layer("Gate", `{"Inner":{"Layers":3}}`),
		`needs 2100000004`:                                      layer("Gate", `{"Inner":{"Layers":[{"class":"Dense","config":{"Units":700000000,"NoBias":true}}]},"Branches":[{"class":"Dense","config":{"Units":1,"NoBias":true}}]}`),
		`too deep`:                                              network(deep),
		`the limit is 1048576`:                                  network(strings.Repeat(`{"class":"Flatten","config":{}},`, 40000) + "null"),
		`negative`:                                              `{"input":[-3],"network":{"Layers":[]}}`,
		`of 70 dimensions cannot be`:                            `{"input":[1` + strings.Repeat(",1", 69) + `],"network":{"Layers":[]}}`,
		`has 18 parameters, its configuration needs 0`:          `{"input":[3],"network":{}}`,
		`not correspond`:                                        network(`{"class":"Dense","config":{"Units":6,"NoBias":true}}`),
		`needs 18000`:                                           network(strings.Repeat(`{"class":"Flatten","config":{}},`, 20000) + `{"class":"Dense","config":{"Units":6000,"NoBias":true}}`),
	} {
		content := withConfig(t, content, config)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := load(content)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("no error, want %q", want)
			continue
		}
		for _, part := range strings.Split(want, "|") {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("error %.300q, want one with %q", err, part)
			}
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 && !sweeptest.Racing {
			t.Errorf("%s: took %d MB", want, took>>20)
		}
	}
	for want, change := range map[string]func(m map[string]string){
		`is no network made by this program`: func(m map[string]string) { m["format"] = "lookalike autoencoder" },
		`is of version "2"`:                  func(m map[string]string) { m["version"] = "2" },
		`checksum`:                           func(m map[string]string) { delete(m, "checksum") },
		`made by this program`:               func(m map[string]string) { clear(m) },
		`checksum is another`:                func(m map[string]string) { m["config"] = strings.Replace(m["config"], "0.75", "0.7", 1) },
	} {
		if _, err := load(rewritten(t, change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := load(rewritten(t, func(map[string]string) {})); err != nil {
		t.Errorf("written anew with the same metadata: %v", err)
	}
	if _, err := netfile.Load(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "there is no file") {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := netfile.Read(nil); err == nil {
		t.Error("a nil file is read")
	}
}

// secret is a layer that has not been registered, liar one with the class of another.
type (
	secret struct{ nn.Dropout }
	liar   struct{ nn.Dropout }
)

func (*secret) Identity() (name, class string) { return "", "Secret" }

// TestSaveRefuses: what could not be read again is not written, and what was there
// stays.
func TestSaveRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "net")
	for want, net := range map[string]*nn.Sequential{
		`layer 2 of 2 has the class "Secret"|*netfile_test.secret|nn.Register`: nn.NewSequential("", &nn.Dense{Units: 1}, &secret{}),
		`layer 1 of 1 has the class "Dropout"|*netfile_test.liar`:              nn.NewSequential("", &liar{}),
		`class "Sequential"|layer 1 of 1 has the class "Secret"`:               nn.NewSequential("", nn.NewSequential("", &secret{})),
		`parameters 1 and 3 are both named "a/b/kernel"`:                       nn.NewSequential("", nn.NewSequential("a", &nn.Dense{Name: "b", Units: 3}), &nn.Dense{Name: "a/b", Units: 3}),
	} {
		if err := net.Init(1, 3); err != nil {
			t.Fatal(err)
		}
		err := netfile.Save(path, net)
		if err == nil {
			t.Errorf("no error, want %q", want)
			continue
		}
		for _, part := range append(strings.Split(want, "|"), "netfile: write "+path) {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("error %q, want one with %q", err, part)
			}
		}
	}
	for _, net := range []*nn.Sequential{nil, nn.NewSequential("", &nn.Dense{Units: 1})} {
		if err := netfile.Save(path, net); err == nil || !strings.Contains(err.Error(), "built") {
			t.Errorf("error %v", err)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("there is a file: %v", err)
	}
}

// TestRegister: a class is that of one type.
func TestRegister(t *testing.T) {
	nn.Register(&gate{}) // again is no harm
	for want, l := range map[string]nn.Layer{
		`nn.Register: class "Dropout" is that of *nn.Dropout, *netfile_test.liar`: &liar{},
		`nn.Register: the layer is nil`:                                           nil,
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			nn.Register(l)
		}()
	}
}

// TestVGG: a published network's architecture says all that is needed to make it.
func TestVGG(t *testing.T) {
	net, err := vgg.New16(vgg.Config{NoTop: true, Input: [2]int{32, 32}, Pooling: vgg.Average}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := must(json.Marshal(net))(t)
	var again nn.Sequential
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	out, values, err := nn.Plan(&again, []int{224, 224, 3})
	if fmt.Sprint(out) != "[512]" || values != 14714688 || err != nil {
		t.Errorf("outputs %v, %d parameters, %v", out, values, err)
	}
	if !reflect.DeepEqual(must(json.Marshal(&again))(t), text) {
		t.Error("described again it is another")
	}
}

// TestPlan: what is planned is what Build makes.
func TestPlan(t *testing.T) {
	net := everything()
	out, values, err := nn.Plan(net, inputs)
	if err != nil {
		t.Fatal(err)
	}
	if err := net.Init(1, inputs...); err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, p := range net.Params() {
		n += int64(p.Value.Len())
	}
	if n != values || !slices.Equal(out, net.OutputShape()) {
		t.Errorf("planned %d values and outputs %v, built %d and %v", values, out, n, net.OutputShape())
	}
	names := slices.Sorted(slices.Values(net.ParamNames()))
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("names %q", names)
	}
}

// TestHostileArchitecture: whatever numbers and words an architecture has, reading
// ends soon, with an error, without a panic, and takes no memory that the file does
// not stand for.
func TestHostileArchitecture(t *testing.T) {
	path := filepath.Join(t.TempDir(), "net")
	if err := netfile.Save(path, trained(t)); err != nil {
		t.Fatal(err)
	}
	content := must(os.ReadFile(path))(t)
	f := must(weights.Read(bytes.NewReader(content), int64(len(content))))(t)
	config := f.Metadata()["config"]
	number := regexp.MustCompile(`\d+(\.\d+)?|"[a-zA-Z0-9_()]*"|\{"class"`)
	places := number.FindAllStringIndex(config, -1)
	values := []string{"0", "-1", "1", "2", "3", "7", "255", "65536", "2147483647", "9223372036854775807", "1e9", "0.5", "null", `""`, `"same"`, `"softmax"`, `"Flatten"`, `"Dense"`, `[]`, `{}`,
		`{"class":"Sequential","config":{"Layers":[]}},{"class"`}
	cases := sweeptest.Cases(300, 3000, 60000)
	rng := rand.New(rand.NewPCG(6, 6))
	refused := map[string]bool{}
	for n := range cases {
		changed := config
		for range 1 + rng.IntN(3) {
			at := places[rng.IntN(len(places))]
			if at[1] <= len(changed) {
				changed = changed[:at[0]] + values[rng.IntN(len(values))] + changed[at[1]:]
			}
		}
		text := withConfig(t, content, changed)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := load(text)
		runtime.ReadMemStats(&after)
		if err == nil && changed != config {
			t.Fatalf("case %d is read: %s", n, changed)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
			t.Fatalf("case %d took %d MB: %s", n, took>>20, changed)
		}
		if err != nil {
			refused[regexp.MustCompile(`[\d."\[\]-]+`).ReplaceAllString(err.Error(), "")] = true
		}
	}
	if len(refused) < 20 {
		t.Errorf("refused for %d reasons only: %q", len(refused), slices.Sorted(maps.Keys(refused)))
	}
	t.Logf("%d cases, refused for %d reasons", cases, len(refused))
}
