package vgg

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"

	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/weights"
)

// A parity certificate compares what each layer makes of three pictures that a
// formula draws with what Keras made of them. Of each output it looks at the
// mean, the norm, and sampled values; they are kept as one array,
// [2+samples], under the layer's name.
const (
	certificatePictures = 3
	samples             = 64
)

// Tolerance is how much of a layer's norm the output may be off.
const Tolerance = 1e-5

//go:embed vgg16_keras.safetensors
var kerasChecksums []byte

// KerasChecksums returns the checksums of the layers of VGG16 without its top that
// Keras computed with the published weights.
func KerasChecksums() (*weights.File, error) {
	return weights.Read(bytes.NewReader(kerasChecksums), int64(len(kerasChecksums)))
}

// Agreement is how near a layer's output is to the reference.
type Agreement struct {
	Layer    Layer
	Norm     float64 // of our output
	Compared bool    // whether the reference has the layer; otherwise Error is 0

	// Error is the worst of the differences in the mean, the norm and the
	// sampled values (in the quadratic mean), as a part of the layer's norm; of
	// values that means of their quadratic mean in the whole layer.
	Error float64
}

// OK tells whether the layer was compared and agrees.
func (a Agreement) OK() bool { return a.Compared && a.Error <= Tolerance }

// Verify compares every layer's output for the certificate's pictures with the
// checksums in reference: those of KerasChecksums, or what VerifyScript wrote.
// The pictures are scaled as by Caffe, whatever the network's own mode, so that
// the same inputs meet the same weights. After each layer it calls done, if not nil.
func (m *Model) Verify(ctx context.Context, reference weights.Source, done func(layers int)) ([]Agreement, error) {
	if err := m.made(); err != nil {
		return nil, err
	}
	if reference == nil {
		return nil, errors.New("vgg: no reference given")
	}
	if m.config.Input != [2]int{side, side} {
		return nil, fmt.Errorf("vgg: a certificate is about pictures of %dx%d, not %dx%d", side, side, m.config.Input[0], m.config.Input[1])
	}
	var list []Agreement
	x := Preprocess(certificate(), side, side, Caffe)
	err := m.every(ctx, x, func(layer Layer, y *tensor.Tensor) error {
		a, err := agreement(layer, y, reference)
		list = append(list, a)
		if done != nil {
			done(len(list))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	known := false
	for _, a := range list {
		known = known || a.Compared
	}
	if !known {
		return nil, errors.New("vgg: the reference has none of the network's layers")
	}
	return list, nil
}

// every calls f with the output of each layer for x, in order.
func (m *Model) every(ctx context.Context, x *tensor.Tensor, f func(Layer, *tensor.Tensor) error) error {
	if err := m.hold(); err != nil {
		return err
	}
	defer m.release()
	top, err := m.top()
	if err != nil {
		return err
	}
	before := x // what the layer before x took
	for i, layer := range m.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		net, at := m.base, i+1 // after the input
		if at >= len(net.Layers) {
			net, at = top, at-len(net.Layers)
		}
		y := net.Slice(at, at+1).Predict(x)
		if layer.Class == "MaxPooling2D" { // as it is computed otherwise: with the convolution
			y = net.Slice(at-1, at+1).Predict(before)
		}
		before, x = x, y
		if err := f(layer, y); err != nil {
			return err
		}
	}
	return nil
}

// agreement compares one output with its checksums.
func agreement(layer Layer, y *tensor.Tensor, reference weights.Source) (Agreement, error) {
	values := y.Data()
	mean, norm := moments(values)
	a := Agreement{Layer: layer, Norm: norm}
	shape, ok := reference.Shape(layer.Name)
	if !ok {
		return a, nil
	}
	if len(shape) != 1 || shape[0] != 2+samples {
		return a, fmt.Errorf("vgg: the reference's %q has shape %v, want [%d]: mean, norm and %d values", layer.Name, shape, 2+samples, samples)
	}
	checksums, err := reference.Tensor(layer.Name)
	if err != nil {
		return a, err
	}
	want := checksums.Data()
	typical := float64(want[1]) / math.Sqrt(float64(len(values)))
	var squares float64
	for i, w := range want[2:] {
		d := float64(values[place(i, len(values))]) - float64(w)
		squares += d * d
	}
	a.Compared = true
	a.Error = max( // NaN if any is
		math.Abs(mean-float64(want[0]))/typical,
		math.Abs(norm-float64(want[1]))/float64(want[1]),
		math.Sqrt(squares/samples)/typical)
	return a, nil
}

// place returns the index of sample i of n values.
func place(i, n int) int { return int(int64(i) * 2654435761 % int64(n)) }

func moments(values []float32) (mean, norm float64) {
	for _, v := range values {
		mean += float64(v)
		norm += float64(v) * float64(v)
	}
	return mean / float64(len(values)), math.Sqrt(norm)
}

// certificate draws the pictures: waves and rings of many frequencies, in whole
// numbers, so that every program draws the same.
func certificate() []*picture.Image {
	wave := func(v int) int { return min(max(v%512-255, 255-v%512), 255) }
	var pictures []*picture.Image
	for k := range certificatePictures {
		p := picture.New(side, side)
		for i := range p.Pix {
			c, x, y := i%3, i/3%side, i/3/side
			p.Pix[i] = uint8((wave((k+1)*x+2*y+90*c) + wave((x*x*(k+1)+y*y*(c+1))/64)) / 2)
		}
		pictures = append(pictures, p)
	}
	return pictures
}

// verifyScript is Python; %s are the module, the class, the weights and
// include_top.
const verifyScript = `import keras, numpy as np
from keras.applications import %[1]s as vgg
net = vgg.%[2]s(weights=%[3]q, include_top=%[4]s, input_shape=(%[5]d, %[5]d, 3))
k, y, x, c = np.ogrid[:%[6]d, :%[5]d, :%[5]d, :3]
wave = lambda v: np.minimum(abs(v %% 512 - 255), 255)
pictures = (wave((k + 1) * x + 2 * y + 90 * c) + wave((x * x * (k + 1) + y * y * (c + 1)) // 64)) // 2
outputs = keras.Model(net.input, [l.output for l in net.layers[1:]])(vgg.preprocess_input(pictures.astype("float32")))
values = {l.name: np.array(o, "float64").ravel() for l, o in zip(net.layers[1:], outputs)}
place = lambda v: np.arange(%[7]d) * 2654435761 %% v.size
np.savez("reference.npz", **{n: np.float32([v.mean(), np.linalg.norm(v), *v[place(v)]]) for n, v in values.items()})
`

// VerifyScript returns a Python script that computes the checksums with Keras for
// the weights at path, which Keras must be able to read, and writes them as
// reference.npz, which [weights.Open] reads.
func (m *Model) VerifyScript(path string) string {
	m.must("VerifyScript")
	class := map[string]string{"vgg16": "VGG16", "vgg19": "VGG19"}[m.name]
	top := map[bool]string{true: "False", false: "True"}[m.config.NoTop]
	return fmt.Sprintf(verifyScript, m.name, class, path, top, side, certificatePictures, samples)
}
