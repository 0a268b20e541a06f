package nn_test

import (
	"fmt"
	"strings"
	"testing"

	"lookalike/internal/kerastest"
	"lookalike/nn"
)

func TestSummaryEqualsKeras(t *testing.T) {
	encoder := func() *nn.Sequential {
		net := nn.NewSequential("encoder")
		for _, filters := range []int{32, 64, 128, 256} {
			net.Layers = append(net.Layers,
				&nn.Conv2D{Filters: filters, Kernel: 3, Padding: nn.Same, Activation: nn.ELU}, &nn.MaxPool2D{})
		}
		net.Layers = append(net.Layers, &nn.Flatten{}, &nn.Dense{Units: 32})
		return net
	}
	decoder := func() *nn.Sequential {
		net := nn.NewSequential("decoder", &nn.Dense{Units: 14 * 14 * 256}, &nn.Reshape{Target: []int{14, 14, 256}})
		for _, filters := range []int{128, 64, 32, 3} {
			net.Layers = append(net.Layers, &nn.Conv2DTranspose{Filters: filters, Kernel: 3, Stride: 2, Padding: nn.Same})
		}
		return net
	}
	for name, m := range map[string]struct {
		net *nn.Sequential
		in  []int
	}{
		"article encoder":     {encoder(), []int{224, 224, 3}},
		"article decoder":     {decoder(), []int{32}},
		"article autoencoder": {nn.NewSequential("autoencoder", encoder(), decoder()), []int{224, 224, 3}},
		"dense":               {nn.NewSequential("", &nn.Dense{Units: 5}, &nn.Dense{Units: 5}, &nn.Dense{Units: 1}), []int{7}},
		"no parameters":       {nn.NewSequential("no_parameters", &nn.Flatten{}), []int{4, 4, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			want := kerastest.Summary(t, name)
			if err := m.net.Init(1, m.in...); err != nil {
				t.Fatal(err)
			}
			if got := m.net.Summary(); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestWrappedSummariesEqualKeras takes the tables with cells of two lines, cut
// names, and values that do not train.
func TestWrappedSummariesEqualKeras(t *testing.T) {
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
			want := kerastest.Summary(t, name)
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
