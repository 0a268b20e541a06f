package training

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"lookalike/picture"
	"lookalike/picture/album"
)

// folders is a set of pictures: how many each class has, and "." those in none.
func folders(t *testing.T, classes map[string]int) *album.Set {
	t.Helper()
	files := fstest.MapFS{}
	for class, n := range classes {
		for i := range n {
			files[path.Join(class, fmt.Sprintf("%02d.jpg", i))] = &fstest.MapFile{}
		}
	}
	set, err := album.Folder(files, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// paths are those of a set's pictures.
func paths(s *album.Set) []string {
	var list []string
	for i := range s.Len() {
		list = append(list, s.Path(i))
	}
	return list
}

// complete tells that every picture is in one set, in the order of all.
func complete(t *testing.T, all *album.Set, s Split) {
	t.Helper()
	var list []string
	for _, set := range []*album.Set{s.Learned, s.Kept, s.Unseen} {
		some := paths(set)
		if !slices.IsSorted(some) {
			t.Errorf("out of order: %v", some)
		}
		list = append(list, some...)
	}
	slices.Sort(list)
	if want := paths(all); !slices.Equal(list, want) {
		t.Errorf("the sets have %v, want %v", list, want)
	}
}

func TestDivide(t *testing.T) {
	all := folders(t, map[string]int{"cats": 10})
	for share, kept := range map[float64][]string{
		0:   nil,
		0.2: {"cats/02.jpg", "cats/07.jpg"},
		0.5: {"cats/01.jpg", "cats/03.jpg", "cats/05.jpg", "cats/07.jpg", "cats/09.jpg"},
	} {
		s, err := Divide(all, share)
		if err != nil {
			t.Fatal(err)
		}
		complete(t, all, s)
		if got := paths(s.Kept); !slices.Equal(got, kept) || s.Unseen.Len() != 0 {
			t.Errorf("of %v kept %v, want %v", share, got, kept)
		}
	}
	for _, share := range []float64{0.04, 0.96} {
		if _, err := Divide(all, share); err == nil || !strings.Contains(err.Error(), "of 10 pictures leaves none") {
			t.Errorf("a share of %v: %v", share, err)
		}
	}
}

// Whole classes are unseen; each of the others keeps a picture to learn from, even
// where validation would take all that it has.
func TestDivideClasses(t *testing.T) {
	all := folders(t, map[string]int{"a": 9, "b": 4, "c": 1, "d": 5})
	s, err := DivideClasses(all, 0.5, 0.25)
	if err != nil {
		t.Fatal(err)
	}
	complete(t, all, s)
	if got := Classes(s.Unseen); !slices.Equal(got, []string{"c"}) {
		t.Errorf("unseen are %v", got)
	}
	if got := Classes(s.Learned); !slices.Equal(got, []string{"a", "b", "d"}) {
		t.Errorf("learned are %v", got)
	}

	all = folders(t, map[string]int{"a": 1, "b": 1, "c": 1, "d": 1})
	if s, err = DivideClasses(all, 0.5, 0); err != nil {
		t.Fatal(err)
	}
	complete(t, all, s)
	if s.Learned.Len() != 4 {
		t.Errorf("learned are %v", paths(s.Learned))
	}

	for _, c := range []struct {
		classes            map[string]int
		validation, unseen float64
		want               string
	}{
		{map[string]int{".": 3, "b": 2}, 0, 0, "00.jpg lies in no folder"},
		{map[string]int{"a": 3, "b": 2}, 0, 0.2, "of 2 classes is none"},
		{map[string]int{"a": 3}, 0, 0, "there is 1 class to learn"},
		{map[string]int{"a": 3, "b": 2}, 0, 1, "there are 0 classes to learn"},
		{map[string]int{"a": 3, "b": 2}, 0.99, 0, "of 5 pictures leaves none"},
	} {
		files := folders(t, c.classes)
		if _, err := DivideClasses(files, c.validation, c.unseen); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.classes, err, c.want)
		}
	}
}
