package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"lookalike/internal/kerastest"
	"lookalike/nn"
	"lookalike/tensor"
)

// TestInitializersEqualKeras compares what is drawn with the distributions that
// Keras draws from: their bounds, spread, mean, and shape by the share within
// half a standard deviation.
func TestInitializersEqualKeras(t *testing.T) {
	var fixture struct {
		Cases []struct {
			Layer, Initializer string
			Shape              []int
			Limit, Cut, Std    float64
		}
	}
	kerastest.JSON(t, "init.json", &fixture)
	if len(fixture.Cases) < 30 {
		t.Fatalf("only %d cases", len(fixture.Cases))
	}
	initializers := map[string]nn.Initializer{
		"GlorotUniform": nn.GlorotUniform, "GlorotNormal": nn.GlorotNormal, "HeUniform": nn.HeUniform, "HeNormal": nn.HeNormal,
	}
	for _, c := range fixture.Cases {
		t.Run(fmt.Sprintf("%s %s %v", c.Layer, c.Initializer, c.Shape), func(t *testing.T) {
			initializer, ok := initializers[c.Initializer]
			if !ok {
				t.Fatal("unknown to this test")
			}
			s := c.Shape
			var layer nn.Layer
			in := []int{8, 8, s[min(2, len(s)-1)]}
			switch c.Layer {
			case "Conv2D":
				layer = &nn.Conv2D{Filters: s[3], KernelSize: [2]int{s[0], s[1]}, Initializer: initializer}
			case "Conv2DTranspose":
				layer, in[2] = &nn.Conv2DTranspose{Filters: s[2], KernelSize: [2]int{s[0], s[1]}, Initializer: initializer}, s[3]
			case "Dense":
				layer, in = &nn.Dense{Units: s[1], Initializer: initializer}, s[:1]
			default:
				t.Fatal("unknown to this test")
			}
			rng := rand.New(rand.NewPCG(1, 2))
			n := tensor.Size(s)
			draws := max(20, 20000/n)
			var sum, squares, inner, greatest float64
			for range draws {
				if _, err := layer.Build(in, rng); err != nil {
					t.Fatal(err)
				}
				kernel := layer.Params()[0].Value
				if fmt.Sprint(kernel.Shape()) != fmt.Sprint(s) {
					t.Fatalf("kernel %v, Keras %v", kernel.Shape(), s)
				}
				for _, v := range kernel.Data() {
					v := float64(v)
					sum, squares, greatest = sum+v, squares+v*v, max(greatest, math.Abs(v))
					if math.Abs(v) < c.Std/2 {
						inner++
					}
				}
				for _, v := range layer.Params()[1].Value.Data() {
					if v != 0 {
						t.Fatalf("a bias begins at %v", v)
					}
				}
			}
			count := float64(n * draws)
			edge, share := c.Limit, 0.5/math.Sqrt(3) // uniform
			if c.Cut > 0 {                           // normal of deviation cut/2, cut at two of them
				edge, share = c.Cut, math.Erf(c.Std/c.Cut/math.Sqrt2)/math.Erf(math.Sqrt2)
			}
			// Five standard errors: of a mean σ/√n, of a deviation at most σ/√2n, of a share at most 1/(2√n).
			margin := 5 / math.Sqrt(count)
			if mean := sum / count; !(math.Abs(mean) <= margin*c.Std) {
				t.Errorf("mean %v, want 0 ± %v", mean, margin*c.Std)
			}
			if std := math.Sqrt(squares / count); !(math.Abs(std/c.Std-1) <= margin/math.Sqrt2) {
				t.Errorf("standard deviation %v, Keras %v", std, c.Std)
			}
			if !(greatest <= edge*(1+1e-6) && greatest >= 0.98*edge) {
				t.Errorf("greatest magnitude %v, Keras %v", greatest, edge)
			}
			if got := inner / count; !(math.Abs(got-share) <= margin/2) {
				t.Errorf("%v within half a deviation, want %v", got, share)
			}
		})
	}
}
