package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/remote"
	"lookalike/internal/web"
	"lookalike/internal/words"
	"lookalike/picture"
	"lookalike/picture/album"
)

// query is a picture that a command is given on its command line.
type query struct {
	lookalike.Query
	name string // as it was given; of a picture in a folder, the folder's name and its own
	path string // of its file; "" if it has none of its own
	row  int    // of the index, -1 if it is no picture of it

	named bool // by itself, not as one of a folder
	open  func() (io.ReadCloser, error)
}

// queryHelp describes the forms of a query, for the help of commands.
const queryHelp = `A QUERY is a picture file; a folder or archive, which stands for all pictures in
it; - for a picture on standard input; an http:// or https:// address; or
index:ID, a picture of the index by its path or number: index:cats/tom.jpg,
index:17. Private network addresses are refused, also after a redirect, unless
--allow-private is given. If one of several queries cannot be read, it is left
out and the others are answered.`

// queryOptions are the flags of commands that take queries.
type queryOptions struct{ allowPrivate bool }

func (o *queryOptions) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.allowPrivate, "allow-private", false, "fetch pictures from private and local network addresses too")
}

// standardInput is the query that stands for it, and the most that is read of it,
// a little more than picture.Options allow a file.
const (
	standardInput       = "-"
	mostOfInput   int64 = 256<<20 + 1
)

// findQueries finds what the arguments of a command mean. Nothing is decoded yet, but
// addresses are fetched and standard input is read. Without an index, c is nil.
// The caller must call done when the queries are not read any more.
func findQueries(ctx context.Context, a *app, c *collection, args []string, o queryOptions) (found []query, done func(), err error) {
	var sources []*album.Source
	done = func() {
		for _, s := range sources {
			s.Close()
		}
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	read := false
	var bad []error
	for _, arg := range args {
		id, inIndex := strings.CutPrefix(arg, indexPrefix)
		var q query
		switch {
		case inIndex:
			q, err = c.query(id)
		case arg == standardInput && read:
			err = cli.Usagef("- for standard input can be given once only")
		case arg == standardInput:
			read = true
			q, err = readQuery(os.Stdin)
		case remote.IsAddress(arg):
			q, err = fetchQuery(ctx, arg, o)
		default:
			s, err := album.Open(arg)
			if errors.Is(err, os.ErrNotExist) {
				err = fmt.Errorf("there is no file %s%s", words.Printable(arg), c.suggest(arg))
			}
			if err != nil && len(args) > 1 { // the others are answered
				bad = append(bad, err)
				continue
			}
			if err != nil {
				return nil, done, err
			}
			sources = append(sources, s)
			in, err := queriesIn(s, arg)
			if err != nil {
				return nil, done, err
			}
			if err := a.outputs.Spare(arg, func(file string) bool { return cli.IsDrawing(file) && has(in, file) }); err != nil {
				return nil, done, err
			}
			found = append(found, in...)
			continue
		}
		if err != nil {
			return nil, done, err
		}
		found = append(found, q)
	}
	if len(found) == 0 {
		return nil, done, errors.Join(bad...)
	}
	for _, err := range bad {
		a.Warn("warning: left out: %v", err)
		a.Skipped++
	}
	return found, done, nil
}

// query returns a picture of the index.
func (c *collection) query(id string) (query, error) {
	if c == nil {
		return query{}, cli.Usagef("%s%s: no index is given that it could be a picture of; name one with --index FILE", indexPrefix, id)
	}
	row, err := c.find(id)
	if err != nil {
		return query{}, err
	}
	open := func() (io.ReadCloser, error) { return c.index.OpenPicture(row) }
	return query{Query: lookalike.Row(row), name: indexPrefix + id, path: c.path(row), row: row, named: true, open: open}, nil
}

// readQuery returns the picture on standard input.
func readQuery(in *os.File) (query, error) {
	if term.IsTerminal(int(in.Fd())) {
		return query{}, cli.Usagef("-: standard input is the keyboard; pipe a picture into it, as in 'cat picture.jpg | lookalike …'")
	}
	data, err := io.ReadAll(io.LimitReader(in, mostOfInput))
	if err != nil {
		return query{}, fmt.Errorf("cannot read standard input: %w", err)
	}
	return inMemory("standard input", data), nil
}

// fetchQuery returns the picture at an address.
func fetchQuery(ctx context.Context, address string, o queryOptions) (query, error) {
	data, err := remote.Get(ctx, address, remote.Options{AllowPrivate: o.allowPrivate})
	if err != nil {
		return query{}, orAllowPrivate(err)
	}
	return inMemory(web.Shown(address), data), nil
}

// orAllowPrivate says how to fetch what was refused for where it lies.
func orAllowPrivate(err error) error {
	if _, private := errors.AsType[*web.PrivateError](err); private {
		return fmt.Errorf("%w; allow that with --allow-private", err)
	}
	return err
}

// inMemory returns a picture that has no file, by what one would hold.
func inMemory(name string, data []byte) query {
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	return query{Query: lookalike.Opener(name, open), name: name, row: -1, named: true, open: open}
}

// queriesIn returns the pictures of a file, folder or archive.
func queriesIn(s *album.Source, path string) ([]query, error) {
	set, err := s.Pictures(picture.Options{})
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case set.Len() == 0:
		return nil, fmt.Errorf("the %s %s holds no files; give one with pictures", s.Kind, path)
	}
	var found []query
	for i := range set.Len() {
		q := query{name: path, row: -1, named: s.Kind == "file"}
		if !q.named {
			q.name = filepath.Join(path, filepath.FromSlash(set.Path(i)))
		}
		q.open = func() (io.ReadCloser, error) { return set.Open(i) }
		q.Query = lookalike.Opener(q.name, q.open)
		if s.Kind == "file" || s.Kind == "folder" {
			q.path, q.Query = q.name, q.At(q.name)
		}
		found = append(found, q)
	}
	return found, nil
}

