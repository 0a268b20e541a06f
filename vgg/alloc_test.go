package vgg_test

import (
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/tensor"
	"lookalike/vgg"
)

// A picture goes through VGG16 without an allocation but for the outputs, two pieces, the
// part of the network that gives them, and what reads the picture.
func TestOutputsAllocate(t *testing.T) {
	const most = 4
	m := load(t, &mapped{arrays{values: random16()}}, vgg.Config{Input: [2]int{64, 96}, NoTop: true, Pooling: vgg.Average})
	x := tensor.New(1, 64, 96, 3)
	for _, layer := range []string{"block1_conv2", m.DefaultLayer()} {
		for _, procs := range []int{1, 2} {
			benchtest.Allocations(t, layer, procs, 3, most, func() {
				if _, err := m.Outputs(t.Context(), x, layer); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
