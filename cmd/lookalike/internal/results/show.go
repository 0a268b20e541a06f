package results

import (
	"context"
	"fmt"
	"io"
	"os"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/termimage"
	"lookalike/internal/words"
)

// Pictures shown in the terminal, between the lines of a result.

// ShowWords are the values of --show.
var ShowWords = []string{"auto", string(termimage.Kitty), string(termimage.ITerm), string(termimage.Sixel), string(termimage.Blocks), string(termimage.None)}

const (
	showMost  = 24  // pictures for one query, itself included
	showTotal = 240 // pictures in all
)

// Shower shows pictures in the terminal.
type Shower struct {
	termimage.Terminal
	named bool // by the user, so that pictures that are not there are an error
	row   bool // show one row of small pictures only
	shown int
	left  int // pictures that there was no room for
}

// NewShower returns what shows pictures by a value of --show. A way that is typed
// counts for any output, be it for a pager; one from the settings for terminals
// only, so that it does not spoil files.
func NewShower(t *cli.Terminal, way string, typed bool) *Shower {
	s := &Shower{named: way != "auto"}
	terminal := termimage.IsTerminal(t.Out.File)
	switch p := termimage.Protocol(way); {
	case way == "auto":
		s.Terminal = termimage.Detect(t.Out.File)
		s.row = s.Protocol == termimage.Blocks // which would fill the screen
	case p == termimage.None, !terminal && !typed:
		s.Protocol = termimage.None
	case terminal && (p == termimage.Kitty || p == termimage.ITerm) && termimage.Multiplexed(os.Getenv):
		t.Warn("note: tmux and screen keep back pictures in the way %s; --show blocks works in them", p)
		s.Protocol = termimage.None
	default:
		s.Terminal = termimage.Size(t.Out.File)
		if p == termimage.Sixel && s.Cell.X == 0 || p == termimage.Blocks && !s.TrueColor {
			s.Terminal = termimage.Detect(t.Out.File) // which may know
		}
		s.Protocol = p
	}
	return s
}

// Ready makes sure that there are pictures to show. Nobody has asked for those of
// auto, so that without them it is quiet but for a note.
func (s *Shower) Ready(t *cli.Terminal, x *lookalike.Index) error {
	if s.Protocol == termimage.None {
		return nil
	}
	_, err := x.Source()
	if err != nil && !s.named {
		if x.Root() != "" {
			t.Warn("note: no pictures are shown: %v%s", err, t.Hint(err))
		}
		s.Protocol, err = termimage.None, nil
	}
	return err
}

// result writes a query's picture and those found for it, each with its rank and
// its distance below. One that cannot be read is reported and shown as a grey
// square.
func (s *Shower) result(ctx context.Context, w io.Writer, f *Found, r Result, digits int) error {
	if s.Protocol == termimage.None {
		return nil
	}
	n := min(1+len(r.Hits), showMost, showTotal-s.shown)
	s.left += 1 + len(r.Hits) - n
	if n <= 0 {
		return nil
	}
	layout := s.Layout(n)
	if s.row {
		layout = s.Row(n)
		n = layout.PerRow
	}
	s.shown += n
	r.Hits = r.Hits[:n-1]
	small, errs, err := f.thumbnails(ctx, r, layout.Width, layout.Height)
	if err != nil {
		return err
	}
	tiles := make([]termimage.Tile, n)
	for i, m := range small {
		tiles[i] = termimage.Tile{Picture: m, Caption: "query"}
		if i > 0 {
			tiles[i].Caption = fmt.Sprintf("%d  %.*f", i, digits, r.Hits[i-1].Distance)
		}
		if errs[i] != nil {
			f.Terminal.Warn("warning: not shown: %v%s", errs[i], f.Terminal.Hint(errs[i]))
		}
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return layout.Write(w, tiles)
}

// end tells of what was not shown.
func (s *Shower) end(t *cli.Terminal) {
	if s.left > 0 {
		t.Warn("note: %s more than are shown here; --html FILE writes a page with all of them", words.Count(s.left, "picture"))
	}
}
