package retrieval

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"lookalike/knn"
	"lookalike/tensor"
)

// classes makes vectors round centres, one for each label.
func classes(rng *rand.Rand, n, d, labels int, spread float64) (*tensor.Tensor, []string) {
	centres := tensor.New(labels, d)
	for i := range centres.Data() {
		centres.Data()[i] = float32(rng.NormFloat64())
	}
	x, names := tensor.New(n, d), make([]string, n)
	for i := range n {
		c := rng.IntN(labels)
		names[i] = fmt.Sprint(c)
		for j := range x.Row(i) {
			x.Row(i)[j] = centres.Row(c)[j] + float32(spread*rng.NormFloat64())
		}
	}
	return x, names
}

// slow is the metric's distance in float64, by its definition.
func slow(metric knn.Metric, a, b []float32) float64 {
	var ab, aa, bb, dd float64
	for j := range a {
		x, y := float64(a[j]), float64(b[j])
		ab, aa, bb, dd = ab+x*y, aa+x*x, bb+y*y, dd+(x-y)*(x-y)
	}
	switch metric {
	case knn.Euclidean:
		return math.Sqrt(dd)
	case knn.Cosine:
		return 1 - ab/math.Sqrt(aa*bb)
	}
	return -ab
}

// What is said of a threshold is what counting all pairs gives, and no greater
// threshold keeps to the share that this one was fitted to.
func TestByLabelsCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for try := range 60 {
		n, d := 20+rng.IntN(180), 1+rng.IntN(40)
		x, labels := classes(rng, n, d, 2+rng.IntN(6), 0.1+rng.Float64())
		metric := []knn.Metric{knn.Euclidean, knn.Cosine, knn.InnerProduct}[try%3]
		share := []float64{0.01, 0.1, 0.4}[rng.IntN(3)]
		told := 0
		got, err := ByLabels(t.Context(), x, labels, metric, share, func(n int) { told = n })
		if err != nil {
			if !strings.Contains(err.Error(), "false matches at") {
				t.Error(err)
			}
			continue
		}
		if told != n || got.Pictures != n || got.Pairs != int64(n*(n-1)/2) || got.Metric != metric.String() || len(got.Folds) != 2*halves {
			t.Fatalf("told of %d of %d, %+v", told, n, got)
		}
		count := func(limit float64) (matches, wrong, right, alike int64) {
			for a := range n {
				for b := range a {
					alikes := labels[a] == labels[b]
					if alikes {
						alike++
					}
					if slow(metric, x.Row(a), x.Row(b)) > limit {
						continue
					}
					if matches++; alikes {
						right++
					} else {
						wrong++
					}
				}
			}
			return
		}
		matches, wrong, right, alike := count(got.Distance)
		// A threshold lies between bins; where these are neighbours, rounding may
		// carry a pair across.
		if off := max(1, matches/1000); matches < got.Matches-off || matches > got.Matches+off || !(math.Abs(float64(right)/float64(alike)-got.Recall) <= float64(off)/float64(alike)+1e-12) {
			t.Errorf("%v, n %d, d %d: %+v, but there are %d matches, %d wrong, %d of %d right", metric, n, d, got, matches, wrong, right, alike)
		}
		if !(float64(wrong) <= share*float64(matches)+1) || got.Estimate > share {
			t.Errorf("%v: %d of %d matches are wrong, estimate %v, share %v", metric, wrong, matches, got.Estimate, share)
		}
		var all, bad float64
		pictures := 0
		for _, f := range got.Folds {
			all, bad, pictures = all+float64(f.Matches), bad+f.Share*float64(f.Matches), pictures+f.Pictures
		}
		if pictures != halves*n || all > 0 && !(math.Abs(bad/all-got.Estimate) <= 1e-9) {
			t.Errorf("folds %+v, estimate %v of %d", got.Folds, got.Estimate, n)
		}
	}
}

