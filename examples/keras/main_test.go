package main

import (
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// TestCompare runs the example with VGG16 as it is before training, for the real weights
// are 59 MB: equal pictures are at 0, another one is not.
func TestCompare(t *testing.T) {
	net, err := vgg.New16(vgg.Config{NoTop: true}, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	params := map[string]*tensor.Tensor{}
	for _, p := range net.Params() {
		params[p.Name] = p.Value
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "vgg16.safetensors")
	if err := weights.Save(file, params, nil); err != nil {
		t.Fatal(err)
	}
	var pictures []string
	for i, shade := range []uint8{50, 200, 50} {
		p := image.NewGray(image.Rect(0, 0, 32, 32))
		for i := range p.Pix {
			p.Pix[i] = uint8(i) * shade
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, p); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, f.Name())
	}
	var out strings.Builder
	if err := compare(&out, file, pictures); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || lines[0] != "0.0000  "+pictures[0] || lines[1] != "0.0000  "+pictures[2] || strings.HasPrefix(lines[2], "0.0000") {
		t.Errorf("the distances are\n%s", out.String())
	}
}
