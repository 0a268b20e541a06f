// Command asm writes the assembly of package f32. Both tiers come from one
// description: an isa says how wide its registers are and how it cuts the last,
// partly used one.
//
//	go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg f32
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!purego")
	for _, s := range []*isa{avx512, avx2} {
		s.vectorKernels()
		s.rectifiers()
		s.streams()
		s.pools()
		s.optimizers()
		s.squaredError()
		s.searches()
		s.codes()
		s.tiles()
	}
	transpose8()
	parts()
	Generate()
}
