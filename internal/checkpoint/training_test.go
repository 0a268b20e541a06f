package checkpoint

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"lookalike/nn"
	"lookalike/tensor"
	"lookalike/weights"
)

// record is one with all that there can be.
func record() *Training {
	return &Training{
		Batch: 4, LearningRate: 0.01, Seed: 1 << 63, Photos: "photos",
		Losses: []float64{3, 2.5}, ValLosses: []float64{4, 5}, Validation: 0.25, Augment: "flip",
		EarlyStop: &nn.EarlyStopping{Monitor: nn.ValLoss, Patience: 3, MinDelta: 0.5},
		Optimizer: map[string]*tensor.Tensor{"steps": tensor.From([]float32{0, 9}, 2)},
		Last:      map[string]*tensor.Tensor{"dense/kernel": tensor.From([]float32{1, 2, 3}, 3)},
	}
}

// file writes a record beside a network and opens the file.
func file(t *testing.T, r *Training, change func(metadata map[string]string)) *weights.File {
	t.Helper()
	metadata, tensors := map[string]string{}, map[string]*tensor.Tensor{"dense/kernel": tensor.New(3)}
	if err := r.put(metadata, tensors); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(metadata)
	}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := weights.Save(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestRoundTrip(t *testing.T) {
	f := file(t, record(), nil)
	got, err := Read(f)
	if err != nil || !reflect.DeepEqual(got, record()) {
		t.Errorf("read %+v, %v", got, err)
	}
	network := Network{File: f}
	if names := network.Names(); !reflect.DeepEqual(names, []string{"dense/kernel"}) {
		t.Errorf("the network has %q", names)
	}
	if err := network.CheckSize(3); err != nil {
		t.Error(err)
	}
	if err := network.CheckSize(4); err == nil || err.Error() != "has 3 parameters, its configuration needs 4" {
		t.Errorf("a network of another size: %v", err)
	}
	network.Except = "dense/"
	if names := network.Names(); len(names) > 0 {
		t.Errorf("the network without its dense layer has %q", names)
	}
	p := &nn.Param{Name: "dense/kernel", Value: tensor.New(3)}
	if err := got.Restore([]*nn.Param{p}); err != nil || p.Value.Data()[2] != 3 {
		t.Errorf("restored %v, %v", p.Value.Data(), err)
	}
	for _, p := range []*nn.Param{{Name: "dense/bias", Value: tensor.New(3)}, {Name: "dense/kernel", Value: tensor.New(1, 3)}} {
		if err := got.Restore([]*nn.Param{p}); err == nil {
			t.Errorf("%s %v was restored", p.Name, p.Value)
		}
	}
	p.Value.Data()[2] = 7
	if err := (&Training{}).Restore([]*nn.Param{p}); err != nil || p.Value.Data()[2] != 7 {
		t.Errorf("without values after the last epoch: %v, %v", p.Value.Data(), err)
	}
}

func TestBadRecords(t *testing.T) {
	for want, text := range map[string]string{
		`metadata "training": unexpected end`:    `{"batch":`,
		"cannot unmarshal":                       `{"batch":"many"}`,
		"batches of 0":                           `{}`,
		"1 losses and 2 of validation":           `{"batch":1,"losses":[1],"val_losses":[1,2]}`,
		"a share of 1 for validation":            `{"batch":1,"validation":1}`,
		`early stopping: there is no "accuracy"`: `{"batch":1,"early_stop":{"monitor":"accuracy"}}`,
		"has no record of its training":          "",
	} {
		f := file(t, record(), func(m map[string]string) {
			if m["training"] = text; text == "" {
				delete(m, "training")
			}
		})
		if _, err := Read(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
}
