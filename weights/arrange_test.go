package weights

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/tensor"
)

// Arrange renames, turns and reshapes arrays as said, and shares the open file.
func TestArrange(t *testing.T) {
	x := tensor.New(2, 3, 4)
	for i := range x.Data() {
		x.Data()[i] = float32(i)
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := Save(path, map[string]*tensor.Tensor{"x": x, "y": tensor.From([]float32{5, 6}, 2)}, map[string]string{"a": "1", "b": "2"}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	g, err := f.Arrange(" of a test", map[string]string{"b": "3"}, map[string]Arranged{
		"same":   {Name: "y"},
		"turned": {Name: "x", Order: []int{2, 0, 1}},
		"matrix": {Name: "x", As: []int{6, 4}, Order: []int{1, 0}, Shape: []int{2, 12}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if names := g.Names(); !slices.Equal(names, []string{"matrix", "same", "turned"}) || g.Format() != "safetensors of a test" || g.Type("turned") != "F32" {
		t.Errorf("%q, %s, %s", names, g.Format(), g.Type("turned"))
	}
	if notes := g.Metadata(); len(notes) != 2 || notes["a"] != "1" || notes["b"] != "3" || f.Metadata()["b"] != "2" || f.Format() != "safetensors" {
		t.Errorf("notes %v, the file's %v, %s", notes, f.Metadata(), f.Format())
	}
	for name, want := range map[string]func(i int) (value float32, shape []int){
		"same":   func(i int) (float32, []int) { return float32(5 + i), []int{2} },
		"turned": func(i int) (float32, []int) { return x.Data()[i/3%2*12+i%3*4+i/6], []int{4, 2, 3} },
		"matrix": func(i int) (float32, []int) { return x.Data()[i%6*4+i/6], []int{2, 12} },
	} {
		for _, read := range []func(string) (*tensor.Tensor, error){g.Tensor, g.View} {
			got, err := read(name)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got.Data() {
				if w, shape := want(i); v != w || !slices.Equal(got.Shape(), shape) {
					t.Errorf("%s%v: value %d is %g, want %g in %v", name, got.Shape(), i, v, w, shape)
				}
			}
		}
	}
	for want, from := range map[string]Arranged{
		`no array "z"`: {Name: "z"},
		`"n" of "x": the order [0 1] is none of the dimensions of [2 3 4]`: {Name: "x", Order: []int{0, 1}},
		`the order [0 1 1] is none`:                                        {Name: "x", Order: []int{0, 1, 1}},
		`shape [2 3 4], cannot be taken as [5]`:                            {Name: "x", As: []int{5}},
		`cannot be taken as [-1 -24]`:                                      {Name: "x", Shape: []int{-1, -24}},
		`cannot be taken as [4294967296 4294967296]`:                       {Name: "x", Shape: []int{1 << 32, 1 << 32}},
		`cannot be taken as [4611686018427387904 8 6]`:                     {Name: "x", Shape: []int{1 << 62, 8, 6}},
		`x.safetensors: array "n" of "y": the order [1] is no`:             {Name: "y", Order: []int{1}},
	} {
		if _, err := f.Arrange("", nil, map[string]Arranged{"n": from}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %s", from, err, want)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Tensor("x"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after the other has been closed: %v", err)
	}
	if _, err := new(File).Arrange("", nil, nil); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("an empty file: %v", err)
	}
}
