package album

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"lookalike/internal/parallel"
	"lookalike/internal/words"
	"lookalike/picture"
)

// Set is an ordered list of picture files, decoded on demand. It is read-only
// and may be used by many goroutines at once.
type Set struct {
	fsys      fs.FS
	options   picture.Options
	paths     []string
	transform func(*picture.Image) *picture.Image // nil: none
}

// Options returns the options that the pictures are read with.
func (s *Set) Options() picture.Options { return s.options }

// Folder lists the pictures below the root of fsys, sorted by path. Every
// regular file is a candidate, whatever its name ends in; names that begin with
// "." are passed over, and so are links to folders, which may lead in circles
// (links to files are followed). A folder that cannot be read is listed as if it
// were a file, so that Check reports it, and so is one that a system keeps for itself, such
// as a folder of thumbnails on a Synology. Nothing is decoded yet.
func Folder(fsys fs.FS, o picture.Options) (*Set, error) {
	if fsys == nil {
		return nil, errors.New("album.Folder: the file system is nil")
	}
	var paths []string
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case p == "." && err != nil:
			return fmt.Errorf("the folder cannot be read: %w", words.Cause(err)) // the path is ".", which tells nothing
		case p == ".":
			return nil
		case strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case err != nil:
			paths = append(paths, p)
			return nil
		case d.IsDir() && systemFolders[d.Name()] != "":
			paths = append(paths, p)
			return fs.SkipDir
		case d.Type().IsRegular():
			paths = append(paths, p)
		case d.Type()&fs.ModeSymlink != 0:
			// A link that leads nowhere stays in, for Check to report.
			if info, err := fs.Stat(fsys, p); err != nil || info.Mode().IsRegular() {
				paths = append(paths, p)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	return &Set{fsys: fsys, options: o.WithDefaults(), paths: slices.Compact(paths)}, nil
}

// systemFolders are folders whose pictures people do not mean: copies that a system makes
// of theirs, or what they have thrown away.
var systemFolders = map[string]string{
	"@eaDir":                    "Synology's folder of thumbnails",
	"#recycle":                  "Synology's waste basket",
	"@Recycle":                  "QNAP's waste basket",
	"$RECYCLE.BIN":              "the waste basket of Windows",
	"System Volume Information": "a folder of Windows",
	"__MACOSX":                  "what macOS adds to archives",
	"iPod Photo Cache":          "iTunes' folder of thumbnails",
}

// SystemFolderError is why a folder is left out that a system keeps for itself.
type SystemFolderError struct {
	What string // such as "the waste basket of Windows"
}

func (e *SystemFolderError) Error() string { return e.What + ", left out with all in it" }

// ofSystem is an error that says why a folder of systemFolders is left out.
func ofSystem(name string, info fs.FileInfo) error {
	if what := systemFolders[path.Base(name)]; what != "" && info.IsDir() {
		return &SystemFolderError{what}
	}
	return nil
}

// Len returns the number of files. A nil set has none.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.paths)
}

// path returns the path of file i for an operation, which panics if there is none.
func (s *Set) path(op string, i int) string {
	if i < 0 || i >= s.Len() {
		panic(fmt.Sprintf("album.%s: there is no file %d among %d", op, i, s.Len()))
	}
	return s.paths[i]
}

// Path returns the path of file i relative to the root, with slashes. It panics, as
// all methods that take a file's number, if there is no such file.
func (s *Set) Path(i int) string { return s.path("Path", i) }

// Label returns the name of the folder that file i lies in, "" at the root.
func (s *Set) Label(i int) string { return LabelOf(s.path("Label", i)) }

// Labels returns the label of every file.
func (s *Set) Labels() []string {
	labels := make([]string, s.Len())
	for i := range labels {
		labels[i] = s.Label(i)
	}
	return labels
}

// LabelOf returns the name of the folder that a path with slashes lies in, "" at the
// root.
func LabelOf(name string) string {
	if dir := path.Dir(name); dir != "." && dir != "/" {
		return path.Base(dir)
	}
	return ""
}

