// Command search times our search for nearest neighbours, plain or prefiltered, on
// vectors that flat.py beside it times FAISS on:
//
//	go -C bench run ./search -make -data DIR -photos FOLDER -weights VGG16.h5
//	go -C bench run ./search -data DIR [-prefilter] -threads N
//	python flat.py DIR N [SET ...]
//
// With -make it writes the sets of vectors to DIR, once: about 2 GB, and some minutes for
// the features of photographs.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"time"

	"lookalike/internal/cpu"
	"lookalike/internal/measure"
	"lookalike/knn"
	"lookalike/knn/pca"
	"lookalike/tensor"
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", "", "`folder` of the vectors")
	create := flag.Bool("make", false, "make what is missing in it")
	photos := flag.String("photos", "../../shared/caltech101", "`folder` of photographs")
	weights := flag.String("weights", "../../shared/weights/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "`file` of VGG16's convolutions")
	prefilter := flag.Bool("prefilter", false, "search with codes of 8 bits")
	threads := flag.Int("threads", runtime.NumCPU(), "processors to use")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	runtime.GOMAXPROCS(*threads)
	if *data == "" {
		log.Fatal("search: -data is missing: the folder of the vectors")
	}
	var err error
	if *create {
		err = makeSets(ctx, *data, *photos, *weights)
	} else {
		err = run(ctx, *data, *threads, *prefilter, flag.Args())
	}
	if err != nil {
		log.Fatalf("search: %v", err)
	}
}

// run measures the sets of those names, or all.
func run(ctx context.Context, data string, threads int, prefilter bool, names []string) error {
	out := json.NewEncoder(os.Stdout)
	var failed error
	emit := func(r measure.Row) { failed = out.Encode(r) }
	for _, s := range sets {
		if len(names) > 0 && !slices.Contains(names, s.name) {
			continue
		}
		vectors, queries, err := s.read(data)
		if err != nil {
			return fmt.Errorf("%s: %w (-make makes it)", s.name, err)
		}
		if s.pca {
			if !prefilter {
				err = components(ctx, vectors, s.row("pca 100 of "+fmt.Sprintf("%dx%d", s.n, s.d), threads), emit)
			}
		} else {
			err = search(ctx, vectors, queries, s.counts(), prefilter, s.row("knn", threads), emit)
		}
		if err != nil || failed != nil {
			return fmt.Errorf("%s: %w%w", s.name, err, failed)
		}
	}
	return nil
}

func (s set) row(task string, threads int) measure.Row {
	return measure.Row{Task: task, Engine: "lookalike", Kernels: cpu.Tier(), Threads: threads, N: s.n, D: s.d, Data: s.kind}
}

func search(ctx context.Context, vectors *tensor.Tensor, queries [][]float32, counts []int, prefilter bool, r measure.Row, emit func(measure.Row)) error {
	index, err := knn.New(vectors, knn.Euclidean)
	if err != nil {
		return err
	}
	if prefilter {
		index = index.Prefiltered()
	}
	r.Metric = knn.Euclidean.String()
	for _, n := range counts {
		runs := 3
		if n == 1 {
			runs = 15
		}
		if err := measure.SearchOf(ctx, r, index, queries[:n], runs, emit); err != nil {
			return err
		}
	}
	return nil
}

// components measures the analysis and the vectors' places along 100 components, which
// is what scikit-learn's fit_transform does.
func components(ctx context.Context, vectors *tensor.Tensor, r measure.Row, emit func(measure.Row)) error {
	start := time.Now()
	p, err := pca.Fit(vectors, 100, pca.Options{})
	if err != nil {
		return err
	}
	p.Transform(vectors)
	r.MinMS = time.Since(start).Seconds() * 1e3
	r.MedianMS, r.Runs = r.MinMS, 1
	r.N, r.D = 0, 0
	emit(r.Finish())
	return ctx.Err()
}
