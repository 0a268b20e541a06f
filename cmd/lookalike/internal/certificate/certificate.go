// Package certificate compares what each layer of a VGG makes of three pictures, which a
// formula draws, with what Keras made of them.
package certificate

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"strings"

	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// Of each output the mean, the norm and sampled values are looked at; they are kept as
// one array, [2+samples], under the layer's name.
const (
	drawn   = 3 // pictures
	side    = 224
	samples = 64
)

// Tolerance is how much of a layer's norm the output may be off.
const Tolerance = 1e-5

//go:embed vgg16_keras.safetensors
var kerasChecksums []byte

// Keras returns the checksums of the layers of VGG16 without its top that
// Keras computed with the published weights.
func Keras() (*weights.File, error) {
	return weights.Read(bytes.NewReader(kerasChecksums), int64(len(kerasChecksums)))
}

// Agreement is how near a layer's output is to the reference.
type Agreement struct {
	Layer    vgg.Layer
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
// checksums in reference: those of Keras, or what its [Script] wrote.
// The pictures are scaled as by Caffe, whatever the network's own mode, so that
// the same inputs meet the same weights. After each layer it calls done, if not nil.
func Verify(ctx context.Context, m *vgg.Model, reference weights.Source, done func(layers int)) ([]Agreement, error) {
	if in := m.Config().Input; in != [2]int{side, side} {
		return nil, fmt.Errorf("a certificate is about pictures of %dx%d, not %dx%d", side, side, in[0], in[1])
	}
	var list []Agreement
	x := vgg.Preprocess(pictures(), side, side, vgg.Caffe)
	err := m.EachOutput(ctx, x, func(layer vgg.Layer, y *tensor.Tensor) error {
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
		return nil, errors.New("the reference has none of the network's layers")
	}
	return list, nil
}

// agreement compares one output with its checksums.
func agreement(layer vgg.Layer, y *tensor.Tensor, reference weights.Source) (Agreement, error) {
	values := y.Data()
	mean, norm := moments(values)
	a := Agreement{Layer: layer, Norm: norm}
	shape, ok := reference.Shape(layer.Name)
	if !ok {
		return a, nil
	}
	if len(shape) != 1 || shape[0] != 2+samples {
		return a, fmt.Errorf("the reference's %q has shape %v, want [%d]: mean, norm and %d values", layer.Name, shape, 2+samples, samples)
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
func pictures() []*picture.Image {
	wave := func(v int) int { return min(max(v%512-255, 255-v%512), 255) }
	var list []*picture.Image
	for k := range drawn {
		p := picture.New(side, side)
		for i := range p.Pix {
			c, x, y := i%3, i/3%side, i/3/side
			p.Pix[i] = uint8((wave((k+1)*x+2*y+90*c) + wave((x*x*(k+1)+y*y*(c+1))/64)) / 2)
		}
		list = append(list, p)
	}
	return list
}

// script is Python; %s are the module, the class, the weights and
// include_top.
const script = `import keras, numpy as np
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

// Script returns a Python script that computes the checksums of m with Keras for the
// weights at path, which Keras must be able to read, and writes them as reference.npz,
// which [weights.Open] reads.
func Script(m *vgg.Model, path string) string {
	class := strings.ToUpper(m.Name())
	top := map[bool]string{true: "False", false: "True"}[m.Config().NoTop]
	return fmt.Sprintf(script, m.Name(), class, path, top, side, drawn, samples)
}
