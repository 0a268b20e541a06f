package weights

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"lookalike/tensor"
)

// A file that is there, or appears while another is being written, stays if that one
// was to be new; one that is not as it should be gets no name.
func TestExclusive(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.safetensors")
	arrays := map[string]*tensor.Tensor{"a": tensor.New(3)}
	appear := Watch(func(int64) error {
		_, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			err = os.WriteFile(path, []byte("theirs"), 0o644)
		}
		return err
	})
	wrong := errors.New("wrong")
	for _, options := range [][]Option{{Exclusive, appear}, {Exclusive}} {
		if err := Save(path, arrays, nil, options...); !errors.Is(err, fs.ErrExist) {
			t.Error(err)
		}
		if data, err := os.ReadFile(path); string(data) != "theirs" {
			t.Errorf("%q, %v", data, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	check := Checked(func(temporary string) error {
		f, err := Open(temporary)
		if err != nil {
			t.Error(err)
			return err
		}
		return errors.Join(f.Close(), wrong)
	})
	for _, save := range []func() error{
		func() error { return Save(path, arrays, nil, check) },
		func() error { return SaveNPZ(path, arrays, nil, check) },
	} {
		if err := save(); !errors.Is(err, wrong) {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := Save(path, arrays, nil, Exclusive); err != nil {
		t.Error(err)
	}
}
