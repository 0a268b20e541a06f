package nn_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
)

// says fails unless a message has all parts of want, which are apart by "|".
func says(t *testing.T, message, want string) {
	t.Helper()
	for _, part := range strings.Split(want, "|") {
		if !strings.Contains(message, part) {
			t.Errorf("message %q does not say %q", message, part)
		}
	}
}

// TestBuildErrors: an error says which layer, what is wrong, and with what.
func TestBuildErrors(t *testing.T) {
	picture := []int{8, 9, 3}
	shared := &nn.MaxPool2D{}
	for name, c := range map[string]struct {
		layers []nn.Layer
		in     []int
		want   string
	}{
		"convolution of a vector": {[]nn.Layer{&nn.Flatten{}, &nn.Conv2D{Filters: 2, Kernel: 3}}, picture, `layer "conv2d"|[height, width, channels]|[216]`},
		"no filters":              {[]nn.Layer{&nn.Conv2D{Kernel: 3}}, picture, `"conv2d"|filters|0`},
		"negative filters":        {[]nn.Layer{&nn.Conv2DTranspose{Filters: -4, Kernel: 3}}, picture, `"conv2d_transpose"|filters|-4`},
		"no kernel":               {[]nn.Layer{&nn.Conv2D{Filters: 2}}, picture, `"conv2d"|kernel [0 0]|positive`},
		"half a kernel":           {[]nn.Layer{&nn.Conv2DTranspose{Filters: 2, KernelSize: [2]int{3, 0}}}, picture, `kernel [3 0]|positive`},
		"negative stride":         {[]nn.Layer{&nn.Conv2D{Filters: 2, Kernel: 3, Stride: -1}}, picture, `stride [-1 -1]|positive`},
		"kernel too large":        {[]nn.Layer{&nn.Conv2D{Name: "big", Filters: 2, KernelSize: [2]int{3, 10}}}, picture, `"big"|8x9|3x10|'same'`},
		"pool too large":          {[]nn.Layer{&nn.MaxPool2D{}, &nn.MaxPool2D{Size: 5}}, picture, `"max_pooling2d_1"|4x4|5x5`},
		"average of a vector":     {[]nn.Layer{&nn.AveragePool2D{}}, []int{7}, `"average_pooling2d"|[7]`},
		"global average":          {[]nn.Layer{&nn.GlobalAveragePool2D{}}, []int{7}, `"global_average_pooling2d"|[7]`},
		"pool of many values":     {[]nn.Layer{&nn.MaxPool2D{Size: 17}}, []int{40, 40, 1}, `17x17|256`},
		"no units":                {[]nn.Layer{&nn.Dense{}}, picture, `"dense"|units|0`},
		"given kernel":            {[]nn.Layer{&nn.Conv2D{Filters: 2, Kernel: 3, Given: tensor.New(3, 3, 2, 2)}}, picture, `"conv2d"|[3 3 2 2]|[3 3 3 2]`},
		"given matrix":            {[]nn.Layer{&nn.Dense{Units: 2, Given: tensor.New(2, 3)}}, []int{3}, `"dense"|[2 3]|[3 2]`},
		"dense of nothing":        {[]nn.Layer{&nn.Dense{Units: 1}}, []int{}, `"dense"|[]`},
		"picture without pixels":  {[]nn.Layer{&nn.Conv2D{Filters: 2, Kernel: 3, Padding: nn.Same}}, []int{0, 9, 3}, `[0 9 3]`},
		"reshape":                 {[]nn.Layer{&nn.Reshape{Target: []int{5, 5}}}, picture, `"reshape"|[8 9 3]|216|[5 5]`},
		"reshape with two open":   {[]nn.Layer{&nn.Reshape{Target: []int{-1, -1}}}, picture, `[-1 -1]|at most one`},
		"reshape to nothing":      {[]nn.Layer{&nn.Reshape{Target: []int{0, -1}}}, picture, `[0 -1]|positive`},
		"reshape left over":       {[]nn.Layer{&nn.Reshape{Target: []int{5, -1}}}, picture, `216|[5 -1]`},
		"dropout of all":          {[]nn.Layer{&nn.Dropout{Rate: 1}}, picture, `"dropout"|1|[0, 1)`},
		"dropout of NaN":          {[]nn.Layer{&nn.Dropout{Rate: float32(math.NaN())}}, picture, `NaN|[0, 1)`},
		"momentum":                {[]nn.Layer{&nn.BatchNorm{Momentum: 1}}, picture, `"batch_normalization"|momentum 1`},
		"momentum NaN":            {[]nn.Layer{&nn.BatchNorm{Momentum: float32(math.NaN())}}, picture, `momentum NaN`},
		"epsilon":                 {[]nn.Layer{&nn.BatchNorm{Epsilon: -1}}, picture, `epsilon -1`},
		"activation of nothing":   {[]nn.Layer{&nn.Activate{}}, []int{}, `"activation"`},
		"deep inside": {[]nn.Layer{nn.NewSequential("outer", &nn.MaxPool2D{}, nn.NewSequential("inner", &nn.Dense{}))}, picture,
			`layer "outer": layer "inner": layer "dense"|units`},
		"name twice":         {[]nn.Layer{&nn.Dense{Name: "a", Units: 1}, &nn.Flatten{}, &nn.Dense{Name: "a", Units: 1}}, picture, `layers 1 and 3|"a"`},
		"name like a number": {[]nn.Layer{&nn.Dense{Name: "dense", Units: 1}, &nn.Dense{Units: 1}}, picture, `layers 1 and 2|"dense"`},
		"layer twice":        {[]nn.Layer{shared, &nn.Conv2D{Filters: 2, Kernel: 1}, shared}, picture, `"max_pooling2d"|"max_pooling2d_1"|second`},
		"layer inside too":   {[]nn.Layer{shared, nn.NewSequential("in", shared)}, picture, `"max_pooling2d"|"in/max_pooling2d"|second`},
	} {
		t.Run(name, func(t *testing.T) {
			net := nn.NewSequential("net", c.layers...)
			err := net.Init(1, c.in...)
			if err == nil {
				t.Fatal("no error")
			}
			says(t, err.Error(), c.want)
			if _, err := net.Fit(t.Context(), vectors(3), nn.FitConfig{Optimizer: &optim.SGD{}}); err == nil {
				t.Error("a network that could not be built trains")
			}
		})
	}
}

