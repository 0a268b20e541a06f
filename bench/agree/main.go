// Command agree checks that VGG16 of ours and of ONNX Runtime, with the same
// weights, see the same: in its features and in its probabilities.
//
//	go -C bench run ./agree -python PYTHON -vgg DIR
//
// DIR is what shared/peers/vgg_full.py wrote. compare runs this before it times
// VGG16, as a process of its own so that its memory is not counted elsewhere.
package main

import (
	"bufio"
	_ "embed"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"

	"lookalike/internal/cpu"
	"lookalike/nn"
	"lookalike/tensor"
	"lookalike/vgg"
)

// script writes to a folder: weights, in the order of our parameters; pictures;
// what ONNX Runtime makes of them: features and probabilities. All are plain
// float32, channels last.
//
//go:embed agree.py
var script string

const pictures = 3

func main() {
	log.SetFlags(0)
	python := flag.String("python", "python3", "Python `program` with onnx and onnxruntime")
	dir := flag.String("vgg", "", "`folder` that vgg_full.py wrote")
	flag.Parse()
	if err := run(*python, *dir); err != nil {
		log.Fatalf("agree: %v", err)
	}
}

func run(python, dir string) error {
	temp, err := os.MkdirTemp("", "agree")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	cmd := exec.Command(python, "-c", script, filepath.Join(dir, "vgg16_full.onnx"), temp, fmt.Sprint(pictures))
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: ONNX Runtime: %w", python, err)
	}
	read := func(name string, shape ...int) (*tensor.Tensor, error) {
		t := tensor.New(shape...)
		return t, readAll(filepath.Join(temp, name), t)
	}
	x, err := read("pictures", pictures, 224, 224, 3)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name  string
		cfg   vgg.Config
		shape []int
	}{
		{"features", vgg.Config{NoTop: true}, []int{pictures, 7, 7, 512}},
		{"probabilities", vgg.Config{}, []int{pictures, vgg.Classes}},
	} {
		net, err := vgg.New16(part.cfg, nil)
		if err != nil {
			return err
		}
		if err := readParams(filepath.Join(temp, "weights"), net.Params()); err != nil {
			return err
		}
		want, err := read(part.name, part.shape...)
		if err != nil {
			return err
		}
		got := net.Predict(x)
		least, worst := 1.0, 0.0
		for i := range pictures {
			least = min(least, cosine(got.Row(i), want.Row(i)))
			worst = max(worst, difference(got.Row(i), want.Row(i)))
		}
		fmt.Printf("VGG16's %s, kernels %s: cosine with ONNX Runtime's at least %.9f, greatest difference %.1e of the greatest value\n",
			part.name, cpu.Tier(), least, worst)
		if !(least >= 0.99999) || !(worst <= 1e-2) {
			return fmt.Errorf("%s differ", part.name)
		}
	}
	return nil
}

// readAll fills tensors from a file that has just their values.
func readAll(path string, t *tensor.Tensor) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() != int64(4*t.Len()) {
		return fmt.Errorf("%s has %d bytes, %v needs %d", path, info.Size(), t, 4*t.Len())
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return binary.Read(f, binary.LittleEndian, t.Data())
}

// readParams fills parameters from the file's first values, in order.
func readParams(path string, params []*nn.Param) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	for _, p := range params {
		if err := readFloats(r, p.Value.Data()); err != nil {
			return fmt.Errorf("%s: %s: %w", path, p.Name, err)
		}
	}
	return nil
}

// readFloats reads some at a time, so that it needs no memory of the size of all.
func readFloats(r io.Reader, dst []float32) error {
	for len(dst) > 0 {
		n := min(len(dst), 1<<16)
		if err := binary.Read(r, binary.LittleEndian, dst[:n]); err != nil {
			return err
		}
		dst = dst[n:]
	}
	return nil
}

// cosine returns the cosine of the angle between two vectors.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i, v := range a {
		x, y := float64(v), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

// difference returns the greatest difference, as a share of b's greatest value;
// NaN if there is one.
func difference(a, b []float32) float64 {
	worst, most := 0.0, 0.0
	for i, v := range b {
		worst = max(worst, math.Abs(float64(a[i])-float64(v)))
		most = max(most, math.Abs(float64(v)))
	}
	return worst / most
}
