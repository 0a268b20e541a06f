package nn_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"lookalike/internal/kerastest"
	"lookalike/nn"
	"lookalike/tensor"
)

// kerasLayer is a layer as a fixture describes it, by Keras's option names.
type kerasLayer struct {
	Name, Layer string
	Training    bool
	Config      struct {
		Filters, Units int
		KernelSize     [2]int `json:"kernel_size"`
		PoolSize       [2]int `json:"pool_size"`
		Strides        *[2]int
		Padding        string
		Activation     string
		UseBias        *bool   `json:"use_bias"`
		TargetShape    []int   `json:"target_shape"`
		NegativeSlope  float32 `json:"negative_slope"`
		Alpha          float32
		Momentum       float32
		Epsilon        float32
	}
}

func (k kerasLayer) layer(t *testing.T) nn.Layer {
	c := k.Config
	padding := map[string]nn.Padding{"": nn.Valid, "valid": nn.Valid, "same": nn.Same}[c.Padding]
	activation, ok := map[string]nn.Activation{
		"": nn.Linear, "linear": nn.Linear, "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU,
		"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "softmax": nn.Softmax,
	}[c.Activation]
	if !ok {
		t.Fatalf("unknown activation %q", c.Activation)
	}
	noBias := c.UseBias != nil && !*c.UseBias
	var strides [2]int
	if c.Strides != nil {
		strides = *c.Strides
	}
	switch k.Layer {
	case "Conv2D":
		return &nn.Conv2D{Filters: c.Filters, KernelSize: c.KernelSize, Strides: strides, Padding: padding, Activation: activation, NoBias: noBias}
	case "Conv2DTranspose":
		return &nn.Conv2DTranspose{Filters: c.Filters, KernelSize: c.KernelSize, Strides: strides, Padding: padding, Activation: activation, NoBias: noBias}
	case "MaxPooling2D":
		return &nn.MaxPool2D{PoolSize: c.PoolSize, Strides: strides, Padding: padding}
	case "AveragePooling2D":
		return &nn.AveragePool2D{PoolSize: c.PoolSize, Strides: strides, Padding: padding}
	case "GlobalAveragePooling2D":
		return &nn.GlobalAveragePool2D{}
	case "GlobalMaxPooling2D":
		return &nn.GlobalMaxPool2D{}
	case "Dense":
		return &nn.Dense{Units: c.Units, Activation: activation, NoBias: noBias}
	case "Flatten":
		return &nn.Flatten{}
	case "Reshape":
		return &nn.Reshape{Target: c.TargetShape}
	case "BatchNormalization":
		return &nn.BatchNorm{Momentum: c.Momentum, Epsilon: c.Epsilon}
	case "Activation":
		return &nn.Activate{Activation: activation}
	case "ReLU":
		return &nn.Activate{Activation: nn.ReLU}
	case "Softmax":
		return &nn.Activate{Activation: nn.Softmax}
	case "ELU":
		return &nn.Activate{Activation: nn.ELU.WithAlpha(max(c.Alpha, 1e-30))}
	case "LeakyReLU":
		return &nn.Activate{Activation: nn.LeakyReLU.WithAlpha(c.NegativeSlope)}
	}
	t.Fatalf("fixture has a layer %q that this test does not know", k.Layer)
	return nil
}