func TestFitErrors(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  nn.FitConfig
		data nn.Dataset
		want string
	}{
		"no optimizer":     {nn.FitConfig{}, vectors(3), "no optimizer"},
		"negative epochs":  {nn.FitConfig{Optimizer: &optim.SGD{}, Epochs: -1}, vectors(3), "epochs -1"},
		"negative batch":   {nn.FitConfig{Optimizer: &optim.SGD{}, Batch: -2}, vectors(3), "batch -2"},
		"negative initial": {nn.FitConfig{Optimizer: &optim.SGD{}, InitialEpoch: -3}, vectors(3), "initial epoch -3"},
		"split of all":     {nn.FitConfig{Optimizer: &optim.SGD{}, ValidationSplit: 1}, vectors(3), "split 1|[0, 1)"},
		"split NaN":        {nn.FitConfig{Optimizer: &optim.SGD{}, ValidationSplit: math.NaN()}, vectors(3), "split NaN"},
		"no samples":       {nn.FitConfig{Optimizer: &optim.SGD{}}, vectors(0), "no samples"},
		"split of one":     {nn.FitConfig{Optimizer: &optim.SGD{}, ValidationSplit: 0.5}, vectors(1), "no samples"},
		"targets missing":  {nn.FitConfig{Optimizer: &optim.SGD{}}, nn.InMemory{X: vectors(3).X, Y: vectors(2).Y}, "[3 3]|[2 2]"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := linear(t).Fit(t.Context(), c.data, c.cfg); err == nil {
				t.Error("no error")
			} else {
				says(t, err.Error(), c.want)
			}
		})
	}
	_, err := nn.NewSequential("n", &nn.Dense{Units: 2}).Fit(t.Context(), vectors(3), nn.FitConfig{Optimizer: &optim.SGD{}})
	says(t, fmt.Sprint(err), "not been built|Init or Build")
	net := linear(t)
	if _, err := net.Evaluate(t.Context(), vectors(40), nn.MSE, -1); err == nil {
		t.Error("Evaluate with a batch of -1: no error")
	}
	got, err := net.Evaluate(t.Context(), vectors(40), nn.MSE, 0)
	if want := evaluate(net, vectors(40)); err != nil || !(math.Abs(got-want) <= 1e-7*want) {
		t.Errorf("Evaluate with the default batch: %v, %v, want %v", got, err, want)
	}
}

