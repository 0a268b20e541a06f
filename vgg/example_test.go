package vgg_test

import (
	"context"
	"fmt"
	"log"

	"lookalike/knn"
	"lookalike/picture"
	"lookalike/vgg"
)

// How like two photographs are, by what is on them. The file is Keras's
// vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5 or one in another format.
func ExampleModel_Features() {
	net, err := vgg.Open("vgg16_notop.h5", vgg.Config{NoTop: true, Pooling: vgg.Average})
	if err != nil {
		log.Fatal(err)
	}
	defer net.Close()
	var photos []*picture.Image
	for _, path := range []string{"a.jpg", "b.jpg"} {
		m, err := picture.File(path, picture.Options{})
		if err != nil {
			log.Fatal(err)
		}
		photos = append(photos, m)
	}
	ctx := context.Background()
	features, err := net.Features(ctx, photos, net.DefaultLayer()) // [2, 512]
	if err != nil {
		log.Fatal(err)
	}
	index, err := knn.New(features.Rows(0, 1), knn.Cosine)
	if err != nil {
		log.Fatal(err)
	}
	found, err := index.Search(ctx, [][]float32{features.Row(1)}, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n", found[0][0].Distance)
}

// The five most probable of ImageNet's classes.
func ExampleDecodePredictions() {
	net, err := vgg.Open("vgg16.h5", vgg.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer net.Close()
	photo, err := picture.File("a.jpg", picture.Options{})
	if err != nil {
		log.Fatal(err)
	}
	probabilities, err := net.Predict(context.Background(), []*picture.Image{photo})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range vgg.DecodePredictions(probabilities, 5)[0] {
		fmt.Printf("%5.1f%%  %s\n", 100*p.Score, p.Name)
	}
}
