package training

import (
	"fmt"
	"math"
	"slices"

	"lookalike/picture/album"
)

// Split is a division of pictures. Sets may be empty, but for Learned.
type Split struct {
	Learned *album.Set
	Kept    *album.Set // for validation
	Unseen  *album.Set // of classes that are kept out as a whole
}

// Divide keeps a share of the pictures, evenly spaced, for validation. A share of
// 0 keeps none.
func Divide(photos *album.Set, validation float64) (Split, error) {
	n := photos.Len()
	k := int(math.Round(validation * float64(n)))
	if validation > 0 && (k < 1 || k >= n) {
		pictures := "pictures"
		if n == 1 {
			pictures = "picture"
		}
		return Split{}, fmt.Errorf("validation %v of %d %s leaves none to learn from or none to validate on; give more pictures or another share", validation, n, pictures)
	}
	out := Evenly(k, n)
	learned, kept := divide(photos, func(i int) bool {
		_, found := slices.BinarySearch(out, i)
		return !found
	})
	return Split{learned, kept, photos.Pick(nil)}, nil
}

// DivideClasses keeps a share of the classes, evenly spaced, out of training, and of the
// pictures of the others a share for validation. Every class that is learned keeps
// a picture to learn from.
func DivideClasses(photos *album.Set, validation, unseen float64) (Split, error) {
	for i := range photos.Len() {
		if photos.Label(i) == "" {
			return Split{}, fmt.Errorf("%s lies in no folder below the one that is given, so its class is not known; put it into one, or train an autoencoder", photos.Path(i))
		}
	}
	classes := Classes(photos)
	k := int(math.Round(unseen * float64(len(classes))))
	if unseen > 0 && k < 1 {
		return Split{}, fmt.Errorf("unseen %v of %d classes is none; give a greater share", unseen, len(classes))
	}
	if n := len(classes) - k; n < 2 {
		there := fmt.Sprintf("are %d classes", n)
		if n == 1 {
			there = "is 1 class"
		}
		return Split{}, fmt.Errorf("there %s to learn, and at least two are needed; an embedding learns what tells the pictures of one folder from those of the others", there)
	}
	out := map[string]bool{}
	for _, i := range Evenly(k, len(classes)) {
		out[classes[i]] = true
	}
	seen, away := divide(photos, func(i int) bool { return !out[photos.Label(i)] })
	s, err := Divide(seen, validation)
	if err != nil {
		return Split{}, err
	}
	s.leaveOne(seen)
	s.Unseen = away
	return s, nil
}

// leaveOne gives every class that has all of its pictures in Kept the first of them
// back to learn from. all are those of both, in their order.
func (s *Split) leaveOne(all *album.Set) {
	has, in := map[string]bool{}, map[string]bool{}
	for i := range s.Learned.Len() {
		has[s.Learned.Label(i)], in[s.Learned.Path(i)] = true, true
	}
	for i := range s.Kept.Len() {
		if label := s.Kept.Label(i); !has[label] {
			has[label], in[s.Kept.Path(i)] = true, true
		}
	}
	s.Learned, s.Kept = divide(all, func(i int) bool { return in[all.Path(i)] })
}

// divide returns the pictures that learn chooses by their number, and the others.
func divide(photos *album.Set, learn func(i int) bool) (learned, others *album.Set) {
	var in, out []int
	for i := range photos.Len() {
		if learn(i) {
			in = append(in, i)
		} else {
			out = append(out, i)
		}
	}
	return photos.Pick(in), photos.Pick(out)
}

// Classes returns the classes that pictures are of, sorted.
func Classes(photos *album.Set) []string {
	labels := photos.Labels()
	slices.Sort(labels)
	return slices.Compact(labels)
}

// Evenly returns at most k numbers below n, evenly spaced.
func Evenly(k, n int) []int {
	k = min(k, n)
	rows := make([]int, k)
	for i := range rows {
		rows[i] = (2*i + 1) * n / (2 * k)
	}
	return rows
}
