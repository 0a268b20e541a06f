// Command goengines times matrix products of other engines written in Go, at the
// sizes and in the form of shared/peers/gemm.py:
//
//	go -C bench run ./goengines gonum|gomlx THREADS
//
// gonum is blas32, whose innermost loops are assembly; gomlx is GoMLX's backend in
// pure Go.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"log"
	"os"
	"runtime"
	"strconv"

	"github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"lookalike/internal/measure"
)

var engines = map[string]measure.Multiplier{"gonum": gonum, "gomlx": gomlx}

// runs is less than the scripts do: these engines take seconds for a product, and
// their times do not spread.
const runs = 2

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: goengines gonum|gomlx THREADS")
	}
	multiplier := engines[os.Args[1]]
	threads, err := strconv.Atoi(os.Args[2])
	if multiplier == nil || err != nil || threads < 1 {
		log.Fatalf("goengines: no engine %q, or %q is no number of threads", os.Args[1], os.Args[2])
	}
	runtime.GOMAXPROCS(threads)
	out := json.NewEncoder(os.Stdout)
	err = measure.ProductsOf(context.Background(), measure.Row{Task: "gemm", Engine: os.Args[1], Threads: threads},
		measure.Products, multiplier, runs, func(r measure.Row) {
			if err := out.Encode(r); err != nil {
				log.Fatal(err)
			}
		})
	if err != nil {
		log.Fatal(err)
	}
}

func gonum(m, n, k int, a, b, c []float32) (func() error, error) {
	x := blas32.General{Rows: m, Cols: k, Stride: k, Data: a}
	y := blas32.General{Rows: k, Cols: n, Stride: n, Data: b}
	z := blas32.General{Rows: m, Cols: n, Stride: n, Data: c}
	return func() error { blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, x, y, 0, z); return nil }, nil
}

func gomlx(m, n, k int, a, b, c []float32) (func() error, error) {
	backend, err := simplego.New("")
	if err != nil {
		return nil, err
	}
	exec, err := graph.NewExec(backend, func(x, y *graph.Node) *graph.Node { return graph.MatMul(x, y) })
	if err != nil {
		return nil, err
	}
	x, y := tensors.FromFlatDataAndDimensions(a, m, k), tensors.FromFlatDataAndDimensions(b, k, n)
	return func() error {
		z, err := exec.Exec(x, y)
		if err != nil {
			return err
		}
		err = tensors.ConstFlatData(z[0], func(flat []float32) { copy(c, flat) }) // a hundredth of the time at most
		return cmp.Or(err, z[0].FinalizeAll())
	}, nil
}
