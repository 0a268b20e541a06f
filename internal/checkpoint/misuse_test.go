package checkpoint

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"lookalike/internal/misusetest"
	"lookalike/nn"
	"lookalike/tensor"
	"lookalike/weights"
)

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	format, path := Format{Kind: "test", Version: "1"}, filepath.Join(t.TempDir(), "m.safetensors")
	param := &nn.Param{Name: "w", Value: tensor.New(2)}
	misusetest.Check(t, map[string]func() error{
		`is no test`:                               func() error { return format.Config(nil, nil) },
		`metadata "x"`:                             func() error { return Unmarshal(nil, "x", nil) },
		`was trained on pictures`:                  func() error { return CheckPreprocessing(nil, "now") },
		`has no record`:                            func() error { _, err := Read(nil); return err },
		`has 0 parameters, |needs -1`:              func() error { return Network{}.CheckSize(-1) },
		`[] false true`:                            func() error { return fmt.Errorf("%v %v %v", Network{}.Names(), format.Has(nil), Foreign(nil)) },
		`checkpoint.Metadata: json`:                func() error { format.Metadata(math.NaN(), ""); return nil },
		`checkpoint.ByName: parameter 0 of 1`:      func() error { ByName([]*nn.Param{nil}); return nil },
		`checkpoint.Fingerprint: parameter 1 of 2`: func() error { Fingerprint([]*nn.Param{param, {}}); return nil },
		`restore: the record`:                      func() error { return (*Training)(nil).Restore([]*nn.Param{param}) },
		`restore: parameter 1 of 2`:                func() error { return record().Restore([]*nn.Param{{Name: "dense/kernel", Value: tensor.New(3)}, nil}) },
		`write |"optimizer/x"`:                     func() error { return Save(path, nil, nil, &Training{Optimizer: map[string]*tensor.Tensor{"x": nil}}) },
	})
}

// TestSaveChangesNothing: metadata and tensors belong to the caller, who may give none.
func TestSaveChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	metadata, tensors := map[string]string{"a": "b"}, map[string]*tensor.Tensor{"dense/kernel": tensor.New(3)}
	for range 2 {
		if err := Save(path, metadata, tensors, record()); err != nil {
			t.Fatal(err)
		}
	}
	if len(metadata) != 1 || len(tensors) != 1 {
		t.Errorf("Save has changed %v, %v", metadata, tensors)
	}
	if err := Save(path, nil, nil, record()); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := Read(f); err != nil || got.Batch != record().Batch {
		t.Errorf("read %+v, %v", got, err)
	}
}
