package dedup

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"lookalike/gallery"
	"lookalike/knn"
	"lookalike/tensor"
)

// line1 is a gallery of points on a line, in pixels as given.
func line1(at []float32, pixels []int) *gallery.Gallery {
	g := &gallery.Gallery{Vectors: tensor.New(len(at), 1)}
	for i, x := range at {
		g.Vectors.Row(i)[0] = x
		g.Entries = append(g.Entries, gallery.Entry{Path: fmt.Sprintf("%03d.jpg", i), Width: pixels[i], Height: 1})
		g.Files = append(g.Files, gallery.File{Size: 10, SHA256: [32]byte{byte(i), byte(i >> 8), 1}})
	}
	return g
}

func groupsOf(t *testing.T, g *gallery.Gallery, o Options) []Group {
	t.Helper()
	groups, err := Groups(t.Context(), g, o)
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

func TestChain(t *testing.T) {
	// A series: each is near to the next, the ends are far apart.
	g := line1([]float32{0, 1, 2, 3, 4}, []int{9, 8, 7, 6, 5})
	got := fmt.Sprint(groupsOf(t, g, Options{Within: 1}))
	if want := "[{0 [{1 1 -1}]} {2 [{3 1 -1}]}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// The best in the middle has both sides, and one between two bests goes to the nearer.
	g = line1([]float32{0, 1, 2, 2.5, 3.6}, []int{5, 9, 5, 5, 9})
	got = fmt.Sprint(groupsOf(t, g, Options{Within: 1.5}))
	if want := "[{1 [{0 1 -1} {2 1 -1}]} {4 [{3 1.0999999046325684 -1}]}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSameBytes(t *testing.T) {
	g := line1([]float32{0, 5, 5, 0.25}, []int{9, 7, 7, 8})
	g.Files[2].SHA256 = g.Files[1].SHA256
	g.Files[3].SHA256 = g.Files[0].SHA256 // whose vector may be another by rounding
	g.Files[1].Modified, g.Files[2].Modified = time.Unix(2, 0), time.Unix(1, 0)
	for _, within := range []float64{math.NaN(), 0.1} {
		got := fmt.Sprint(groupsOf(t, g, Options{Within: within}))
		if want := "[{0 [{3 0 0}]} {2 [{1 0 2}]}]"; got != want {
			t.Errorf("within %v: %s, want %s", within, got, want)
		}
	}
	if got := groupsOf(t, g, Options{Within: 0.1, Skip: func(row int) bool { return row == 0 || row == 2 }}); len(got) != 0 {
		t.Errorf("what is left out is in %v", got)
	}
	g.Files[1].SHA256, g.Files[2].SHA256 = [32]byte{}, [32]byte{} // not known
	if got := groupsOf(t, g, Options{Within: math.NaN()}); len(got) != 1 {
		t.Errorf("two unknown contents are the same: %v", got)
	}
}

// What groups are, by definition, at random.
func TestGroups(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		n, d := 1+r.IntN(60), 1+r.IntN(4)
		g := &gallery.Gallery{Vectors: tensor.New(n, d)}
		for i := range n {
			for j := range d {
				g.Vectors.Row(i)[j] = float32(r.NormFloat64())
			}
			g.Entries = append(g.Entries, gallery.Entry{Path: fmt.Sprintf("%03d.jpg", i), Width: 1 + r.IntN(3), Height: 2})
			g.Files = append(g.Files, gallery.File{Size: int64(r.IntN(3)), SHA256: [32]byte{byte(r.IntN(2 * n)), 1}})
			for j := range i { // the same bytes make the same vector
				if g.Files[i].SHA256 == g.Files[j].SHA256 {
					copy(g.Vectors.Row(i), g.Vectors.Row(j))
					g.Entries[i].Width, g.Files[i].Size = g.Entries[j].Width, g.Files[j].Size
					break
				}
			}
		}
		o := Options{Metric: knn.Euclidean, Within: r.Float64()}
		far := func(a, b int) float64 {
			sum := 0.0
			for j, x := range g.Vectors.Row(a) {
				sum += (float64(x) - float64(g.Vectors.Row(b)[j])) * (float64(x) - float64(g.Vectors.Row(b)[j]))
			}
			return math.Sqrt(sum)
		}
		bestOf := map[int]int{}
		for _, group := range groupsOf(t, g, o) {
			for _, other := range group.Others {
				if _, twice := bestOf[other.Row]; twice {
					t.Fatalf("%d is in two groups", other.Row)
				}
				bestOf[other.Row] = group.Best
				if !(math.Abs(far(group.Best, other.Row)-other.Distance) <= 1e-6) || !(other.Distance <= o.Within) {
					t.Fatalf("%d is at %v from its best, said to be %v, within %v", other.Row, far(group.Best, other.Row), other.Distance, o.Within)
				}
				if better(g, group.Best, other.Row) >= 0 {
					t.Fatalf("%d is better than its best %d", other.Row, group.Best)
				}
				if other.Same >= 0 && (g.Files[other.Same].SHA256 != g.Files[other.Row].SHA256 || other.Same == other.Row) {
					t.Fatalf("%d is not the same as %d", other.Row, other.Same)
				}
			}
		}
		for a := range n {
			best, other := bestOf[a]
			first := a // of its bytes: the others go where that one goes
			for b := range n {
				if g.Files[b].SHA256 == g.Files[a].SHA256 && better(g, b, first) < 0 {
					first = b
				}
			}
			for b := range n {
				if _, no := bestOf[b]; no || a == b {
					continue
				}
				switch { // b stays
				case !other && far(a, b) < o.Within-1e-9:
					t.Fatalf("%d and %d both stay, at %v within %v", a, b, far(a, b), o.Within)
				case other && far(a, b) < far(a, best)-1e-9 && better(g, b, first) < 0:
					t.Fatalf("%d went to %d though %d is nearer", a, best, b)
				}
			}
		}
	}
}

func TestTooFar(t *testing.T) {
	n := 9000
	g := &gallery.Gallery{Entries: make([]gallery.Entry, n), Files: make([]gallery.File, n), Vectors: tensor.New(n, 1)}
	for i := range n {
		g.Vectors.Row(i)[0] = float32(i % 7)
	}
	_, err := Groups(t.Context(), g, Options{Within: 100})
	if err == nil || !strings.Contains(err.Error(), "100% of all pictures") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Groups(ctx, g, Options{Within: 0}); err == nil {
		t.Error("not stopped")
	}
}
