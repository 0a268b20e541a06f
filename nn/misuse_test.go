package nn_test

import (
	"context"
	"fmt"
	"math"
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
		"padding":            {[]nn.Layer{&nn.Conv2D{Filters: 2, Kernel: 3, Padding: 7}}, picture, `"conv2d"|padding 7`},
		"padding transposed": {[]nn.Layer{&nn.Conv2DTranspose{Filters: 2, Kernel: 3, Padding: -1}}, picture, `"conv2d_transpose"|padding -1`},
		"padding of pools":   {[]nn.Layer{&nn.MaxPool2D{Padding: 2}}, picture, `padding 2`},
		"padding of means":   {[]nn.Layer{&nn.AveragePool2D{Padding: 2}}, picture, `padding 2`},
		"units without end":  {[]nn.Layer{&nn.Dense{Units: math.MaxInt/4 + 1}}, picture, `"dense"|a kernel of shape`},
		"units that wrap":    {[]nn.Layer{&nn.UnitDense{Units: math.MaxInt/2 + 1}}, []int{4}, `"unit_dense"|a kernel of shape`},
		"many filters":       {[]nn.Layer{&nn.Conv2D{Filters: math.MaxInt / 8, Kernel: 3}}, picture, `"conv2d"|an output of shape`},
		"large stride":       {[]nn.Layer{&nn.Conv2DTranspose{Filters: 1, Kernel: 3, Stride: math.MaxInt/4 + 1}}, picture, `stride|32768`},
		"large kernel":       {[]nn.Layer{&nn.Conv2D{Filters: 1, Kernel: math.MaxInt / 9, Padding: nn.Same}}, picture, `kernel|32768`},
		"large shape":        {[]nn.Layer{&nn.Reshape{Target: []int{math.MaxInt/2 + 1, 4, -1}}}, picture, `cannot reshape`},
		"nil layer":          {[]nn.Layer{&nn.Flatten{}, nil}, picture, `layer 2 of 2 is nil`},
		"nil pointer":        {[]nn.Layer{(*nn.Dense)(nil)}, picture, `layer 1 of 1 is nil`},
		"nil inside":         {[]nn.Layer{nn.NewSequential("in", nil)}, picture, `layer 1 of 1 is nil`},
		"negative input":     {[]nn.Layer{&nn.Flatten{}}, []int{-1, 3}, `an input of shape [-1 3]`},
		"large input":        {[]nn.Layer{&nn.Flatten{}}, []int{math.MaxInt, math.MaxInt}, `an input of shape`},
		"epsilon infinite":   {[]nn.Layer{&nn.BatchNorm{Epsilon: float32(math.Inf(1))}}, picture, `epsilon +Inf`},
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
		"no optimizer":                {nn.FitConfig{}, vectors(3), "no optimizer"},
		"negative epochs":             {nn.FitConfig{Optimizer: &optim.SGD{}, Epochs: -1}, vectors(3), "epochs -1"},
		"negative batch":              {nn.FitConfig{Optimizer: &optim.SGD{}, Batch: -2}, vectors(3), "batch -2"},
		"negative initial":            {nn.FitConfig{Optimizer: &optim.SGD{}, InitialEpoch: -3}, vectors(3), "initial epoch -3"},
		"split of all":                {nn.FitConfig{Optimizer: &optim.SGD{}, ValidationSplit: 1}, vectors(3), "split 1|[0, 1)"},
		"split NaN":                   {nn.FitConfig{Optimizer: &optim.SGD{}, ValidationSplit: math.NaN()}, vectors(3), "split NaN"},
		"no samples":                  {nn.FitConfig{Optimizer: &optim.SGD{}}, vectors(0), "no samples"},
		"split of one":                {nn.FitConfig{Optimizer: &optim.SGD{}, ValidationSplit: 0.5}, vectors(1), "no samples"},
		"another width":               {nn.FitConfig{Optimizer: &optim.SGD{}}, nn.InMemory{X: tensor.New(5, 4), Y: tensor.New(5, 2)}, "fit: |[5 4]|[n 3]"},
		"other targets":               {nn.FitConfig{Optimizer: &optim.SGD{}}, nn.InMemory{X: tensor.New(5, 3), Y: tensor.New(5, 3)}, "fit: mean_squared_error|[5 2]|[5 3]"},
		"no data":                     {nn.FitConfig{Optimizer: &optim.SGD{}}, nil, "no data"},
		"empty data":                  {nn.FitConfig{Optimizer: &optim.SGD{}}, nn.InMemory{}, "no samples"},
		"no targets":                  {nn.FitConfig{Optimizer: &optim.SGD{}}, nn.InMemory{X: tensor.New(5, 3)}, "[5 3]|[]"},
		"OnBatch of nil":              {nn.FitConfig{Optimizer: &optim.SGD{}, Callbacks: []nn.Callback{nn.OnBatch(nil)}}, vectors(3), "callback 1 of 1"},
		"negative samples":            {nn.FitConfig{Optimizer: &optim.SGD{}}, counted(-1), "-1 samples"},
		"validation of negative size": {nn.FitConfig{Optimizer: &optim.SGD{}, Validation: counted(-1)}, vectors(3), "-1 samples"},
		"samples without end":         {nn.FitConfig{Optimizer: &optim.SGD{}}, counted(math.MaxInt), "9223372036854775807 samples"},
		"no validation":               {nn.FitConfig{Optimizer: &optim.SGD{}, Validation: (*nn.InMemory)(nil)}, vectors(3), "validation|nil"},
		"filled with nothing":         {nn.FitConfig{Optimizer: &optim.SGD{}}, counted(2), "batch has shape []"},
		"nil loss":                    {nn.FitConfig{Optimizer: &optim.SGD{}, Loss: (*nn.ArcFace)(nil)}, vectors(3), "loss|nil"},
		"nil optimizer":               {nn.FitConfig{Optimizer: (*optim.SGD)(nil)}, vectors(3), "no optimizer"},
		"nil callback":                {nn.FitConfig{Optimizer: &optim.SGD{}, Callbacks: []nn.Callback{nil}}, vectors(3), "callback 1 of 1"},
		"rate NaN":                    {nn.FitConfig{Optimizer: &optim.SGD{LearningRate: math.NaN()}}, vectors(3), "optim.SGD: learning rate NaN"},
		"rate infinite":               {nn.FitConfig{Optimizer: &optim.Adam{LearningRate: 1e39}}, vectors(3), "optim.Adam: learning rate 1e+39"},
		"targets missing":             {nn.FitConfig{Optimizer: &optim.SGD{}}, nn.InMemory{X: vectors(3).X, Y: vectors(2).Y}, "[3 3]|[2 2]"},
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
	if _, _, err := net.Evaluate(t.Context(), vectors(40), nn.MSE, -1); err == nil {
		t.Error("Evaluate with a batch of -1: no error")
	}
	got, _, err := net.Evaluate(t.Context(), vectors(40), nn.MSE, 0)
	if want := evaluate(net, vectors(40)); err != nil || !(math.Abs(got-want) <= 1e-7*want) {
		t.Errorf("Evaluate with the default batch: %v, %v, want %v", got, err, want)
	}
}