// TestMisusePanics: a panic names the operation and the shapes.
func TestMisusePanics(t *testing.T) {
	fit := func(d nn.InMemory) {
		linear(t).Fit(context.Background(), d, nn.FitConfig{Optimizer: &optim.SGD{}})
	}
	unbuilt := nn.NewSequential("n", &nn.Dense{Units: 2})
	for name, c := range map[string]struct {
		run  func()
		want string
	}{
		"predict another shape": {func() { linear(t).Predict(tensor.New(5, 4)) }, "nn.Predict|[5 4]|[n 3]"},
		"predict one sample":    {func() { linear(t).Predict(tensor.New(3)) }, "nn.Predict|[3]|[n 3]"},
		"predict unbuilt":       {func() { unbuilt.Predict(tensor.New(1, 3)) }, "nn.Predict|built"},
		"summary unbuilt":       {func() { unbuilt.Summary() }, "nn.Summary|built"},
		"fit another shape":     {func() { fit(nn.InMemory{X: tensor.New(5, 4), Y: tensor.New(5, 2)}) }, "nn.Fit|[5 4]|[n 3]"},
		"fit other targets":     {func() { fit(nn.InMemory{X: tensor.New(5, 3), Y: tensor.New(5, 3)}) }, "mean_squared_error|[5 2]|[5 3]"},
		"loss of other shapes":  {func() { nn.MAE.Loss(tensor.New(2), tensor.New(2), tensor.New(3)) }, "mean_absolute_error|[2]|[3]"},
		"loss of nothing":       {func() { nn.MSE.Loss(tensor.New(0, 3), tensor.New(0, 3), tensor.New(0, 3)) }, "mean_squared_error|[0 3]"},
		"crossentropy gradient": {func() { nn.CategoricalCrossentropy.Loss(tensor.New(6), tensor.New(2, 3), tensor.New(2, 3)) }, "categorical_crossentropy|[2 3]|[6]"},
		"alpha":                 {func() { nn.ELU.WithAlpha(-1) }, "WithAlpha|-1|positive"},
		"initializer": {func() {
			nn.NewSequential("", &nn.Dense{Units: 1, Initializer: 9}).Init(1, 3)
		}, "initializer 9"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() { says(t, fmt.Sprint(recover()), c.want) }()
			c.run()
		})
	}
}

// TestRebuild: building again starts anew, with other shapes and clean names.
func TestRebuild(t *testing.T) {
	net := nn.NewSequential("net", &nn.Conv2D{Filters: 2, Kernel: 3, Padding: nn.Same}, &nn.BatchNorm{}, &nn.MaxPool2D{})
	for _, side := range []int{8, 6} {
		if err := net.Init(1, side, side, 3); err != nil {
			t.Fatal(err)
		}
		if got, want := fmt.Sprint(net.Predict(tensor.New(2, side, side, 3)).Shape()), fmt.Sprint([]int{2, side / 2, side / 2, 2}); got != want {
			t.Errorf("shape %v, want %v", got, want)
		}
		var names []string
		for _, p := range net.Params() {
			names = append(names, p.Name)
		}
		if want := "conv2d/kernel conv2d/bias batch_normalization/gamma batch_normalization/beta batch_normalization/moving_mean batch_normalization/moving_variance"; strings.Join(names, " ") != want {
			t.Errorf("names %v, want %v", names, want)
		}
	}
}

