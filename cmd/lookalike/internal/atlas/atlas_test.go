package atlas

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// colour is one that tells picture i from its neighbours.
func colour(i int) color.RGBA {
	return color.RGBA{uint8(60 + i*97%180), uint8(60 + i*53%180), uint8(60 + i*31%180), 255}
}

// plain is a picture of one colour.
func plain(width, height, i int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for j := range m.Pix {
		c := colour(i)
		m.Pix[j] = [4]uint8{c.R, c.G, c.B, c.A}[j%4]
	}
	return m
}

// looksLike tells whether a colour is that of picture i, but for what JPEG does.
func looksLike(c color.Color, i int) bool {
	r, g, b, _ := c.RGBA()
	want := colour(i)
	near := func(v uint32, w uint8) bool { return math.Abs(float64(v>>8)-float64(w)) <= 8 }
	return near(r, want.R) && near(g, want.G) && near(b, want.B)
}

// grouped is n points in groups, some of which coincide.
func grouped(n int) [][2]float64 {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	points := make([][2]float64, n)
	for i := range points {
		g := float64(i % 7)
		points[i] = [2]float64{20*math.Cos(g) + r.NormFloat64(), 20*math.Sin(g) + r.NormFloat64()}
		if i%10 == 9 {
			points[i] = points[i-3]
		}
	}
	return points
}

// Whatever the points, pictures end apart, and those that were near stay near.
func TestApart(t *testing.T) {
	line := make([][2]float64, 50)
	for i := range line {
		line[i] = [2]float64{float64(i * i), 0}
	}
	for name, points := range map[string][][2]float64{
		"none":      {},
		"one":       {{3, 4}},
		"a line":    line,
		"coincide":  make([][2]float64, 40),
		"groups":    grouped(800),
		"far apart": {{0, 0}, {1e-12, 0}, {1e12, 1e12}},
	} {
		sizes := make([][2]float64, len(points))
		for i := range sizes {
			sizes[i] = [][2]float64{{1, 0.75}, {0.6, 1}, {1, 0.1}, {1, 1}}[i%4]
		}
		boxes := apart(points, sizes)
		if !slices.Equal(boxes, apart(points, sizes)) {
			t.Errorf("%s: a second call gives another result", name)
		}
		for i, a := range boxes {
			if math.IsNaN(a.x+a.y) || math.IsInf(a.x+a.y, 0) {
				t.Fatalf("%s: box %d is at %v, %v", name, i, a.x, a.y)
			}
			for j, b := range boxes[:i] {
				x, y := (a.width+b.width)/2-math.Abs(a.x-b.x), (a.height+b.height)/2-math.Abs(a.y-b.y)
				if min(x, y) > 0 {
					t.Errorf("%s: boxes %d and %d overlap by %v, %v", name, i, j, x, y)
				}
			}
		}
	}

	points := grouped(800)
	sizes := slices.Repeat([][2]float64{{1, 1}}, 800)
	boxes := apart(points, sizes)
	same := 0
	for i, a := range boxes {
		nearest, least := -1, math.Inf(1)
		for j, b := range boxes {
			if d := math.Hypot(a.x-b.x, a.y-b.y); j != i && d < least {
				nearest, least = j, d
			}
		}
		if math.Hypot(points[i][0]-points[nearest][0], points[i][1]-points[nearest][1]) < 6 { // of its group
			same++
		}
	}
	if same < 780 {
		t.Errorf("only %d of 800 have a neighbour of their group", same)
	}
}

// few is a map of n pictures, some of which are missing.
func few(n int, label func(i int) string) *Map {
	places := make([]Place, n)
	for i := range places {
		places[i] = Place{Picture: plain(20, 10+i%17, i), Name: fmt.Sprintf("dir/%d.jpg", i), Label: label(i), Note: "note"}
		if i%9 == 4 {
			places[i].Picture = nil
		}
	}
	return New(places, grouped(n))
}

// On the sheet each picture is where its box is.
func TestDraw(t *testing.T) {
	m := few(60, func(int) string { return "" })
	side := float64(spot(max(m.width, m.height)))
	dst := m.Draw()
	for i, b := range m.boxes {
		c := dst.RGBAAt(int(b.x*side), int(b.y*side))
		if m.places[i].Picture == nil {
			if c.R != c.G || c.R == 255 {
				t.Errorf("the missing picture %d is %v", i, c)
			}
		} else if !looksLike(c, i) {
			t.Errorf("picture %d is %v, want %v", i, c, colour(i))
		}
	}
	if empty := New(nil, nil).Draw(); empty.Rect.Empty() {
		t.Error("an empty map has no size")
	}
}

