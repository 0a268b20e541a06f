package vgg

import (
	"cmp"
	"errors"
	"fmt"

	"lookalike/internal/parallel"
	"lookalike/picture"
	"lookalike/tensor"
)

// Mode is how the pixels were scaled for which a network was trained: the modes
// of keras.applications.imagenet_utils.preprocess_input.
type Mode int

const (
	Caffe Mode = iota // BGR, ImageNet's mean subtracted: the weights of Keras
	Torch             // RGB from 0 to 1, less ImageNet's mean, by its deviation: the weights of torchvision
)

// modes tells where each channel of the input comes from and what it makes of a
// level, computed in float32 as Keras does.
var modes = [...]struct {
	name, words string
	source      [3]int // channel of the picture, by channel of the input
	scale       func(channel int, level float32) float32
}{
	Caffe: {"caffe", "BGR less 103.939, 116.779, 123.68", [3]int{2, 1, 0}, func(c int, v float32) float32 {
		return v - [...]float32{103.939, 116.779, 123.68}[c]
	}},
	Torch: {"torch", "RGB divided by 255, less 0.485, 0.456, 0.406, divided by 0.229, 0.224, 0.225", [3]int{0, 1, 2}, func(c int, v float32) float32 {
		return (v/255 - [...]float32{0.485, 0.456, 0.406}[c]) / [...]float32{0.229, 0.224, 0.225}[c]
	}},
}

func (m Mode) String() string {
	if !m.known() {
		return fmt.Sprintf("Mode(%d)", int(m))
	}
	return modes[m].name
}

func (m Mode) known() bool { return m >= 0 && int(m) < len(modes) }

// levels has what each channel of the input is for a level of the picture.
func (m Mode) levels() (table [3][256]float32) {
	for c := range table {
		for v := range table[c] {
			table[c][v] = modes[m].scale(c, float32(v))
		}
	}
	return table
}

// Preprocess returns pictures as a batch, [n, height, width, 3]: resized to the
// nearest pixels as Keras's load_img does it, and scaled by a mode. A picture
// without pixels panics.
func Preprocess(pictures []*picture.Image, height, width int, mode Mode) *tensor.Tensor {
	if !mode.known() {
		panic(fmt.Sprintf("vgg.Preprocess: there is no %v", mode))
	}
	if err := checkPictures(pictures); err != nil || height < 1 || width < 1 {
		panic(fmt.Sprintf("vgg.Preprocess: to %dx%d: %v", width, height, cmp.Or(err, errors.New("a size below 1"))))
	}
	x := tensor.New(len(pictures), height, width, 3)
	levels, source := mode.levels(), modes[mode].source
	parallel.For(len(pictures), func(i int) {
		pix, row := resize(pictures[i], height, width).Pix, x.Row(i)
		for at := 0; at < len(row); at += 3 {
			for c, from := range source {
				row[at+c] = levels[c][pix[at+from]]
			}
		}
	})
	return x
}

// checkPictures returns an error if a picture has no pixels to describe.
func checkPictures(pictures []*picture.Image) error {
	for i, p := range pictures {
		if err := p.Check(); err != nil {
			return fmt.Errorf("picture %d of %d: %w", i+1, len(pictures), err)
		}
	}
	return nil
}

func resize(p *picture.Image, height, width int) *picture.Image {
	if p != nil && p.Width == width && p.Height == height {
		return p
	}
	return picture.Nearest(p, width, height)
}

// Preprocessing says in words what is done to a decoded picture before the
// network sees it. Features of equal weights and equal words can be compared.
func (m *Model) Preprocessing() string {
	m.must("Preprocessing")
	return fmt.Sprintf("RGB, resize to %dx%d pixels by nearest neighbour as Pillow, %s", m.config.Input[1], m.config.Input[0], modes[m.mode].words)
}

// Prepare resizes a picture to the size of the network's input: features of the
// result are those of the picture itself.
func (m *Model) Prepare(p *picture.Image) *picture.Image {
	m.must("Prepare")
	return resize(p, m.config.Input[0], m.config.Input[1])
}

// Input returns pictures as a batch for the network, [n, height, width, 3].
func (m *Model) Input(pictures []*picture.Image) *tensor.Tensor {
	m.must("Input")
	return Preprocess(pictures, m.config.Input[0], m.config.Input[1], m.mode)
}