// TestLayersEqualKeras holds every layer's output, and the gradients of its
// input and parameters, against Keras's.
func TestLayersEqualKeras(t *testing.T) {
	f := kerastest.Open(t, "layers.safetensors")
	var cases []kerasLayer
	if err := json.Unmarshal([]byte(f.Metadata()["cases"]), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 100 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, k := range cases {
		t.Run(k.Name, func(t *testing.T) {
			x, want, dy := kerastest.Tensor(t, f, k.Name+"/x"), kerastest.Tensor(t, f, k.Name+"/y"), kerastest.Tensor(t, f, k.Name+"/dy")
			layer := k.layer(t)
			out, err := layer.Build(x.Shape()[1:], rand.New(rand.NewPCG(1, 2)))
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(out); got != fmt.Sprint(want.Shape()[1:]) {
				t.Fatalf("output shape %v, Keras %v", got, want.Shape()[1:])
			}
			for _, p := range layer.Params() {
				copy(p.Value.Data(), kerastest.Tensor(t, f, k.Name+"/"+p.Name).Data())
			}
			terms := x.Len() / x.Dim(0) // at most this many products are summed
			if k.Layer == "BatchNormalization" {
				terms *= 4000 // Keras's x·s - mean·s cancels where s is up to gamma/√epsilon
			}
			if !k.Training && k.Layer == "BatchNormalization" {
				near(t, "y", nn.Infer(layer, x), want, terms)
				return
			}
			y, dx := nn.Differentiate(layer, x, dy)
			near(t, "y", y, want, terms)
			near(t, "dx", dx, kerastest.Tensor(t, f, k.Name+"/dx"), terms)
			near(t, "y without training", nn.Infer(layer, x), nn.Infer(layer, x.Clone()), 0)
			for _, p := range layer.Params() {
				if p.Trainable() {
					near(t, "d_"+p.Name, p.Grad, kerastest.Tensor(t, f, k.Name+"/d_"+p.Name), want.Len())
				} else {
					near(t, "after_"+p.Name, p.Value, kerastest.Tensor(t, f, k.Name+"/after_"+p.Name), terms)
				}
			}
		})
	}
}

// near fails unless got and want agree within what sums of so many float32
// products may differ by, on the scale of the greatest value.
func near(t testing.TB, what string, got, want *tensor.Tensor, terms int) {
	t.Helper()
	if fmt.Sprint(got.Shape()) != fmt.Sprint(want.Shape()) {
		t.Errorf("%s: shape %v, want %v", what, got.Shape(), want.Shape())
		return
	}
	var scale float64
	for _, v := range want.Data() {
		scale = max(scale, math.Abs(float64(v)))
	}
	const eps = 1.0 / (1 << 23)
	tolerance := eps * (4 + math.Sqrt(float64(terms))) * scale
	for i, w := range want.Data() {
		g := got.Data()[i]
		if math.IsInf(float64(w), 0) && g == w || math.IsNaN(float64(w)) && math.IsNaN(float64(g)) {
			continue
		}
		if d := math.Abs(float64(g) - float64(w)); !(d <= tolerance) {
			t.Errorf("%s[%d] = %v, want %v: off by %.3g, allowed %.3g", what, i, g, w, d, tolerance)
			return
		}
	}
}

func TestLossesEqualKeras(t *testing.T) {
	f := kerastest.Open(t, "losses.safetensors")
	var cases []struct {
		Name, Loss, Through string
		Config              struct {
			FromLogits bool `json:"from_logits"`
		}
	}
	if err := json.Unmarshal([]byte(f.Metadata()["cases"]), &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			loss := map[string]nn.Loss{
				"MeanSquaredErrorfalse": nn.MSE, "MeanAbsoluteErrorfalse": nn.MAE,
				"BinaryCrossentropyfalse": nn.BinaryCrossentropy, "BinaryCrossentropytrue": nn.BinaryCrossentropyFromLogits,
				"CategoricalCrossentropyfalse": nn.CategoricalCrossentropy, "CategoricalCrossentropytrue": nn.CategoricalCrossentropyFromLogits,
			}[c.Loss+fmt.Sprint(c.Config.FromLogits)]
			switch c.Through { // Keras takes the logits in front of these
			case "sigmoid":
				loss = nn.BinaryCrossentropyFromLogits
			case "softmax":
				loss = nn.CategoricalCrossentropyFromLogits
			}
			if loss == nil {
				t.Fatalf("fixture has a loss %q that this test does not know", c.Loss)
			}
			x, target := kerastest.Tensor(t, f, c.Name+"/x"), kerastest.Tensor(t, f, c.Name+"/target")
			grad := tensor.New(x.Shape()...)
			got := loss.Loss(grad, x, target)
			want := float64(kerastest.Tensor(t, f, c.Name+"/loss").Data()[0])
			if d := math.Abs(got - want); !(d <= 4e-6*max(math.Abs(want), 1e-3)) {
				t.Errorf("loss %v, Keras %v", got, want)
			}
			near(t, "gradient", grad, kerastest.Tensor(t, f, c.Name+"/dx"), x.Len())
		})
	}
}
