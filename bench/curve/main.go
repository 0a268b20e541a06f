// Command curve lays the loss of our training beside Keras's: the same
// photographs, the same first weights, the same order.
//
//	python testdata/keras/train_curve.py PHOTOS 200 224 10 32 keras.json --no-shuffle --save-weights initial.safetensors
//	go -C bench run ./curve -photos PHOTOS -initial initial.safetensors -keras keras.json -plot curve.png
//
// It prints a table, in Markdown, of each epoch's loss.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"os"

	"lookalike/autoencoder"
	"lookalike/checkpoint"
	"lookalike/internal/sheet"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/picture"
	"lookalike/weights"
)

// keras is what train_curve.py writes.
type keras struct {
	Loss    []float64
	N       int
	Size    int
	Epochs  int
	Batch   int
	Shuffle bool
}

func main() {
	log.SetFlags(0)
	photos := flag.String("photos", "", "`folder` of photographs")
	initial := flag.String("initial", "", "`file` of the weights to start from")
	theirs := flag.String("keras", "", "`file` that train_curve.py wrote")
	plot := flag.String("plot", "", "`file` to draw both curves to (.png)")
	flag.Parse()
	if err := run(*photos, *initial, *theirs, *plot); err != nil {
		log.Fatal(err)
	}
}

func run(photos, initial, theirs, plot string) error {
	var k keras
	text, err := os.ReadFile(theirs)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &k); err != nil {
		return fmt.Errorf("%s: %w", theirs, err)
	}
	set, err := picture.Folder(os.DirFS(photos), picture.Options{})
	if err != nil {
		return err
	}
	model, err := autoencoder.New(autoencoder.Config{Size: k.Size}, 0)
	if err != nil {
		return err
	}
	if err := load(model, initial); err != nil {
		return err
	}
	history, err := model.Fit(context.Background(), set.Limit(k.N), nn.FitConfig{
		Epochs: k.Epochs, Batch: k.Batch, NoShuffle: !k.Shuffle,
		Optimizer: &optim.Adamax{},
		Callbacks: []nn.Callback{nn.PrintProgress(os.Stderr)},
	})
	if err != nil {
		return err
	}
	ours := make([]float64, len(history))
	fmt.Println("| epoch | Keras | lookalike | difference |\n|---|---|---|---|")
	for i, e := range history {
		ours[i] = e.Loss
		fmt.Printf("| %d | %.6f | %.6f | %.1e |\n", i+1, k.Loss[i], e.Loss, math.Abs(e.Loss/k.Loss[i]-1))
	}
	if plot == "" {
		return nil
	}
	return sheet.LossCurve(plot, fmt.Sprintf("%d photographs, %dx%d, batch %d", k.N, k.Size, k.Size, k.Batch),
		sheet.Series{Name: "Keras", Values: k.Loss}, sheet.Series{Name: "lookalike", Values: ours})
}

func load(model *autoencoder.Model, path string) error {
	f, err := weights.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return weights.Load(f, checkpoint.ByName(model.Params()))
}
