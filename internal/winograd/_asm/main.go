// Command asm writes the assembly of package winograd: the transforms of one tile,
// for all its channels, one register of channels at a time. Both tiers come from
// one description.
//
//	go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg winograd
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!purego")
	for _, s := range []*isa{avx512, avx2} {
		for _, t := range []transform{f2, f4} {
			s.kernel(t)
			s.input(t)
			s.output(t, false)
			s.output(t, true)
		}
		s.gradient(f4)
	}
	Generate()
}
