package sheet

import (
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// painted counts the pixels of the colour.
func painted(m image.Image, c color.Color) int {
	r, g, b, _ := c.RGBA()
	n := 0
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			if pr, pg, pb, _ := m.At(x, y).RGBA(); pr == r && pg == g && pb == b {
				n++
			}
		}
	}
	return n
}

func TestCurveShowsWhatIsFinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string]struct {
		values  []float64
		visible bool
	}{
		"falling":          {[]float64{3, 2, 1.5, 1.2}, true},
		"one":              {[]float64{0.25}, true},
		"one of many":      {append(slices.Repeat([]float64{nan}, 60), 1), true},
		"gaps":             {[]float64{nan, 2, inf, 1, -inf}, true},
		"constant":         {[]float64{5, 5, 5}, true},
		"zero":             {[]float64{0}, true},
		"negative":         {[]float64{-1, -2}, true},
		"tiny":             {[]float64{0, 5e-324}, true},
		"neighbours":       {[]float64{1, math.Nextafter(1, 2)}, true},
		"float32's limits": {[]float64{-math.MaxFloat32, math.MaxFloat32}, true},
		"float64's limits": {[]float64{-math.MaxFloat64, math.MaxFloat64}, false},
		"none":             {nil, false},
		"nothing finite":   {[]float64{nan, inf, -inf}, false},
	} {
		got := painted(curve("title", []Series{{"loss", c.values}}), colours[0])
		if visible := got > 50; visible != c.visible {
			t.Errorf("%s: %d pixels of the curve's colour, want visible %v", name, got, c.visible)
		}
	}
}

func TestLegendOnlyWithSeveralSeries(t *testing.T) {
	// A series without values shows up in the legend only.
	if n := painted(curve("", []Series{{"empty", nil}}), colours[0]); n != 0 {
		t.Errorf("one series: %d pixels of a legend", n)
	}
	m := curve("", []Series{{"training", []float64{2, 1}}, {"empty", nil}, {"c", []float64{1, 1}}, {"d", []float64{1}}, {"e", []float64{1, 3}}})
	for i, c := range colours {
		if n := painted(m, c); n == 0 {
			t.Errorf("series %d does not show", i)
		}
	}
}

func TestWholeNumbers(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   []float64
	}{
		{0.5, 1.5, []float64{1}},
		{1, 2, []float64{1, 2}},
		{1, 11, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		{1, 12, []float64{2, 4, 6, 8, 10, 12}},
		{1, 30, []float64{5, 10, 15, 20, 25, 30}},
		{1, 100, []float64{10, 20, 30, 40, 50, 60, 70, 80, 90, 100}},
		{1, 150, []float64{20, 40, 60, 80, 100, 120, 140}},
		{1, 5000, []float64{500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500, 5000}},
	} {
		var got []float64
		for _, tick := range (wholeNumbers{}).Ticks(c.lo, c.hi) {
			got = append(got, tick.Value)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("marks in [%g, %g] are %v, want %v", c.lo, c.hi, got, c.want)
		}
	}
}

func TestEvenDecimals(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{0, 28.5, "0 5 10 15 20 25"},
		{0, 0.29, "0.00 0.05 0.10 0.15 0.20 0.25"},
		{0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{0.0651, 0.0689, "0.066 0.067 0.068"},
		{-3, 3, "-3 -2 -1 0 1 2 3"},
		{5, 5, "5"},
		{1e30, math.Nextafter(1e30, 2e30), "1e+30"},
		{0, math.Inf(1), "0"},
		{0, 6e7, "0 1e+07 2e+07 3e+07 4e+07 5e+07 6e+07"},
		{0, 3e-9, "0 5e-10 1e-09 1.5e-09 2e-09 2.5e-09 3e-09"},
	} {
		var got []string
		for _, tick := range (evenDecimals{}).Ticks(c.lo, c.hi) {
			got = append(got, tick.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("marks in [%g, %g] are %s, want %s", c.lo, c.hi, s, c.want)
		}
	}
}

func TestLossCurveWritesPNG(t *testing.T) {
	path := filepath.Join(t.TempDir(), "loss.png")
	if err := LossCurve(path, "Training loss", Series{"training", []float64{2, 1}}, Series{"validation", []float64{2.1, 1.3}}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if m, err := png.Decode(f); err != nil || m.Bounds().Dx() < 600 {
		t.Errorf("read back: %v", err)
	}
	if err := LossCurve(filepath.Join(t.TempDir(), "missing", "loss.png"), "", Series{}); err == nil {
		t.Error("writing to a missing folder succeeded")
	}
}
