package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"unsafe"

	"lookalike/internal/atomicfile"
	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// set is vectors to search and others to search for, in two files of plain float32: the
// name with .vectors and .queries.
type set struct {
	name    string
	kind    string // as measure.Row.Data has it: "" for Gaussian noise
	n, d    int
	queries int
	pca     bool // vectors for pca, no queries
}

// sets are the sizes of shared/peers/knn.py, with noise, which is the hardest to
// search, and with clusters: features of photographs, and a mixture of 1,000 Gaussians.
var sets = []set{
	{"noise128", "", 1_000_000, 128, 1000, false},
	{"noise512", "", 200_000, 512, 1000, false},
	{"mixture128", "mixture", 1_000_000, 128, 1000, false},
	{"photographs512", "photographs", 200_000, 512, 1000, false},
	{"noise4096", "", 9144, 4096, 1000, false},
	{"noise32", "", 9144, 32, 9144, false},
	{"pca-falling", "falling", 9144, 4096, 0, true},
	{"pca-noise", "noise", 9144, 4096, 0, true},
}

// counts are the numbers of queries that are measured.
func (s set) counts() []int {
	if s.queries == s.n {
		return []int{s.n}
	}
	return []int{1, s.queries}
}

func (s set) read(dir string) (vectors *tensor.Tensor, queries [][]float32, err error) {
	if vectors, err = readMatrix(filepath.Join(dir, s.name+".vectors"), s.n, s.d); err != nil {
		return nil, nil, err
	}
	if s.queries == 0 {
		return vectors, nil, nil
	}
	q, err := readMatrix(filepath.Join(dir, s.name+".queries"), s.queries, s.d)
	if err != nil {
		return nil, nil, err
	}
	for i := range s.queries {
		queries = append(queries, q.Row(i))
	}
	return vectors, queries, nil
}

// raw returns the values' bytes; all that this runs on are little-endian.
func raw(x *tensor.Tensor) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x.Data()))), 4*x.Len())
}

func readMatrix(path string, n, d int) (*tensor.Tensor, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	x := tensor.New(n, d)
	if _, err := io.ReadFull(f, raw(x)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return x, nil
}

func writeMatrix(path string, x *tensor.Tensor) error {
	return atomicfile.Write(path, func(w io.Writer) error { _, err := w.Write(raw(x)); return err })
}

// makeSets writes the sets that are missing.
func makeSets(ctx context.Context, dir, photos, weights string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i, s := range sets {
		if _, _, err := s.read(dir); err == nil {
			continue
		}
		log.Printf("making %s", s.name)
		kept := filepath.Join(dir, s.name+".part")
		x, err := s.values(ctx, uint64(i), photos, weights, kept)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := writeMatrix(filepath.Join(dir, s.name+".vectors"), x.Rows(0, s.n)); err != nil {
			return err
		}
		os.Remove(kept)
		if s.queries > 0 {
			if err := writeMatrix(filepath.Join(dir, s.name+".queries"), x.Rows(s.n, s.n+s.queries)); err != nil {
				return err
			}
		}
	}
	return nil
}

// values makes vectors and, behind them, queries.
func (s set) values(ctx context.Context, seed uint64, photos, weights, kept string) (*tensor.Tensor, error) {
	n := s.n + s.queries
	switch s.kind {
	case "photographs":
		return features(ctx, n, s.n, seed, photos, weights, kept)
	case "mixture":
		const clusters, spread = 1000, 0.3
		centers, x := noise(clusters, s.d, seed+100), noise(n, s.d, seed)
		parallel.Spans(n, 1<<12, func(lo, hi int) {
			rng := rand.New(rand.NewPCG(seed+200, uint64(lo)))
			for i := lo; i < hi; i++ {
				center := centers.Row(rng.IntN(clusters))
				for j, v := range x.Row(i) {
					x.Row(i)[j] = center[j] + spread*v
				}
			}
		})
		return x, nil
	case "falling": // standard deviations fall with the root of the component's number
		z, axes := noise(n, s.d, seed), noise(s.d, s.d, seed+100)
		for i := range s.d {
			for j := range axes.Row(i) {
				axes.Row(i)[j] *= float32(1 / math.Sqrt(float64(i+1)*float64(s.d)))
			}
		}
		x := tensor.New(n, s.d)
		tensor.MatMul(x, z, axes, nil)
		return x, nil
	}
	return noise(n, s.d, seed), nil
}

func noise(n, d int, seed uint64) *tensor.Tensor {
	x := tensor.New(n, d)
	parallel.Spans(n, 1<<12, func(lo, hi int) {
		rng := rand.New(rand.NewPCG(seed, uint64(lo)))
		for i := lo * d; i < hi*d; i++ {
			x.Data()[i] = float32(rng.NormFloat64())
		}
	})
	return x
}
