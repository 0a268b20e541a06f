package training_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"log"
	"os"
	"path/filepath"
	"testing/fstest"

	"lookalike/autoencoder"
	"lookalike/internal/sample"
	"lookalike/nn"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/training"
)

// A training is interrupted, and the same call goes on with it.
func ExampleAutoencoder() {
	photos, dir := pictures(), temporary()
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "model.safetensors")
	train := func(ctx context.Context, callbacks ...nn.Callback) (training.Result, error) {
		return training.Autoencoder(ctx, photos, file, autoencoder.Config{Size: 32, Code: 8},
			training.Epochs(3), training.Batch(8), training.Resume(), training.Callbacks(callbacks...))
	}

	// Somebody presses Ctrl-C after two epochs.
	ctx, interrupt := context.WithCancel(context.Background())
	result, err := train(ctx, nn.OnEpoch(func(e nn.EpochStats) error {
		if e.Epoch == 2 {
			interrupt()
		}
		return nil
	}))
	fmt.Println(result.Epochs, "epochs,", result.Ended, errors.Is(err, context.Canceled))

	result, err = train(context.Background())
	fmt.Println(result.Epochs, "epochs,", result.Ended, err)
	for _, skip := range result.Skipped {
		fmt.Println("left out:", skip.Path)
	}
	model, err := autoencoder.Load(file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("codes of", model.Config.Code, "numbers")
	// Output:
	// 2 epochs, not finished true
	// 3 epochs, all epochs done <nil>
	// left out: notes.txt
	// codes of 8 numbers
}

// A program that takes the steps itself shows between them what it wants to.
func ExampleCourse() {
	files, dir := pictures(), temporary()
	defer os.RemoveAll(dir)
	course, err := training.OpenAutoencoder(filepath.Join(dir, "model.safetensors"), autoencoder.Config{Size: 32, Code: 8},
		training.Epochs(2), training.Validation(0.2), training.Patience(5))
	if err != nil {
		log.Fatal(err)
	}
	defer course.Close()
	if err := course.Reserve(files); err != nil { // before pictures are decoded
		log.Fatal(err)
	}
	photos, skipped, err := files.Check(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	sets, err := course.Divide(photos)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sets.Learned.Len(), "to learn from,", sets.Kept.Len(), "kept for validation,", len(skipped), "left out")
	if err := sets.Write(filepath.Join(dir, "split.csv")); err != nil {
		log.Fatal(err)
	}
	result, err := course.Train(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Ended, len(result.ValLosses))
	// Output:
	// 16 to learn from, 4 kept for validation, 1 left out
	// all epochs done 2
}

// pictures are drawn ones, in folders named for what they show, and a file that is none.
func pictures() *album.Set {
	files := fstest.MapFS{"notes.txt": {Data: []byte("no picture")}}
	for p := range sample.Gallery(1, 2, 48) {
		var b bytes.Buffer
		if err := png.Encode(&b, p.Image); err != nil {
			log.Fatal(err)
		}
		files[p.Class+"/"+p.Name+".png"] = &fstest.MapFile{Data: b.Bytes()}
	}
	photos, err := album.Folder(files, picture.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return photos
}

func temporary() string {
	dir, err := os.MkdirTemp("", "training")
	if err != nil {
		log.Fatal(err)
	}
	return dir
}
