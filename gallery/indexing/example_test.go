//go:build !wasm

package indexing_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"lookalike/gallery"
	"lookalike/gallery/indexing"
	"lookalike/knn"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
)

// meanColour describes a picture by three numbers. A network does the same with
// more: see vgg.Model.Features and autoencoder.Model.Encode.
func meanColour(_ context.Context, batch []*picture.Image) (*tensor.Tensor, error) {
	v := tensor.New(len(batch), 3)
	for i, m := range batch {
		for c, value := range m.Pix {
			v.Row(i)[c%3] += float32(value) / float32(m.Width*m.Height)
		}
	}
	return v, nil
}

// A folder is indexed, and searched by one of its pictures. Given again, Update
// describes only what is new or has changed.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "gallery")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	index := filepath.Join(dir, "photos.idx")

	photos, err := album.Folder(os.DirFS("../../picture/testdata/decode"), picture.Options{})
	if err != nil {
		log.Fatal(err)
	}
	photos = photos.Limit(20)
	changes, skipped, err := indexing.Update(ctx, index, photos, "../../picture/testdata/decode", indexing.Describer{
		Recipe:   gallery.Recipe{Model: "mean colour", Preprocessing: "RGB, 16x16 pixels", EXIF: "applied"},
		Width:    3,
		Prepare:  func(m *picture.Image) *picture.Image { return picture.Area(m, 16, 16) },
		Describe: meanColour,
	}, indexing.Watch{})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range skipped {
		log.Printf("left out %s: %v", s.Path, s.Reason)
	}
	fmt.Println(changes.Added, "pictures")

	g, err := gallery.Open(index)
	if err != nil {
		log.Fatal(err)
	}
	searcher, err := knn.New(g.Vectors, knn.Euclidean)
	if err != nil {
		log.Fatal(err)
	}
	found, err := searcher.Search(ctx, [][]float32{g.Vectors.Row(7)}, 2)
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range found[0] {
		fmt.Printf("%.3f  %s\n", n.Distance, g.Entries[n.Row].Path)
	}
	// Output:
	// 20 pictures
	// 0.000  flat-422.jpg
	// 8.680  flat-adobe-ycc.jpg
}