// TestInitializersEqualKeras compares what is drawn with the distributions that
// Keras draws from: their bounds, spread, mean, and shape by the share within
// half a standard deviation.
func TestInitializersEqualKeras(t *testing.T) {
	var fixture struct {
		Cases []struct {
			Layer, Initializer string
			Shape              []int
			Limit, Cut, Std    float64
		}
	}
	readJSON(t, "init.json", &fixture)
	if len(fixture.Cases) < 30 {
		t.Fatalf("only %d cases", len(fixture.Cases))
	}
	initializers := map[string]nn.Initializer{
		"GlorotUniform": nn.GlorotUniform, "GlorotNormal": nn.GlorotNormal, "HeUniform": nn.HeUniform, "HeNormal": nn.HeNormal,
	}
	for _, c := range fixture.Cases {
		t.Run(fmt.Sprintf("%s %s %v", c.Layer, c.Initializer, c.Shape), func(t *testing.T) {
			initializer, ok := initializers[c.Initializer]
			if !ok {
				t.Fatal("unknown to this test")
			}
			s := c.Shape
			var layer nn.Layer
			in := []int{8, 8, s[min(2, len(s)-1)]}
			switch c.Layer {
			case "Conv2D":
				layer = &nn.Conv2D{Filters: s[3], KernelSize: [2]int{s[0], s[1]}, Initializer: initializer}
			case "Conv2DTranspose":
				layer, in[2] = &nn.Conv2DTranspose{Filters: s[2], KernelSize: [2]int{s[0], s[1]}, Initializer: initializer}, s[3]
			case "Dense":
				layer, in = &nn.Dense{Units: s[1], Initializer: initializer}, s[:1]
			default:
				t.Fatal("unknown to this test")
			}
			rng := rand.New(rand.NewPCG(1, 2))
			n := tensor.Size(s)
			draws := max(20, 20000/n)
			var sum, squares, inner, greatest float64
			for range draws {
				if _, err := layer.Build(in, rng); err != nil {
					t.Fatal(err)
				}
				kernel := layer.Params()[0].Value
				if fmt.Sprint(kernel.Shape()) != fmt.Sprint(s) {
					t.Fatalf("kernel %v, Keras %v", kernel.Shape(), s)
				}
				for _, v := range kernel.Data() {
					v := float64(v)
					sum, squares, greatest = sum+v, squares+v*v, max(greatest, math.Abs(v))
					if math.Abs(v) < c.Std/2 {
						inner++
					}
				}
				for _, v := range layer.Params()[1].Value.Data() {
					if v != 0 {
						t.Fatalf("a bias begins at %v", v)
					}
				}
			}
			count := float64(n * draws)
			edge, share := c.Limit, 0.5/math.Sqrt(3) // uniform
			if c.Cut > 0 {                           // normal of deviation cut/2, cut at two of them
				edge, share = c.Cut, math.Erf(c.Std/c.Cut/math.Sqrt2)/math.Erf(math.Sqrt2)
			}
			// Five standard errors: of a mean σ/√n, of a deviation at most σ/√2n, of a share at most 1/(2√n).
			margin := 5 / math.Sqrt(count)
			if mean := sum / count; !(math.Abs(mean) <= margin*c.Std) {
				t.Errorf("mean %v, want 0 ± %v", mean, margin*c.Std)
			}
			if std := math.Sqrt(squares / count); !(math.Abs(std/c.Std-1) <= margin/math.Sqrt2) {
				t.Errorf("standard deviation %v, Keras %v", std, c.Std)
			}
			if !(greatest <= edge*(1+1e-6) && greatest >= 0.98*edge) {
				t.Errorf("greatest magnitude %v, Keras %v", greatest, edge)
			}
			if got := inner / count; !(math.Abs(got-share) <= margin/2) {
				t.Errorf("%v within half a deviation, want %v", got, share)
			}
		})
	}
}

// TestSummaryUnits: Keras goes to the next unit at 1024 of one.
func TestSummaryUnits(t *testing.T) {
	for units, want := range map[int]string{255: "255 (1020.00 B)", 256: "256 (1.00 KB)", 1 << 18: "262,144 (1.00 MB)"} {
		net := nn.NewSequential("", &nn.Dense{Units: units, NoBias: true})
		if err := net.Init(1, 1); err != nil {
			t.Fatal(err)
		}
		if got := net.Summary(); !strings.Contains(got, " Total params: "+want+"\n") {
			t.Errorf("want %s in\n%s", want, got)
		}
	}
}

