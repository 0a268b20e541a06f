package nn_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/kerastest"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
	"lookalike/weights"
)

// metricNamed returns a metric by its name.
func metricNamed(t *testing.T, name string) nn.Metric {
	t.Helper()
	var k int
	if _, err := fmt.Sscanf(name, "top_%d_categorical_accuracy", &k); err == nil {
		return nn.TopK(k)
	}
	for _, m := range []nn.Metric{nn.Accuracy, nn.MeanAbsoluteError} {
		if m.String() == name {
			return m
		}
	}
	t.Fatalf("there is no metric %q", name)
	return nil
}

// nearKeras holds a mean against Keras's, which is a sum of float32: shares are
// equal, others within 1e-6.
func nearKeras(t *testing.T, what string, got, want float64) {
	t.Helper()
	tolerance := 1e-6
	if strings.HasSuffix(what, "accuracy") {
		tolerance = 1e-7 // Keras's share has 24 bits
	}
	if d := math.Abs(got - want); !(d <= tolerance*max(1, math.Abs(want))) {
		t.Errorf("%s is %v, Keras has %v: off by %.3g", what, got, want, d)
	}
}

// anyTargets is a loss for targets of any shape.
type anyTargets struct{}

func (anyTargets) String() string { return "any" }

func (anyTargets) Loss(grad, _, _ *tensor.Tensor) float64 { clear(grad.Data()); return 0 }

// TestMetricsEqualKeras: batch by batch, the last one smaller.
func TestMetricsEqualKeras(t *testing.T) {
	f := kerastest.Open(t, "metrics.safetensors")
	var cases []struct {
		Name   string
		Values map[string]float64
	}
	var batch int
	unmarshal(t, f, "cases", &cases)
	unmarshal(t, f, "batch", &batch)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			prediction, target := kerastest.Tensor(t, f, c.Name+"/prediction"), kerastest.Tensor(t, f, c.Name+"/target")
			net := nn.NewSequential("same", &nn.Dropout{})
			if err := net.Init(1, prediction.Shape()[1:]...); err != nil {
				t.Fatal(err)
			}
			var metrics []nn.Metric
			for name := range c.Values {
				metrics = append(metrics, metricNamed(t, name))
			}
			_, got, err := net.Evaluate(t.Context(), nn.InMemory{X: prediction, Y: target}, anyTargets{}, batch, metrics...)
			if err != nil || len(got) != len(metrics) {
				t.Fatal(got, err)
			}
			for i, m := range got {
				if m.Name != metrics[i].String() {
					t.Errorf("metric %d is %q, want %q", i, m.Name, metrics[i])
				}
				nearKeras(t, m.Name, m.Mean, c.Values[m.Name])
			}
		})
	}
}

func unmarshal(t *testing.T, f *weights.File, key string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(f.Metadata()[key]), v); err != nil {
		t.Fatal(err)
	}
}

// TestFitMetricsEqualKeras: the history of whole trainings, with validation, and what
// is evaluated afterwards; with frozen layers too, whose parameters stay.
func TestFitMetricsEqualKeras(t *testing.T) {
	f := kerastest.Open(t, "metrics.safetensors")
	var runs []struct {
		Name, Activation, Loss string
		Units, Epochs, Batch   int
		Rate                   float64
		Frozen                 []int
		History                map[string][]float64
		Evaluate               map[string]float64
	}
	unmarshal(t, f, "runs", &runs)
	for _, r := range runs {
		t.Run(r.Name, func(t *testing.T) {
			array := func(name string) *tensor.Tensor { return kerastest.Tensor(t, f, r.Name+"/"+name) }
			activation := map[string]nn.Activation{"softmax": nn.Softmax, "sigmoid": nn.Sigmoid, "linear": nn.Linear}[r.Activation]
			net := nn.NewSequential("net", &nn.Dense{Units: 8, Activation: nn.Tanh}, &nn.BatchNorm{Momentum: 0.9},
				&nn.Dense{Units: 6, Activation: nn.Tanh}, &nn.Dense{Units: r.Units, Activation: activation})
			if err := net.Init(1, 4); err != nil {
				t.Fatal(err)
			}
			for i, p := range net.Params() {
				copy(p.Value.Data(), array(fmt.Sprintf("before/%d", i)).Data())
			}
			for _, i := range r.Frozen {
				nn.Freeze(net.Layers[i])
			}
			var metrics []nn.Metric
			for name := range r.History {
				if name != "loss" && !strings.HasPrefix(name, "val_") {
					metrics = append(metrics, metricNamed(t, name))
				}
			}
			loss := map[string]nn.Loss{"categorical_crossentropy": nn.CategoricalCrossentropy,
				"binary_crossentropy": nn.BinaryCrossentropy, "mean_squared_error": nn.MSE}[r.Loss]
			validation := nn.InMemory{X: array("val_x"), Y: array("val_y")}
			var last nn.BatchStats
			var progress, log bytes.Buffer
			history := fit(t, net, nn.InMemory{X: array("x"), Y: array("y")}, nn.FitConfig{
				Epochs: r.Epochs, Batch: r.Batch, NoShuffle: true, Optimizer: &optim.SGD{LearningRate: r.Rate}, Loss: loss,
				Metrics: metrics, Validation: validation,
				Callbacks: []nn.Callback{nn.OnBatch(func(b nn.BatchStats) error {
					b.Metrics = slices.Clone(b.Metrics)
					last = b
					return nil
				}), nn.PrintProgress(&progress), nn.CSVLog(&log)},
			})
			for key, want := range r.History {
				for i, got := range history.Values(key) {
					nearKeras(t, fmt.Sprintf("epoch %d: %s", i+1, key), got, want[i])
				}
				if strings.Count(progress.String(), " "+key+" ") != r.Epochs || !strings.Contains(log.String(), ","+key+",") {
					t.Errorf("%s is not in\n%s%s", key, progress.String(), log.String())
				}
			}
			if !slices.Equal(last.Metrics, history[r.Epochs-1].Metrics) {
				t.Errorf("after the last batch the metrics are %v, of the epoch %v", last.Metrics, history[r.Epochs-1].Metrics)
			}
			mean, measured, err := net.Evaluate(t.Context(), validation, loss, 5, metrics...)
			if err != nil {
				t.Fatal(err)
			}
			nearKeras(t, "loss", mean, r.Evaluate["loss"])
			for _, m := range measured {
				nearKeras(t, m.Name, m.Mean, r.Evaluate[m.Name])
			}
			for i, p := range net.Params() {
				want := array(fmt.Sprintf("after/%d", i))
				for j, v := range p.Value.Data() {
					if d := math.Abs(float64(v) - float64(want.Data()[j])); !(d <= 2e-6) {
						t.Errorf("%s[%d] = %v, Keras has %v", p.Name, j, v, want.Data()[j])
					}
				}
			}
		})
	}
}

