//go:build !purego

package winograd

import "lookalike/internal/f32"

// archTransforms returns NEON's. Kernels are transformed once for many pictures, so the
// portable code is left to do that.
func archTransforms() *transforms {
	if f32.Tier() != "neon" {
		return nil
	}
	return &transforms{
		lanes:      4,
		input:      [...]inputKernel{input2NEON, input4NEON},
		output:     [...]outputKernel{output2NEON, output4NEON},
		outputPool: [...]outputKernel{outputPool2NEON, outputPool4NEON},
		gradient:   gradient4NEON,
	}
}
