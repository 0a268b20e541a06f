//go:build !purego

package winograd

import "lookalike/internal/f32"

func archTransforms() *transforms {
	switch f32.Tier() {
	case "amx", "avx512":
		return &transforms{
			lanes:      16,
			kernel:     [...]kernelKernel{kernel2AVX512, kernel4AVX512},
			input:      [...]inputKernel{input2AVX512, input4AVX512},
			output:     [...]outputKernel{output2AVX512, output4AVX512},
			outputPool: [...]outputKernel{outputPool2AVX512, outputPool4AVX512},
			gradient:   gradient4AVX512,
		}
	case "avx2":
		return &transforms{
			lanes:      8,
			kernel:     [...]kernelKernel{kernel2AVX2, kernel4AVX2},
			input:      [...]inputKernel{input2AVX2, input4AVX2},
			output:     [...]outputKernel{output2AVX2, output4AVX2},
			outputPool: [...]outputKernel{outputPool2AVX2, outputPool4AVX2},
			gradient:   gradient4AVX2,
		}
	}
	return nil
}