// TestMetricErrors: what cannot be compared is an error that names the metric.
func TestMetricErrors(t *testing.T) {
	nan := float32(math.NaN())
	for want, c := range map[string]struct {
		metric             nn.Metric
		prediction, target *tensor.Tensor
	}{
		"accuracy of predictions [4 3] and targets [4 2]":     {nn.Accuracy, tensor.New(4, 3), tensor.New(4, 2)},
		"accuracy of predictions [4 3] and targets [3]":       {nn.Accuracy, tensor.New(4, 3), tensor.New(3)},
		"accuracy of predictions [4 1] and targets [3]":       {nn.Accuracy, tensor.New(4, 1), tensor.New(3)},
		"accuracy of predictions [4 0] and targets [4]":       {nn.Accuracy, tensor.New(4, 0), tensor.New(4)},
		"accuracy of predictions [] and targets []":           {nn.Accuracy, nil, nil},
		"accuracy: target 3 is not one of the classes 0 to 2": {nn.Accuracy, tensor.New(1, 3), tensor.From([]float32{3}, 1)},
		"accuracy: target -1 is":                              {nn.Accuracy, tensor.New(1, 3), tensor.From([]float32{-1}, 1)},
		"accuracy: target 0.5 is":                             {nn.TopK(2), tensor.New(1, 3), tensor.From([]float32{0.5}, 1, 1)},
		"top_2_categorical_accuracy: target NaN is":           {nn.TopK(2), tensor.New(1, 3), tensor.From([]float32{nan}, 1)},
		"mean_absolute_error of predictions [4 3]":            {nn.MeanAbsoluteError, tensor.New(4, 3), tensor.New(4)},
		"top_5_categorical_accuracy of predictions [4 3]":     {nn.TopK(5), tensor.New(4, 3), tensor.New(2, 2)},
	} {
		if _, _, err := c.metric.Measure(c.prediction, c.target); err == nil {
			t.Errorf("no error, want %q", want)
		} else {
			says(t, err.Error(), want)
		}
	}
	for _, m := range []nn.Metric{nn.Accuracy, nn.TopK(1), nn.TopK(9)} {
		right, n, err := m.Measure(tensor.From([]float32{nan, nan, 0, nan, 1, 0}, 2, 3), tensor.From([]float32{1, 0, 0, 0, 1, 0}, 2, 3))
		if right != 0 || n != 2 || err != nil {
			t.Errorf("%v of NaN: %v of %d are right, %v", m, right, n, err)
		}
	}
	right, n, err := nn.Accuracy.Measure(tensor.From([]float32{nan, 0.5, 0.6}, 3, 1), tensor.New(3, 1))
	if right != 1 || n != 3 || err != nil {
		t.Errorf("of three numbers, one NaN, %v of %d are right, %v", right, n, err)
	}
	for want, metrics := range map[string][]nn.Metric{
		"fit: metric 2 of 2 is nil":                              {nn.Accuracy, nil},
		`fit: metric 2 of 2 cannot have the name "accuracy"`:     {nn.Accuracy, nn.Accuracy},
		`fit: metric 1 of 1 cannot have the name "val_accuracy"`: {renamed{nn.Accuracy, "val_accuracy"}},
		`fit: metric 1 of 1 cannot have the name "loss"`:         {renamed{nn.Accuracy, "loss"}},
		"fit: accuracy of predictions [3 2] and targets [3 3]":   {nn.Accuracy},
	} {
		data := vectors(3)
		data.Y = data.X
		_, err := linear(t).Fit(t.Context(), data, nn.FitConfig{Optimizer: &optim.SGD{}, Loss: anyTargets{}, Metrics: metrics})
		says(t, fmt.Sprint(err), want)
		_, _, err = linear(t).Evaluate(t.Context(), data, anyTargets{}, 0, metrics...)
		says(t, fmt.Sprint(err), "evaluate"+want[len("fit"):])
	}
	func() {
		defer func() { says(t, fmt.Sprint(recover()), "nn.TopK|0") }()
		nn.TopK(0)
	}()
	if v := (nn.EpochStats{Loss: 1, ValLoss: 2}); v.Value("loss") != 1 || v.Value("val_loss") != 2 || !math.IsNaN(v.Value("accuracy")) || !math.IsNaN(v.Value("val_")) {
		t.Error("values by key are wrong")
	}
}

type renamed struct {
	nn.Metric
	name string
}

func (m renamed) String() string { return m.name }
