// Search opens an index, of whatever model, and finds the pictures that are most like one.
// Run it in the folder examples: go run ./search photos.idx holiday.jpg
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"lookalike"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: go run ./search INDEX PICTURE")
	}
	ix, err := lookalike.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer ix.Close()
	hits, err := ix.Search(context.Background(), lookalike.File(os.Args[2]), 5, lookalike.ExceptSelf())
	if err != nil {
		log.Fatal(err)
	}
	for _, hit := range hits {
		fmt.Printf("%.4f  %s\n", hit.Distance, hit.Path)
	}
}
