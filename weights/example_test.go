package weights_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"lookalike/tensor"
	"lookalike/weights"
)

// Arrays are written as safetensors; Open reads that and Keras's, NumPy's and
// PyTorch's formats, whatever the file is called.
func Example() {
	dir, err := os.MkdirTemp("", "weights")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "layer.bin")
	arrays := map[string]*tensor.Tensor{"dense/kernel": tensor.From([]float32{1, 2, 3, 4, 5, 6}, 2, 3), "dense/bias": tensor.New(3)}
	if err := weights.Save(path, arrays, map[string]string{"epoch": "7"}); err != nil {
		log.Fatal(err)
	}
	f, err := weights.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println(f.Format(), f.Metadata())
	for _, name := range f.Names() {
		array, err := f.Tensor(name)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, array.Shape(), array.Data())
	}
	// Output:
	// safetensors map[epoch:7]
	// dense/bias [3] [0 0 0]
	// dense/kernel [2 3] [1 2 3 4 5 6]
}
