package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/nn"
	"lookalike/tensor"
)

func TestCosineAndDifference(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		a, b               []float32
		cosine, difference float64
	}{
		{[]float32{1, 2, 2}, []float32{1, 2, 2}, 1, 0},
		{[]float32{3, 0}, []float32{0, 4}, 0, 1},
		{[]float32{2, 1}, []float32{4, 2}, 1, 0.5},
		{[]float32{nan, 1}, []float32{4, 1}, math.NaN(), math.NaN()},
	} {
		same := func(x, y float64) bool { return math.Abs(x-y) < 1e-12 || math.IsNaN(x) && math.IsNaN(y) }
		if got := cosine(c.a, c.b); !same(got, c.cosine) {
			t.Errorf("cosine of %v and %v is %v, want %v", c.a, c.b, got, c.cosine)
		}
		if got := difference(c.a, c.b); !same(got, c.difference) {
			t.Errorf("difference of %v and %v is %v, want %v", c.a, c.b, got, c.difference)
		}
	}
}

func TestReading(t *testing.T) {
	var text bytes.Buffer
	for i := range 7 {
		binary.Write(&text, binary.LittleEndian, float32(i))
	}
	path := filepath.Join(t.TempDir(), "weights")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	a, b := &nn.Param{Name: "a", Value: tensor.New(2, 2)}, &nn.Param{Name: "b", Value: tensor.New(2)}
	if err := readParams(path, []*nn.Param{a, b}); err != nil || a.Value.Data()[3] != 3 || b.Value.Data()[1] != 5 {
		t.Errorf("%v, %v, error %v", a.Value.Data(), b.Value.Data(), err)
	}
	if err := readParams(path, []*nn.Param{a, a}); err == nil || !strings.Contains(err.Error(), "weights: a: ") {
		t.Errorf("too few weights: %v", err)
	}
	if err := readAll(path, tensor.New(7)); err != nil {
		t.Error(err)
	}
	if err := readAll(path, tensor.New(6)); err == nil || !strings.Contains(err.Error(), "28 bytes") {
		t.Errorf("a file that is too long: %v", err)
	}
}
