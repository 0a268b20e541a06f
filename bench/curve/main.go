// Command curve lays the loss of our training beside Keras's: the same
// photographs, the same first weights, the same order. The autoencoder is trained by
// Adamax, and with --classes a small classifier by Adam:
//
//	python testdata/keras/train_curve.py PHOTOS 200 224 10 32 keras.json --no-shuffle --save-weights initial.safetensors
//	go -C bench run ./curve -photos PHOTOS -initial initial.safetensors -keras keras.json -plot curve.png
//
//	python testdata/keras/train_curve.py PHOTOS 240 64 10 32 keras.json --classes airplanes,Motorbikes,Faces,sunflower,elephant --no-shuffle --save-weights initial.safetensors
//
// It prints a table, in Markdown, of each epoch's loss.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"math"
	"os"

	"lookalike/autoencoder"
	"lookalike/internal/checkpoint"
	"lookalike/internal/sheet"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
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
	Photos  []string
	Classes []string // none: an autoencoder
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
	history, err := train(os.DirFS(photos), k, initial)
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

// train trains what Keras has trained, from the same weights.
func train(photos fs.FS, k keras, initial string) (nn.History, error) {
	cfg := nn.FitConfig{Epochs: k.Epochs, Batch: k.Batch, NoShuffle: !k.Shuffle, Callbacks: []nn.Callback{nn.PrintProgress(os.Stderr)}}
	if len(k.Classes) > 0 {
		return trainClassifier(photos, k, initial, cfg)
	}
	set, err := album.Folder(photos, picture.Options{})
	if err != nil {
		return nil, err
	}
	model, err := autoencoder.New(autoencoder.Config{Size: k.Size}, 0)
	if err != nil {
		return nil, err
	}
	if err := load(model.Params(), initial); err != nil {
		return nil, err
	}
	cfg.Optimizer = &optim.Adamax{}
	return model.Fit(context.Background(), set.Limit(k.N), cfg)
}

// trainClassifier trains train_curve.py's classifier.
func trainClassifier(photos fs.FS, k keras, initial string, cfg nn.FitConfig) (nn.History, error) {
	x, y := tensor.New(k.N, k.Size, k.Size, 3), tensor.New(k.N, len(k.Classes))
	for i, path := range k.Photos {
		f, err := photos.Open(path)
		if err != nil {
			return nil, err
		}
		p, err := picture.Decode(f, picture.Options{})
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		row := x.Row(i)
		for j, v := range autoencoder.Prepare(p, k.Size).Pix {
			row[j] = float32(v) / 255
		}
		y.Row(i)[i%len(k.Classes)] = 1
	}
	net := nn.NewSequential("")
	for _, filters := range []int{16, 32, 64} {
		net.Layers = append(net.Layers, &nn.Conv2D{Filters: filters, Kernel: 3, Padding: nn.Same, Activation: nn.ELU}, &nn.MaxPool2D{})
	}
	net.Layers = append(net.Layers, &nn.Flatten{}, &nn.Dense{Units: 64, Activation: nn.ELU}, &nn.Dense{Units: len(k.Classes), Activation: nn.Softmax})
	if err := net.Init(0, k.Size, k.Size, 3); err != nil {
		return nil, err
	}
	if err := load(net.Params(), initial); err != nil {
		return nil, err
	}
	cfg.Optimizer, cfg.Loss = &optim.Adam{}, nn.CategoricalCrossentropy
	return net.Fit(context.Background(), nn.InMemory{X: x, Y: y}, cfg)
}

func load(params []*nn.Param, path string) error {
	f, err := weights.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return weights.Load(f, checkpoint.ByName(params))
}
