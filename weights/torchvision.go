package weights

import (
	"fmt"
	"maps"

	"lookalike/tensor"
)

// torchvision numbers the steps of VGG, pooling and activations counted, and
// has channels first: a convolution's kernel is [out, in, 3, 3], a dense layer's
// [out, in], and the first dense layer takes pixels flattened as [channels, 7,
// 7]. timm's files, the usual ones in safetensors, have the same convolutions;
// their dense layers are convolutions of 7x7 and 1x1.

// PreprocessingKey is the note in [File.Metadata] that says for which scaling of
// pictures a network was trained. It is "torch" in files that come from
// torchvision: RGB from 0 to 1, less ImageNet's mean and divided by its standard
// deviation. Keras's own VGG is "caffe": BGR from 0 to 255 less the mean. The
// features of one network from pictures scaled for the other are of little use.
const PreprocessingKey = "preprocessing"

// vggBlocks is how many convolutions each block has.
var vggBlocks = map[string][5]int{"VGG16": {2, 2, 3, 3, 3}, "VGG19": {2, 2, 4, 4, 4}}

// vggTops are the names of the dense layers: torchvision's, timm's.
var vggTops = [][3]string{
	{"classifier.0", "classifier.3", "classifier.6"},
	{"pre_logits.fc1", "pre_logits.fc2", "head.fc"},
}

// fromTorchvision gives a file that holds torchvision's VGG16 or VGG19, with or
// without its dense layers, Keras's names and layout. Any other file is left as
// it is.
func (f *File) fromTorchvision() {
	for name, blocks := range vggBlocks {
		if arrays, ok := kerasVGG(f.arrays, blocks); ok {
			f.arrays = arrays
			f.format += " of torchvision's " + name
			f.metadata = maps.Clone(f.metadata)
			if f.metadata == nil {
				f.metadata = map[string]string{}
			}
			f.metadata[PreprocessingKey] = "torch"
			return
		}
	}
}

// kerasVGG converts arrays; ok is false if they are not exactly torchvision's.
// The numbers of channels are free, but must fit from layer to layer.
func kerasVGG(arrays map[string]array, blocks [5]int) (converted map[string]array, ok bool) {
	converted = make(map[string]array, len(arrays))
	// take finds a layer's kernel and bias and says whether they fit each other
	// and the channels that come in.
	take := func(layer string, in int) (kernel, bias array, ok bool) {
		kernel, ok = arrays[layer+".weight"]
		bias = arrays[layer+".bias"]
		ok = ok && len(kernel.shape) >= 2 && len(bias.shape) == 1 && kernel.shape[0] == bias.shape[0] &&
			(in == 0 || kernel.shape[1] == in)
		return kernel, bias, ok
	}
	step, channels := 0, 3
	for i, convolutions := range blocks {
		for j := range convolutions {
			kernel, bias, ok := take(fmt.Sprintf("features.%d", step), channels)
			if !ok || len(kernel.shape) != 4 || kernel.shape[2] != 3 || kernel.shape[3] != 3 {
				return nil, false
			}
			layer := fmt.Sprintf("block%d_conv%d", i+1, j+1)
			converted[layer+"/kernel"], converted[layer+"/bias"] = permuted(kernel, 2, 3, 1, 0), bias
			channels = bias.shape[0]
			step += 2 // the activation behind it
		}
		step++ // pooling
	}
	for _, top := range vggTops {
		if _, has := arrays[top[0]+".weight"]; !has {
			continue
		}
		const side = 7 // of block5_pool
		in := channels * side * side
		for i, layer := range []string{"fc1", "fc2", "predictions"} {
			kernel, bias, ok := take(top[i], 0)
			if !ok || bias.shape[0] == 0 || tensor.Size(kernel.shape) != in*bias.shape[0] {
				return nil, false
			}
			out := bias.shape[0]
			if i == 0 {
				kernel = reshaped(permuted(reshaped(kernel, out, channels, side, side), 2, 3, 1, 0), in, out)
			} else {
				kernel = permuted(reshaped(kernel, out, in), 1, 0)
			}
			converted[layer+"/kernel"], converted[layer+"/bias"] = kernel, bias
			in = out
		}
	}
	return converted, len(converted) == len(arrays)
}
