package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/describe"
	"lookalike/internal/regions"
	"lookalike/internal/sheet"
	"lookalike/internal/words"
	"lookalike/picture"
	"lookalike/weights/published"
)

// reasons say why two pictures are alike.
type reasons struct {
	Likeness  float64    `json:"likeness"`  // cosine of the feature maps' means
	Matches   int        `json:"matches"`   // parts that are each other's most alike
	Placement *placement `json:"placement"` // null unless these agree on one
}

// placement is how the first picture lies over the second.
type placement struct {
	X       float64 `json:"x"`
	Y       float64 `json:"y"`
	ScaleX  float64 `json:"scale_x"`
	ScaleY  float64 `json:"scale_y"`
	Matches int     `json:"matches"` // that agree
}

// text is that in words.
func (r *reasons) text() string {
	if r.Placement == nil {
		return fmt.Sprintf("%s of A look most like one of B, but they lie in no common arrangement.", words.Count(r.Matches, "part"))
	}
	p := r.Placement
	var how []string
	if p.ScaleX < 0 {
		how = append(how, "mirrored")
	}
	if s := math.Sqrt(math.Abs(p.ScaleX) * p.ScaleY); s < 0.95 || s > 1.05 {
		how = append(how, fmt.Sprintf("%.0f%% as large", 100*s))
	}
	left, right := min(p.X, p.X+p.ScaleX), max(p.X, p.X+p.ScaleX)
	if dx, dy := (left+right)/2-0.5, p.Y+p.ScaleY/2-0.5; math.Hypot(dx, dy) > 0.05 {
		how = append(how, "moved")
	}
	hint := ""
	switch {
	case how == nil:
		how = []string{"in its place"}
	case 2*p.Matches > r.Matches:
		hint = "; one may be a cut of the other"
	}
	return fmt.Sprintf("%d of the %s that are most alike agree on how A lies over B: %s%s.", p.Matches, words.Count(r.Matches, "part"), strings.Join(how, ", "), hint)
}

// drawWhy draws why two pictures are alike, by the feature maps of a network.
func drawWhy(ctx context.Context, t *cli.Terminal, path string, network describe.Mapper, both []query, o picture.Options, title string) (*reasons, error) {
	var pictures []*picture.Image
	for i := range both {
		m, err := both[i].picture(o)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, m)
	}
	maps, err := network.Maps(ctx, pictures)
	if err != nil {
		return nil, err
	}
	c := sheet.Comparison{Title: title}
	heatA, heatB, likeness := regions.Shares(maps[0].Coarse, maps[1].Coarse)
	side := func(i int, heat []float64) sheet.Side {
		name := both[i].name
		if both[i].path != "" {
			name = filepath.Join(filepath.Base(filepath.Dir(both[i].path)), filepath.Base(both[i].path))
		}
		return sheet.Side{Image: pictures[i].On(255).RGBA(), Title: "AB"[i:i+1] + ": " + words.Printable(name), Heat: heat, Rows: maps[i].Coarse.Dim(0), Columns: maps[i].Coarse.Dim(1)}
	}
	c.A, c.B = side(0, heatA), side(1, heatB)
	c.HeatTitle = fmt.Sprintf("What makes them alike (the redder, the more of the likeness of %.3f)", likeness)

	matches := regions.Matches(maps[0].Fine, maps[1].Fine)
	r := &reasons{Likeness: likeness, Matches: len(matches)}
	size := [2]int{maps[0].Fine.Dim(0), maps[0].Fine.Dim(1)}
	shown := matches[:min(len(matches), mostShown)]
	if p, ok := regions.Place(matches, size, size); ok {
		r.Placement = &placement{p.X, p.Y, p.ScaleX, p.ScaleY, len(p.Matches)}
		shown = p.Matches
	}
	c.Links = links(shown, size)
	c.LinkTitle = r.text()
	t.Undrawn(sheet.Undrawn(c.A.Title, c.B.Title))
	return r, sheet.Write(path, sheet.Compare(c))
}

// mostShown is how many matches are shown that agree on nothing.
const mostShown = 20

// links are matches of maps of height and width size, as the sheet draws them.
func links(matches []regions.Match, size [2]int) []sheet.Link {
	part := [2]float64{1 / float64(size[1]), 1 / float64(size[0])}
	middle := func(cell int) [2]float64 {
		return [2]float64{(float64(cell%size[1]) + 0.5) * part[0], (float64(cell/size[1]) + 0.5) * part[1]}
	}
	var list []sheet.Link
	for _, m := range matches {
		list = append(list, sheet.Link{A: middle(m.A), B: middle(m.B), SizeA: part, SizeB: part})
	}
	return list
}

// withMaps returns a network with feature maps: m, or else VGG16 with the weights that
// have been downloaded to the cache, which done closes.
func withMaps(m describe.Model, cache string) (mapper describe.Mapper, done func(), err error) {
	if mapper, ok := describe.MapperOf(m); ok {
		return mapper, func() {}, nil
	}
	file, err := published.Store(cache).Find("vgg16-notop", "vgg16")
	if err != nil {
		return nil, nil, fmt.Errorf("--why draws what a network sees in the parts of pictures: %w", err)
	}
	network, err := describe.Spec{Name: "vgg16", Weights: file, Layer: "block5_pool"}.Open()
	if err != nil {
		return nil, nil, err
	}
	mapper, _ = describe.MapperOf(network)
	return mapper, func() { network.Close() }, nil
}