// counted is a Dataset of so many samples that has none.
type counted int

func (c counted) Len() int                                     { return int(c) }
func (c counted) Fill(context.Context, []int, *nn.Batch) error { return nil }

// TestMisusePanics: a panic names the operation and the shapes.
func TestMisusePanics(t *testing.T) {
	unbuilt := nn.NewSequential("n", &nn.Dense{Units: 2})
	for name, c := range map[string]struct {
		run  func()
		want string
	}{
		"predict another shape": {func() { linear(t).Predict(tensor.New(5, 4)) }, "nn.Predict|[5 4]|[n 3]"},
		"predict one sample":    {func() { linear(t).Predict(tensor.New(3)) }, "nn.Predict|[3]|[n 3]"},
		"predict unbuilt":       {func() { unbuilt.Predict(tensor.New(1, 3)) }, "nn.Predict|built"},
		"summary unbuilt":       {func() { unbuilt.Summary() }, "nn.Summary|built"},
		"alpha infinite":        {func() { nn.ELU.WithAlpha(float32(math.Inf(1))) }, "WithAlpha|+Inf"},
		"predict nothing":       {func() { linear(t).Predict(nil) }, "nn.Predict|[]|[n 3]"},
		"loss of nil":           {func() { nn.MSE.Loss(nil, nil, nil) }, "nn: mean_squared_error|[]"},
		"margin":                {func() { nn.ArcFace{Margin: math.NaN()}.Loss(tensor.New(1, 2), tensor.New(1, 2), tensor.New(1, 2)) }, "nn.ArcFace|NaN"},
		"scale":                 {func() { nn.ArcFace{Scale: -1}.Loss(tensor.New(1, 2), tensor.New(1, 2), tensor.New(1, 2)) }, "nn.ArcFace|-1"},
		"patience":              {func() { nn.EarlyStop(-1, 0, nil) }, "nn.EarlyStop|-1"},
		"least gain":            {func() { nn.EarlyStop(1, math.NaN(), nil) }, "nn.EarlyStop|NaN"},
		"nothing to save":       {func() { nn.Checkpoint(nil, false) }, "nn.Checkpoint|nil"},
		"no function":           {func() { nn.OnBatch(nil).BatchEnd(nn.BatchStats{}) }, "nn.OnBatch|nil"},
		"no function of epochs": {func() { nn.OnEpoch(nil).EpochEnd(nn.EpochStats{}) }, "nn.OnEpoch|nil"},
		"nowhere to print":      {func() { nn.PrintProgress(nil) }, "nn.PrintProgress|nil"},
		"nowhere to log":        {func() { nn.CSVLog(nil) }, "nn.CSVLog|nil"},
		"no network":            {func() { (*nn.Sequential)(nil).Predict(tensor.New(1, 3)) }, "nn.Predict|nil"},
		"parameters of nothing": {func() { (*nn.Sequential)(nil).Params() }, "nn.Params|nil"},
		"output of nothing":     {func() { (*nn.Sequential)(nil).OutputShape() }, "nn.OutputShape|nil"},
		"slice of nothing":      {func() { (*nn.Sequential)(nil).Slice(0, 0) }, "nn.Slice|nil"},
		"summary of nothing":    {func() { (*nn.Sequential)(nil).Summary() }, "nn.Summary|nil"},
		"slice":                 {func() { linear(t).Slice(0, 2) }, "nn.Slice|0 to 2|1"},
		"freeze unbuilt":        {func() { nn.Freeze(unbuilt) }, "nn.Freeze|built"},
		"unfreeze unbuilt":      {func() { nn.Unfreeze(unbuilt) }, "nn.Unfreeze|built"},
		"freeze nothing":        {func() { nn.Freeze(linear(t), nil) }, "nn.Freeze|layer 2 of 2 is nil"},
		"parameter of nothing":  {func() { nn.NewParam("scale", nil) }, `nn.NewParam|"scale"|no value`},
		"fork of nothing":       {func() { new(nn.Pass).Fork(tensor.New(1, 2), nil, nil, nil) }, "nn.Pass.Fork|no branch"},
		"gradient of another":   {func() { nn.Differentiate(linear(t), tensor.New(4, 3), tensor.New(4, 3)) }, "nn.Differentiate|[4 2]|[4 3]"},
		"activation of another": {func() { nn.ReLU.Gradient(tensor.New(4), tensor.New(3)) }, "nn.Activation.Gradient|[3]|[4]"},
		"initializer of a line": {func() { nn.HeNormal.New(nil, 3) }, "nn.Initializer.New|[3]"},
		"forward of nothing":    {func() { (*nn.Sequential)(nil).Forward(new(nn.Pass), tensor.New(1, 3)) }, "nn.Sequential|nil"},
		"names of nothing":      {func() { unbuilt.ParamNames() }, "nn.ParamNames|built"},
		"input of nothing":      {func() { unbuilt.InputShape() }, "nn.InputShape|built"},
		"slice backwards":       {func() { linear(t).Slice(1, 0) }, "nn.Slice|1 to 0"},
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