// Where labels are far apart, the threshold lies in between, and everything is
// right.
func TestByLabelsApart(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	x, labels := classes(rng, 150, 64, 5, 0.001)
	near, far := 0.0, math.Inf(1)
	for a := range labels {
		for b := range a {
			if d := slow(knn.Euclidean, x.Row(a), x.Row(b)); labels[a] == labels[b] {
				near = max(near, d)
			} else {
				far = min(far, d)
			}
		}
	}
	got, err := ByLabels(t.Context(), x, labels, knn.Euclidean, 0.01, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !(got.Distance > near && got.Distance < far) || got.Recall != 1 || got.Estimate != 0 {
		t.Errorf("%+v; labels are up to %v wide and at least %v apart", got, near, far)
	}
}

// Pairs that have not been seen keep to the share, in the mean over collections:
// large ones, and small ones, where it is easy to be lucky.
func TestByLabelsHoldsForOthers(t *testing.T) {
	const share = 0.1
	for _, c := range []struct {
		seeds        uint64
		n, d, labels int
		spread       float64
	}{{12, 600, 12, 8, 0.7}, {200, 30, 8, 5, 0.4}} {
		var wrong, matches float64
		for seed := range c.seeds {
			rng := rand.New(rand.NewPCG(seed, 15))
			x, labels := classes(rng, 2*c.n, c.d, c.labels, c.spread)
			half := tensor.From(x.Data()[:c.n*c.d], c.n, c.d)
			got, err := ByLabels(t.Context(), half, labels[:c.n], knn.Euclidean, share, nil)
			if err != nil {
				continue // it may not be possible
			}
			for a := c.n; a < 2*c.n; a++ {
				for b := c.n; b < a; b++ {
					if slow(knn.Euclidean, x.Row(a), x.Row(b)) <= got.Distance {
						matches++
						if labels[a] != labels[b] {
							wrong++
						}
					}
				}
			}
		}
		if got := wrong / matches; matches < 1000 || !(got <= share) || c.n > 100 && got < share/2 {
			t.Errorf("%v: %v of %v matches are wrong, asked for %v", c, got, matches, share)
		}
	}
}

// Any two parts are in the same half as often as any other two, and halves are even.
func TestHalves(t *testing.T) {
	for a := range parts {
		for b := range a + 1 {
			together := 0
			for way := range halves {
				if sideOf(way, a) == sideOf(way, b) {
					together++
				}
			}
			if want := map[bool]int{true: halves, false: halves / 2}[a == b]; together != want {
				t.Errorf("parts %d and %d are together %d times, want %d", a, b, together, want)
			}
		}
	}
}

func TestBins(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	last := binOf(math.Inf(-1))
	for _, d := range []float64{-1e30, -3, -1, -1e-20, 0, 1e-30, 0.5, 1, 2, 1e30} {
		if bin := binOf(d); bin <= last {
			t.Errorf("bin %d of %v does not ascend", bin, d)
		} else {
			last = bin
		}
	}
	for range 10000 {
		d := rng.NormFloat64() * math.Pow(2, float64(rng.IntN(60)-30))
		end := binEnd(binOf(d))
		if !(d <= end+math.Abs(d)*1e-7 && end-d <= math.Abs(d)/1900) || binOf(end) != binOf(d) {
			t.Fatalf("the bin of %v ends at %v", d, end)
		}
	}
}

// Of points spread evenly in a cube it is known how many pairs are how near: the
// threshold is that of one such pair in 1/share collections.
func TestByDistancesOfUniform(t *testing.T) {
	const n, share = 3000, 0.01
	for m, ball := range map[int]float64{2: math.Pi, 3: 4 * math.Pi / 3, 5: 8 * math.Pi * math.Pi / 15} {
		rng := rand.New(rand.NewPCG(uint64(m), 19))
		x := tensor.New(n, m)
		for i := range x.Data() {
			x.Data()[i] = rng.Float32()
		}
		got, err := ByDistances(t.Context(), x, knn.Euclidean, share, nil)
		if err != nil {
			t.Fatal(err)
		}
		// Should chance have brought some pairs that near, they are found.
		want := math.Pow(share*float64(max(got.Matches, 1))/(n*(n-1)/2*ball), 1/float64(m))
		if !(math.Abs(got.Dimension-float64(m)) <= 0.15*float64(m)) || !(got.Distance > want/2 && got.Distance < 2*want) {
			t.Errorf("%d dimensions: %+v, want %v", m, got, want)
		}
	}
}

// Planted near duplicates are found, in a space of few dimensions that lies in one
// of many, and little else; also where there is a large group of them.
func TestByDistancesFindsDuplicates(t *testing.T) {
	rng := rand.New(rand.NewPCG(20, 21))
	const n, d = 1500, 30
	for _, group := range []int{2, 60} {
		x := tensor.New(n, d)
		plane := make([]float64, 6*d)
		for i := range plane {
			plane[i] = rng.NormFloat64()
		}
		origin := make([]int, n) // of which vector it is a duplicate
		for i := range n {
			origin[i] = i
			if i >= n-120 {
				origin[i] = (i - (n - 120)) / (group - 1)
				for j, v := range x.Row(origin[i]) {
					x.Row(i)[j] = v + float32(0.01*rng.NormFloat64())
				}
				continue
			}
			for k := range 6 {
				c := rng.NormFloat64()
				for j := range d {
					x.Row(i)[j] += float32(c * plane[k*d+j])
				}
			}
		}
		for _, metric := range []knn.Metric{knn.Euclidean, knn.Cosine} {
			got, err := ByDistances(t.Context(), x, metric, 0.05, nil)
			if err != nil {
				t.Fatal(err)
			}
			found, wrong, all := 0, 0, 0
			for a := range n {
				for b := range a {
					if origin[a] == origin[b] {
						all++
					}
					if slow(metric, x.Row(a), x.Row(b)) <= got.Distance {
						if found++; origin[a] != origin[b] {
							wrong++
						}
					}
				}
			}
			if !(float64(found-wrong) >= 0.9*float64(all)) || !(float64(wrong) <= 0.1*float64(found)) {
				t.Errorf("groups of %d, %v: %d found of %d, %d of them wrong; %+v", group, metric, found, all, wrong, got)
			}
		}
	}
}

// The same bits whatever GOMAXPROCS is.
func TestThresholdRepeats(t *testing.T) {
	x, labels := classes(rand.New(rand.NewPCG(22, 23)), 500, 20, 5, 1)
	var want [2]*Threshold
	for i, procs := range []int{1, 3, 8} {
		old := runtime.GOMAXPROCS(procs)
		a, err := ByLabels(t.Context(), x, labels, knn.Cosine, 0.2, nil)
		b, err2 := ByDistances(t.Context(), x, knn.Cosine, 0.2, nil)
		runtime.GOMAXPROCS(old)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if got := [2]*Threshold{a, b}; i == 0 {
			want = got
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("with %d processors %+v, %+v", procs, a, b)
		}
	}
}

func TestThresholdRefuses(t *testing.T) {
	x, labels := classes(rand.New(rand.NewPCG(24, 25)), 100, 5, 4, 1)
	alone := make([]string, 100)
	for i := range alone {
		alone[i] = fmt.Sprint(i)
	}
	equal := tensor.New(100, 5)
	for want, f := range map[string]func() (*Threshold, error){
		"a share of 0":                        func() (*Threshold, error) { return ByLabels(t.Context(), x, labels, knn.Euclidean, 0, nil) },
		"a share of NaN":                      func() (*Threshold, error) { return ByDistances(t.Context(), x, knn.Euclidean, math.NaN(), nil) },
		"two labels":                          func() (*Threshold, error) { return ByLabels(t.Context(), x, alone, knn.Euclidean, 0.1, nil) },
		"nearest share that one keeps is 0.8": func() (*Threshold, error) { return ByLabels(t.Context(), equal, labels, knn.Euclidean, 0.1, nil) },
		"not a distance":                      func() (*Threshold, error) { return ByDistances(t.Context(), x, knn.InnerProduct, 0.1, nil) },
		"too few": func() (*Threshold, error) {
			return ByDistances(t.Context(), tensor.New(20, 5), knn.Euclidean, 0.1, nil)
		},
		"duplicates": func() (*Threshold, error) { return ByDistances(t.Context(), equal, knn.Euclidean, 0.1, nil) },
	} {
		if _, err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// TestNearestShare: where no distance keeps to a share, the one that is told is kept.
func TestNearestShare(t *testing.T) {
	x, labels := classes(rand.New(rand.NewPCG(26, 27)), 120, 4, 4, 2)
	_, err := ByLabels(t.Context(), x, labels, knn.Euclidean, 1e-6, nil)
	e, ok := errors.AsType[*ShareError](err)
	if !ok || !errors.Is(err, ErrShare) || e.Nearest <= e.Share || e.Nearest >= 1 {
		t.Fatalf("%#v", err)
	}
	found, err := ByLabels(t.Context(), x, labels, knn.Euclidean, e.Nearest, nil)
	if err != nil || found.Distance != e.Distance || found.Estimate > e.Nearest {
		t.Errorf("with a share of %v: %+v, %v", e.Nearest, found, err)
	}
}
