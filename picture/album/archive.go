package album

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"lookalike/internal/words"
)

// archive is the file system of an archive's regular files.
type archive struct {
	entries map[string]*entry // by clean path; "." is the root
}

// entry is a file or a folder of an archive, its own fs.FileInfo.
type entry struct {
	name     string // last element of the path
	size     int64
	modified time.Time
	open     func() (io.ReadCloser, error) // nil: a folder
	children []fs.DirEntry                 // of a folder, sorted by name
}

// Name, Size, Mode, ModTime, IsDir and Sys make an entry an fs.FileInfo.
func (e *entry) Name() string       { return e.name }
func (e *entry) Size() int64        { return e.size }
func (e *entry) ModTime() time.Time { return e.modified }
func (e *entry) IsDir() bool        { return e.open == nil }
func (e *entry) Sys() any           { return nil }
func (e *entry) Mode() fs.FileMode {
	if e.IsDir() {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// Limits that bound an index, about 300 bytes for each file and folder.
const (
	maxArchiveEntries = 2_000_000
	maxArchivePath    = 4096 // bytes
)

func (a *archive) full() error {
	if len(a.entries) < maxArchiveEntries {
		return nil
	}
	return fmt.Errorf("the archive holds more than %d files and folders, the limit", maxArchiveEntries)
}

// add puts a file in; name is as the archive has it.
func (a *archive) add(name string, e *entry) error {
	if !utf8.ValidString(name) {
		// Its encoding is not known. Byte by byte the name stays unique.
		latin1 := make([]rune, len(name))
		for i := range len(name) {
			latin1[i] = rune(name[i])
		}
		name = string(latin1)
	}
	name = clean(name)
	if name == "." {
		return nil
	}
	if len(name) > maxArchivePath {
		return fmt.Errorf("the archive has a path of %d bytes; the limit is %d", len(name), maxArchivePath)
	}
	e.name = path.Base(name)
	a.entries[name] = e
	return a.full()
}

// clean turns a name of an archive into a path of fs.FS: nothing leads out.
func clean(name string) string {
	name = path.Clean("/" + strings.ReplaceAll(name, `\`, "/"))
	return cmp.Or(strings.TrimPrefix(name, "/"), ".")
}

// finish adds the folders and sorts what is in them. A file with the path of a
// folder gives way to it.
func (a *archive) finish() (*archive, error) {
	files := make([]string, 0, len(a.entries))
	for name := range a.entries {
		files = append(files, name)
	}
	slices.Sort(files)
	a.entries["."] = &entry{name: "."}
	var place func(name string) *entry // the folder, put into its own folder
	place = func(name string) *entry {
		if e := a.entries[name]; e != nil && e.IsDir() {
			return e
		}
		e := &entry{name: path.Base(name)}
		a.entries[name] = e
		up := place(path.Dir(name))
		up.children = append(up.children, fs.FileInfoToDirEntry(e))
		return e
	}
	for _, name := range files {
		place(path.Dir(name))
		if err := a.full(); err != nil {
			return nil, err
		}
	}
	for _, name := range files {
		if e := a.entries[name]; !e.IsDir() {
			up := a.entries[path.Dir(name)]
			up.children = append(up.children, fs.FileInfoToDirEntry(e))
		}
	}
	for _, e := range a.entries {
		slices.SortFunc(e.children, func(x, y fs.DirEntry) int { return strings.Compare(x.Name(), y.Name()) })
	}
	return a, nil
}

// Open implements fs.FS.
func (a *archive) Open(name string) (fs.File, error) {
	e := a.entries[name]
	switch {
	case !fs.ValidPath(name):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	case e == nil:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case e.IsDir():
		return &openFolder{entry: e}, nil
	}
	r, err := e.open()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &openEntry{e, r}, nil
}

// Stat implements fs.StatFS: the size is known without opening.
func (a *archive) Stat(name string) (fs.FileInfo, error) {
	if e := a.entries[name]; e != nil && fs.ValidPath(name) {
		return e, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

type openEntry struct {
	*entry
	io.ReadCloser
}

func (f *openEntry) Stat() (fs.FileInfo, error) { return f.entry, nil }

type openFolder struct {
	*entry
	at int
}

func (f *openFolder) Stat() (fs.FileInfo, error) { return f.entry, nil }
func (f *openFolder) Close() error               { return nil }
func (f *openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.name, Err: errors.New("is a folder")}
}

// ReadDir implements fs.ReadDirFile.
func (f *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := f.children[f.at:]
	if n <= 0 {
		f.at = len(f.children)
		return slices.Clone(rest), nil
	}
	if len(rest) == 0 {
		return nil, io.EOF
	}
	rest = rest[:min(n, len(rest))]
	f.at += len(rest)
	return slices.Clone(rest), nil
}

// indexZip lists the files of a zip archive. zip.Reader is an fs.FS too, but
// refuses whole folders for one path that occurs twice.
func indexZip(r io.ReaderAt, size int64) (*archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, words.CutShort(err)
	}
	a := &archive{entries: map[string]*entry{}}
	for _, f := range z.File {
		if !f.Mode().IsRegular() || strings.HasSuffix(f.Name, `\`) {
			continue
		}
		open := f.Open
		if f.Flags&1 != 0 {
			open = func() (io.ReadCloser, error) { return nil, errors.New("the file is encrypted") }
		}
		e := &entry{size: int64(min(f.UncompressedSize64, 1<<62)), modified: f.Modified, open: open}
		if err := a.add(f.Name, e); err != nil {
			return nil, err
		}
	}
	return a.finish()
}

// indexTar lists the files of a tar archive and where each begins.
func indexTar(f *os.File, size int64) (*archive, error) {
	section := io.NewSectionReader(f, 0, size)
	t := tar.NewReader(section)
	a := &archive{entries: map[string]*entry{}}
	for {
		h, err := t.Next()
		if err == io.EOF {
			return a.finish()
		}
		if err != nil {
			return nil, fmt.Errorf("tar: %w", words.CutShort(err))
		}
		e := &entry{size: h.Size, modified: h.ModTime}
		switch h.Typeflag {
		case tar.TypeReg:
			// The reader seeks over contents and reads headers block by
			// block, so it stands where this file begins.
			begin, err := section.Seek(0, io.SeekCurrent)
			if err != nil {
				return nil, err
			}
			if h.Size > size-begin {
				return nil, fmt.Errorf("tar: %s: %w", h.Name, words.ErrCut)
			}
			e.open = func() (io.ReadCloser, error) {
				return io.NopCloser(io.NewSectionReader(f, begin, h.Size)), nil
			}
			if sparse(h) {
				e.open = func() (io.ReadCloser, error) { return nil, errors.New("sparse files of tar cannot be read") }
			}
		case tar.TypeLink:
			to := a.entries[clean(h.Linkname)]
			if to == nil {
				continue
			}
			e.size, e.open = to.size, to.open
		default:
			continue
		}
		if err := a.add(h.Name, e); err != nil {
			return nil, err
		}
	}
}

// sparse tells files that are stored with holes left out, so not in one piece.
func sparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return false
}