// Load decodes file i. The error names the path and wraps the reason.
func (s *Set) Load(i int) (*picture.Image, error) {
	name := s.path("Load", i)
	var m *picture.Image
	err := s.Read(i, func(data []byte, _ fs.FileInfo) (err error) {
		m, err = s.Decode(data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// Read calls use with the bytes of file i, which are its own until it returns, and with
// what the file system says of it. The error is that of use, or of reading, and does not
// repeat the path. Of a file that Decode refuses it reads no more
// than necessary: the beginning of one that is not a picture, such as a video, and
// [picture.Options].MaxBytes and one more of a larger one. The bytes of all files in use are bounded; who has to, waits.
func (s *Set) Read(i int, use func(data []byte, info fs.FileInfo) error) error {
	name := s.path("Read", i)
	if use == nil {
		panic("album.Read: use is nil")
	}
	f, err := s.fsys.Open(name)
	if err != nil {
		if !utf8.ValidString(name) {
			return errors.New("the file's name is not UTF-8; rename it")
		}
		return words.Cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		err = ofSystem(name, info)
	}
	if err != nil {
		return words.Cause(err)
	}
	return picture.Read(f, info.Size(), s.options, func(data []byte) error { return use(data, info) })
}

// Decode makes the picture of the bytes of a file. The error names no path.
func (s *Set) Decode(data []byte) (*picture.Image, error) {
	return picture.DecodeBytes(data, s.options, s.transform)
}

// Limit returns the set of n files evenly spaced in the order of s, so that
// every folder has its share: file k of the result is file k*Len/n of s. With n
// of Len or more it is s itself.
func (s *Set) Limit(n int) *Set {
	if n >= s.Len() {
		return s
	}
	paths := make([]string, max(n, 0))
	for k := range paths {
		paths[k] = s.paths[k*s.Len()/n]
	}
	return s.with(paths)
}

// Pick returns the set of the files of those numbers, in their order.
func (s *Set) Pick(files []int) *Set {
	paths := make([]string, len(files))
	for k, i := range files {
		paths[k] = s.path("Pick", i)
	}
	return s.with(paths)
}

// Map returns the set whose pictures are passed through f after decoding, on
// the goroutine that decoded them, such as for a resize. No more pictures than fit in the
// memory for decoding go through f at once; f must not wait for another to be decoded.
func (s *Set) Map(f func(*picture.Image) *picture.Image) *Set {
	if f == nil {
		panic("album.Map: f is nil")
	}
	out := s.with(s.all())
	if g := out.transform; g != nil {
		out.transform = func(m *picture.Image) *picture.Image { return f(g(m)) }
	} else {
		out.transform = f
	}
	return out
}

// all returns the paths of all files.
func (s *Set) all() []string {
	if s == nil {
		return nil
	}
	return s.paths
}

func (s *Set) with(paths []string) *Set {
	var out Set
	if s != nil {
		out = *s
	}
	out.paths = paths
	return &out
}

// Each loads every file, several at a time, and calls f on the caller's
// goroutine in the order of s, with the picture or the error of Load. At most
// two pictures a processor wait for f. An error of f, or the end of ctx, ends
// the work and is returned.
func (s *Set) Each(ctx context.Context, f func(i int, m *picture.Image, err error) error) error {
	if f == nil {
		panic("album.Each: f is nil")
	}
	type loaded struct {
		m   *picture.Image
		err error
	}
	load := func(i int) loaded {
		m, err := s.Load(i)
		return loaded{m, err}
	}
	return parallel.Ordered(ctx, s.Len(), load, func(i int, l loaded) error { return f(i, l.m, l.err) })
}

// Skip is a file that could not be decoded: not a picture, if the reason is a
// [*picture.KindError], else damaged or unreadable.
type Skip struct {
	Path   string
	Reason error // does not repeat the path
}

// Check decodes every file, several at a time, and returns the set of those
// that decode, in order, and the others with the reason. After each file it
// calls done, if not nil, in order, on the caller's goroutine. The only error
// is the end of ctx.
func (s *Set) Check(ctx context.Context, done func(i int)) (*Set, []Skip, error) {
	var (
		good []string
		bad  []Skip
	)
	drop := s.with(s.all())
	drop.transform = func(*picture.Image) *picture.Image { return nil }
	err := drop.Each(ctx, func(i int, _ *picture.Image, err error) error {
		if err != nil {
			bad = append(bad, Skip{s.paths[i], errors.Unwrap(err)})
		} else {
			good = append(good, s.paths[i])
		}
		if done != nil {
			done(i)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return s.with(good), bad, nil
}

// Sample is Check for files evenly spaced in the order of s, until n pictures are found or
// none is left to try. It calls done, if not nil, with the number of files tried so far.
func (s *Set) Sample(ctx context.Context, n int, done func(tried int)) (*Set, []Skip, error) {
	good, bad := map[string]bool{}, map[string]error{}
	for rest := s; len(good) < n && rest.Len() > 0; {
		// The more is not a picture, the more is tried at once.
		before := len(good) + len(bad)
		some, skips, err := rest.Limit(max(n-len(good), len(bad))).Check(ctx, func(i int) {
			if done != nil {
				done(before + i + 1)
			}
		})
		if err != nil {
			return nil, nil, err
		}
		for _, path := range some.paths {
			good[path] = true
		}
		for _, skip := range skips {
			bad[skip.Path] = skip.Reason
		}
		rest = rest.with(slices.DeleteFunc(slices.Clone(rest.paths), func(path string) bool { return good[path] || bad[path] != nil }))
	}
	var pictures []string
	var skips []Skip
	for _, path := range s.all() {
		switch {
		case good[path]:
			pictures = append(pictures, path)
		case bad[path] != nil:
			skips = append(skips, Skip{path, bad[path]})
		}
	}
	return s.with(pictures).Limit(n), skips, nil
}