// A class's name stands where most of its pictures are.
func TestTowns(t *testing.T) {
	m := few(140, func(i int) string {
		switch {
		case i%7 == 2 && i < 120:
			return "together"
		case i == 3:
			return "alone"
		}
		return ""
	})
	towns := m.towns()
	if len(towns) != 2 || towns[0].label != "together" || towns[0].pictures != 17 || towns[1].label != "alone" || towns[1].pictures != 1 {
		t.Fatalf("%+v", towns)
	}
	if b := m.boxes[3]; towns[1].x != b.x || towns[1].y != b.y {
		t.Errorf("%+v, the picture is at %v", towns[1], b)
	}
	for i, b := range m.boxes {
		if d := math.Hypot(b.x-towns[0].x, b.y-towns[0].y); m.places[i].Label == "together" && i%10 != 9 && d > 6 {
			t.Errorf("picture %d is %v away from its class's name", i, d)
		}
	}
}

// What the page's script gets is the map, and each thumbnail is where the script
// looks for it.
func TestPage(t *testing.T) {
	m := few(300, func(i int) string { return fmt.Sprint("class ", i%3) })
	for i := range m.places {
		if m.places[i].Picture != nil {
			m.places[i].Picture = plain(224, 150, i) // so that there are several sheets
		}
	}
	out := written(t, m, Page{Title: "title", Folder: "/photos/ä"})
	var data onPage
	text := regexp.MustCompile(`const data = (.*);`).FindStringSubmatch(out)
	if text == nil {
		t.Fatal("no data")
	}
	if err := json.Unmarshal([]byte(text[1]), &data); err != nil {
		t.Fatal(err)
	}
	if data.Folder != "file:///photos/%C3%A4" || data.Cell != 224 || len(data.Boxes) != 1200 || len(data.Labels) != 3 || len(data.Towns) != 9 {
		t.Fatalf("%+v", data)
	}
	var sheets []image.Image
	for _, s := range regexp.MustCompile(`src="data:image/jpeg;base64,([^"]*)"`).FindAllStringSubmatch(out, -1) {
		raw, err := base64.StdEncoding.DecodeString(html.UnescapeString(s[1]))
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := jpeg.Decode(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		sheets = append(sheets, sheet)
	}
	if a := data.Across; len(sheets) != (300+a*a-1)/(a*a) || len(sheets) < 2 {
		t.Fatalf("%d sheets of %d squares", len(sheets), a*a)
	}
	for i, p := range m.places {
		width, height := data.Pixels[2*i], data.Pixels[2*i+1]
		if data.Names[i] != p.Name || data.Labels[data.Label[i]] != p.Label || math.Abs(data.Boxes[4*i]-m.boxes[i].x) > 1e-3 {
			t.Errorf("picture %d: %q, %q", i, data.Names[i], data.Labels[data.Label[i]])
		}
		if p.Picture == nil {
			if width != 0 || height != 0 {
				t.Errorf("missing picture %d has %dx%d pixels", i, width, height)
			}
			continue
		}
		at := i % (data.Across * data.Across)
		x, y := at%data.Across*data.Cell, at/data.Across*data.Cell
		sheet := sheets[i/(data.Across*data.Across)]
		for _, d := range []image.Point{{0, 0}, {width - 1, height - 1}} {
			if c := sheet.At(x+d.X, y+d.Y); width != 224 || height != 150 || !looksLike(c, i) {
				t.Errorf("picture %d, %dx%d, is %v, want %v", i, width, height, c, colour(i))
			}
		}
	}
}

func written(t *testing.T, m *Map, p Page) string {
	t.Helper()
	var b strings.Builder
	if err := m.Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Whatever files are called, their names are text, and nothing is fetched.
func TestHostileNames(t *testing.T) {
	const evil = "</script><script>alert(1)</script>\u2028\"'`<img src=x onerror=alert(2)>"
	m := New([]Place{{Name: evil, Label: evil, Note: evil, Picture: plain(5, 5, 0)}, {Name: "b", Label: "c"}}, [][2]float64{{0, 0}, {1, 1}})
	out := written(t, m, Page{Title: evil, Lead: evil, Folder: "/" + evil})
	if n := strings.Count(out, "<script"); n != 1 {
		t.Errorf("%d scripts", n)
	}
	if strings.Contains(out, "<img src=x") || strings.Contains(out, "ZgotmplZ") || strings.Contains(out, "http://") || strings.Contains(out, "https://") {
		t.Error("a name has become an element, an address was refused, or the page names another one")
	}
	if empty := written(t, New(nil, nil), Page{}); !strings.Contains(empty, `"names":[]`) {
		t.Error("a map of nothing has no empty list of names")
	}
}
