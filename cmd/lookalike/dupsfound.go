package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/lines"
	"lookalike/gallery"
	"lookalike/internal/words"
	"lookalike/knn"
)

// dupsFound is what dups prints with --json.
type dupsFound struct {
	Root     string      `json:"root"`     // the folder that paths are relative to
	Metric   string      `json:"metric"`   // of the distances
	Within   *float64    `json:"within"`   // the greatest distance of a duplicate; null: files of the same bytes only
	Pictures int         `json:"pictures"` // that were compared
	Groups   []dupsGroup `json:"groups"`
	Refused  []refusal   `json:"refused"` // pairs within the distance that the second look does not confirm, the first of them
	Action   string      `json:"action"`  // "none", "move" or "hardlink"
	Applied  bool        `json:"applied"` // false: nothing was touched
	Journal  string      `json:"journal"` // "" if none was written
}

type dupsGroup struct {
	Best   dupsPicture `json:"best"`
	Others []dupsOther `json:"others"`
}

type dupsPicture struct {
	Path     string    `json:"path"`
	Width    int       `json:"width"`
	Height   int       `json:"height"`
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
}

type dupsOther struct {
	dupsPicture
	Distance float64 `json:"distance"`  // from the best
	SameAs   string  `json:"same_as"`   // path of the picture of the same bytes, "" if there is none
	HardLink bool    `json:"hard_link"` // another name of a file that is in the group already: it takes no space

	Target string `json:"target"` // where it is to go, or whose link it is to become; "" if it stays
	State  string `json:"state"`  // "planned", "done" or "left"
	Reason string `json:"reason"` // why it was left
}

func newDupsFound(c *collection, groups []lookalike.Group, metric knn.Metric, within float64, pictures int) *dupsFound {
	d := &dupsFound{Root: c.root, Metric: metric.String(), Pictures: pictures, Groups: []dupsGroup{}, Refused: []refusal{}, Action: "none"}
	if !math.IsNaN(within) {
		d.Within = &within
	}
	describe := func(row int) dupsPicture {
		e, f := c.Entries[row], c.Files[row]
		return dupsPicture{e.Path, e.Width, e.Height, f.Size, f.Modified}
	}
	for _, g := range groups {
		group := dupsGroup{Best: describe(g.Best.Row)}
		files := []fs.FileInfo{c.info(g.Best.Row)}
		for _, other := range g.Others {
			out := dupsOther{dupsPicture: describe(other.Row), Distance: other.Distance, State: "left"}
			if other.SameAs >= 0 {
				out.SameAs = c.Entries[other.SameAs].Path
				info := c.info(other.Row)
				out.HardLink = slices.ContainsFunc(files, func(f fs.FileInfo) bool { return f != nil && info != nil && os.SameFile(f, info) })
				files = append(files, info)
			} else {
				files = append(files, c.info(other.Row))
			}
			group.Others = append(group.Others, out)
		}
		d.Groups = append(d.Groups, group)
	}
	return d
}

// info is what the system says of a picture's file, nil if it is none of its own.
func (c *collection) info(row int) fs.FileInfo {
	info, err := os.Lstat(c.path(row))
	if err != nil {
		return nil
	}
	return info
}

// refusals are the pairs that a second look does not confirm.
type refusals struct {
	first                []refusal
	unlike, little, more int
	unreadable           map[string]error // by path
}

// mostRefused are listed.
const mostRefused = 100

type refusal struct {
	A      string `json:"a"`
	B      string `json:"b"`
	Reason string `json:"reason"`
}

func (r *refusals) add(a, b string, reason error) {
	switch {
	case errors.Is(reason, lookalike.ErrUnlike):
		r.unlike++
	case errors.Is(reason, lookalike.ErrTooLittle):
		r.little++
	case errors.Is(reason, lookalike.ErrMore):
		r.more++
	default:
		path := b
		if skip, is := errors.AsType[*lookalike.SkipError](reason); is {
			path, reason = skip.Path, skip.Err
		}
		if r.unreadable == nil {
			r.unreadable = map[string]error{}
		}
		r.unreadable[path] = reason
	}
	if len(r.first) < mostRefused {
		r.first = append(r.first, refusal{a, b, reason.Error()})
	}
}

