// Package sample draws a gallery of labelled pictures, so that a program can
// show what it does without any photograph at hand.
//
// Ten classes of scenes are told apart by layout and colours to some degree,
// and the members of a class differ in what is in them, where, how large, in
// which colours, in what light, and in noise. Nothing is stored: a seed gives
// the same pictures, to the bit, on every machine. To that end whatever decides
// about a pixel is an integer, or a float that is rounded to a coarse grid
// first, so that processors which fuse multiplications and additions agree with
// those that do not.
package sample

import (
	"fmt"
	"image"
	"iter"
	"math/rand/v2"
)

// Picture is one member of a class.
type Picture struct {
	Class string
	Name  string // of this picture alone: the class and a number, "fish-07"
	Image *image.RGBA
}

// classes are the scenes in the order of the gallery.
var classes = []struct {
	name string
	draw func(*canvas)
}{
	{"balloons", balloons},
	{"bricks", bricks},
	{"fish", fish},
	{"flowers", flowers},
	{"forest", forest},
	{"mountains", mountains},
	{"planets", planets},
	{"skyline", skyline},
	{"sunset", sunset},
	{"tiger", tiger},
}

// Classes are the names of the classes in the order of the gallery.
func Classes() []string {
	var names []string
	for _, c := range classes {
		names = append(names, c.name)
	}
	return names
}

// Gallery draws perClass pictures of size x size pixels of each class, one after
// the other as they are asked for. A picture depends on the seed, its class, its
// number and the size, not on perClass. Up to 512 pixels it is the same on every
// machine; above that x/image/vector counts in floats.
func Gallery(seed uint64, perClass, size int) iter.Seq[Picture] {
	if size < 1 {
		panic(fmt.Sprintf("sample.Gallery: pictures of %d x %d pixels", size, size))
	}
	return func(yield func(Picture) bool) {
		for i, class := range classes {
			for n := range perClass {
				c := newCanvas(size, rand.New(rand.NewPCG(seed, uint64(i)<<32|uint64(n))))
				class.draw(c)
				c.finish()
				if !yield(Picture{class.name, fmt.Sprintf("%s-%02d", class.name, n+1), c.img}) {
					return
				}
			}
		}
	}
}
