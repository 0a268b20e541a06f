package vgg_test

import (
	"path/filepath"
	"testing"

	"lookalike/internal/kerastest"
	"lookalike/internal/sweeptest"
	"lookalike/nn"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// TestWinograd holds the deepest features of real photographs, which 12
// convolutions by Winograd's method lead to, against the direct method. Its
// rounding errors depend on the data, so random numbers tell too little.
func TestWinograd(t *testing.T) {
	sweeptest.Slow(t, "VGG16 takes seconds")
	m := vgg16(t, vgg.Config{NoTop: true})
	f := kerastest.OpenFile(t, shared(t, "weights/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"))
	files, err := filepath.Glob(filepath.Join(shared(t, "caltech101"), "*", "*.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	const photographs = 4
	for i := range photographs {
		p, err := picture.File(files[i*len(files)/photographs], picture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Features(t.Context(), []*picture.Image{p}, "block5_pool")
		if err != nil {
			t.Fatal(err)
		}
		want := m.Input([]*picture.Image{p})
		for _, l := range m.Layers() {
			if l.Class == "Conv2D" {
				want = convolveDirectly(t, want, f, l.Name)
			} else {
				y := tensor.New(1, l.Shape[0], l.Shape[1], l.Shape[2])
				tensor.MaxPool(y, nil, want, tensor.Window{Size: [2]int{2, 2}, Stride: [2]int{2, 2}})
				want = y
			}
		}
		if c, off := cosine(got.Data(), want.Data()), distance(got.Data(), want.Data()); !(c >= 0.99999) || !(off <= 1e-5) {
			t.Errorf("%s: cosine %.9f, off by %.2g of the norm", files[i*len(files)/photographs], c, off)
		} else {
			t.Logf("1 - cosine %.2g, off by %.2g of the norm", 1-c, off)
		}
	}
}

// convolveDirectly is a convolution with ReLU, some filters at a time: Winograd's
// method is not used for so few.
func convolveDirectly(t *testing.T, x *tensor.Tensor, f *weights.File, layer string) *tensor.Tensor {
	const some = 15
	kernel, bias := kerastest.Tensor(t, f, layer+"/kernel"), kerastest.Tensor(t, f, layer+"/bias")
	in, filters := kernel.Dim(2), kernel.Dim(3)
	y := tensor.New(1, x.Dim(1), x.Dim(2), filters)
	for lo := 0; lo < filters; lo += some {
		n := min(some, filters-lo)
		part := nn.Conv2D{Filters: n, Kernel: 3, Padding: nn.Same, Activation: nn.ReLU}
		net := nn.NewSequential("", &part)
		if _, err := net.Build([]int{x.Dim(1), x.Dim(2), in}, nil); err != nil {
			t.Fatal(err)
		}
		k := part.Params()[0].Value
		for i := range 9 * in {
			copy(k.Data()[i*n:(i+1)*n], kernel.Data()[i*filters+lo:])
		}
		copy(part.Params()[1].Value.Data(), bias.Data()[lo:])
		out := net.Predict(x)
		for i := range x.Dim(1) * x.Dim(2) {
			copy(y.Data()[i*filters+lo:], out.Data()[i*n:(i+1)*n])
		}
	}
	return y
}
