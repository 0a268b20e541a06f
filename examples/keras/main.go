// Keras loads VGG16 with the weights that Keras publishes, and tells how alike pictures
// are by what is on them. Run it in the folder examples: go run ./keras FILE PICTURE...
//
// FILE is vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5, which "lookalike weights
// fetch vgg16-notop" downloads, or the same network in another format that weights.Open
// reads: .keras, safetensors, .npz, torchvision's .pth.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"lookalike/knn"
	"lookalike/picture"
	"lookalike/vgg"
	"lookalike/weights"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: go run ./keras FILE PICTURE...")
	}
	if err := compare(os.Stdout, os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

// compare writes how far each picture is from the first one.
func compare(w io.Writer, file string, pictures []string) error {
	stored, err := weights.Open(file)
	if err != nil {
		return err
	}
	defer stored.Close() // the network uses the weights where they lie
	net, err := vgg.Load(stored, vgg.Config{NoTop: true, Pooling: vgg.Average})
	if err != nil {
		return err
	}
	var decoded []*picture.Image
	for _, path := range pictures {
		p, err := picture.File(path, picture.Options{})
		if err != nil {
			return err
		}
		decoded = append(decoded, p)
	}
	ctx := context.Background()
	features, err := net.Features(ctx, decoded, net.DefaultLayer()) // [n, 512]
	if err != nil {
		return err
	}
	index, err := knn.New(features, knn.Cosine)
	if err != nil {
		return err
	}
	nearest, err := index.Search(ctx, [][]float32{features.Row(0)}, len(pictures))
	if err != nil {
		return err
	}
	for _, n := range nearest[0] {
		fmt.Fprintf(w, "%.4f  %s\n", n.Distance, pictures[n.Row])
	}
	return nil
}
