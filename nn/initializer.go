package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"lookalike/tensor"
)

// Initializer draws the first values of a kernel from a distribution whose
// variance fits the number of inputs (fan in) and outputs (fan out) of a unit.
// The zero value is Keras's default, GlorotUniform.
type Initializer int

const (
	GlorotUniform Initializer = iota // variance 2/(in+out): Glorot and Bengio, 2010
	GlorotNormal
	HeUniform // variance 2/in: He et al., arXiv 1502.01852
	HeNormal
)

func (k Initializer) String() string {
	if k < 0 || int(k) >= len(initializerNames) {
		return fmt.Sprintf("Initializer(%d)", int(k))
	}
	return initializerNames[k]
}

var initializerNames = [...]string{"glorot_uniform", "glorot_normal", "he_uniform", "he_normal"}

// truncatedStddev is the standard deviation of a standard normal variable cut
// at two; Keras divides by it, so that the cut values have the variance asked.
const truncatedStddev = .87962566103423978

// New returns a kernel drawn with rng, or one of zeros, to be loaded, if that is nil.
// The last two dimensions of its shape are the inputs and outputs of a unit, those
// in front its receptive field. It panics if there are fewer than two dimensions, or
// the initializer is not known.
func (k Initializer) New(rng *rand.Rand, shape ...int) *tensor.Tensor {
	if len(shape) < 2 {
		panic(fmt.Sprintf("nn.Initializer.New: shape %v has no inputs and outputs", shape))
	}
	kernel := tensor.New(shape...)
	if rng != nil {
		k.draw(kernel, rng)
	}
	return kernel
}

// draw fills a kernel whose last two dimensions are inputs and outputs, after
// those of its receptive field.
func (k Initializer) draw(kernel *tensor.Tensor, rng *rand.Rand) {
	in, out := fans(kernel.Shape())
	variance := 2 / float64(in+out)
	if k == HeUniform || k == HeNormal {
		variance = 2 / float64(in)
	}
	data := kernel.Data()
	switch k {
	case GlorotUniform, HeUniform:
		limit := math.Sqrt(3 * variance)
		for i := range data {
			data[i] = float32((2*rng.Float64() - 1) * limit)
		}
	case GlorotNormal, HeNormal:
		stddev := math.Sqrt(variance) / truncatedStddev
		for i := range data {
			z := rng.NormFloat64()
			for math.Abs(z) > 2 {
				z = rng.NormFloat64()
			}
			data[i] = float32(z * stddev)
		}
	default:
		panic(fmt.Sprintf("nn: unknown initializer %d", int(k)))
	}
}

// fans returns a kernel's fan in and fan out as Keras computes them. For a
// transposed convolution Keras counts its outputs as inputs and the other way
// round, since its kernel is [rows, columns, out, in].
func fans(shape []int) (in, out int) {
	n := len(shape)
	field := tensor.Size(shape[:n-2])
	return field * shape[n-2], field * shape[n-1]
}
