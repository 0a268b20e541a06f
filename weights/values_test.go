package weights

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/tensor"
)

// Rounding against its definition: no neighbour is nearer, and of two that are
// as near the even one is taken.
func TestToHalf(t *testing.T) {
	check := func(v float32) {
		h, ok := toHalf(v)
		if math.Abs(float64(v)) >= 65520 { // half-way to what 2^16 would be
			if ok {
				t.Errorf("%g gave %#x, want overflow", v, h)
			}
			return
		}
		if !ok || math.Signbit(float64(fromHalf(h))) != math.Signbit(float64(v)) {
			t.Errorf("%g gave %#x, %v", v, h, ok)
			return
		}
		distance := func(h uint16) float64 { return math.Abs(float64(fromHalf(h)) - float64(v)) }
		for _, other := range []uint16{h + 1, h - 1} {
			if other&0x7fff > 0x7bff { // not finite, or below zero
				continue
			}
			if d, best := distance(other), distance(h); d < best || d == best && h&1 == 1 {
				t.Errorf("%g gave %#x = %g, but %#x = %g is better", v, h, fromHalf(h), other, fromHalf(other))
			}
		}
	}
	for h := range uint16(0x7c00) {
		v := fromHalf(h)
		if back, ok := toHalf(v); back != h || !ok {
			t.Fatalf("%#x became %g and %#x", h, v, back)
		}
		next := float32(65536)
		if h < 0x7bff {
			next = fromHalf(h + 1)
		}
		middle := (v + next) / 2
		for _, v := range []float32{middle, math.Nextafter32(middle, 0), math.Nextafter32(middle, 1e9)} {
			check(v)
			check(-v)
		}
	}
	rng := rand.New(rand.NewPCG(7, 7))
	for range 100_000 {
		if v := math.Float32frombits(rng.Uint32()); v == v && !math.IsInf(float64(v), 0) {
			check(v)
		}
	}
	for _, v := range []float32{float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.Float32frombits(0x7f800001)} {
		if h, ok := toHalf(v); !ok || fromHalf(h) != v && (v == v || fromHalf(h) == fromHalf(h)) {
			t.Errorf("%g gave %#x, %v", v, h, ok)
		}
	}
}

func TestSaveHalf(t *testing.T) {
	dir := t.TempDir()
	save := map[string]func(path string, tensors map[string]*tensor.Tensor) error{
		"a.safetensors": func(path string, tensors map[string]*tensor.Tensor) error { return Save(path, tensors, nil, Half) },
		"a.npz":         func(path string, tensors map[string]*tensor.Tensor) error { return SaveNPZ(path, tensors, nil, Half) },
	}
	for name, save := range save {
		path := filepath.Join(dir, name)
		if err := save(path, map[string]*tensor.Tensor{"a": tensor.From([]float32{1. / 3, -2, 6e-8}, 3)}); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		x, err := f.Tensor("a")
		if want := []float32{1365. / 4096, -2, 0x1p-24}; err != nil || !slices.Equal(x.Data(), want) || f.Type("a") != "F16" {
			t.Errorf("%s: %v of type %q, %v; want %v", name, x, f.Type("a"), err, want)
		}
		f.Close()
		os.Remove(path)
		err = save(path, map[string]*tensor.Tensor{"fits": tensor.New(1), "large": tensor.From([]float32{-65520}, 1)})
		if err == nil || !strings.Contains(err.Error(), `array "large": value -65520`) {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s was written in spite of the error", name)
		}
	}
}

// Integers that float32 holds are read, others refused.
func TestIntegers(t *testing.T) {
	for _, c := range []struct {
		dtype string
		bytes []byte
		want  float32
		ok    bool
	}{
		{"I8", []byte{0x80}, -128, true},
		{"U8", []byte{0x80}, 128, true},
		{"I16", []byte{0xff, 0xff}, -1, true},
		{"I32", []byte{1, 0, 0, 1}, 0, false}, // 2^24 + 1
		{"I32", []byte{0, 0, 0, 0x80}, -0x1p31, true},
		{"I64", []byte{0, 0, 0, 0, 0, 0, 0, 0x80}, -0x1p63, true},
		{"I64", []byte{255, 255, 255, 255, 255, 255, 255, 0x7f}, 0, false},
		{"U64", []byte{0, 0, 0, 0, 0, 0, 0, 0x80}, 0x1p63, true},
	} {
		dst := make([]float32, 1)
		err := dtypes[c.dtype].convert(dst, c.bytes)
		if (err == nil) != c.ok || c.ok && dst[0] != c.want {
			t.Errorf("%s %x: %g, %v; want %g", c.dtype, c.bytes, dst[0], err, c.want)
		}
	}
}
