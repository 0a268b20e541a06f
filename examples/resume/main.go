// Resume trains an autoencoder on a folder of photographs. Ctrl-C ends it; given again, the
// same command goes on after the last whole epoch. Run it in the folder examples:
// go run ./resume model.safetensors photos
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"

	"lookalike/autoencoder"
	"lookalike/nn"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/training"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: go run ./resume MODEL FOLDER")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) // the epochs done by then are saved
	defer stop()
	photos, err := album.Folder(os.DirFS(os.Args[2]), picture.Options{})
	if err != nil {
		log.Fatal(err)
	}
	result, err := training.Autoencoder(ctx, photos, os.Args[1], autoencoder.Config{Size: 64},
		training.Epochs(10), training.Validation(0.1), training.Patience(3), training.Resume(),
		training.Callbacks(nn.PrintProgress(os.Stderr)))
	for _, skip := range result.Skipped {
		fmt.Fprintf(os.Stderr, "left out: %s: %v\n", skip.Path, skip.Reason)
	}
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Printf("interrupted after %d epochs\n", result.Epochs)
	case errors.Is(err, training.ErrBusy):
		log.Fatal("it is being trained already")
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Printf("%d epochs (%v); the model is of epoch %d, with a loss of %.4f, on pictures kept out %.4f\n",
			result.Epochs, result.Ended, result.Best, result.Loss, result.ValLoss)
	}
}
