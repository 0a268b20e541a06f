package vgg

import (
	"fmt"

	"lookalike/tensor"
	"lookalike/weights"
)

// torchvision numbers the steps of VGG, pooling and activations counted, and
// has channels first: a convolution's kernel is [out, in, 3, 3], a dense layer's
// [out, in], and the first dense layer takes pixels flattened as [channels, 7,
// 7]. timm's files, the usual ones in safetensors, have the same convolutions;
// their dense layers are convolutions of 7x7 and 1x1.

// PreprocessingKey is the note in [weights.File.Metadata] that says for which scaling of
// pictures a network was trained, by the name of a [Mode]: without it, Caffe's. The
// features of one network from pictures scaled for the other are of little use.
const PreprocessingKey = "preprocessing"

// torchTops are the names of the dense layers: torchvision's, timm's.
var torchTops = [][3]string{
	{"classifier.0", "classifier.3", "classifier.6"},
	{"pre_logits.fc1", "pre_logits.fc2", "head.fc"},
}

// Keras returns the weights of VGG16 or VGG19 in f by Keras's names and in its layout, with
// the note that pictures are scaled as by [Torch], where f holds torchvision's or timm's,
// with or without dense layers. Any other file it returns as it is. [Load] and [Open] do
// this themselves. What is returned is f, still: closing one closes both.
func Keras(f *weights.File) *weights.File {
	for name, blocks := range map[string][5]int{"VGG16": convolutions16, "VGG19": convolutions19} {
		if arrays, ok := fromTorch(f, blocks); ok {
			keras, err := f.Arrange(" of torchvision's "+name, map[string]string{PreprocessingKey: Torch.String()}, arrays)
			if err == nil {
				return keras
			}
		}
	}
	return f
}

// fromTorch says where Keras's arrays are in f; ok is false if its arrays are not exactly
// torchvision's. The numbers of channels are free, but must fit from layer to layer.
func fromTorch(f *weights.File, blocks [5]int) (arrays map[string]weights.Arranged, ok bool) {
	arrays = map[string]weights.Arranged{}
	// take returns the shape of a layer's kernel and says whether it fits the bias and
	// the channels that come in.
	take := func(layer string, in int) (kernel []int, ok bool) {
		kernel, ok = f.Shape(layer + ".weight")
		bias, _ := f.Shape(layer + ".bias")
		return kernel, ok && len(kernel) >= 2 && len(bias) == 1 && kernel[0] == bias[0] && (in == 0 || kernel[1] == in)
	}
	step, channels := 0, 3
	for i, convolutions := range blocks {
		for j := range convolutions {
			from := fmt.Sprintf("features.%d", step)
			kernel, ok := take(from, channels)
			if !ok || len(kernel) != 4 || kernel[2] != 3 || kernel[3] != 3 {
				return nil, false
			}
			layer := fmt.Sprintf("block%d_conv%d", i+1, j+1)
			arrays[layer+"/kernel"] = weights.Arranged{Name: from + ".weight", Order: []int{2, 3, 1, 0}}
			arrays[layer+"/bias"] = weights.Arranged{Name: from + ".bias"}
			channels = kernel[0]
			step += 2 // the activation behind it
		}
		step++ // pooling
	}
	for _, top := range torchTops {
		if _, has := f.Shape(top[0] + ".weight"); !has {
			continue
		}
		const side = 7 // of block5_pool
		in := channels * side * side
		for i, layer := range []string{"fc1", "fc2", "predictions"} {
			kernel, ok := take(top[i], 0)
			if !ok || kernel[0] == 0 || tensor.Size(kernel) != in*kernel[0] {
				return nil, false
			}
			out := kernel[0]
			from := weights.Arranged{Name: top[i] + ".weight", As: []int{out, in}, Order: []int{1, 0}}
			if i == 0 {
				from.As, from.Order, from.Shape = []int{out, channels, side, side}, []int{2, 3, 1, 0}, []int{in, out}
			}
			arrays[layer+"/kernel"], arrays[layer+"/bias"] = from, weights.Arranged{Name: top[i] + ".bias"}
			in = out
		}
	}
	return arrays, len(arrays) == len(f.Names())
}
