package sheet

import (
	"image"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Series is one line of a loss curve: the values of epochs 1, 2, and so on.
type Series struct {
	Name   string
	Values []float64
}

// LossCurve plots the series over the epochs and writes the figure to path as
// Write does. A legend names them when there are several. Values that are NaN
// or beyond float32 are left out, and the line is interrupted there.
func LossCurve(path, title string, series ...Series) error {
	return Write(path, curve(title, series))
}

// colours of the series, in order: distinct from each other for colour-blind
// eyes too (Okabe and Ito's set, its lighter members left out).
var colours = []color.Color{
	color.RGBA{0, 114, 178, 255},
	color.RGBA{213, 94, 0, 255},
	color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255},
}

const (
	curveWidth  = 5.5 * vg.Inch
	curveHeight = 3.4 * vg.Inch
	curveDPI    = 180
)

func curve(title string, series []Series) image.Image {
	p := newPlot(title)
	epochs := 1
	for i, s := range series {
		epochs = max(epochs, len(s.Values))
		wider := vg.Points(1.4 * float64(min(len(series)-1-i, 3))) // so that curves that coincide are all to be seen
		line := draw.LineStyle{Color: colours[i%len(colours)], Width: vg.Points(1.6) + wider}
		if i >= len(colours) {
			line.Dashes = []vg.Length{vg.Points(4), vg.Points(2)}
		}
		dot := draw.GlyphStyle{Color: line.Color, Shape: draw.CircleGlyph{}, Radius: vg.Points(2) + wider/2}
		for _, run := range finiteRuns(s.Values) {
			p.Add(&plotter.Line{XYs: run, LineStyle: line})
			if len(s.Values) <= 50 || len(run) == 1 { // more dots would hide the line
				p.Add(&plotter.Scatter{XYs: run, GlyphStyle: dot})
			}
		}
		if len(series) > 1 {
			p.Legend.Add(s.Name, &plotter.Line{LineStyle: line})
		}
	}
	p.X.Min, p.X.Max = 1, float64(epochs)
	if epochs == 1 {
		p.X.Min, p.X.Max = 0.5, 1.5
	}
	switch {
	case p.Y.Min > p.Y.Max: // no value to show
		p.Y.Min, p.Y.Max = 0, 1
	case p.Y.Min > 0 && (p.Y.Min < p.Y.Max/2 || p.Y.Min == p.Y.Max): // zero tells how far down it went
		p.Y.Min = 0
	}
	c := vgimg.NewWith(vgimg.UseWH(curveWidth, curveHeight), vgimg.UseDPI(curveDPI))
	p.Draw(draw.Crop(draw.New(c), vg.Points(8), -vg.Points(14), vg.Points(8), -vg.Points(10)))
	return c.Image()
}

// newPlot is an empty plot of epochs and losses in the figures' font.
func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.TextHandler = text.Plain{Fonts: font.NewCache(font.Collection{{Font: font.Font{Typeface: "Go"}, Face: goRegular()}})}
	set := func(s *text.Style, size vg.Length) {
		s.Handler, s.Font, s.Color = p.TextHandler, font.Font{Typeface: "Go", Size: size}, ink
	}
	set(&p.Title.TextStyle, 12)
	set(&p.Legend.TextStyle, 10)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		set(&a.Label.TextStyle, 10)
		set(&a.Tick.Label, 9)
		a.LineStyle.Color, a.Tick.LineStyle.Color = ink, ink
		a.Label.Padding = vg.Points(5)
		a.Padding = vg.Points(6)
	}
	p.Title.Text, p.Title.Padding = title, vg.Points(8)
	p.X.Label.Text, p.Y.Label.Text = "epoch", "loss"
	p.X.Tick.Marker, p.Y.Tick.Marker = wholeNumbers{}, evenDecimals{}
	p.Legend.Top = true
	p.Legend.Padding = vg.Points(2)
	p.Legend.XOffs, p.Legend.YOffs = -vg.Points(4), -vg.Points(5) // clear of the topmost grid line

	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal.Color = outline
	p.Add(grid)
	return p
}

// finiteRuns cuts values into runs of finite float32 numbers, as points over
// the epochs 1, 2, ...
func finiteRuns(values []float64) []plotter.XYs {
	var runs []plotter.XYs
	open := false
	for i, v := range values {
		finite := math.Abs(v) <= math.MaxFloat32 // losses are float32; not true of NaN
		if finite {
			if !open {
				runs = append(runs, nil)
			}
			last := &runs[len(runs)-1]
			*last = append(*last, plotter.XY{X: float64(i + 1), Y: v})
		}
		open = finite
	}
	return runs
}

// wholeNumbers marks an axis at whole numbers a round step apart.
type wholeNumbers struct{}

// Ticks returns the whole multiples of 1, 2, 5, 10, 20, ... that lie in
// [lo, hi], at most eleven.
func (wholeNumbers) Ticks(lo, hi float64) []plot.Tick {
	step := 1.0
	for decade := 1.0; (hi-lo)/step > 10; decade *= 10 {
		for _, step = range []float64{decade, 2 * decade, 5 * decade} {
			if (hi-lo)/step <= 10 {
				break
			}
		}
	}
	var ticks []plot.Tick
	for v := math.Ceil(lo/step) * step; v <= hi; v += step {
		ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', -1, 64)})
	}
	return ticks
}

// evenDecimals marks an axis a round step apart, with the same number of decimals
// everywhere.
type evenDecimals struct{}

// Ticks returns the whole multiples of 1, 2 or 5 times a power of ten that lie in
// [lo, hi], three to seven of them.
func (evenDecimals) Ticks(lo, hi float64) []plot.Tick {
	const most = 6
	if !(hi-lo > 1e-9*math.Abs(hi)) || math.IsInf(hi-lo, 0) { // as good as one value
		return []plot.Tick{{Value: lo, Label: strconv.FormatFloat(lo, 'g', 3, 64)}}
	}
	decade := math.Pow(10, math.Floor(math.Log10((hi-lo)/most)))
	var step float64
	for _, round := range []float64{1, 2, 5, 10} {
		if step = round * decade; (hi-lo)/step <= most {
			break
		}
	}
	decimals := -int(math.Floor(math.Log10(step) + 1e-9))
	var ticks []plot.Tick
	first := math.Ceil(lo/step - 1e-9)
	for i := range most + 1 {
		v := (first + float64(i)) * step
		if v > hi+1e-9*step {
			break
		}
		label := strconv.FormatFloat(v, 'f', max(decimals, 0), 64)
		if decimals > 6 || decimals < -5 {
			label = strconv.FormatFloat(v, 'g', 3, 64)
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: label})
	}
	return ticks
}
