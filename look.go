package lookalike

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"lookalike/internal/aligned"
	"lookalike/internal/memory"
	"lookalike/internal/parallel"
	"lookalike/internal/words"
	"lookalike/picture"
)

// Reasons why pictures whose vectors are near each other are not taken for copies, for
// [errors.Is].
var (
	ErrUnlike    = errors.New("their pixels differ")
	ErrTooLittle = errors.New("too little is in them to tell")
	ErrMore      = errors.New("one holds more than a picture") // frames, pages, or what a camera's sensor saw
)

// sight is a picture as the second look sees it.
type sight struct {
	view *aligned.View
	more string // what its file holds besides the picture, "" for nothing
	err  error  // it cannot be read
}

// look reads a file, of which it is said how large it is, 0 if nothing is.
func look(open func() (io.ReadCloser, error), size int64, o picture.Options) (s sight) {
	f, err := open()
	if err != nil {
		return sight{err: words.Cause(err)}
	}
	defer f.Close()
	s.err = picture.Read(f, size, o, func(data []byte) error {
		s.more = more(data)
		_, err := picture.DecodeBytes(data, o, func(m *picture.Image) *picture.Image {
			s.view = aligned.Look(m)
			return m
		})
		return err
	})
	return s
}

// more says what the bytes of a file hold besides the picture that is decoded.
func more(data []byte) string {
	if picture.IsRaw(data) {
		return "is a camera raw file"
	}
	if n, err := picture.Frames(data); err == nil && n > 1 {
		return fmt.Sprintf("has %d frames or pages", n)
	}
	return ""
}

// same returns nil if two pictures are copies of one, else why they are not taken for
// copies. The names are for the reason.
func (s sight) same(t sight, nameS, nameT string) error {
	switch {
	case s.err != nil:
		return &SkipError{nameS, s.err}
	case t.err != nil:
		return &SkipError{nameT, t.err}
	case s.more != "":
		return fmt.Errorf("%w: %s %s", ErrMore, words.Printable(nameS), s.more)
	case t.more != "":
		return fmt.Errorf("%w: %s %s", ErrMore, words.Printable(nameT), t.more)
	}
	switch aligned.Compare(s.view, t.view) {
	case aligned.Same:
		return nil
	case aligned.Unclear:
		return ErrTooLittle
	}
	return ErrUnlike
}

// looker looks at pictures of an index, and keeps what it has seen last.
type looker struct {
	v    *version
	most int // sights that are kept

	mu   sync.Mutex
	kept map[int]sight
	rows []int // in the order in which they were seen
}

// sightBytes is what a sight takes.
const sightBytes = 256 << 10

func (v *version) looker() *looker {
	return &looker{v: v, most: max(8, memory.Share(128<<20, 16)/sightBytes), kept: map[int]sight{}}
}

func (l *looker) at(row int) sight {
	l.mu.Lock()
	s, seen := l.kept[row]
	l.mu.Unlock()
	if seen {
		return s
	}
	s = look(func() (io.ReadCloser, error) { return l.v.openPicture(row) }, l.v.g.Files[row].Size, l.v.g.Recipe.Options())
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, seen := l.kept[row]; !seen {
		if len(l.rows) == l.most {
			delete(l.kept, l.rows[0])
			l.rows = l.rows[1:]
		}
		l.kept[row], l.rows = s, append(l.rows, row)
	}
	return s
}

// refusals returns for each of some pictures why it is no copy of another one; nil if it
// is.
func (l *looker) refusals(ctx context.Context, best int, others []int) ([]error, error) {
	first, entries := l.at(best), l.v.g.Entries
	reasons := make([]error, len(others))
	err := parallel.Ordered(ctx, len(others), func(i int) error {
		return first.same(l.at(others[i]), entries[best].Path, entries[others[i]].Path)
	}, func(i int, reason error) error {
		reasons[i] = reason
		return nil
	})
	return reasons, err
}

// SecondLook looks at the pictures of two queries, one over the other, without vectors.
// It returns nil if they are copies of one picture: of another size, format or quality,
// lightened, or marked. Else it says why they are not taken for copies: [ErrUnlike],
// [ErrTooLittle], [ErrMore], or that one cannot be read. Queries of files of the same
// bytes, whatever these hold, it does not know: compare their SHA256.
func SecondLook(ctx context.Context, a, b Query, p picture.Options) error {
	return secondLook(ctx, a, b, nil, p)
}

// SecondLook is [SecondLook] for queries that may be pictures of the index.
func (x *Index) SecondLook(ctx context.Context, a, b Query) error {
	v, err := x.enter()
	if err != nil {
		return err
	}
	defer v.guard.Leave()
	for _, q := range []*Query{&a, &b} {
		if err := v.place(q); err != nil {
			return err
		}
	}
	return secondLook(ctx, a, b, v.openPicture, v.g.Recipe.Options())
}

func secondLook(ctx context.Context, a, b Query, in func(row int) (io.ReadCloser, error), p picture.Options) error {
	var both [2]sight
	for i, q := range []*Query{&a, &b} {
		if q.whole() && q.pixels == nil && (q.inside && in != nil || !q.inside && q.open != nil) {
			open := q.open
			if q.inside {
				open = func() (io.ReadCloser, error) { return in(q.row) }
			}
			both[i] = look(open, 0, p)
		} else if m, err := q.load(ctx, in, p); err != nil {
			both[i].err = err
		} else {
			both[i].view = aligned.Look(m)
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return both[0].same(both[1], a.name, b.name)
}