// has tells whether a file is one of the queries.
func has(all []query, file string) bool {
	info, err := os.Stat(file)
	return err == nil && slices.ContainsFunc(all, func(q query) bool {
		if q.path == "" {
			return false
		}
		other, err := os.Stat(q.path)
		return err == nil && os.SameFile(info, other)
	})
}

// picture reads the query's picture. The error names it.
func (q *query) picture(o picture.Options) (*picture.Image, error) {
	m, err := decode(q.open, o)
	if err != nil {
		return nil, unread(&lookalike.SkipError{Path: q.name, Err: err})
	}
	return m, nil
}

// picturesOf are the queries as the library takes them.
func picturesOf(all []query) []lookalike.Query {
	queries := make([]lookalike.Query, len(all))
	for i, q := range all {
		queries[i] = q.Query
	}
	return queries
}

// unread is the error of a query that cannot be read as a picture; others stay.
func unread(err error) error {
	if e, ok := errors.AsType[*lookalike.SkipError](err); ok {
		return fmt.Errorf("cannot read the picture %s: %w", words.Printable(e.Path), e.Err)
	}
	return err
}

// describeQueries gives the queries their vectors, by Describe of an index or of a model. Those
// that cannot be read are reported and left out of what is returned. It is an error if none
// is left, or if all are needed.
func describeQueries(t *cli.Terminal, all []query, needed bool, by func([]lookalike.Query, ...lookalike.DescribeOption) ([]lookalike.Query, error)) ([]query, error) {
	var p *cli.Progress // none if there is nothing to describe
	end := func() {
		if p != nil {
			p.End()
		}
	}
	defer end()
	progress := lookalike.Describing(func(done, all int) {
		if p == nil {
			p = t.Progress("Describing", "images", all)
			return
		}
		p.Set(done)
	})
	var skips, named []album.Skip
	unreadable := lookalike.Unreadable(func(i int, err *lookalike.SkipError) error {
		skip := album.Skip{Path: err.Path, Reason: err.Err}
		switch {
		case all[i].named && (len(all) == 1 || needed):
			return unread(err)
		case all[i].named:
			named = append(named, skip)
		default:
			skips = append(skips, skip)
		}
		return nil
	})
	described, err := by(picturesOf(all), progress, unreadable)
	if err != nil {
		return nil, err
	}
	for i, q := range described {
		all[i].Query = q
	}
	good := slices.DeleteFunc(all, func(q query) bool { return q.Vector() == nil })
	end()
	for _, s := range named {
		t.Skip(s.Path, s.Reason)
	}
	report(t, skips, len(described)-len(named))
	if len(good) == 0 {
		return nil, fmt.Errorf("none of the %s could be read as a picture", words.Count(len(described), "file"))
	}
	return good, nil
}
