// Index makes the index of a folder of pictures, or brings it up to date.
// Run it in the folder examples: go run ./index photos.idx photos
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"

	"lookalike"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: go run ./index INDEX FOLDER...")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) // what is described by then is saved
	defer stop()
	model := lookalike.Perceptual() // or VGG16, or Trained
	defer model.Close()
	changes, err := lookalike.Update(ctx, os.Args[1], os.Args[2:], model, lookalike.Progress(func(s lookalike.Stage) {
		fmt.Fprintf(os.Stderr, "\r%d of %d files, %d described, %d saved ", s.Decoded, s.Files, s.Described, s.Saved)
	}))
	fmt.Fprintln(os.Stderr)
	for _, skip := range changes.Skipped {
		fmt.Fprintln(os.Stderr, "left out:", skip)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d pictures: %d added, %d described again, %d renamed, %d gone\n", changes.Pictures, changes.Added, changes.Changed, changes.Moved, changes.Dropped)
}
