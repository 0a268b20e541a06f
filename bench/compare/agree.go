package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"lookalike/internal/gemm"
)

// numpyProduct multiplies two matrices that it finds in files.
const numpyProduct = `
import sys, numpy as np
d, m, n, k = sys.argv[1], *map(int, sys.argv[2:])
(np.fromfile(d + "/a", "<f4").reshape(m, k) @ np.fromfile(d + "/b", "<f4").reshape(k, n)).tofile(d + "/c")
`

// productsAgree returns an error if our products differ from NumPy's by more than
// rounding can explain.
func productsAgree(ctx context.Context, python, dir string) error {
	rng := rand.New(rand.NewPCG(1, 0))
	for _, s := range [][3]int{{61, 67, 71}, {1, 300, 500}, {97, 64, 1152}} {
		m, n, k := s[0], s[1], s[2]
		a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
		for _, x := range [][]float32{a, b} {
			for i := range x {
				x[i] = 2*rng.Float32() - 1
			}
		}
		gemm.Mul(false, false, m, n, k, a, k, b, n, gemm.Epilogue{}, c, n)
		for name, x := range map[string][]float32{"a": a, "b": b} {
			raw, err := binary.Append(nil, binary.LittleEndian, x)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
				return err
			}
		}
		out, err := exec.CommandContext(ctx, python, "-c", numpyProduct, dir, fmt.Sprint(m), fmt.Sprint(n), fmt.Sprint(k)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("a product with NumPy: %w: %s", err, reason(string(out)))
		}
		raw, err := os.ReadFile(filepath.Join(dir, "c"))
		if err != nil {
			return err
		}
		theirs := make([]float32, m*n)
		if _, err := binary.Decode(raw, binary.LittleEndian, theirs); err != nil {
			return fmt.Errorf("NumPy's product of %dx%dx%d: %w", m, n, k, err)
		}
		if err := near(c, theirs, k); err != nil {
			return fmt.Errorf("product %dx%dx%d differs from NumPy's: %w", m, n, k, err)
		}
	}
	return nil
}

// networksAgree compares VGG16 with ONNX Runtime's, with all kernels that are
// measured, and returns what was found in words.
func networksAgree(ctx context.Context, c config) ([]string, error) {
	var found []string
	for _, tier := range c.ourTiers() {
		cmd := exec.CommandContext(ctx, c.agree, "-python", c.python, "-vgg", c.vgg)
		cmd.Env = append(os.Environ(), "LOOKALIKE_CPU="+tier)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("VGG16 cannot be compared: %s%s", out, errs.String())
		}
		found = append(found, strings.Split(strings.TrimSpace(string(out)), "\n")...)
	}
	return found, nil
}

// near returns an error unless two sums of k products of values from -1 to 1 are
// equal up to rounding: each of k additions may be off by half a unit in the last
// place of a partial sum, which at random signs is about the root of k.
func near(ours, theirs []float32, k int) error {
	tolerance := 2 * float64(k) * math.Sqrt(float64(k)) * 0x1p-24
	for i, v := range ours {
		if !(math.Abs(float64(v)-float64(theirs[i])) <= tolerance) {
			return fmt.Errorf("element %d is %v, theirs %v", i, v, theirs[i])
		}
	}
	return nil
}
