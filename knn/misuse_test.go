package knn_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"lookalike/internal/misusetest"
	"lookalike/knn"
	"lookalike/knn/pca"
	"lookalike/knn/retrieval"
	"lookalike/knn/tsne"
	"lookalike/tensor"
)

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	ctx, x := context.Background(), tensor.New(70, 3)
	x.Data()[0] = 1
	index, err := knn.New(x, knn.Euclidean)
	if err != nil {
		t.Fatal(err)
	}
	misusetest.Check(t, map[string]func() error{
		`knn: vectors have shape []`: func() error { _, err := knn.New(nil, knn.Euclidean); return err },
		`knn: |9`:                    func() error { _, err := knn.New(x, 9); return err },
		`knn: |-1`:                   func() error { _, err := knn.New(x, -1); return err },
		`knn: -1 neighbours`:         func() error { _, err := index.Search(ctx, nil, -1); return err },
		`knn: |dimension`:            func() error { _, err := index.Search(ctx, [][]float32{nil}, 1); return err },
		`knn: a radius of NaN`:       func() error { _, err := index.Within(ctx, nil, math.NaN()); return err },
		`knn.Where|nil`:              func() error { index.Where(nil); return nil },
		`pca: vectors have shape []`: func() error { _, err := pca.Fit(nil, 1, pca.Options{}); return err },
		`pca: 0 components`:          func() error { _, err := pca.Fit(x, 0, pca.Options{}); return err },
		`pca: |solver`:               func() error { _, err := pca.Fit(x, 1, pca.Options{Solver: 9}); return err },
		`tsne: |[]`:                  func() error { _, err := tsne.Embed(ctx, nil, knn.Euclidean, tsne.Options{}); return err },
		`tsne: a perplexity of NaN`: func() error {
			_, err := tsne.Embed(ctx, x, knn.Euclidean, tsne.Options{Perplexity: math.NaN()})
			return err
		},
		`tsne: |9`:              func() error { _, err := tsne.Embed(ctx, x, 9, tsne.Options{}); return err },
		`tsne: -1 iterations`:   func() error { _, err := tsne.Embed(ctx, x, knn.Euclidean, tsne.Options{Iterations: -1}); return err },
		`retrieval.Evaluate|[]`: func() error { _, err := retrieval.Evaluate(ctx, nil, nil, knn.Euclidean, nil); return err },
		`retrieval: |metric`: func() error {
			_, err := retrieval.Evaluate(ctx, tensor.New(2, 1), []string{"a", "b"}, 9, nil)
			return err
		},
		`retrieval: vectors have shape []`: func() error { _, err := retrieval.ByDistances(ctx, nil, knn.Euclidean, 0.1, nil); return err },
		`retrieval: |share|NaN`:            func() error { _, err := retrieval.ByDistances(ctx, x, knn.Euclidean, math.NaN(), nil); return err },
		`retrieval.ByLabels|[]`:            func() error { _, err := retrieval.ByLabels(ctx, nil, nil, knn.Euclidean, 0.1, nil); return err },
		`knn: |New|Search`:                 func() error { _, err := (*knn.Index)(nil).Search(ctx, nil, 1); return fmt.Errorf("Search: %w", err) },
		`knn: |New|Within`: func() error {
			_, err := new(knn.Index).Within(ctx, [][]float32{nil}, 1)
			return fmt.Errorf("Within: %w", err)
		},
		`knn: |New|Pairs`: func() (err error) {
			for _, err = range new(knn.Index).Pairs(ctx, 1) {
			}
			return fmt.Errorf("Pairs: %w", err)
		},
		`knn.Len: |New`:         func() error { (*knn.Index)(nil).Len(); return nil },
		`knn.Dim: |New`:         func() error { new(knn.Index).Dim(); return nil },
		`knn.Metric: |New`:      func() error { (*knn.Index)(nil).Metric(); return nil },
		`knn.Where: |New`:       func() error { new(knn.Index).Where(func(int) bool { return true }); return nil },
		`knn.Prefiltered: |New`: func() error { (*knn.Index)(nil).Prefiltered(); return nil },
		`pca.Transform: |Fit`:   func() error { (*pca.PCA)(nil).Transform(x); return nil },
		`pca.Inverse: |Fit`:     func() error { new(pca.PCA).Inverse(x); return nil },
		`pca.Transform: |Mean`: func() error {
			(&pca.PCA{Mean: tensor.New(2), Components: tensor.New(1, 3)}).Transform(x)
			return nil
		},
	})
}
