package pca_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/knn/pca"
	"lookalike/tensor"
)

// solvers that must agree.
var solvers = map[string]pca.Solver{"auto": pca.Auto, "full": pca.Full, "randomized": pca.Randomized}

// near fails unless the values are within tol of each other.
func near(t *testing.T, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(float64(got[i])-w) <= tol) {
			t.Fatalf("%s: value %d is %v, want %v", what, i, got[i], w)
		}
	}
}

// nearly fails unless the values are within a part tol of what they should be.
func nearly(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= tol*w) {
			t.Errorf("%s: value %d is %v, want %v", what, i, got[i], w)
		}
	}
}

func fit(t *testing.T, x *tensor.Tensor, k int, o pca.Options) *pca.PCA {
	t.Helper()
	p, err := pca.Fit(x, k, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pca.json is made by testdata/make_pca.py.
func TestScikitLearn(t *testing.T) {
	text, err := os.ReadFile("testdata/pca.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		X, Components, Places, Back     [][]float64
		Mean, Variance, Ratio, Singular []float64
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 4 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		x := tensor.New(len(c.X), len(c.Mean))
		for i, v := range slices.Concat(c.X...) {
			x.Data()[i] = float32(v)
		}
		for name, solver := range solvers {
			t.Run(fmt.Sprintf("%v %s", x, name), func(t *testing.T) {
				p := fit(t, x, len(c.Components), pca.Options{Solver: solver})
				tol := 3e-7 // float32, of components of length 1
				near(t, "mean", p.Mean.Data(), c.Mean, 5e-7)
				near(t, "components", p.Components.Data(), slices.Concat(c.Components...), tol)
				nearly(t, "explained variance", p.ExplainedVariance, c.Variance, 1e-5)
				nearly(t, "its ratio", p.ExplainedVarianceRatio, c.Ratio, 1e-5)
				nearly(t, "singular values", p.SingularValues, c.Singular, 1e-5)
				places := p.Transform(x.Rows(0, 3))
				near(t, "places", places.Data(), slices.Concat(c.Places...), 20*tol)
				near(t, "back", p.Inverse(places).Data(), slices.Concat(c.Back...), 20*tol)
			})
		}
	}
}

// falling returns n vectors in d dimensions of variances that fall off by a
// power, on axes that are not those of the space, round a mean.
func falling(n, d int, power float64, seed uint64) *tensor.Tensor {
	rng := rand.New(rand.NewPCG(seed, 0))
	normal := func(r, c int) *tensor.Tensor {
		x := tensor.New(r, c)
		for i := range x.Data() {
			x.Data()[i] = float32(rng.NormFloat64())
		}
		return x
	}
	z, axes, mean := normal(n, min(n, d)), normal(min(n, d), d), normal(1, d)
	for i := range axes.Dim(0) {
		for j := range axes.Row(i) {
			axes.Row(i)[j] *= float32(math.Pow(float64(i+1), -power) / math.Sqrt(float64(d)))
		}
	}
	x := tensor.New(n, d)
	tensor.MatMul(x, z, axes, mean.Reshape(d))
	return x
}

// The randomised solver has the accuracy of the full one, on spectra that fall
// off fast, slowly, and not at all.
func TestRandomizedEqualsFull(t *testing.T) {
	for _, c := range []struct {
		n, d, k int
		power   float64
	}{{700, 400, 40, 1}, {400, 900, 40, 1}, {500, 300, 20, 0.3}, {600, 350, 12, 0}, {200, 200, 30, 3}} {
		x := falling(c.n, c.d, c.power, 1)
		want := fit(t, x, c.k, pca.Options{Solver: pca.Full})
		got := fit(t, x, c.k, pca.Options{Solver: pca.Randomized})
		what := fmt.Sprintf("%v of %v, falling by %v", c.k, x, c.power)
		for i, w := range want.ExplainedVariance {
			if !(math.Abs(got.ExplainedVariance[i]-w) <= 1e-4*w+1e-7*want.ExplainedVariance[0]) {
				t.Errorf("%s: variance %d is %v, want %v", what, i, got.ExplainedVariance[i], w)
			}
		}
		checkOrthonormal(t, what+" full", want.Components)
		checkOrthonormal(t, what+" randomised", got.Components)
		// The planes are the same: each direction lies in the other plane, but
		// for the last ones, which rival with those left out.
		if c.power >= 1 {
			both := tensor.New(c.k, c.k)
			tensor.MatMulTransB(both, want.Components, got.Components)
			for i := range c.k / 2 {
				if want.ExplainedVariance[i] < 1e-4*want.ExplainedVariance[0] {
					break // beyond float32
				}
				sum := 0.0
				for _, v := range both.Row(i) {
					sum += float64(v * v)
				}
				if !(math.Abs(sum-1) <= 1e-4) {
					t.Errorf("%s: of component %d only %v lies in the plane found", what, i, sum)
				}
			}
		}
	}
}

// spectrum returns n vectors in d dimensions whose place j along an axis has the
// standard deviation deviation(j), on axes that two random reflections have turned
// away from those of the space.
func spectrum(n, d int, deviation func(j int) float64) *tensor.Tensor {
	rng := rand.New(rand.NewPCG(7, 7))
	x := tensor.New(n, d)
	mirrors := make([][]float64, 2)
	for m := range mirrors {
		mirror, square := make([]float64, d), 0.0
		for j := range mirror {
			mirror[j] = rng.NormFloat64()
			square += mirror[j] * mirror[j]
		}
		for j := range mirror {
			mirror[j] /= math.Sqrt(square)
		}
		mirrors[m] = mirror
	}
	row := make([]float64, d)
	for i := range n {
		for j := range row {
			row[j] = rng.NormFloat64() * deviation(j)
		}
		for _, mirror := range mirrors {
			product := 0.0
			for j, v := range row {
				product += v * mirror[j]
			}
			for j := range row {
				row[j] -= 2 * product * mirror[j]
			}
		}
		for j, v := range row {
			x.Row(i)[j] = float32(v)
		}
	}
	return x
}

// Spectra that are hard: noise, where the last wanted variances hardly differ from
// those that follow; some large variances on noise; a hundredth variance of a
// millionth of the first, which a Gram matrix in float32 does not hold; dimensions
// without variance; fewer dimensions with variance than components.
func TestRandomizedOnHardSpectra(t *testing.T) {
	fall := math.Pow(1e-6, 1/99.0)
	for _, c := range []struct {
		name      string
		n, d, k   int
		deviation func(j int) float64
	}{
		{"noise", 1500, 800, 100, func(int) float64 { return 1 }},
		{"wide noise", 500, 1300, 60, func(int) float64 { return 1 }},
		{"flat, then falling", 900, 600, 100, func(j int) float64 { return min(1, math.Pow(float64(j+1)/40, -1)) }},
		{"large ones on noise", 900, 600, 50, func(j int) float64 { return max(1, 1000*math.Pow(2, -float64(j))) }},
		{"a millionth", 900, 600, 100, func(j int) float64 { return math.Sqrt(math.Pow(fall, float64(j))) }},
		{"a millionth, wide", 600, 900, 100, func(j int) float64 { return math.Sqrt(math.Pow(fall, float64(j))) }},
		{"twenty dimensions", 700, 600, 40, func(j int) float64 { return float64(max(0, 20-j)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := spectrum(c.n, c.d, c.deviation)
			want := fit(t, x, c.k, pca.Options{Solver: pca.Full})
			got := fit(t, x, c.k, pca.Options{Solver: pca.Randomized})
			worst := 0.0
			for i, w := range want.ExplainedVariance {
				off := math.Abs(got.ExplainedVariance[i] - w)
				if w > 1e-9*want.ExplainedVariance[0] {
					worst = max(worst, off/w)
				} else if off > 1e-9*want.ExplainedVariance[0] {
					t.Errorf("variance %d is %v, want %v", i, got.ExplainedVariance[i], w)
				}
			}
			if worst > 1e-4 {
				t.Errorf("variances are off by %.2g", worst)
			}
			t.Logf("variances within %.2g", worst)
			checkOrthonormal(t, "components", got.Components)
		})
	}
}

// Values whose squares float32 does not hold are analysed all the same.
func TestExtremeValues(t *testing.T) {
	x := falling(300, 200, 0.5, 3)
	for _, factor := range []float32{1e-25, 1e-10, 1e10, 1e25} {
		scaled := tensor.New(x.Shape()...)
		for i, v := range x.Data() {
			scaled.Data()[i] = factor * v
		}
		want := fit(t, scaled, 20, pca.Options{Solver: pca.Full})
		got := fit(t, scaled, 20, pca.Options{Solver: pca.Randomized})
		nearly(t, fmt.Sprintf("explained variance of values of %v", factor), got.ExplainedVariance, want.ExplainedVariance, 1e-4)
	}
}

// Dimensions that are constant take no part in any component.
func TestConstantDimensions(t *testing.T) {
	x := falling(700, 600, 0.5, 3)
	for i := range x.Dim(0) {
		for j := 0; j < x.Dim(1); j += 2 {
			x.Row(i)[j] = 1000
		}
	}
	want := fit(t, x, 40, pca.Options{Solver: pca.Full})
	got := fit(t, x, 40, pca.Options{Solver: pca.Randomized})
	nearly(t, "explained variance", got.ExplainedVariance, want.ExplainedVariance, 1e-4)
	for i := range got.Components.Dim(0) {
		for j := 0; j < x.Dim(1); j += 2 {
			if v := got.Components.Row(i)[j]; !(math.Abs(float64(v)) <= 1e-4) {
				t.Fatalf("component %d has %v at constant place %d", i, v, j)
			}
		}
	}
}

func checkOrthonormal(t *testing.T, what string, rows *tensor.Tensor) {
	t.Helper()
	for i := range rows.Dim(0) {
		for j := range i + 1 {
			sum := 0.0
			for l, v := range rows.Row(i) {
				sum += float64(v) * float64(rows.Row(j)[l])
			}
			want := 0.0
			if i == j {
				want = 1
			}
			if !(math.Abs(sum-want) <= 2e-5) {
				t.Fatalf("%s: components %d and %d have a product of %v", what, i, j, sum)
			}
		}
	}
}

// Vectors of fewer dimensions than components: the rest of the variances is
// nothing, the components are orthonormal all the same.
func TestRankDeficient(t *testing.T) {
	for _, size := range [][2]int{{90, 40}, {40, 90}, {40, 40}, {300, 200}, {200, 300}} {
		x := tensor.New(size[0], size[1])
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range x.Dim(0) {
			a, b := rng.NormFloat64(), rng.NormFloat64()
			for j := range x.Row(i) {
				x.Row(i)[j] = float32(a*float64(j%3) + b*float64(j%5) + 7)
			}
		}
		for name, solver := range solvers {
			p := fit(t, x, 30, pca.Options{Solver: solver})
			what := fmt.Sprintf("%v %s", x, name)
			checkOrthonormal(t, what, p.Components)
			if ratio := p.ExplainedVarianceRatio; !(math.Abs(ratio[0]+ratio[1]-1) <= 1e-5) || !(slices.Max(ratio[2:]) <= 1e-9) || !(slices.Min(ratio) >= 0) {
				t.Errorf("%s: ratios %v", what, ratio)
			}
		}
	}
}

// All components together lose nothing.
func TestAllComponents(t *testing.T) {
	for name, solver := range solvers {
		for _, size := range [][2]int{{60, 20}, {20, 60}, {2, 3}, {2, 1}} {
			x := falling(size[0], size[1], 0.5, 4)
			p := fit(t, x, min(size[0]-1, size[1]), pca.Options{Solver: solver})
			sum := 0.0
			for _, r := range p.ExplainedVarianceRatio {
				sum += r
			}
			if !(math.Abs(sum-1) <= 1e-5) {
				t.Errorf("%s of %v: ratios add up to %v", name, x, sum)
			}
			back := p.Inverse(p.Transform(x))
			for i, v := range x.Data() {
				if !(math.Abs(float64(back.Data()[i]-v)) <= 2e-5) {
					t.Fatalf("%s of %v: value %d comes back as %v, was %v", name, x, i, back.Data()[i], v)
				}
			}
		}
	}
}

// The same bits whatever GOMAXPROCS is; other seeds give other bits of the same
// thing.
func TestRepeatable(t *testing.T) {
	x := falling(600, 300, 0.7, 9)
	first := fit(t, x, 10, pca.Options{Solver: pca.Randomized, Seed: 5})
	full := fit(t, x, 10, pca.Options{Solver: pca.Full})
	for _, procs := range []int{1, 2, 3, 8} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		again := fit(t, x, 10, pca.Options{Solver: pca.Randomized, Seed: 5})
		if !slices.Equal(first.Components.Data(), again.Components.Data()) || !slices.Equal(first.ExplainedVariance, again.ExplainedVariance) {
			t.Errorf("%d processors give another result", procs)
		}
		if again := fit(t, x, 10, pca.Options{Solver: pca.Full}); !slices.Equal(full.Components.Data(), again.Components.Data()) {
			t.Errorf("%d processors give another result of the full solver", procs)
		}
	}
	other := fit(t, x, 10, pca.Options{Solver: pca.Randomized, Seed: 6})
	if slices.Equal(first.Components.Data(), other.Components.Data()) {
		t.Error("the seed is not used")
	}
	nearly(t, "another seed", other.ExplainedVariance, first.ExplainedVariance, 1e-4)
}

func TestErrors(t *testing.T) {
	x := falling(5, 4, 0, 1)
	bad := falling(5, 4, 0, 1)
	bad.Row(3)[1] = float32(math.NaN())
	infinite := falling(5, 4, 0, 1)
	infinite.Row(2)[3] = float32(math.Inf(-1))
	for _, c := range []struct {
		x      *tensor.Tensor
		k      int
		solver pca.Solver
		want   string
	}{
		{tensor.New(4), 1, 0, "shape [4]"},
		{tensor.New(1, 4), 1, 0, "1 vectors have no variance"},
		{tensor.New(0, 4), 1, 0, "0 vectors have no variance"},
		{x, 0, 0, "0 components of 5 vectors in 4 dimensions; there are 1 to 4"},
		{x, 5, 0, "there are 1 to 4"},
		{tensor.New(3, 0), 1, 0, "in 0 dimensions"},
		{x, 2, 9, "no solver 9"},
		{bad, 2, 0, "row 3 has NaN at place 1"},
		{infinite, 2, pca.Randomized, "row 2 has -Inf at place 3"},
		{tensor.New(9, 4), 2, 0, "all 9 vectors are the same"},
	} {
		if _, err := pca.Fit(c.x, c.k, pca.Options{Solver: c.solver}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

// BenchmarkRandomized is 100 components of noise, the hardest spectrum, and of
// one that falls off as that of features does.
func BenchmarkRandomized(b *testing.B) {
	benchtest.All(b)
	for _, size := range [][2]int{{9144, 4096}, {3068, 25088}} {
		for _, power := range []float64{0, 0.5} {
			b.Run(fmt.Sprintf("rows=%d/d=%d/power=%v", size[0], size[1], power), func(b *testing.B) {
				x := tensor.New(size[0], size[1])
				if power == 0 {
					rng := rand.New(rand.NewPCG(1, 0))
					for i := range x.Data() {
						x.Data()[i] = float32(rng.NormFloat64())
					}
				} else {
					x = falling(size[0], size[1], power, 1)
				}
				for b.Loop() {
					if _, err := pca.Fit(x, 100, pca.Options{Solver: pca.Randomized}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
