// Command indexing times how long the program takes for a folder of photographs:
// lookalike index, from the start of the process to its end, into a new index, and
// then the five nearest neighbours of all pictures.
//
//	indexing LOOKALIKE vgg16|autoencoder THREADS PHOTOS WEIGHTS
//
// WEIGHTS is a file of VGG16's; an autoencoder is made before, of a few pictures,
// outside of the time. index.py does the same job in Python.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"lookalike/gallery"
	"lookalike/internal/measure"
	"lookalike/knn"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 6 {
		log.Fatal("usage: indexing LOOKALIKE vgg16|autoencoder THREADS PHOTOS WEIGHTS")
	}
	row, err := measureIndex(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	if err != nil {
		log.Fatalf("indexing: %v", err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(row); err != nil {
		log.Fatal(err)
	}
}

// run runs the program, quietly, and returns its peak memory in MB, 0 where the
// system does not tell.
func run(ctx context.Context, program string, args ...string) (int, error) {
	cmd := exec.CommandContext(ctx, program, append(args, "--quiet")...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return 0, err
	}
	return measure.PeakMB(cmd.ProcessState), nil
}

func measureIndex(ctx context.Context, program, task, threads, photos, vgg string) (measure.Row, error) {
	row := measure.Row{Engine: "lookalike", Runs: 1}
	var err error
	if row.Threads, err = strconv.Atoi(threads); err != nil {
		return row, err
	}
	dir, err := os.MkdirTemp("", "indexing")
	if err != nil {
		return row, err
	}
	defer os.RemoveAll(dir)
	index, metric := filepath.Join(dir, "photos.idx"), knn.Cosine
	args := []string{"index", photos, "-o", index, "--threads", threads}
	switch task {
	case "vgg16":
		args = append(args, "--model", "vgg16", "--weights", vgg, "--layer", "block5_pool", "--pool", "avg")
	case "autoencoder":
		model := filepath.Join(dir, "model.safetensors")
		if _, err := run(ctx, program, "train", photos, "-o", model, "--limit", "32", "--epochs", "1"); err != nil {
			return row, err
		}
		args, metric = append(args, "--model", model), knn.Euclidean
	default:
		return row, fmt.Errorf("no task %q", task)
	}

	start := time.Now()
	peak, err := run(ctx, program, args...)
	if err != nil {
		return row, err
	}
	g, err := gallery.Open(index)
	if err != nil {
		return row, err
	}
	searcher, err := knn.New(g.Vectors, metric)
	if err != nil {
		return row, err
	}
	queries := make([][]float32, len(g.Entries))
	for i := range queries {
		queries[i] = g.Vectors.Row(i)
	}
	if _, err := searcher.Search(ctx, queries, 6); err != nil { // the first is the picture itself
		return row, err
	}
	took := time.Since(start)

	row.Task = fmt.Sprintf("index %s, %d photographs", task, len(queries))
	row.MinMSPerImage = took.Seconds() * 1e3 / float64(len(queries))
	row.MedianMSPerImage = row.MinMSPerImage
	row = row.Finish()
	row.MaxRSSMB = peak
	return row, nil
}
