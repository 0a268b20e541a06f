package pca_test

import (
	"fmt"
	"log"

	"lookalike/knn/pca"
	"lookalike/tensor"
)

// Points near a line in space need one number each.
func ExampleFit() {
	x := tensor.From([]float32{
		1, 2, 0,
		2, 4, 0,
		3, 6, 0,
		4, 8, 1,
	}, 4, 3)
	p, err := pca.Fit(x, 1, pca.Options{})
	if err != nil {
		log.Fatal(err)
	}
	short := p.Transform(x)
	fmt.Println(short.Shape(), "from", x.Shape())
	fmt.Printf("%.0f%% of the variance\n", 100*p.ExplainedVarianceRatio[0])
	fmt.Printf("the first was %v, is read back as %.1f\n", x.Row(0), p.Inverse(short).Row(0))
	// Output:
	// [4 1] from [4 3]
	// 99% of the variance
	// the first was [1 2 0], is read back as [1.0 2.0 -0.2]
}
