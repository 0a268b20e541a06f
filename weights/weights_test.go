package weights

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/tensor"
)

// held is a Source of tensors; one of the name "broken" cannot be read.
type held struct {
	names  []string
	arrays map[string]*tensor.Tensor
}

func (m held) Names() []string { return m.names }

func (m held) Shape(name string) ([]int, bool) {
	if m.arrays[name] == nil {
		return nil, false
	}
	return m.arrays[name].Shape(), true
}

func (m held) Tensor(name string) (*tensor.Tensor, error) {
	if name == "broken" {
		return nil, errors.New("disk on fire")
	}
	return m.arrays[name], nil
}

func source(arrays map[string]*tensor.Tensor, more ...string) held {
	names := append(slices.Collect(maps.Keys(arrays)), more...)
	slices.Sort(names)
	return held{names, arrays}
}

func TestLoad(t *testing.T) {
	a, b := tensor.New(2, 2), tensor.New(3)
	err := Load(source(map[string]*tensor.Tensor{
		"a": tensor.From([]float32{1, 2, 3, 4}, 2, 2),
		"b": tensor.From([]float32{5, 6, 7}, 3),
	}), map[string]*tensor.Tensor{"a": a, "b": b})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Data(), []float32{1, 2, 3, 4}) || !slices.Equal(b.Data(), []float32{5, 6, 7}) {
		t.Errorf("loaded %v, %v", a.Data(), b.Data())
	}
}

func TestLoadNamesAllProblemsAndChangesNothing(t *testing.T) {
	params := map[string]*tensor.Tensor{
		"good": tensor.New(1), "missing1": tensor.New(1), "missing2": tensor.New(1),
		"shape": tensor.New(2, 3), "twice": tensor.New(1),
	}
	one := tensor.From([]float32{1}, 1)
	src := source(map[string]*tensor.Tensor{
		"good": one, "twice": one, "extra": one, "shape": tensor.From([]float32{1, 1, 1, 1, 1, 1}, 3, 2),
	}, "twice")
	err := Load(src, params)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"missing1: in the network", "missing2: in the network", "extra: in the file",
		"shape: shape [3 2] in the file, [2 3] in the network", "twice: twice",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the error:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "good") {
		t.Errorf("the good array is in the error:\n%v", err)
	}
	for name, p := range params {
		if slices.Max(p.Data()) != 0 {
			t.Errorf("%s was changed to %v", name, p.Data())
		}
	}
}

func TestLoadNamesWhatCannotBeRead(t *testing.T) {
	arrays := map[string]*tensor.Tensor{"a": tensor.New(1), "broken": tensor.New(2)}
	if err := Load(source(arrays), arrays); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("error %v", err)
	}
}

func TestFingerprint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "abc")
	if err := os.WriteFile(path, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	// FIPS 180-2, appendix B.1.
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got, err := Fingerprint(path); err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	if _, err := Fingerprint(path + "d"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
}
