package autoencoder_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"lookalike/autoencoder"
	"lookalike/knn"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/picture"
	"lookalike/picture/album"
)

// Trains on a folder and finds the five pictures that are most like the first.
func Example() {
	ctx := context.Background()
	files, err := album.Folder(os.DirFS("photos"), picture.Options{})
	if err != nil {
		log.Fatal(err)
	}
	photos, skipped, err := files.Check(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range skipped {
		log.Printf("left out %s: %v", s.Path, s.Reason)
	}
	ae, err := autoencoder.New(autoencoder.Config{Size: 224, Code: 32}, 1)
	if err != nil {
		log.Fatal(err)
	}
	_, err = ae.Fit(ctx, photos, nn.FitConfig{Epochs: 10, Batch: 32, Optimizer: &optim.Adamax{}})
	if err != nil {
		log.Fatal(err)
	}
	codes, err := ae.Encode(ctx, photos)
	if err != nil {
		log.Fatal(err)
	}
	index, err := knn.New(codes, knn.Euclidean)
	if err != nil {
		log.Fatal(err)
	}
	found, err := index.Search(ctx, [][]float32{codes.Row(0)}, 5)
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range found[0] {
		fmt.Printf("%.3f  %s\n", n.Distance, photos.Path(n.Row))
	}
}
