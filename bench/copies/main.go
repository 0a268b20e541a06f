// Command copies measures how well dups tells copies from others: how many of
// 100,000 pairs of unlike pictures, of every kind, it takes for copies, and how many
// copies of photographs, of seventeen kinds, it finds. Both are told for what it went by
// before it looked at pictures a second time, too.
//
//	go run ./copies -photos ../../shared/caltech101 > table.md
package main

import (
	"context"
	"flag"
	"fmt"
	"image"
	"image/png"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"lookalike/internal/aligned"
	"lookalike/internal/parallel"
	"lookalike/internal/perceptual"
	"lookalike/picture"
	"lookalike/picture/album"
)

func main() {
	photos := flag.String("photos", "../../shared/caltech101", "photographs, in folders by what is on them")
	each := flag.Int("each", 132, "pictures of each kind that is drawn; all pairs of a kind are compared")
	copied := flag.Int("copied", 300, "photographs of which copies are made")
	keep := flag.String("keep", "", "write the drawn pictures to a folder, for the program itself")
	show := flag.Bool("show", false, "tell of each false match and each copy that the second look refuses")
	flag.Parse()
	log.SetFlags(0)
	if *keep != "" {
		if err := write(*keep, *each); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := measure(*photos, *each, *copied, *show); err != nil {
		log.Fatal(err)
	}
}

func write(dir string, each int) error {
	for _, k := range drawnKinds {
		if err := os.MkdirAll(filepath.Join(dir, k.name), 0o755); err != nil {
			return err
		}
		for i, m := range k.many(each) {
			f, err := os.Create(filepath.Join(dir, k.name, fmt.Sprintf("%03d.png", i)))
			if err != nil {
				return err
			}
			if err := png.Encode(f, m); err != nil {
				return err
			}
			if err := f.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// seen is what is known of a picture.
type seen struct {
	name    string
	was, is []float32
	view    *aligned.View
}

func see(name string, m *picture.Image) seen {
	return seen{name: name, was: before(m), is: perceptual.Describe(perceptual.Prepare(m)), view: aligned.Look(m)}
}

func distance(a, b []float32) float64 {
	sum := 0.0
	for i, x := range a {
		sum += (float64(x) - float64(b[i])) * (float64(x) - float64(b[i]))
	}
	return math.Sqrt(sum)
}

const wasWithin = 0.14

// rates count pairs that are taken for copies.
type rates struct {
	pairs, was, near, is, unclear int
}

func (r *rates) add(a, b *seen, show func(v aligned.Verdict, why []aligned.Finding)) {
	r.pairs++
	if distance(a.was, b.was) <= wasWithin {
		r.was++
	}
	if distance(a.is, b.is) > perceptual.Within {
		return
	}
	r.near++
	v, why := aligned.Why(a.view, b.view)
	switch v {
	case aligned.Same:
		r.is++
	case aligned.Unclear:
		r.unclear++
	}
	if show != nil {
		show(v, why)
	}
}

func (r rates) row(name string) {
	part := func(n int) string { return fmt.Sprintf("%.4f%%", 100*float64(n)/float64(max(r.pairs, 1))) }
	fmt.Printf("| %s | %d | %d (%s) | %d | %d (%s) | %d |\n", name, r.pairs, r.was, part(r.was), r.near, r.is, part(r.is), r.unclear)
}

func measure(dir string, each, copied int, show bool) error {
	kinds := map[string][]seen{}
	var names []string
	set, err := album.Folder(os.DirFS(dir), picture.Options{})
	if err != nil {
		return err
	}
	var originals []*picture.Image
	photographs := make([]seen, 0, set.Len())
	all := make([]*picture.Image, set.Len())
	err = parallel.Ordered(context.Background(), set.Len(), func(i int) *seen {
		m, err := set.Load(i)
		if err != nil {
			return nil
		}
		if i*copied/set.Len() != (i+1)*copied/set.Len() {
			all[i] = m
		}
		s := see(set.Path(i), m)
		return &s
	}, func(i int, s *seen) error {
		if s == nil {
			return fmt.Errorf("%s cannot be read", set.Path(i))
		}
		photographs = append(photographs, *s)
		return nil
	})
	if err != nil {
		return err
	}
	for _, m := range all {
		if m != nil {
			originals = append(originals, m)
		}
	}

	fmt.Printf("Copies that are found, of %d photographs:\n\n| copy | of | before | near | now | too little to tell |\n|---|---|---|---|---|---|\n", len(originals))
	for _, c := range changes {
		found := make([]rates, len(originals))
		parallel.For(len(originals), func(i int) {
			m := originals[i]
			a, b := see("", m), see("", c.make(m, rand.New(rand.NewPCG(uint64(i), 3))))
			found[i].add(&a, &b, func(v aligned.Verdict, why []aligned.Finding) {
				if show && v != aligned.Same {
					fmt.Fprintf(os.Stderr, "%s, photograph %d: %v %+v\n", c.name, i, v, why)
				}
			})
		})
		var sum rates
		for _, r := range found {
			sum.pairs, sum.was, sum.near, sum.is, sum.unclear = sum.pairs+r.pairs, sum.was+r.was, sum.near+r.near, sum.is+r.is, sum.unclear+r.unclear
		}
		fmt.Printf("| %s | %d | %d | %d | %d | %d |\n", c.name, sum.pairs, sum.was, sum.near, sum.is, sum.unclear)
	}

	fmt.Printf("\nUnlike pictures taken for copies; of a kind, all pairs of %d:\n\n| kind | pairs | before | near now | taken for copies now | too little to tell |\n|---|---|---|---|---|---|\n", each)
	for _, k := range drawnKinds {
		drawn := k.many(each)
		s := make([]seen, len(drawn))
		parallel.For(len(drawn), func(i int) {
			s[i] = see(fmt.Sprintf("%s %d", k.name, i), picture.FromImage(image.Image(drawn[i])))
		})
		kinds[k.name], names = s, append(names, k.name)
	}
	told := func(a, b *seen) func(aligned.Verdict, []aligned.Finding) {
		return func(v aligned.Verdict, why []aligned.Finding) {
			if show && v == aligned.Same {
				fmt.Fprintf(os.Stderr, "%s and %s: %v %+v\n", a.name, b.name, v, why)
			}
		}
	}
	var sum rates
	total := func(r rates) {
		sum.pairs, sum.was, sum.near, sum.is, sum.unclear = sum.pairs+r.pairs, sum.was+r.was, sum.near+r.near, sum.is+r.is, sum.unclear+r.unclear
	}
	for _, name := range names {
		s, r := kinds[name], rates{}
		for i := range s {
			for k := range i {
				r.add(&s[i], &s[k], told(&s[i], &s[k]))
			}
		}
		r.row(name)
		total(r)
	}
	var mixed rates
	random := rand.New(rand.NewPCG(1, 2))
	for range each * each / 2 {
		a, b := names[random.IntN(len(names))], names[random.IntN(len(names))]
		if a != b {
			x, y := &kinds[a][random.IntN(each)], &kinds[b][random.IntN(each)]
			mixed.add(x, y, told(x, y))
		}
	}
	mixed.row("of two kinds")
	total(mixed)
	var photos rates
	for i := range photographs {
		for k := range i {
			photos.add(&photographs[i], &photographs[k], told(&photographs[i], &photographs[k]))
		}
	}
	sum.row("all of these")
	photos.row("photographs, all pairs")
	return nil
}
