// Knn finds the nearest neighbours of a vector, among all others and among some of them.
// Run it in the folder examples: go run ./knn
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"lookalike/knn"
	"lookalike/tensor"
)

func main() {
	const n, dim = 1000, 32
	random := rand.New(rand.NewPCG(1, 2))
	vectors := tensor.New(n, dim)
	for i := range vectors.Data() {
		vectors.Data()[i] = float32(random.NormFloat64())
	}
	colour := func(row int) string { return []string{"red", "green", "blue"}[row%3] }

	index, err := knn.New(vectors, knn.Cosine)
	if err != nil {
		log.Fatal(err)
	}
	green := index.Where(func(row int) bool { return colour(row) == "green" }) // shares the vectors

	query := [][]float32{vectors.Row(0)} // as many as you like at once
	for _, among := range []*knn.Index{index, green} {
		found, err := among.Search(context.Background(), query, 3)
		if err != nil {
			log.Fatal(err)
		}
		for _, near := range found[0] {
			fmt.Printf("row %3d, %s, at %.4f\n", near.Row, colour(near.Row), near.Distance)
		}
		fmt.Println()
	}
}
