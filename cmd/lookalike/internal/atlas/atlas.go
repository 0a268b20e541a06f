// Package atlas draws a collection as a map: pictures that lie where they belong,
// as one large picture or as a page to move about in.
package atlas

import (
	"cmp"
	"image"
	"math"
	"slices"
)

// Place is a picture of the map.
type Place struct {
	Picture *image.RGBA // a thumbnail; nil if there is none
	Name    string      // such as its path
	Label   string      // its class; "" if it has none
	Note    string      // such as its size
}

// Map is pictures in their places, which do not overlap but for what cannot be
// seen. Lengths are in the longest side of a picture.
type Map struct {
	places        []Place
	boxes         []box // of each place, within [0, width] and [0, height]
	width, height float64
}

// margin is round a map.
const margin = 1

// New makes a map of pictures at points, y pointing up. Only directions and the
// proportions of distances count; pictures that would overlap are moved apart.
func New(places []Place, points [][2]float64) *Map {
	sizes := make([][2]float64, len(places))
	for i, p := range places {
		sizes[i] = [2]float64{1, 0.75}
		if p.Picture != nil {
			w, h := float64(p.Picture.Rect.Dx()), float64(p.Picture.Rect.Dy())
			sizes[i] = [2]float64{w / max(w, h), h / max(w, h)}
		}
	}
	m := &Map{places: places, boxes: apart(points, sizes)}
	left, top, right, bottom := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, b := range m.boxes {
		left, right = min(left, b.x-b.width/2), max(right, b.x+b.width/2)
		top, bottom = min(top, b.y-b.height/2), max(bottom, b.y+b.height/2)
	}
	if len(places) == 0 {
		left, right, top, bottom = 0, 0, 0, 0
	}
	for i := range m.boxes {
		m.boxes[i].x += margin - left
		m.boxes[i].y += margin - top
	}
	m.width, m.height = right-left+2*margin, bottom-top+2*margin
	return m
}

// town is a class's name on the map, where most of its pictures are.
type town struct {
	label    string
	x, y     float64
	pictures int
}

// towns returns a name for each class that has a place of its own, the largest
// first.
func (m *Map) towns() []town {
	members := map[string][]int{}
	for i, p := range m.places {
		if p.Label != "" {
			members[p.Label] = append(members[p.Label], i)
		}
	}
	var list []town
	for label, rows := range members {
		t := town{label: label, pictures: len(rows)}
		t.x, t.y = m.densest(rows)
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b town) int {
		return cmp.Or(cmp.Compare(b.pictures, a.pictures), cmp.Compare(a.label, b.label))
	})
	return list
}

// densest returns a place that has as many of some boxes near it as possible: the
// middle of those near the box that has the most round it.
func (m *Map) densest(rows []int) (x, y float64) {
	// Boxes of a class that lies together fill a disk of about this radius.
	radius := 0.8 * math.Sqrt(float64(len(rows)))
	most := 0
	for _, i := range rows {
		near, sumX, sumY := 0, 0.0, 0.0
		for _, j := range rows {
			if b := m.boxes[j]; math.Hypot(b.x-m.boxes[i].x, b.y-m.boxes[i].y) <= radius {
				near++
				sumX += b.x
				sumY += b.y
			}
		}
		if near > most {
			most, x, y = near, sumX/float64(near), sumY/float64(near)
		}
	}
	return x, y
}