// tell says how many pairs were refused, and names the pictures that could not be looked
// at again, for --strict, too.
func (r *refusals) tell(a *app) {
	for _, kind := range []struct {
		n   int
		why string
	}{
		{r.unlike, "near each other by their description, but their pixels differ"},
		{r.little, "with too little in them to tell whether they are copies"},
		{r.more, "where one has several frames or pages, or is a camera raw file"},
	} {
		if kind.n > 0 {
			a.Warn("note: left out %s of pictures %s", words.Count(kind.n, "pair"), kind.why)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(r.unreadable)) {
		a.Warn("left %s: %v", words.Printable(path), r.unreadable[path])
		a.Skipped++
	}
}

// printGroups prints the groups for a person to read.
func (a *app) printGroups(c *collection, d *dupsFound, from string, o dupsOptions) error {
	var b strings.Builder
	largest := 0.0
	for other := range d.others() {
		largest = max(largest, math.Abs(other.Distance))
	}
	digits, width := words.Decimals(largest), cli.Width(a.Out.File)
	line := func(away string, f dupsPicture) {
		head := fmt.Sprintf("%-8s", away)
		if width >= cli.Narrow {
			head += fmt.Sprintf("%11s  %9s  ", words.Pixels(f.Width, f.Height), words.Bytes(f.Bytes))
		}
		fmt.Fprintf(&b, "%s%s\n", head, lines.Shorten(words.Printable(f.Path), width-len(head)))
	}
	for _, g := range d.Groups {
		line("best", g.Best)
		for _, other := range g.Others {
			away := fmt.Sprintf("%.*f", digits, other.Distance)
			switch {
			case other.HardLink:
				away = "link"
			case other.SameAs != "":
				away = "same"
			}
			line(away, other.dupsPicture)
			switch {
			case other.State == "left" && other.Reason != "" && d.Applied:
				fmt.Fprintf(&b, "%32s%s\n", "left: ", other.Reason)
			case other.Target != "" && other.State != "left":
				verb := map[string]string{"moveplanned": "would go to", "movedone": "now", "hardlinkplanned": "would become a link to", "hardlinkdone": "now a link to"}[d.Action+other.State]
				head := fmt.Sprintf("%30s%s ", "", verb)
				fmt.Fprintf(&b, "%s%s\n", head, lines.Shorten(words.Printable(words.FromHere(other.Target)), width-len(head)))
			}
		}
		b.WriteString("\n")
	}
	what := "of the same bytes"
	if d.Within != nil {
		from := map[string]string{fromGiven: "as given", fromDefault: "by default", gallery.FromDistances: "saved in the index"}[from]
		what = fmt.Sprintf("at a %s distance of at most %.4g (%s)", d.Metric, *d.Within, from)
	}
	sum := ""
	if len(d.Groups) == 0 {
		sum = fmt.Sprintf("No duplicates among %s, %s.\n", d.among(words.Printable(words.FromHere(c.root))), what)
	} else {
		n, freed := d.size()
		sum = fmt.Sprintf("%s with %s of %s, among %s, %s.\n", words.Count(len(d.Groups), "group"), words.Count(n, "duplicate"), words.Bytes(freed), d.among(words.Printable(words.FromHere(c.root))), what)
		sum += d.outcome()
	}
	b.WriteString(lines.Wrap(sum, width))
	_, err := io.WriteString(a.Out, b.String())
	return err
}

// outcome says what has become of the duplicates, or would.
func (d *dupsFound) outcome() string {
	planned, done, left := d.states()
	verb := map[string]string{"move": "moved", "hardlink": "linked"}[d.Action]
	switch {
	case d.Action == "none":
		return ""
	case !d.Applied && planned > 0:
		return fmt.Sprintf("Nothing was touched: %s would be %s. To do it, add --apply.\n", words.Count(planned, "file"), verb)
	case !d.Applied:
		return fmt.Sprintf("There is nothing to be %s.\n", verb)
	}
	text := fmt.Sprintf("%s %s, %d left.\n", words.Count(done, "file"), verb, left+planned)
	if d.Journal != "" {
		text += fmt.Sprintf("To take it back: %s\n", cli.Typed("dups", "--undo", d.Journal))
	}
	return text
}

// others are the duplicates of all groups.
func (d *dupsFound) others() iter.Seq[*dupsOther] {
	return func(yield func(*dupsOther) bool) {
		for _, g := range d.Groups {
			for k := range g.Others {
				if !yield(&g.Others[k]) {
					return
				}
			}
		}
	}
}

// size is how many duplicates there are, and how many bytes they take.
func (d *dupsFound) size() (n int, bytes int64) {
	for other := range d.others() {
		n++
		if !other.HardLink {
			bytes += other.Bytes
		}
	}
	return n, bytes
}

// states counts the duplicates that are to be put away, that have been, and all
// others.
func (d *dupsFound) states() (planned, done, left int) {
	for other := range d.others() {
		switch other.State {
		case "planned":
			planned++
		case "done":
			done++
		default:
			left++
		}
	}
	return planned, done, left
}

// among says what was looked through. An index that was imported may be of no folder.
func (d *dupsFound) among(root string) string {
	pictures := words.Count(d.Pictures, "picture")
	if root == "" {
		return pictures
	}
	return pictures + " in " + root
}
