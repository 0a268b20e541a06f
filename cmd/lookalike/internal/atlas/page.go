package atlas

import (
	_ "embed"
	"html/template"
	"image"
	"io"
	"iter"
	"math"

	"golang.org/x/image/draw"

	"lookalike/cmd/lookalike/internal/webpage"
)

// Page is what surrounds a map on its page.
type Page struct {
	Title  string
	Lead   string // what is shown, in a sentence
	Folder string // that the names of places are paths in, for links to the files; "" for none
}

// spriteSheet is the side of a sheet of sprites: the the thumbnails of a page, in squares of side pixels, row by row, on
// it. That is small enough for the browsers of telephones.
const spriteSheet = 2048

// Side returns the longest side in pixels of the thumbnails on a page of n: the
// more there are, the smaller, so that the page does not get too large to open.
func Side(n int) int {
	switch {
	case n <= 400:
		return 224
	case n <= 1500:
		return 160
	case n <= 5000:
		return 112
	case n <= 12000:
		return 80
	}
	return 48
}

//go:embed map.gohtml
var mapPage string

// onPage is what the page's script gets. Lists are flat, for speed.
type onPage struct {
	Width  float64 `json:"width"`
	Height float64 `json:"height"`

	Boxes  []float64 `json:"boxes"`  // of each picture: x and y of the middle, width, height
	Names  []string  `json:"names"`  // of each
	Notes  []string  `json:"notes"`  // of each
	Label  []int     `json:"label"`  // of each: which of labels
	Pixels []int     `json:"pixels"` // of each: width and height of the thumbnail, 0 without one

	Labels []string  `json:"labels"`
	Towns  []float64 `json:"towns"` // of each label: x, y, number of pictures

	Cell   int          `json:"cell"`   // side of a square on a sheet
	Across int          `json:"across"` // squares in a row
	Folder template.URL `json:"folder"` // address of the folder, or ""
}

// Write writes the map as a page that needs nothing else.
func (m *Map) Write(w io.Writer, p Page) error {
	t, err := webpage.New(mapPage)
	if err != nil {
		return err
	}
	data := onPage{Width: rounded(m.width), Height: rounded(m.height), Cell: m.cell(),
		Boxes: []float64{}, Names: []string{}, Notes: []string{}, Label: []int{}, Pixels: []int{}, Labels: []string{}, Towns: []float64{}}
	data.Across = max(1, spriteSheet/data.Cell)
	if p.Folder != "" {
		data.Folder = webpage.File(p.Folder)
	}
	number := map[string]int{}
	for _, t := range m.towns() {
		number[t.label] = len(data.Labels)
		data.Labels = append(data.Labels, t.label)
		data.Towns = append(data.Towns, rounded(t.x), rounded(t.y), float64(t.pictures))
	}
	for i, place := range m.places {
		b := m.boxes[i]
		data.Boxes = append(data.Boxes, rounded(b.x), rounded(b.y), rounded(b.width), rounded(b.height))
		data.Names, data.Notes = append(data.Names, place.Name), append(data.Notes, place.Note)
		label, ok := number[place.Label]
		if !ok {
			label = -1
		}
		data.Label = append(data.Label, label)
		var size image.Point
		if place.Picture != nil {
			size = place.Picture.Rect.Size()
		}
		data.Pixels = append(data.Pixels, size.X, size.Y)
	}
	return t.Execute(w, struct {
		Title, Lead string
		Sheets      iter.Seq[image.Image]
		Data        onPage
	}{p.Title, p.Lead, m.sheets(data.Cell, data.Across), data})
}

// rounded leaves out digits that nobody sees.
func rounded(v float64) float64 { return math.Round(v*1000) / 1000 }

// cell is the side of a square that any thumbnail fits in.
func (m *Map) cell() int {
	side := 1
	for _, p := range m.places {
		if p.Picture != nil {
			side = max(side, p.Picture.Rect.Dx(), p.Picture.Rect.Dy())
		}
	}
	return side
}

// sheets draws the thumbnails on sheets.
func (m *Map) sheets(cell, across int) iter.Seq[image.Image] {
	return func(yield func(image.Image) bool) {
		for from := 0; from < len(m.places); from += across * across {
			some := m.places[from:min(from+across*across, len(m.places))]
			rows := (len(some) + across - 1) / across
			dst := image.NewRGBA(image.Rect(0, 0, min(across, len(some))*cell, rows*cell))
			draw.Draw(dst, dst.Rect, image.White, image.Point{}, draw.Src)
			for i, p := range some {
				if p.Picture != nil {
					sprite(dst, image.Rect(0, 0, cell, cell).Add(image.Pt(i%across*cell, i/across*cell)), p.Picture)
				}
			}
			if !yield(dst) {
				return
			}
		}
	}
}

// sprite draws a thumbnail into a square's corner and goes on with its last column
// and row to the square's ends, for JPEG makes neighbouring pixels alike.
func sprite(dst *image.RGBA, square image.Rectangle, m *image.RGBA) {
	for y := range square.Dy() {
		row := m.Rect.Min.Y + min(y, m.Rect.Dy()-1)
		for x := range square.Dx() {
			dst.SetRGBA(square.Min.X+x, square.Min.Y+y, m.RGBAAt(m.Rect.Min.X+min(x, m.Rect.Dx()-1), row))
		}
	}
}
