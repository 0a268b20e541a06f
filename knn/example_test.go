package knn_test

import (
	"context"
	"fmt"
	"log"

	"lookalike/knn"
	"lookalike/tensor"
)

// points are five places in the plane.
func points() *tensor.Tensor {
	return tensor.From([]float32{
		0, 0,
		3, 4,
		1, 0,
		3, 4,
		6, 8,
	}, 5, 2)
}

// The three vectors nearest to each query; of equal distances the lower row comes
// first.
func ExampleIndex_Search() {
	index, err := knn.New(points(), knn.Euclidean)
	if err != nil {
		log.Fatal(err)
	}
	found, err := index.Search(context.Background(), [][]float32{{0, 0}, {3, 4}}, 3)
	if err != nil {
		log.Fatal(err)
	}
	for query, neighbors := range found {
		for _, n := range neighbors {
			fmt.Printf("query %d: row %d at %.4g\n", query, n.Row, n.Distance)
		}
	}
	// Output:
	// query 0: row 0 at 0
	// query 0: row 2 at 1
	// query 0: row 1 at 5
	// query 1: row 1 at 0
	// query 1: row 3 at 0
	// query 1: row 2 at 4.472
}

// All that is nearer than 5, among some of the vectors only.
func ExampleIndex_Where() {
	index, err := knn.New(points(), knn.Euclidean)
	if err != nil {
		log.Fatal(err)
	}
	folder := []string{"a", "a", "b", "b", "b"}
	inB := index.Where(func(row int) bool { return folder[row] == "b" })
	found, err := inB.Within(context.Background(), [][]float32{{0, 0}}, 5)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found[0])
	// Output: [{2 1} {3 5}]
}

// Duplicates of each other.
func ExampleIndex_Pairs() {
	index, err := knn.New(points(), knn.Euclidean)
	if err != nil {
		log.Fatal(err)
	}
	for pair, err := range index.Pairs(context.Background(), 1) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d and %d, %.4g apart\n", pair.A, pair.B, pair.Distance)
	}
	// Output:
	// 0 and 2, 1 apart
	// 1 and 3, 0 apart
}