func readJSON(t *testing.T, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", "keras", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

// TestWrappedSummariesEqualKeras takes the tables with cells of two lines, cut
// names, and values that do not train.
func TestWrappedSummariesEqualKeras(t *testing.T) {
	var fixture struct {
		Models map[string]struct {
			Text string `json:"text_80"`
		}
	}
	readJSON(t, "summaries.json", &fixture)
	vgg := func(top bool) *nn.Sequential {
		net := nn.NewSequential("vgg16")
		for block, filters := range []int{64, 128, 256, 512, 512} {
			for i := range 2 + min(1, block/2) {
				net.Layers = append(net.Layers, &nn.Conv2D{Name: fmt.Sprintf("block%d_conv%d", block+1, i+1), Filters: filters, Kernel: 3, Padding: nn.Same})
			}
			net.Layers = append(net.Layers, &nn.MaxPool2D{Name: fmt.Sprintf("block%d_pool", block+1)})
		}
		if top {
			net.Layers = append(net.Layers, &nn.Flatten{Name: "flatten"}, &nn.Dense{Name: "fc1", Units: 4096},
				&nn.Dense{Name: "fc2", Units: 4096}, &nn.Dense{Name: "predictions", Units: 1000})
		}
		return net
	}
	activation := func(class string) nn.Layer { return named{&nn.Activate{}, class} }
	for name, m := range map[string]struct {
		net    *nn.Sequential
		in     []int
		change func(want string) string // what Keras has and we have not, taken out; nil: nothing
	}{
		"small": {nn.NewSequential("small",
			&nn.Conv2D{Filters: 8, Kernel: 3, NoBias: true}, &nn.BatchNorm{}, activation("LeakyReLU"), &nn.AveragePool2D{},
			&nn.Conv2D{Filters: 16, KernelSize: [2]int{3, 5}, Stride: 2, Padding: nn.Same}, &nn.BatchNorm{}, activation("ReLU"),
			&nn.Dropout{Rate: 0.5}, &nn.GlobalAveragePool2D{}, &nn.Dense{Units: 10}, activation("ELU"), &nn.Activate{Activation: nn.Tanh},
			&nn.Dense{Units: 4}, activation("Softmax")), []int{31, 29, 3}, nil},
		"long names": {nn.NewSequential("a_model_with_a_long_name",
			&nn.Conv2D{Name: "a_convolution_with_a_name_that_is_longer_than_its_column", Filters: 8, Kernel: 3, Padding: nn.Same},
			&nn.MaxPool2D{Name: "max_pooling_of_the_first_block_of_all"}, &nn.Conv2DTranspose{Name: "one_over_the_column", Filters: 4, Kernel: 3},
			&nn.Flatten{Name: strings.Repeat("x", 60)}, &nn.Dense{Name: "frozen", Units: 20}, &nn.Dense{Name: "d", Units: 1}), []int{64, 64, 3},
			func(want string) string { // a layer cannot be frozen
				return strings.NewReplacer("Trainable params: 537 (2.10 KB)", "Trainable params: 93,037 (363.43 KB)",
					"Non-trainable params: 92,500 (361.33 KB)", "Non-trainable params: 0 (0.00 B)").Replace(want)
			}},
		"VGG16":             {vgg(true), []int{224, 224, 3}, withoutInput},
		"VGG16 without top": {vgg(false), []int{224, 224, 3}, withoutInput},
	} {
		t.Run(name, func(t *testing.T) {
			want := fixture.Models[name].Text
			if want == "" {
				t.Fatal("no such fixture")
			}
			if m.change != nil {
				changed := m.change(want)
				if changed == want {
					t.Fatal("the fixture has not what this test takes out of it")
				}
				want = changed
			}
			if _, err := m.net.Build(m.in, nil); err != nil {
				t.Fatal(err)
			}
			if got := m.net.Summary(); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// named is a layer that goes by another class: Keras has layers of their own
// for activations.
type named struct {
	nn.Layer
	class string
}

func (l named) Identity() (name, class string) { return "", l.class }

// withoutInput takes Keras's input layer out of a functional model's table, and
// the word functional.
func withoutInput(want string) string {
	lines := strings.SplitAfter(strings.Replace(want, `Model: "functional"`, `Model: "vgg16"`, 1), "\n")
	for i, line := range lines {
		if strings.Contains(line, "InputLayer") {
			end := i + 1
			for !strings.HasPrefix(lines[end], "├") {
				end++
			}
			return strings.Join(append(lines[:i:i], lines[end+1:]...), "")
		}
	}
	return want
}
